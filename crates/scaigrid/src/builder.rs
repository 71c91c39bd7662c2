//! The builder that both clients share.

use crate::AttemptReport;
use crate::Error;
use crate::SystemEnv;
use crate::credential::Credential;
use crate::settings::{Draft, Settings};
use scaigrid_retry::{RetryBudget, RetryPolicy};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a client. `C` holds what differs between the two: see [`Client::builder`](crate::Client::builder)
/// and [`blocking::Client::builder`](crate::blocking::Client::builder).
///
/// | setting | default |
/// |---|---|
/// | [`api_key`](Self::api_key) | none: required, unless a token provider is given |
/// | [`base_url`](Self::base_url) | `https://scaigrid.scailabs.ai` |
/// | [`app_name`](Self::app_name) | none |
/// | [`timeout`](Self::timeout) | 60 s for each attempt without streaming, 120 s for images, audio, and uploads |
/// | [`first_byte_timeout`](Self::first_byte_timeout) | 60 s to the first byte of a stream |
/// | [`stream_idle_timeout`](Self::stream_idle_timeout) | 60 s of silence in a stream |
/// | [`connect_timeout`](Self::connect_timeout) | 10 s |
/// | [`deadline`](Self::deadline) | none |
/// | [`retry_policy`](Self::retry_policy) | [`StandardPolicy`](crate::StandardPolicy): three attempts |
/// | [`retry_budget`](Self::retry_budget) | 100 retries at once, and one for every ten calls that succeed |
/// | [`on_attempt`](Self::on_attempt) | nobody is told |
/// | [`budget_guard`](Self::budget_guard) | none |
/// | [`max_response_bytes`](Self::max_response_bytes) | 64 MiB |
/// | [`record_content`](Self::record_content) | no: spans hold no prompts and no replies |
///
/// What the builder sets wins over the environment, which is read only after [`env`](Self::env) and when the client is
/// built; what neither sets has the default above:
///
/// | variable | sets |
/// |---|---|
/// | `SCAIGRID_API_KEY` | [`api_key`](Self::api_key) |
/// | `SCAIGRID_BASE_URL` | [`base_url`](Self::base_url) |
///
/// The transports also read the usual proxy variables, such as `HTTPS_PROXY` and `NO_PROXY`. `Debug` of a client shows the
/// settings that apply, without the key and without values of headers.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build` is called"]
///
/// ```
/// # #[cfg(feature = "async")] {
/// use scaigrid::{Client, StandardPolicy};
/// use std::time::Duration;
///
/// let client = Client::builder()
///     .api_key("sgk_your_key_here")
///     .base_url("https://gateway.example/scaigrid")
///     .app_name("title-generator/1.0")
///     .timeout(Duration::from_secs(30))
///     .deadline(Duration::from_secs(120))
///     .retry_policy(StandardPolicy::patient())
///     .build()
///     .unwrap();
/// assert_eq!(client.base_url(), "https://gateway.example/scaigrid");
/// # }
/// ```
pub struct GenericClientBuilder<C> {
    pub(crate) draft: Draft,
    pub(crate) colour: C,
}

impl<C> GenericClientBuilder<C> {
    /// Takes what is not set here from `SCAIGRID_API_KEY` and `SCAIGRID_BASE_URL`.
    pub fn env(mut self) -> Self {
        self.draft.use_env = true;
        self
    }

