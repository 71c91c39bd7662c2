//! What both clients are configured with, and how it is checked.

use crate::base_url::{BaseUrl, BaseUrlError, LastAddress};
use crate::credential::Credential;
use crate::observation::{InstantSource, Watch};
use crate::observe::Observer;
use crate::one_line::Secret;
use crate::tls::TlsDraft;
use crate::usage::UsageTable;
use crate::{BearerToken, BudgetGuard, Error, SystemEnv};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use scaigrid_retry::{RetryBudget, RetryPolicy, StandardPolicy};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The managed service. Documented.
pub(crate) const DEFAULT_BASE_URL: &str = "https://scaigrid.scailabs.ai";
/// Documented.
pub(crate) const API_KEY_VARIABLE: &str = "SCAIGRID_API_KEY";
/// Documented.
pub(crate) const BASE_URL_VARIABLE: &str = "SCAIGRID_BASE_URL";

/// What most calls send and get.
pub(crate) const JSON: &str = "application/json";

const USER_AGENT: &str = concat!("scaigrid-rust/", env!("CARGO_PKG_VERSION"));

/// Settings that need no colour, checked. Cloned when a call overrides one of them.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) headers: HeaderMap,
    /// Those of the headers.
    secrets: Vec<Secret>,
    /// The headers of a call that sends JSON and wants some, with a place for the credential.
    json_headers: HeaderMap,
    pub(crate) last_address: LastAddress,
    /// `None`: by endpoint.
    pub(crate) timeout: Option<Duration>,
    pub(crate) first_byte_timeout: Duration,
    pub(crate) stream_idle_timeout: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry_policy: Arc<dyn RetryPolicy>,
    pub(crate) retry_budget: RetryBudget,
    pub(crate) jitter: JitterSource,
    pub(crate) observer: Option<Observer>,
    pub(crate) max_response_bytes: usize,
    /// Whether spans hold prompts and replies.
    pub(crate) record_content: bool,
    /// Who watches the calls.
    pub(crate) watch: Arc<Watch>,
}

/// Gives random numbers from 0.0 up to 1.0.
pub(crate) type JitterSource = Arc<dyn Fn() -> f64 + Send + Sync>;

impl Settings {
    pub(crate) fn set_headers(&mut self, headers: HeaderMap) {
        self.secrets = secrets_of(&headers);
        self.json_headers = json_headers(&headers);
        self.headers = headers;
    }

    pub(crate) fn json_headers(&self) -> &HeaderMap {
        &self.json_headers
    }

    /// What must not be printed of the headers.
    pub(crate) fn header_secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Those who watch the calls take the time from here.
    pub(crate) fn watch_with(&mut self, now: InstantSource) {
        Arc::make_mut(&mut self.watch).now = now;
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("base_url", &self.base_url)
            // Names only: a custom header may be a secret.
            .field("headers", &self.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>())
            .field("user_agent", &self.headers.get(header::USER_AGENT).filter(|agent| !agent.is_sensitive()))
            .field(
                "timeout",
                &format_args!(
                    "{}",
                    self.timeout.map_or("by endpoint".to_owned(), |limit| format!("{limit:?}"))
                ),
            )
            .field("first_byte_timeout", &self.first_byte_timeout)
            .field("stream_idle_timeout", &self.stream_idle_timeout)
            .field("deadline", &self.deadline)
            .field("retry_budget", &self.retry_budget)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("record_content", &self.record_content)
            .field("budget_guard", &self.watch.budget_guard)
            .field("label", &self.watch.label)
            .finish_non_exhaustive()
    }
}

/// Settings that need no colour, as they were given.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) use_env: bool,
    pub(crate) api_key: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) app_name: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) first_byte_timeout: Duration,
    pub(crate) stream_idle_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry_policy: Arc<dyn RetryPolicy>,
    pub(crate) retry_budget: RetryBudget,
    pub(crate) jitter: JitterSource,
    pub(crate) observer: Option<Observer>,
    pub(crate) max_response_bytes: usize,
    pub(crate) budget_guard: Option<BudgetGuard>,
    pub(crate) allow_plain_http: bool,
    pub(crate) record_content: bool,
    #[cfg_attr(not(any(feature = "rustls", feature = "native-tls")), allow(dead_code, reason = "for TLS"))]
    pub(crate) tls: TlsDraft,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            use_env: false,
            api_key: None,
            base_url: None,
            app_name: None,
            headers: Vec::new(),
            timeout: None,
            first_byte_timeout: Duration::from_secs(60),
            stream_idle_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            deadline: None,
            retry_policy: Arc::new(StandardPolicy::new()),
            retry_budget: RetryBudget::default(),
            jitter: Arc::new(crate::random::fraction),
            observer: None,
            max_response_bytes: 64 * 1024 * 1024,
            budget_guard: None,
            allow_plain_http: false,
            record_content: false,
            tls: TlsDraft::default(),
        }
    }
}

impl Draft {
    /// A connection takes no longer than an attempt may.
    pub(crate) fn connect_limit(&self) -> Duration {
        self.connect_timeout.min(self.timeout.unwrap_or(Duration::MAX))
    }

