//! The contract of a transport as scenarios, to hold any implementation to it.
//!
//! [`run`] takes a function that makes your [`Transport`](crate::transport::Transport), [`run_blocking`] one that makes your
//! [`blocking::Transport`](crate::transport::blocking::Transport). For each scenario, a server on `127.0.0.1` does what the
//! scenario says (answers, dawdles, cuts, resets, talks nonsense), and a client on a transport of its own makes calls, with
//! its retries and limits as in production. Waits before retries are skipped; time within an exchange is real. All
//! scenarios together take some seconds. They need no network but loopback.
//!
//! ```
//! # #[cfg(feature = "async")]
//! # async fn run() {
//! use scaigrid::testing::conformance;
//! use scaigrid::transport::ReqwestTransport;
//!
//! let report = conformance::run(|| ReqwestTransport::builder().no_proxy().build().unwrap()).await;
//! report.assert_passed();
//! # }
//! ```
//!
//! ```no_run
//! # #[cfg(feature = "blocking")] {
//! use scaigrid::testing::conformance;
//! use scaigrid::transport::UreqTransport;
//!
//! let report = conformance::run_blocking(|| UreqTransport::builder().no_proxy().build().unwrap());
//! report.assert_passed();
//! # }
//! ```
//!
//! Not among the scenarios, because they need more than loopback and `http`: certificates, proxies, names that do not
//! resolve, and connections that are not made in time.

mod answers;
#[cfg(feature = "async")]
mod async_calls;
#[cfg(feature = "blocking")]
mod blocking_calls;
mod clock;
mod failures;
mod limits;
mod received;
mod scenario;
mod server;
mod streams;
mod uploads;
mod wire;

use scenario::{Came, Scenario, Seen, Verdict};
use server::Server;
use std::fmt;

/// All scenarios, in the order in which they are played.
fn all() -> impl Iterator<Item = &'static Scenario> {
    let groups =
        [answers::SCENARIOS, failures::SCENARIOS, limits::SCENARIOS, streams::SCENARIOS, uploads::SCENARIOS];
    groups.into_iter().flatten()
}

/// The names of all scenarios, in the order in which they are played.
pub fn scenarios() -> impl Iterator<Item = &'static str> {
    all().map(|scenario| scenario.name)
}

/// Plays every scenario with an async transport, each on one that `make` makes. Needs the runtime that the transport
/// needs, and tokio's for the uploads.
#[cfg(feature = "async")]
pub async fn run<T: crate::transport::Transport + 'static>(make: impl Fn() -> T) -> Report {
    let mut outcomes = Vec::new();
    for scenario in all() {
        let outcome = match Stage::new(scenario) {
            Ok(stage) => {
                let calls = async_calls::make(&stage, make()).await;
                stage.judge(calls)
            }
            Err(error) => Err(error.to_string()),
        };
        outcomes.push(Outcome::of(scenario, outcome));
    }
    Report { outcomes }
}

/// Plays every scenario with a blocking transport, each on one that `make` makes.
#[cfg(feature = "blocking")]
pub fn run_blocking<T: crate::transport::blocking::Transport + 'static>(make: impl Fn() -> T) -> Report {
    let play = |scenario| match Stage::new(scenario) {
        Ok(stage) => stage.judge(blocking_calls::make(&stage, make())),
        Err(error) => Err(error.to_string()),
    };
    Report { outcomes: all().map(|scenario| Outcome::of(scenario, play(scenario))).collect() }
}

/// A scenario, with its server and its clock.
struct Stage {
    scenario: &'static Scenario,
    server: Server,
    base_url: String,
    clock: clock::SkippingClock,
}

impl Stage {
    fn new(scenario: &'static Scenario) -> std::io::Result<Self> {
        let server = Server::start((scenario.connections)())?;
        let address = if scenario.setup.is_nowhere { Server::nowhere()? } else { server.address };
        let base_url = format!("http://{address}");
        Ok(Self { scenario, server, base_url, clock: clock::SkippingClock::default() })
    }

    fn judge(&self, calls: Result<Vec<Came>, crate::Error>) -> Verdict {
        let calls = calls.map_err(|error| format!("no client: {error}"))?;
        let seen = Seen { calls, waits: self.clock.waits(), server: self.server.log() };
        (self.scenario.check)(&seen)
    }
}

/// What a transport has kept of its contract.
#[derive(Clone, Debug)]
#[must_use = "a report that nobody looks at holds nobody to anything"]
pub struct Report {
    outcomes: Vec<Outcome>,
}

/// What came of one scenario.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The scenario.
    pub name: &'static str,
    /// What the contract promises.
    pub promise: &'static str,
    /// What was expected and what came instead, if it was not kept.
    pub result: Result<(), String>,
}

impl Outcome {
    fn of(scenario: &Scenario, result: Verdict) -> Self {
        Self { name: scenario.name, promise: scenario.promise, result }
    }
}

impl Report {
    /// What came of each scenario, in order.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The scenarios that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.result.is_err())
    }

    /// For tests.
    ///
    /// # Panics
    /// When a scenario failed, with the whole report.
    #[track_caller]
    pub fn assert_passed(&self) {
        self.assert_passed_except(&[]);
    }

    /// As [`assert_passed`](Self::assert_passed), for a transport that is known not to keep some promises. They are asserted,
    /// too, so that the list does not go stale.
    ///
    /// # Panics
    /// When another scenario failed, or one of these passed or does not exist, with the whole report.
    #[track_caller]
    #[allow(clippy::panic, reason = "an assertion for tests")]
    pub fn assert_passed_except(&self, known: &[&str]) {
        let failed: Vec<_> = self.failed().map(|outcome| outcome.name).collect();
        let as_known = known.iter().all(|name| failed.contains(name));
        if !as_known || failed.len() != known.len() {
            panic!("{self}\nexpected to fail: {known:?}");
        }
    }
}

/// A line for each scenario, and what is wrong with those that failed.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Outcome { name, promise, result } in &self.outcomes {
            match result {
                Ok(()) => writeln!(f, "ok      {name}")?,
                Err(wrong) => writeln!(f, "FAILED  {name}\n        promise: {promise}\n        {wrong}")?,
            }
        }
        write!(
            f,
            "{} of {} scenarios passed",
            self.outcomes.len() - self.failed().count(),
            self.outcomes.len()
        )
    }
}
