//! One call, without I/O: what to send, what an outcome means, what to do next.
//!
//! ```text
//!            start ──▶ Token? ────▶ Send ──▶ outcome ──▶ Done(Ok)
//!                          ▲           ▲          │
//!                          │          Sleep ◀─────┤ the policy says: again
//!                          └── fresh token once ◀─┤ the token was refused
//!                                                 └▶ Done(Err)
//! ```
//!
//! The two drivers perform the steps, one with `.await` and one without, and decide nothing.

mod handed_on;
mod record;
mod request;

pub(crate) use request::{ClientHeaders, Outline};

use crate::answer::{self, Failed};
use crate::clock::Now;
use crate::observation::Observation;
use crate::one_line::{Secret, Secrets};
use crate::payload::Payload;
use crate::reply::{REQUEST_ID, Reply};
use crate::settings::Settings;
use crate::{AttemptReport, BearerToken, BoxError, Error, ErrorKind};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use scaigrid_retry::{Decision, FailedAttempt, StopReason, WaitSource};
use scaigrid_transport::{Timeouts, TransportError, TransportErrorKind};
use scaigrid_types::{Endpoint, ErrorCode, ReplaySafety, RetryClass};
use std::time::{Duration, Instant};

/// What a driver does next.
pub(crate) enum Step<T> {
    /// Send [`Call::request`] and read the answer; then [`Call::on_outcome`].
    Send { timeouts: Timeouts },
    /// Wait for something first.
    Pause(Pause),
    /// Hand this out.
    Done(Result<Reply<T>, Error>),
}

/// What a driver waits for before it sends.
pub(crate) enum Pause {
    /// The current token, or with `refused` a fresh one; then [`Call::on_token`].
    Token { refused: Option<BearerToken> },
    /// Time; then [`Call::on_waited`].
    Sleep(Duration),
}

/// What became of one sent request.
pub(crate) enum Outcome {
    /// A whole answer.
    Answer(http::response::Parts, Bytes),
    /// A head, but no whole body.
    BrokenAnswer(http::response::Parts, TransportError),
    /// No answer.
    NoAnswer(TransportError),
}

impl Outcome {
    pub(crate) fn of(head: http::response::Parts, body: Result<Bytes, TransportError>) -> Self {
        match body {
            Ok(body) => Outcome::Answer(head, body),
            Err(error) => Outcome::BrokenAnswer(head, error),
        }
    }
}

/// How the answer is read, which decides about the time limits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerKind {
    Whole,
    Stream,
    File,
}

/// One call on its way. `E` says what is called; everything else is the same for all calls.
pub(crate) struct Call<'a, E: Endpoint> {
    endpoint: &'a E,
    settings: &'a Settings,
    outline: Outline,
    replay_safety: ReplaySafety,
    answer: AnswerKind,
    /// The address holds a token, and may be echoed.
    secret_address: Vec<String>,
    token: Option<BearerToken>,
    /// Whether the driver is asked for a token before the first request.
    needs_token: bool,
    can_refresh: bool,
    started: Instant,
    /// Requests sent.
    sent: u32,
    /// The limits that the last request was given.
    limits: Timeouts,
    /// Attempts as the policy counts them: a repetition with a fresh token is none.
    attempt: u32,
    history: Vec<AttemptReport>,
    /// A retry is paid for and not sent yet.
    paid: bool,
    /// The failure that a wait or a fresh token follows, until the next.
    last: Option<Failed>,
    /// Of the answer that is being read, for a span that ends before it is judged.
    head: Option<(StatusCode, Option<HeaderValue>)>,
    /// Tells those who watch. Moves on with a stream or a file.
    observation: Observation,
}

impl<'a, E: Endpoint> Call<'a, E> {
    /// Serialises the request, once for all attempts. Without a `token`, the driver is asked for one.
    pub(crate) fn start(
        endpoint: &'a E,
        settings: &'a Settings,
        token: Option<BearerToken>,
        now: Now,
    ) -> Result<Self, Error> {
        Ok(Self::with_outline(endpoint, Outline::new(endpoint, settings)?, settings, token, now))
    }

    /// As [`start`](Self::start), for a request that is made already.
    pub(crate) fn with_outline(
        endpoint: &'a E,
        outline: Outline,
        settings: &'a Settings,
        token: Option<BearerToken>,
        now: Now,
    ) -> Self {
        let is_authenticated = endpoint.is_authenticated();
        let token = token.filter(|_| is_authenticated);
        let observation = Observation::begin(endpoint, &outline, settings, now.instant);
        Self {
            endpoint,
            settings,
            outline,
            replay_safety: endpoint.replay_safety(),
            answer: AnswerKind::Whole,
            secret_address: Vec::new(),
            needs_token: is_authenticated && token.is_none(),
            can_refresh: is_authenticated && token.is_none(),
            token,
            started: now.instant,
            sent: 0,
            limits: Timeouts::none(),
            attempt: 0,
            history: Vec::new(),
            paid: false,
            last: None,
            head: None,
            observation,
        }
    }

