//! The tests.

use crate::features::has_native_tls;
use crate::run::{Step, all};
use crate::{Chore, consumers, no_more};

pub(crate) const CHORE: Chore = Chore {
    name: "test",
    summary: "all tests, and those that need other features",
    help: "\
Usage: cargo xtask test

`cargo test --workspace`, then the tests of builds that it does not make: other TLS, OpenTelemetry, programs outside
the workspace, and the blocking client alone. Needs no network and no key.",
    run: |arguments| {
        no_more(arguments)?;
        let mut steps = workspace();
        steps.extend(other_builds());
        all(&steps)
    },
};

/// The README's test command.
pub(crate) fn workspace() -> Vec<Step> {
    vec![Step::cargo("tests", &["test", "--workspace"])]
}

/// Builds that differ from the workspace's, in which features are united.
pub(crate) fn other_builds() -> Vec<Step> {
    let test = |title: &str, package, features, tests: &[&str]| {
        let arguments = ["test", "-p", package, "--no-default-features", "--features", features];
        let tests = tests.iter().flat_map(|test| ["--test", test]);
        Step::cargo(title, &arguments.into_iter().chain(tests).collect::<Vec<_>>())
    };
    let mut steps = vec![
        test("tests of TLS with bundled roots", "scaigrid-transport", "reqwest,ureq,webpki-roots", &["tls"]),
        test("tests of traces and metrics", "scaigrid", "async,blocking,opentelemetry", &["otel"]),
        test("tests of the exporting example", "scaigrid-examples", "otel", &["otel_export"]),
    ];
    if has_native_tls() {
        let title = "tests of native-tls";
        let transport = "scaigrid-transport";
        steps.extend([
            test(title, transport, "reqwest,ureq,native-tls", &["tls", "real_sockets"]),
            test(title, transport, "reqwest,ureq,webpki-roots,native-tls", &["tls", "provider"]),
            test(title, "scaigrid", "async,blocking,rustls,native-tls", &["tls", "client"]),
        ]);
    }
    steps.push(Step::own("programs outside the workspace", consumers::run));
    let blocking = ["test", "-p", "scaigrid", "--no-default-features", "--features", "blocking", "--tests"];
    steps.push(Step::cargo("tests of a blocking-only build", &blocking));
    steps
}
