//! What a call leaves behind: reports of its attempts, and its reply or error.

use super::{AnswerKind, Call, Step};
use crate::answer::{self, Failed};
use crate::clock::Now;
use crate::observation;
use crate::reply::{Facts, Reply};
use crate::trace::{End, Told};
use crate::{AttemptReport, Error};
use http::StatusCode;
use scaigrid_retry::{StopReason, WaitSource};
use scaigrid_types::{Endpoint, ErrorCode, ReplyFacts};
use std::time::Duration;

impl<E: Endpoint> Call<'_, E> {
    pub(super) fn succeed(
        &mut self,
        value: E::Reply,
        mut answer: answer::Answer,
        now: Now,
    ) -> Step<E::Reply> {
        // It is printed and pasted into tickets; the server may have sent anything.
        answer.request_id.iter_mut().for_each(|id| self.secrets().redact(id));
        self.succeeded(answer.head.status, answer.request_id.clone(), now);
        if let Some(trace) = &self.trace {
            let reply = trace.wants_reply().then(|| {
                Told::new(&self.endpoint.facts(&value)).with_content_of(&answer.body, trace.wants_content())
            });
            trace.end(End {
                status: Some(answer.head.status),
                request_id: answer.request_id.as_deref(),
                attempts: self.sent,
                elapsed: Some(self.elapsed(now)),
                error: None,
                reply,
                secrets: &self.secrets(),
            });
        }
        if self.answer == AnswerKind::Stream {
            self.observation.first_chunk();
        }
        self.observation.finish(observation::Outcome::Succeeded, &self.endpoint.facts(&value));
        Step::Done(Ok(Reply::new(
            value,
            Facts {
                status: answer.head.status,
                request_id: answer.request_id,
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

    /// The last attempt was the right one.
    pub(super) fn succeeded(&mut self, status: StatusCode, request_id: Option<String>, now: Now) {
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
        self.tell(&report);
        self.observation.attempted(&report, true);
        self.observation.answered(report.status, report.request_id);
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

    pub(super) fn report(&self, failed: &Failed, now: Now) -> AttemptReport {
        failed.report(self.endpoint.name(), self.sent, self.elapsed(now))
    }

    pub(super) fn record(&mut self, report: AttemptReport, may_have_run: bool) {
        self.tell(&report);
        self.observation.attempted(&report, may_have_run);
        self.history.push(report);
    }

    /// Tells the observer, and the log.
    fn tell(&self, report: &AttemptReport) {
        if let Some(observer) = &self.settings.observer {
            observer(report);
        }
        if let Some(trace) = &self.trace {
            trace.attempt(report);
        }
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
        if let Some(trace) = &self.trace {
            trace.failed(&error, &self.secrets());
        }
        self.observation.finish(observation::Outcome::failed(&error), &ReplyFacts::default());
        Step::Done(Err(error))
    }
}
