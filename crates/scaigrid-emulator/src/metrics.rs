//! Counters for `GET /metrics`.

use crate::accounting::Totals;
use crate::catalog::Entry;
use crate::sync::lock;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;

/// How many combinations of route, method, and status are counted apart. The others are counted as one.
const MAX_SERIES: usize = 2000;

/// What one series counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    route: String,
    method: String,
    /// `none` when the connection was broken instead.
    status: String,
}

/// Requests by route and status.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<Key, u64>>,
}

impl Metrics {
    /// Counts a request. The route is a template; `None` for a path without one.
    pub(crate) fn count(&self, route: Option<&str>, method: &str, status: Option<u16>) {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let key = Key { route: route.unwrap_or("unknown").to_owned(), method: method.to_owned(), status };
        let mut requests = lock(&self.requests);
        let key = match requests.len() < MAX_SERIES || requests.contains_key(&key) {
            true => key,
            false => {
                Key { route: "other".to_owned(), method: "other".to_owned(), status: "other".to_owned() }
            }
        };
        let count = requests.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    /// The Prometheus text. `scaigrid_circuit_breaker_state` is documented, the other names are assumed. No
    /// breaker ever opens here.
    pub(crate) fn text(&self, totals: &BTreeMap<String, Totals>, models: &[Entry]) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, u64)>| {
            // Writing to memory does not fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "{name}{{{labels}}} {value}");
            }
        };
        let requests = lock(&self.requests).clone();
        let requests = requests.into_iter().map(|(Key { route, method, status }, count)| {
            let (route, method) = (escaped(&route), escaped(&method));
            (format!("route=\"{route}\",method=\"{method}\",status=\"{status}\""), count)
        });
        family("scaigrid_requests_total", "counter", "Requests by route and status.", requests.collect());
        let tokens = totals.iter().flat_map(|(model, totals)| {
            let model = escaped(model);
            [("in", totals.tokens_in), ("out", totals.tokens_out)]
                .map(|(way, count)| (format!("model=\"{model}\",direction=\"{way}\""), count))
        });
        family("scaigrid_tokens_total", "counter", "Tokens by model.", tokens.collect());
        let mut backends: Vec<&str> = models.iter().map(|entry| entry.backend_id).collect();
        backends.sort_unstable();
        backends.dedup();
        let states = backends.into_iter().map(|backend| (format!("backend_id=\"{backend}\""), 0));
        let help = "0 closed, 1 half open, 2 open.";
        family("scaigrid_circuit_breaker_state", "gauge", help, states.collect());
        text
    }
}

/// A label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    #[test]
    fn the_text_is_in_families() {
        let metrics = Metrics::default();
        metrics.count(Some("/v1/models/{slug}"), "GET", Some(200));
        metrics.count(Some("/v1/models/{slug}"), "GET", Some(200));
        metrics.count(None, "\"x\\", None);
        let totals = [("a/b".to_owned(), Totals { tokens_in: 3, ..Totals::default() })].into();
        let text = metrics.text(&totals, &catalog::models());
        for line in [
            "# TYPE scaigrid_requests_total counter",
            "scaigrid_requests_total{route=\"/v1/models/{slug}\",method=\"GET\",status=\"200\"} 2",
            "scaigrid_requests_total{route=\"unknown\",method=\"\\\"x\\\\\",status=\"none\"} 1",
            "scaigrid_tokens_total{model=\"a/b\",direction=\"in\"} 3",
            "scaigrid_circuit_breaker_state{backend_id=\"be_emulator_omni\"} 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_number_of_series_is_limited() {
        let metrics = Metrics::default();
        for status in 0..3000 {
            metrics.count(None, "GET", Some(status));
        }
        let requests = lock(&metrics.requests);
        assert_eq!((requests.len(), requests.values().sum::<u64>()), (MAX_SERIES + 1, 3000));
    }
}