    /// Sets the API key, `sgk_...`.
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.draft.api_key = Some(api_key.into());
        self
    }

    /// Sets the gateway's address. It may have a port, a path prefix, and a trailing slash.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.draft.base_url = Some(base_url.into());
        self
    }

    /// Names the program in the `User-Agent` header, behind the client's own: `scaigrid-rust/0.1.0 my-app/1.2`. Visible ASCII;
    /// anything else is an error when building.
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.draft.app_name = Some(name.into());
        self
    }

    /// Lets the credential go over plain `http` to other machines than this one.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.draft.allow_plain_http = allow;
        self
    }

    /// Limits each attempt, from sending to the last byte of the answer. Default: [`Endpoint::timeout`](crate::Endpoint::timeout),
    /// 60 seconds for most calls. Streams and downloads have limits of their own. A large upload needs more: see
    /// `with_timeout` of the client.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.draft.timeout = Some(timeout);
        self
    }

    /// Limits the wait for the first byte of a stream, from sending. Default: 60 seconds. A model that thinks for long
    /// before it speaks needs more.
    pub fn first_byte_timeout(mut self, timeout: Duration) -> Self {
        self.draft.first_byte_timeout = timeout;
        self
    }

    /// Limits the silence between two pieces of a stream. Default: 60 seconds. Comments of the server count as life. A
    /// stream that flows is not limited in time, but for the [`deadline`](Self::deadline), if there is one.
    pub fn stream_idle_timeout(mut self, timeout: Duration) -> Self {
        self.draft.stream_idle_timeout = timeout;
        self
    }

    /// Limits the time to connect; [`timeout`](Self::timeout) limits it too. Does not apply to a transport of your own.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.draft.connect_timeout = timeout;
        self
    }

    /// Limits each call as a whole, all attempts and waits together, and streams to their end. A wait that would pass it is not begun.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.draft.deadline = Some(deadline);
        self
    }

    /// Sets when a failed attempt is followed by another.
    pub fn retry_policy(mut self, policy: impl RetryPolicy + 'static) -> Self {
        self.draft.retry_policy = Arc::new(policy);
        self
    }

    /// Sets what pays for retries, so that an outage is not multiplied. Clones of the client share it, also those with
    /// other settings; a clone of the budget given to another client is shared with that one. When it is empty, failures
    /// are handed out as they are, with [`StopReason::RetryBudgetEmpty`](crate::StopReason::RetryBudgetEmpty). First
    /// attempts are never held back, nor is a repetition with a fresh token.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.draft.retry_budget = budget;
        self
    }

    /// Calls `observer` after each attempt, whether it failed or succeeded, and before the wait that may follow. It runs
    /// on the call's own thread or task, and should return soon. A stream counts as a success with its first chunk.
    ///
    /// ```
    /// let builder = scaigrid::Client::builder().on_attempt(|attempt| {
    ///     if attempt.wait.is_some() {
    ///         eprintln!("{}: {attempt}", attempt.endpoint);
    ///     }
    /// });
    /// ```
    pub fn on_attempt(mut self, observer: impl Fn(&AttemptReport) + Send + Sync + 'static) -> Self {
        self.draft.observer = Some(Arc::new(observer));
        self
    }

    /// Sets a soft limit on tokens or on the estimated cost, kept by the client itself. Clones of the client share it.
    /// Default: none.
    pub fn budget_guard(mut self, guard: crate::BudgetGuard) -> Self {
        self.draft.budget_guard = Some(guard);
        self
    }

    /// Takes the random numbers for jitter, from 0.0 up to 1.0, from a source of your own, so that tests wait the same
    /// time each run.
    pub fn jitter_source(mut self, source: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.draft.jitter = Arc::new(source);
        self
    }

    /// Limits the size of an answer, in bytes. A larger one is an error and is not read further.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.draft.max_response_bytes = bytes;
        self
    }

    /// Lets the spans of chats hold what was asked and answered, as `gen_ai.system_instructions`, `gen_ai.input.messages`
    /// and `gen_ai.output.messages`: JSON, in the form of the OpenTelemetry conventions. Default: no. At most the newest
    /// 32 messages, of each at most 4 KiB of text; no images, files, or tool calls. Whoever sees the traces sees the texts.
    ///
    /// ```
    /// let builder = scaigrid::Client::builder().record_content(true);
    /// ```
    pub fn record_content(mut self, record: bool) -> Self {
        self.draft.record_content = record;
        self
    }

    /// Sets a header of every request. Its value is treated as a secret. Headers that the client sets by itself,
    /// such as `Authorization`, are refused when building.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.draft.headers.push((name.into(), value.into()));
        self
    }

    /// Checks everything, with the token provider and whether there is a transport of the caller's own.
    pub(crate) fn check<P>(
        &self,
        provider: Option<P>,
        own_transport: bool,
    ) -> Result<(Settings, Credential<P>), Error> {
        let env = SystemEnv::process();
        let settings = self.draft.settings(&env)?;
        if settings.base_url.is_https() && !scaigrid_transport::HTTPS && !own_transport {
            return Err(Error::config(scaigrid_transport::HTTPS_MISSING));
        }
        Ok((settings, self.draft.credential(provider, &env)?))
    }
}

