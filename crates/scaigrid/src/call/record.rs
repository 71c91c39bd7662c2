//! What a call leaves behind: reports of its attempts, and its reply or error.

use super::{AnswerKind, Call, Step};
use crate::answer::{self, Failed};
use crate::clock::Now;
use crate::observation::{Ending, Outcome};
use crate::reply::{Facts, Reply};
use crate::{AttemptReport, Error, trace};
use http::StatusCode;
use scaigrid_retry::{StopReason, WaitSource};
use scaigrid_types::{Endpoint, ErrorCode};
use std::time::Duration;

impl<E: Endpoint> Call<'_, E> {
    pub(super) fn succeed(
        &mut self,
        value: E::Reply,
        mut answer: answer::Answer,
        now: Now,
    ) -> Step<E::Reply> {
        self.redact(&mut answer.request_id);
        let request_id = self.succeeded(answer.head.status, answer.request_id, now);
        let mut observation = self.observation.take();
        if self.answer == AnswerKind::Stream {
            observation.first_chunk(now.instant);
        }
        observation.finish(
            Outcome::Succeeded,
            Ending {
                at: Some(now.instant),
                requested_model: self.endpoint.requested_model(),
                status: Some(answer.head.status),
                request_id: request_id.as_deref(),
                facts: self.endpoint.facts(&value),
                content: Some(&|| trace::of_body(&answer.body)),
                secrets: Some(&|| self.secrets()),
            },
        );
        Step::Done(Ok(Reply::new(
            value,
            Facts {
                status: answer.head.status,
                request_id,
                headers: answer.head.headers,
                body: answer.body,
                attempts: self.sent,
                history: std::mem::take(&mut self.history),
                elapsed: self.elapsed(now),
                endpoint: self.endpoint.name(),
                at: now.system,
            },
        )))
    }

    /// The last attempt was the right one. Gives the id back.
    pub(super) fn succeeded(
        &mut self,
        status: StatusCode,
        request_id: Option<String>,
        now: Now,
    ) -> Option<String> {
        self.settings.retry_budget.deposit();
        let report = AttemptReport {
            endpoint: self.endpoint.name(),
            number: self.sent,
            error: None,
            status: Some(status),
            code: None,
            transport: None,
            request_id,
            elapsed: self.elapsed(now),
            wait: None,
            wait_source: None,
            stop_reason: None,
        };
        self.tell(&report, true);
        report.request_id
    }

    /// The last attempt failed, and another follows.
    pub(super) fn record_retry(&mut self, failed: &Failed, wait: Duration, source: WaitSource, now: Now) {
        let mut report = self.report(failed, now);
        (report.wait, report.wait_source) = (Some(wait), Some(source));
        self.record(report, failed.error.may_have_run());
    }

    /// The last attempt failed, and none follows.
    pub(super) fn stop(&mut self, failed: Failed, reason: Option<StopReason>, now: Now) -> Step<E::Reply> {
        let mut report = self.report(&failed, now);
        report.stop_reason = reason;
        self.record(report, failed.error.may_have_run());
        let mut error = failed.error;
        error.context_mut().stop_reason = reason;
        self.done(error, now)
    }

    /// The last attempt was refused, and nothing can follow it, whatever token comes: its body is gone.
    pub(super) fn record_consumed(&mut self, refused: &Failed, now: Now) {
        if self.outline.body.is_consumed() {
            self.record(self.report(refused, now), refused.error.may_have_run());
        }
    }

    pub(super) fn report(&self, failed: &Failed, now: Now) -> AttemptReport {
        failed.report(self.endpoint.name(), self.sent, self.elapsed(now))
    }

    pub(super) fn record(&mut self, report: AttemptReport, may_have_run: bool) {
        self.tell(&report, may_have_run);
        self.history.push(report);
    }

    /// Tells the caller's observer, and those who watch.
    fn tell(&mut self, report: &AttemptReport, may_have_run: bool) {
        if let Some(observer) = &self.settings.observer {
            observer(report);
        }
        self.observation.attempted(self.endpoint.requested_model(), report, may_have_run);
    }

    /// How many attempts have failed with this code, or without any, the last one included.
    pub(super) fn failures_of(&self, code: Option<&ErrorCode>) -> u32 {
        let before = self.history.iter().filter(|attempt| attempt.code.as_ref() == code).count();
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    pub(super) fn done(&mut self, mut error: Error, now: Now) -> Step<E::Reply> {
        let elapsed = self.elapsed(now);
        let context = error.context_mut();
        context.endpoint = Some(self.endpoint.name());
        context.attempts = self.sent;
        context.history = std::mem::take(&mut self.history);
        context.elapsed = elapsed;
        context.at = Some(now.system);
        self.observation.take().finish(
            Outcome::failed(&error),
            Ending {
                at: Some(now.instant),
                requested_model: self.endpoint.requested_model(),
                secrets: Some(&|| self.secrets()),
                ..Ending::default()
            },
        );
        Step::Done(Err(error))
    }

    /// The call is dropped. What is known of its latest answer is told.
    pub(super) fn abandoned(&mut self) {
        if !self.observation.is_live() {
            return;
        }
        let mut observation = self.observation.take();
        let before = self.history.last();
        let (status, request_id) = match &self.head {
            Some((status, id)) => (Some(*status), id.as_ref().and_then(|id| id.to_str().ok())),
            None => (None, None),
        };
        observation.finish(
            Outcome::Abandoned(None),
            Ending {
                requested_model: self.endpoint.requested_model(),
                status: status.or(before.and_then(|attempt| attempt.status)),
                request_id: request_id.or(before.and_then(|attempt| attempt.request_id.as_deref())),
                secrets: Some(&|| self.secrets()),
                ..Ending::default()
            },
        );
    }
}
