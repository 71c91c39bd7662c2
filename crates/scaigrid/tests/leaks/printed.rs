//! All that a program can print of what a call gives it.

use crate::secrets::found;
use scaigrid::{Error, Reply};
use std::cell::RefCell;
use std::error::Error as _;
use std::fmt::Debug;

/// Looks at results. Says what went wrong, for those that are looked at.
pub(crate) struct Printed {
    /// What is tried just now.
    pub(crate) title: String,
    /// Whether the server is honest, so that what it sends as data holds no secret.
    pub(crate) with_values: bool,
    /// Whether it sends secrets where they belong, so that values must not show them.
    pub(crate) with_secrets: bool,
    /// Secrets that came up on the way.
    pub(crate) learnt: Vec<String>,
    /// What was found: all of it, because one leak hides another.
    leaks: RefCell<Vec<String>>,
    pub(crate) successes: usize,
    pub(crate) failures: usize,
}

impl Printed {
    pub(crate) fn new() -> Self {
        Self {
            title: String::new(),
            with_values: false,
            with_secrets: false,
            learnt: Vec::new(),
            leaks: RefCell::default(),
            successes: 0,
            failures: 0,
        }
    }

    pub(crate) fn text(&self, what: &str, text: &str) {
        let learnt = self.learnt.iter().find(|secret| text.contains(*secret));
        if let Some(name) = found(text).or(learnt.map(|_| "what came on the way")) {
            self.leaks.borrow_mut().push(format!("{}: {what} shows {name}: {text}", self.title));
        }
    }

    /// The end: nothing was found.
    #[track_caller]
    pub(crate) fn assert_silent(&self) {
        let leaks = self.leaks.borrow();
        let first = leaks.iter().take(20).map(|leak| leak.chars().take(2000).collect::<String>());
        assert!(leaks.is_empty(), "{} leaks shows {:#?}", leaks.len(), first.collect::<Vec<_>>());
    }

    pub(crate) fn debug(&self, what: &str, value: &dyn Debug) {
        self.text(what, &format!("{value:?} {value:#?}"));
    }

    /// A value that has places for secrets.
    pub(crate) fn keeper(&self, what: &str, value: &dyn Debug) {
        if self.with_values || self.with_secrets {
            self.debug(what, value);
        }
    }

    pub(crate) fn reply<T: Debug>(
        &mut self,
        what: &str,
        result: Result<Reply<T>, Error>,
    ) -> Option<Reply<T>> {
        let reply = self.result(what, result)?;
        if self.with_values {
            self.debug(what, &reply);
        }
        self.text(what, &format!("{:?} {:?}", reply.request_id(), reply.rate_limit()));
        self.text(what, &format!("{0} {0:?} {1:?}", reply.retry_report(), reply.history()));
        Some(reply)
    }

    /// For what is no reply. Its value is printed elsewhere.
    pub(crate) fn result<T>(&mut self, what: &str, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => {
                self.successes += 1;
                Some(value)
            }
            Err(error) => {
                self.failures += 1;
                self.error(what, &error);
                None
            }
        }
    }

    fn error(&self, what: &str, error: &Error) {
        self.text(
            what,
            &format!("{error} {error:?} {error:#?} {} {:?}", error.message(), error.request_id()),
        );
        self.text(what, &format!("{0} {0:?} {1:?}", error.retry_report(), error.history()));
        self.text(what, &format!("{:?} {:?} {:?}", error.code(), error.field_errors(), error.api_error()));
        self.text(what, &format!("{:?} {:?}", error.decode_error(), error.transport_kind()));
        let mut cause = error.source();
        while let Some(one) = cause {
            self.text(&format!("{what}: a cause"), &format!("{one} {one:?} {one:#?}"));
            cause = one.source();
        }
    }
}
