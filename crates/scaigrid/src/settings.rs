//! What both clients are configured with, and how it is checked.

use crate::base_url::{BaseUrl, BaseUrlError};
use crate::credential::Credential;
use crate::observation::{InstantSource, Watch};
use crate::observe::Observer;
use crate::tls::TlsDraft;
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

const USER_AGENT: &str = concat!("scaigrid-rust/", env!("CARGO_PKG_VERSION"));

/// Settings that need no colour, checked. Cloned when a call overrides one of them.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) headers: HeaderMap,
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
    #[cfg(feature = "opentelemetry")]
    pub(crate) instruments: crate::trace::Instruments,
    /// Who watches the calls.
    pub(crate) watch: Arc<Watch>,
}

/// Gives random numbers from 0.0 up to 1.0.
pub(crate) type JitterSource = Arc<dyn Fn() -> f64 + Send + Sync>;

impl Settings {
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
    #[cfg_attr(not(any(feature = "rustls", feature = "native-tls")), allow(dead_code))]
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
            jitter: Arc::new(fastrand::f64),
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
        Ok(Settings {
            base_url,
            headers: self.header_map()?,
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
            #[cfg(feature = "opentelemetry")]
            instruments: crate::trace::Instruments::default(),
            watch: Arc::new(Watch {
                budget_guard: self.budget_guard.clone(),
                ..Watch::new(Arc::new(crate::clock::system_instant))
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
mod tests {
    use super::*;
    use crate::ErrorKind;
    use std::ffi::OsString;

    fn build(draft: Draft, env: &[(&str, &str)]) -> Result<(Settings, Option<BearerToken>), Error> {
        let lookup =
            |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let env = SystemEnv::with_lookup(&lookup);
        Ok((draft.settings(&env)?, draft.credential(None::<()>, &env)?.fixed()))
    }

    fn message(draft: Draft, env: &[(&str, &str)]) -> String {
        let error = build(draft, env).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    }

    fn from_env() -> Draft {
        Draft { use_env: true, ..Draft::default() }
    }

    fn with_key() -> Draft {
        Draft { api_key: Some("sgk_key".into()), ..Draft::default() }
    }

    #[test]
    fn the_environment_fills_what_the_builder_leaves_open() {
        let env = [(API_KEY_VARIABLE, "sgk_env"), (BASE_URL_VARIABLE, "http://127.0.0.1:8787/")];
        let (settings, token) = build(from_env(), &env).unwrap();
        assert_eq!(settings.base_url.as_str(), "http://127.0.0.1:8787");
        assert_eq!(token, BearerToken::new("sgk_env").ok());
        let draft = Draft { base_url: Some("https://example.com".into()), use_env: true, ..with_key() };
        let (settings, token) = build(draft, &env).unwrap();
        assert_eq!(settings.base_url.as_str(), "https://example.com");
        assert_eq!(token, BearerToken::new("sgk_key").ok());
        let (settings, _) = build(with_key(), &env).unwrap();
        assert_eq!(settings.base_url.as_str(), DEFAULT_BASE_URL);
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let key = (API_KEY_VARIABLE, "sgk_env");
        assert!(message(from_env(), &[]).contains("SCAIGRID_API_KEY is not set"));
        assert!(
            message(from_env(), &[(API_KEY_VARIABLE, "  ")])
                .contains("SCAIGRID_API_KEY: the credential is blank")
        );
        let newline = message(from_env(), &[(API_KEY_VARIABLE, "sgk_secret\n")]);
        assert!(newline.contains("SCAIGRID_API_KEY: the credential holds a line break"), "{newline}");
        assert!(!newline.contains("sgk_secret"));
        assert!(message(from_env(), &[key, (BASE_URL_VARIABLE, "")]).contains("SCAIGRID_BASE_URL is blank"));
        assert!(
            message(from_env(), &[key, (BASE_URL_VARIABLE, "x y")])
                .contains("SCAIGRID_BASE_URL is not a valid")
        );
        assert!(message(Draft::default(), &[key]).contains("`.api_key(..)`"));
        let plain = Draft { base_url: Some("http://example.com".into()), ..with_key() };
        assert!(message(plain.clone(), &[]).contains("allow_plain_http"));
        assert!(build(Draft { allow_plain_http: true, ..plain }, &[]).is_ok());
        assert!(message(Draft { timeout: Some(Duration::ZERO), ..with_key() }, &[]).contains("zero"));
        assert!(message(Draft { deadline: Some(Duration::ZERO), ..with_key() }, &[]).contains("zero"));
        let env = |_: &str| None;
        let both = with_key().credential(Some(()), &SystemEnv::with_lookup(&env)).map(|_| ());
        assert!(both.unwrap_err().to_string().contains("not both"));
    }

    #[test]
    fn the_program_may_name_itself() {
        let named = |name: &str| Draft { app_name: Some(name.into()), ..with_key() };
        let (settings, _) = build(named(" my-app/1.2 "), &[]).unwrap();
        let agent = settings.headers[header::USER_AGENT].to_str().unwrap().to_owned();
        assert!(agent.starts_with("scaigrid-rust/") && agent.ends_with(" my-app/1.2"), "{agent}");
        assert!(format!("{settings:?}").contains(&agent), "the effective settings are shown");
        for wrong in ["", " ", "a\r\nX-Evil: 1", "a\0", "ä"] {
            assert!(message(named(wrong), &[]).contains("app name"), "{wrong:?}");
        }
    }

    #[test]
    fn headers_are_checked_and_secret() {
        let header =
            |name: &str, value: &str| Draft { headers: vec![(name.into(), value.into())], ..with_key() };
        let (settings, _) = build(header("X-Team", "hidden"), &[]).unwrap();
        assert!(format!("{settings:?}").contains("x-team") && !format!("{settings:?}").contains("hidden"));
        assert!(message(header("authorization", "Basic x"), &[]).contains("by itself"));
        assert!(message(header("X Y", "v"), &[]).contains("not a header name"));
        let injected = message(header("X-Team", "hidden\r\nX-Evil: 1"), &[]);
        assert!(injected.contains("x-team") && !injected.contains("hidden"));
    }
}
