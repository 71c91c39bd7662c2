//! An endpoint is a value: everything a client needs to know about one call.

use crate::{Page, ReplyError, ReplyFacts, RequestBody, ResponseBody};
use std::borrow::Cow;
use std::time::Duration;

/// HTTP methods that the gateway uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The name, such as `"GET"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// What a repeated call does, as far as the method tells: `POST` and `PATCH` are
    /// [`ReplaySafety::NotIdempotent`], the others [`ReplaySafety::Idempotent`].
    pub fn replay_safety(self) -> ReplaySafety {
        match self {
            Method::Get | Method::Put | Method::Delete => ReplaySafety::Idempotent,
            Method::Post | Method::Patch => ReplaySafety::NotIdempotent,
        }
    }
}

/// What happens when a call runs twice. Decides which failures may be repeated.
///
/// The gateway documents no idempotency key, so only the kind of call tells (assumed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplaySafety {
    /// Running it twice is the same as running it once: `GET`, `PUT`, `DELETE`.
    Idempotent,
    /// Running it twice costs twice but harms nothing: chat, embeddings, images, audio.
    Inference,
    /// Running it twice creates two things, or is not known to be harmless: keys, sessions, batches.
    NotIdempotent,
}

/// A path below the base URL, as a list of segments that are not yet percent-encoded.
///
/// A `/` inside a segment stays inside it: the client sends `openai/gpt-4o` as `openai%2Fgpt-4o`, as docs
/// `reference/models-and-routing` ask. Ids therefore cannot change the path.
///
/// ```
/// use scaigrid_types::Path;
///
/// let path = Path::from_static("/v1/models").segment("openai/gpt-4o");
/// assert_eq!(path.segments().collect::<Vec<_>>(), ["v1", "models", "openai/gpt-4o"]);
/// ```
#[derive(Clone, Debug)]
pub struct Path {
    /// Without outer slashes.
    begin: Cow<'static, str>,
    added: Vec<String>,
}

impl Path {
    /// Splits a fixed path at each `/`. Leading and trailing slashes do not count.
    pub fn from_static(path: &'static str) -> Self {
        Self { begin: Cow::Borrowed(path.trim_matches('/')), added: Vec::new() }
    }

    /// As [`from_static`](Self::from_static), for a path made at run time.
    pub fn new(path: &str) -> Self {
        Self { begin: Cow::Owned(path.trim_matches('/').to_owned()), added: Vec::new() }
    }

    /// Appends one segment, whatever characters it holds.
    pub fn segment(mut self, segment: impl Into<String>) -> Self {
        self.added.push(segment.into());
        self
    }

    /// The segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.begin.split('/').chain(self.added.iter().map(String::as_str))
    }

    /// The whole path without outer slashes, if it is the same in every call. `None` when any of it was made at run time.
    pub fn fixed(&self) -> Option<&'static str> {
        match self.begin {
            Cow::Borrowed(path) if self.added.is_empty() => Some(path),
            _ => None,
        }
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.segments().eq(other.segments())
    }
}

impl Eq for Path {}

/// Query parameters in order, not yet percent-encoded.
///
/// ```
/// use scaigrid_types::Query;
///
/// let query = Query::new().with("limit", 100).with_opt("cursor", None::<String>);
/// assert_eq!(query.pairs().collect::<Vec<_>>(), [("limit", "100")]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(Cow<'static, str>, String)>);

impl Query {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter.
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.0.push((name.into(), value.to_string()));
        self
    }

    /// Adds a parameter unless it is `None`.
    pub fn with_opt(self, name: impl Into<Cow<'static, str>>, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The parameters, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_str()))
    }
}

/// The request cannot be sent as it is. Says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRequest(String);

impl InvalidRequest {
    /// `message` says what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// One call of the API, described as a value.
///
/// Both clients send any endpoint with `client.send(&endpoint)`. Implement it for a call that the crate does
/// not cover, and it gets the same retries, envelope handling, and errors:
///
/// ```
/// use scaigrid_types::{Endpoint, Method, Path, ReplyError, ResponseBody};
///
/// struct GetUser { id: String }
///
/// #[derive(serde::Deserialize)]
/// struct User { id: String, email: Option<String> }
///
/// impl Endpoint for GetUser {
///     type Reply = User;
///
///     fn name(&self) -> &'static str { "users.get" }
///     fn method(&self) -> Method { Method::Get }
///     fn path(&self) -> Path { Path::from_static("/v1/users").segment(&self.id) }
///     fn decode(&self, body: ResponseBody<'_>) -> Result<User, ReplyError> { body.data() }
/// }
/// ```
pub trait Endpoint {
    /// What a success decodes into.
    type Reply;

