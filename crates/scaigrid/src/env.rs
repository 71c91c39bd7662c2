//! The environment as a seam: tests give their own.

use crate::Error;
use std::ffi::OsString;

/// Where environment variables are read.
pub(crate) struct SystemEnv<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl SystemEnv<'_> {
    /// The process's environment.
    pub(crate) fn process() -> SystemEnv<'static> {
        SystemEnv(&|name| std::env::var_os(name))
    }

    /// A variable's value, `None` when it is not set.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, Error> {
        let not_text = |_| Error::config(format!("{name} is not valid Unicode"));
        (self.0)(name).map(OsString::into_string).transpose().map_err(not_text)
    }
}

#[cfg(test)]
impl<'a> SystemEnv<'a> {
    pub(crate) fn with_lookup(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        SystemEnv(lookup)
    }
}