/// Shows neither key nor header values.
impl<C> fmt::Debug for GenericClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draft = &self.draft;
        let names: Vec<_> = draft.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("ClientBuilder")
            .field("api_key", &draft.api_key.as_ref().map(|_| "[redacted]"))
            // Unchecked as yet: it may hold a password, or a key in a query.
            .field(
                "base_url",
                &draft
                    .base_url
                    .as_ref()
                    .map(|url| if url.contains(['@', '?', '#']) { "[redacted]" } else { url }),
            )
            .field("env", &draft.use_env)
            .field("headers", &names)
            .field("timeout", &draft.timeout)
            .field("deadline", &draft.deadline)
            .field("retry_budget", &draft.retry_budget)
            .finish_non_exhaustive()
    }
}

/// The settings that a client's clone can override, the same for both.
macro_rules! overrides {
    () => {
        /// A client that shares everything with this one but the time limit of each attempt. Streams have limits of their
        /// own.
        pub fn with_timeout(&self, timeout: std::time::Duration) -> Self {
            self.with_settings(|settings| settings.timeout = Some(timeout))
        }

        /// A client that shares everything with this one but the time limit of each call as a whole.
        pub fn with_deadline(&self, deadline: std::time::Duration) -> Self {
            self.with_settings(|settings| settings.deadline = Some(deadline))
        }

        /// A client that shares everything with this one but the retry policy.
        pub fn with_retry_policy(&self, policy: impl scaigrid_retry::RetryPolicy + 'static) -> Self {
            self.with_settings(|settings| settings.retry_policy = std::sync::Arc::new(policy))
        }

        /// A client that shares everything with this one and sets a header, whose value is treated as a secret.
        ///
        /// # Errors
        /// [`ErrorKind::Config`](crate::ErrorKind::Config) when name or value cannot be a header, or when the client
        /// sets that header by itself.
        pub fn with_header(&self, name: &str, value: &str) -> Result<Self, crate::Error> {
            let mut headers = self.settings.headers.clone();
            crate::settings::insert_header(&mut headers, name, value)?;
            Ok(self.with_settings(|settings| settings.set_headers(headers)))
        }

        /// A client that shares everything with this one but the label that its calls are counted under, such as a tenant or
        /// a feature. It is not sent. See [`UsageSnapshot::by_label`](crate::UsageSnapshot::by_label).
        pub fn with_label(&self, label: impl Into<String>) -> Self {
            let label = std::sync::Arc::from(label.into());
            self.with_settings(|settings| {
                std::sync::Arc::make_mut(&mut settings.watch).label = Some(label);
            })
        }

        /// What the calls of this client and all its clones came to, since it was built or since
        /// [`reset_usage`](Self::reset_usage): tokens, retries, and failures, by model and by label. Exact, whatever runs at
        /// the same time. Calls under way are not in it.
        pub fn usage(&self) -> crate::UsageSnapshot {
            self.settings.watch.usage.snapshot()
        }

        /// Begins to count anew, for all clones, and gives what was counted. No call is lost in between.
        pub fn reset_usage(&self) -> crate::UsageSnapshot {
            self.settings.watch.usage.reset()
        }

        /// The gateway's address, without a trailing slash.
        pub fn base_url(&self) -> &str {
            self.settings.base_url.as_str()
        }

        fn with_settings(&self, change: impl FnOnce(&mut crate::settings::Settings)) -> Self {
            let mut client = self.clone();
            change(std::sync::Arc::make_mut(&mut client.settings));
            client
        }
    };
}

pub(crate) use overrides;