    /// A short, fixed name for errors and traces, such as `chat` or `models.list`.
    fn name(&self) -> &'static str;

    /// The HTTP method.
    fn method(&self) -> Method;

    /// The path below the base URL.
    fn path(&self) -> Path;

    /// The query. Default: none.
    fn query(&self) -> Query {
        Query::new()
    }

    /// The body, serialised once per call and shared by all attempts. Default: none.
    ///
    /// # Errors
    /// When the request is not valid as it is; nothing is sent then.
    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        Ok(None)
    }

    /// The `Accept` header. Default: `application/json`.
    fn accept(&self) -> &'static str {
        "application/json"
    }

    /// What happens when the call runs twice. Default: [`Method::replay_safety`].
    fn replay_safety(&self) -> ReplaySafety {
        self.method().replay_safety()
    }

    /// How long an attempt may take when the client was not given a limit. Default: 60 seconds, as in the documented
    /// samples.
    fn timeout(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Whether the call needs the credential. Default: yes. Without it, no `Authorization` header is sent.
    fn is_authenticated(&self) -> bool {
        true
    }

    /// What the request carries on purpose and nobody may print, such as the secret of a webhook. Servers like to repeat
    /// what they refuse; errors then say `[redacted]` instead. The credential and the client's own headers need not be
    /// named. Default: nothing.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether an answer of this HTTP status is a reply and not a failure. Default: 2xx.
    fn accepts_status(&self, status: u16) -> bool {
        (200..300).contains(&status)
    }

    /// Decodes an answer of an [accepted](Self::accepts_status) status. Other answers never get here.
    ///
    /// # Errors
    /// As the methods of [`ResponseBody`].
    fn decode(&self, body: ResponseBody<'_>) -> Result<Self::Reply, ReplyError>;

    /// What a model does in this call, in the words of OpenTelemetry's conventions for generative AI where they have one:
    /// `chat`, `embeddings`, `text_completion`, `generate_content`. `None`, the default, is a call that asks no model, such
    /// as a list. The clients count tokens and costs of calls that have one.
    fn operation(&self) -> Option<&'static str> {
        None
    }

    /// The model that the request names. Default: `None`.
    fn requested_model(&self) -> Option<&str> {
        None
    }

    /// What a reply tells of itself, for those that watch calls. Default: nothing.
    fn facts<'a>(&self, reply: &'a Self::Reply) -> ReplyFacts<'a> {
        let _ = reply;
        ReplyFacts::default()
    }
}

/// A call that is answered with a file, which the clients hand out while it comes.
pub trait DownloadEndpoint: Endpoint {
    /// Whether an answer of this `Content-Type` is the file. Otherwise it is read whole, and
    /// [`decode`](Endpoint::decode) says what is wrong with it. Default: whatever is neither JSON, because errors are JSON,
    /// nor a page for people, which comes from something else than the gateway.
    fn is_file(&self, content_type: Option<&str>) -> bool {
        let body = ResponseBody::new(b"", content_type);
        !body.is_json() && !body.is_html()
    }
}

/// A list that comes in pages.
pub trait Paginated: Endpoint<Reply = Page<Self::Item>> + Clone {
    /// What the list holds.
    type Item;

    /// The cursor that this query begins at. `None` for the first page.
    fn cursor(&self) -> Option<&str>;

    /// The same query for the page behind a cursor.
    fn after(&self, cursor: &str) -> Self;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_ignore_outer_slashes_and_keep_odd_segments() {
        let path = Path::new("/v1/users/").segment("a/b?c#d");
        assert_eq!(path.segments().collect::<Vec<_>>(), ["v1", "users", "a/b?c#d"]);
        assert_eq!(Path::from_static("/v1/users"), Path::new("v1").segment("users"));
        assert_ne!(Path::from_static("/v1/users"), Path::new("v1").segment("user"));
        assert_eq!(Path::from_static("/v1/users/").fixed(), Some("v1/users"));
        assert_eq!((path.fixed(), Path::from_static("/v1").segment("x").fixed()), (None, None));
    }
}