    /// The answer will be read as a stream: other time limits apply.
    pub(crate) fn streaming(&mut self) {
        self.answer = AnswerKind::Stream;
        self.observation.streaming();
    }

    /// The answer will be read as a file: the limits of streams apply, but for the wait for its begin.
    pub(crate) fn downloading_file(&mut self) {
        self.answer = AnswerKind::File;
    }

    /// The address is a secret: what echoes it is not printed.
    pub(crate) fn with_secret_address(mut self, parts: Vec<String>) -> Self {
        self.secret_address = parts;
        self
    }

    /// The first step.
    pub(crate) fn first(&mut self, now: Now) -> Step<E::Reply> {
        let guard = self.settings.watch.budget_guard.as_ref();
        if let Some(refusal) = guard.and_then(|guard| guard.refusal(self.endpoint)) {
            return self.done(refusal, now);
        }
        match self.needs_token {
            true => Step::Pause(Pause::Token { refused: None }),
            false => self.send(now),
        }
    }

    /// The token provider has answered.
    pub(crate) fn on_token(&mut self, token: Result<BearerToken, BoxError>, now: Now) -> Step<E::Reply> {
        match token {
            Ok(token) => {
                self.token = Some(token);
                match self.last.take_if(|_| self.outline.body.is_consumed()) {
                    // The provider has a fresh token now, but there is nothing to send any more.
                    Some(refused) => self.stop(refused, Some(StopReason::BodyNotRepeatable), now),
                    None => self.send(now),
                }
            }
            Err(cause) => {
                let message = "the token provider failed";
                let error = match self.last.take() {
                    // What the gateway said, and its request id, stay with the error.
                    Some(refused) => {
                        self.record_consumed(&refused, now);
                        refused.error.retold(ErrorKind::TokenProvider, message, cause)
                    }
                    None => Error::new(ErrorKind::TokenProvider, message).with_source(cause),
                };
                self.done(error, now)
            }
        }
    }