    /// The API key, checked, or the provider.
    pub(crate) fn credential<P>(
        &self,
        provider: Option<P>,
        env: &SystemEnv<'_>,
    ) -> Result<Credential<P>, Error> {
        let (source, key) = match (&self.api_key, provider) {
            (Some(_), Some(_)) => {
                return Err(Error::config("give either `.api_key(..)` or `.token_provider(..)`, not both"));
            }
            (None, Some(provider)) => return Ok(Credential::Provided(provider)),
            (Some(key), None) => ("the API key", key.clone()),
            (None, None) if self.use_env => match env.read(API_KEY_VARIABLE)? {
                Some(key) => (API_KEY_VARIABLE, key),
                None => {
                    let message = format!("{API_KEY_VARIABLE} is not set: set it to an API key (sgk_...)");
                    return Err(Error::config(message));
                }
            },
            (None, None) => {
                return Err(Error::config("no credential: give `.api_key(..)` or `.token_provider(..)`"));
            }
        };
        let token = BearerToken::new(&key).map_err(|error| Error::config(format!("{source}: {error}")))?;
        Ok(Credential::Fixed(token))
    }

    /// Everything but the credential, checked.
    pub(crate) fn settings(&self, env: &SystemEnv<'_>) -> Result<Settings, Error> {
        let base_url = self.base_url(env)?;
        if !base_url.is_https() && !base_url.is_loopback() && !self.allow_plain_http {
            return Err(Error::config(format!(
                "{} would send the API key unencrypted: use https, or say `.allow_plain_http(true)`",
                base_url.as_str()
            )));
        }
        let limits = [self.connect_timeout, self.first_byte_timeout, self.stream_idle_timeout];
        if limits.into_iter().chain(self.timeout).chain(self.deadline).any(|limit| limit.is_zero()) {
            return Err(Error::config("a time limit of zero lets no call succeed"));
        }
        let headers = self.header_map()?;
        #[cfg(feature = "opentelemetry")]
        let instruments = crate::trace::Instruments::new(&base_url.origin());
        Ok(Settings {
            base_url,
            secrets: secrets_of(&headers),
            json_headers: json_headers(&headers),
            headers,
            last_address: LastAddress::default(),
            timeout: self.timeout,
            first_byte_timeout: self.first_byte_timeout,
            stream_idle_timeout: self.stream_idle_timeout,
            deadline: self.deadline,
            retry_policy: self.retry_policy.clone(),
            retry_budget: self.retry_budget.clone(),
            jitter: self.jitter.clone(),
            observer: self.observer.clone(),
            max_response_bytes: self.max_response_bytes,
            record_content: self.record_content,
            watch: Arc::new(Watch {
                now: Arc::new(crate::clock::system_instant),
                label: None,
                usage: UsageTable::default(),
                budget_guard: self.budget_guard.clone(),
                #[cfg(feature = "opentelemetry")]
                instruments,
            }),
        })
    }

    fn base_url(&self, env: &SystemEnv<'_>) -> Result<BaseUrl, Error> {
        let (source, text) = match &self.base_url {
            Some(text) => ("the base URL", text.clone()),
            None => match self.use_env.then(|| env.read(BASE_URL_VARIABLE)).transpose()?.flatten() {
                Some(text) => (BASE_URL_VARIABLE, text),
                None => ("the base URL", DEFAULT_BASE_URL.to_owned()),
            },
        };
        BaseUrl::parse(&text).map_err(|error: BaseUrlError| Error::config(format!("{source} {error}")))
    }

    /// Ours, and behind it the program's.
    fn user_agent(&self) -> Result<HeaderValue, Error> {
        let Some(app_name) = &self.app_name else { return Ok(HeaderValue::from_static(USER_AGENT)) };
        let is_fine =
            |name: &str| name.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !name.trim().is_empty();
        let suffix = Some(app_name.trim()).filter(|_| is_fine(app_name));
        let user_agent = suffix.and_then(|name| HeaderValue::from_str(&format!("{USER_AGENT} {name}")).ok());
        user_agent
            .ok_or_else(|| Error::config("the app name must be visible ASCII text, such as `my-app/1.2`"))
    }

    fn header_map(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, self.user_agent()?);
        for (name, value) in &self.headers {
            insert_header(&mut headers, name, value)?;
        }
        Ok(headers)
    }
}

fn json_headers(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.insert(header::ACCEPT, HeaderValue::from_static(JSON));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::AUTHORIZATION, HeaderValue::from_static(""));
    headers
}

fn secrets_of(headers: &HeaderMap) -> Vec<Secret> {
    headers.values().filter(|value| value.is_sensitive()).map(Secret::of_header).collect()
}

/// Headers that the client sets by itself.
const OWN_HEADERS: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::HOST,
];

/// Sets a caller's header. Its value is treated as a secret.
pub(crate) fn insert_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Error> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::config(format!("`{}` is not a header name", name.escape_debug())))?;
    if OWN_HEADERS.contains(&parsed) {
        return Err(Error::config(format!("the client sets the header `{parsed}` by itself")));
    }
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Error::config(format!("the value of the header `{parsed}` holds characters that no header may have"))
    })?;
    value.set_sensitive(true);
    headers.insert(parsed, value);
    Ok(())
}

#[cfg(test)]
mod tests;
