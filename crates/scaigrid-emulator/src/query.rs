//! Query parameters, with every problem of a query reported at once.

use crate::reply::Failure;
use axum::extract::Query;
use scaigrid_types::FieldError;

/// The parameters as they came, decoded. Unknown ones are ignored; of a repeated one the first counts.
pub(crate) type RawQuery = Query<Pairs>;
pub(crate) type Pairs = Vec<(String, String)>;

/// Reads parameters and collects what is wrong with them.
pub(crate) struct Parameters {
    pairs: Pairs,
    problems: Vec<FieldError>,
}

impl Parameters {
    pub(crate) fn new(pairs: Pairs) -> Self {
        Self { pairs, problems: Vec::new() }
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// The parsed parameter. `None` when it is absent, or invalid, which is then a problem with `message`.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        message: &str,
    ) -> Option<T> {
        let value = parse(&self.text(name)?);
        if value.is_none() {
            self.problems.push(FieldError::new(name, message));
        }
        value
    }

    /// A `VALIDATION_ERROR` if there was any problem.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let problems = self.into_problems();
        if problems.is_empty() { Ok(()) } else { Err(Failure::invalid(&problems)) }
    }

    pub(crate) fn into_problems(self) -> Vec<FieldError> {
        self.problems
    }
}