    /// The caller has ended the call, before it was sent or while it waited.
    #[cfg_attr(
        not(feature = "blocking"),
        allow(dead_code, reason = "an async call is cancelled by dropping it")
    )]
    pub(crate) fn on_cancelled(&mut self, now: Now) -> Step<E::Reply> {
        let error = match self.last.take() {
            Some(failed) => {
                self.record_consumed(&failed, now);
                let may_have_run = failed.error.may_have_run();
                let message = "cancelled while it waited for another attempt";
                let mut error = Error::new(ErrorKind::Cancelled, message).with_source(failed.error);
                error.context_mut().may_have_run = may_have_run;
                error
            }
            None => Error::new(ErrorKind::Cancelled, "cancelled before it was sent"),
        };
        self.done(error, now)
    }

    /// The wait is over.
    pub(crate) fn on_waited(&mut self, now: Now) -> Step<E::Reply> {
        self.attempt += 1;
        self.send(now)
    }

    /// A request was sent, and this became of it.
    pub(crate) fn on_outcome(&mut self, outcome: Outcome, now: Now) -> Step<E::Reply> {
        let failed = match answer::judge(self.endpoint, outcome, self.limits, now) {
            Ok((value, answer)) => return self.succeed(value, answer, now),
            Err(failed) => failed,
        };
        self.on_failed(failed, now)
    }

    /// Decides what follows a failed attempt.
    pub(crate) fn on_failed(&mut self, mut failed: Failed, now: Now) -> Step<E::Reply> {
        failed.error.redact(&self.secrets());
        let before = self.last.take();
        if failed.error.transport_kind() == Some(TransportErrorKind::Timeout) && self.is_cut_by_deadline() {
            failed.error.tell_deadline(self.settings.deadline, before.map(|failed| failed.error));
        }
        let Some(failure) = failed.failure() else {
            return self.stop(failed, None, now);
        };
        if self.token_was_refused(&failed) {
            // Once a call: with a fresh token, the refusal is final.
            self.can_refresh = false;
            if !self.outline.body.is_consumed() {
                self.record_retry(&failed, Duration::ZERO, WaitSource::FreshToken, now);
            }
            self.last = Some(failed);
            return Step::Pause(Pause::Token { refused: self.token.take() });
        }
        let decision = self.settings.retry_policy.decide(
            &FailedAttempt::new(self.attempt, failure, self.replay_safety)
                .with_code_failures(self.failures_of(failed.code()))
                .with_elapsed(self.elapsed(now))
                .with_deadline(self.settings.deadline)
                .with_hint(failed.hint)
                .with_jitter((self.settings.jitter)()),
        );
        match decision {
            // Also for policies that do not look at the deadline.
            Decision::RetryAfter { delay, .. } if self.time_left(now).is_some_and(|left| delay >= left) => {
                self.stop(failed, Some(StopReason::DeadlineTooClose), now)
            }
            Decision::RetryAfter { .. } if self.outline.body.is_consumed() => {
                self.stop(failed, Some(StopReason::BodyNotRepeatable), now)
            }
            Decision::RetryAfter { .. } if !self.settings.retry_budget.try_withdraw() => {
                self.stop(failed, Some(StopReason::RetryBudgetEmpty), now)
            }
            Decision::RetryAfter { delay, source } => {
                self.paid = true;
                self.record_retry(&failed, delay, source, now);
                self.last = Some(failed);
                Step::Pause(Pause::Sleep(delay))
            }
            Decision::Stop(reason) => self.stop(failed, Some(reason), now),
            // The enum may grow; an answer that this version does not know is no licence to go on.
            _ => self.stop(failed, None, now),
        }
    }

    /// The head of an answer is there. A blocking call cannot be dropped before it is judged.
    #[cfg_attr(not(feature = "async"), allow(dead_code, reason = "only an async call can be dropped"))]
    pub(crate) fn on_head(&mut self, head: &http::response::Parts) {
        if self.observation.is_traced() {
            self.head = Some((head.status, head.headers.get(&REQUEST_ID).cloned()));
        }
    }

    /// What must not be printed, whoever says it.
    fn secrets(&self) -> Secrets {
        let address = self.secret_address.iter().map(String::as_str);
        let texts = address.chain(self.endpoint.secrets()).map(Secret::of_text);
        Secrets::new(self.usual_secrets().cloned().chain(texts))
    }

    fn usual_secrets(&self) -> impl Iterator<Item = &Secret> {
        self.token.iter().map(BearerToken::secret).chain(self.settings.header_secrets())
    }

    /// Takes secrets out of an id, which is printed and pasted into tickets: the server may have sent anything.
    fn redact(&self, id: &mut Option<String>) {
        let Some(id) = id else { return };
        // A look at each is usually enough, and puts nothing together.
        let has_others = !self.secret_address.is_empty() || !self.endpoint.secrets().is_empty();
        if has_others || self.usual_secrets().any(|secret| secret.may_be_in(id)) {
            self.secrets().redact(id);
        }
    }

    fn token_was_refused(&self, failed: &Failed) -> bool {
        self.can_refresh && failed.code().map(ErrorCode::retry_class) == Some(RetryClass::Reauth)
    }

    /// Sends, unless the time is up: a sleep or a token may have taken longer than expected.
    fn send(&mut self, now: Now) -> Step<E::Reply> {
        let timeouts = self.timeouts(now);
        if timeouts.attempt.is_some_and(|limit| limit.is_zero()) {
            let mut error = match self.last.take() {
                Some(failed) => failed.error,
                None => Error::new(ErrorKind::Timeout, "the time for the call was over before it was sent"),
            };
            let reason = Some(StopReason::DeadlineTooClose);
            error.context_mut().stop_reason = reason;
            self.history.last_mut().into_iter().for_each(|attempt| attempt.stop_reason = reason);
            return self.done(error, now);
        }
        self.paid = false;
        self.attempt = self.attempt.max(1);
        self.sent += 1;
        self.head = None;
        self.limits = timeouts;
        self.observation.sending();
        Step::Send { timeouts }
    }

    /// The request of this attempt. Made where it is sent, as it is large to hand on.
    pub(crate) fn request(&self) -> http::Request<Payload> {
        let mut request = self.outline.request(self.settings, self.token.as_ref());
        self.observation.enter_request(self.settings, &mut request);
        request
    }

    /// The deadline shrinks the last attempt.
    fn timeouts(&self, now: Now) -> Timeouts {
        let left = self.time_left(now);
        let first_byte = match self.answer {
            AnswerKind::Whole => {
                let limit = self.plain_timeout().min(left.unwrap_or(Duration::MAX));
                return Timeouts::none().with_attempt(limit);
            }
            AnswerKind::Stream => self.settings.first_byte_timeout,
            // What makes the file may take as long as a call of its kind.
            AnswerKind::File => self.settings.first_byte_timeout.max(self.plain_timeout()),
        };
        // Only the deadline may cut an answer that flows.
        Timeouts::none()
            .with_attempt(left)
            .with_first_byte(first_byte)
            .with_read(self.settings.stream_idle_timeout)
    }

    /// How long an attempt may take whose answer is not read as a stream.
    pub(crate) fn plain_timeout(&self) -> Duration {
        self.settings.timeout.unwrap_or_else(|| self.endpoint.timeout())
    }

    fn time_left(&self, now: Now) -> Option<Duration> {
        Some(self.settings.deadline?.saturating_sub(self.elapsed(now)))
    }

    /// Whether the last attempt had less time than usual.
    fn is_cut_by_deadline(&self) -> bool {
        let usual = match self.answer {
            AnswerKind::Whole => self.plain_timeout(),
            AnswerKind::Stream | AnswerKind::File => Duration::MAX,
        };
        self.limits.attempt.is_some_and(|limit| limit < usual)
    }

    fn elapsed(&self, now: Now) -> Duration {
        now.instant.saturating_duration_since(self.started)
    }
}

/// Cancelled, dropped, or out of time: what was paid for and not sent goes back to the budget, and the call has ended.
impl<E: Endpoint> Drop for Call<'_, E> {
    fn drop(&mut self) {
        if self.paid {
            self.settings.retry_budget.refund();
        }
        self.abandoned();
    }
}

#[cfg(test)]
mod tests;
