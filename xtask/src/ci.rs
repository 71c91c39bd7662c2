//! What continuous integration checks.

use std::process::Command;
use std::time::Instant;

/// Feature sets of `scaigrid` that people use, and that must build without the others.
const FEATURE_SETS: [&str; 10] = [
    "",
    "async",
    "async,gzip,rustls",
    "blocking",
    "blocking,gzip,rustls",
    "async,blocking,gzip,webpki-roots",
    "async,blocking,mock",
    "async,opentelemetry",
    "async,blocking,gzip,rustls,opentelemetry",
    "async,blocking,gzip,rustls,webhook-signatures",
];

/// The same for `scaigrid-types`.
const TYPES_FEATURE_SETS: [&str; 2] = ["", "webhook-signatures"];

/// The same for `scaigrid-transport`.
const TRANSPORT_FEATURE_SETS: [&str; 8] = [
    "",
    "async,mock",
    "reqwest",
    "ureq,mock",
    "rustls",
    "reqwest,rustls",
    "reqwest,ureq,gzip,rustls,mock",
    "reqwest,ureq,webpki-roots",
];

/// Built and linted only where the platform's TLS can be built.
const NATIVE_TLS_FEATURE_SETS: [(&str, &str); 4] = [
    ("scaigrid", "async,native-tls"),
    ("scaigrid", "blocking,native-tls"),
    ("scaigrid-transport", "reqwest,ureq,native-tls"),
    ("scaigrid-transport", "reqwest,ureq,webpki-roots,native-tls"),
];

/// On Linux, `native-tls` needs the headers of OpenSSL, which not every machine has.
fn has_native_tls() -> bool {
    let finds = || Command::new("pkg-config").args(["--exists", "openssl"]).status();
    !cfg!(target_os = "linux") || finds().is_ok_and(|status| status.success())
}

/// One command: its title, its arguments after `cargo`, and extra environment.
struct Step {
    title: String,
    arguments: Vec<String>,
    variable: Option<(&'static str, &'static str)>,
}

fn step(title: impl Into<String>, arguments: &[&str]) -> Step {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Step { title: title.into(), arguments, variable: None }
}

fn steps() -> Vec<Step> {
    let mut steps = vec![
        // The README's test command comes first, and as it stands there.
        step("tests", &["test", "--workspace"]),
        step("formatting", &["fmt", "--all", "--", "--check"]),
        step("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        Step {
            variable: Some(("RUSTDOCFLAGS", "-D warnings")),
            ..step("documentation", &["doc", "--workspace", "--no-deps"])
        },
    ];
    let sets = FEATURE_SETS.map(|set| ("scaigrid", set)).into_iter();
    let sets = sets.chain(TYPES_FEATURE_SETS.map(|set| ("scaigrid-types", set)));
    let sets = sets.chain(TRANSPORT_FEATURE_SETS.map(|set| ("scaigrid-transport", set)));
    let native_tls = has_native_tls();
    let more = NATIVE_TLS_FEATURE_SETS.into_iter().filter(|_| native_tls);
    for (package, features) in sets.chain(more) {
        let arguments = [
            "clippy",
            "-p",
            package,
            "--no-default-features",
            "--features",
            features,
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        steps.push(step(format!("{package} with features [{features}]"), &arguments));
    }
    let bundled =
        ["test", "-p", "scaigrid-transport", "--features", "reqwest,ureq,webpki-roots", "--test", "tls"];
    steps.push(step("tests of TLS with bundled roots", &bundled));
    let spans = ["test", "-p", "scaigrid", "--features", "blocking,opentelemetry", "--test", "otel"];
    steps.push(step("tests of traces and metrics", &spans));
    let lints =
        ["clippy", "-p", "scaigrid-examples", "--features", "otel", "--all-targets", "--", "-D", "warnings"];
    steps.push(step("lints of the exporting example", &lints));
    let export = ["test", "-p", "scaigrid-examples", "--features", "otel", "--test", "otel_export"];
    steps.push(step("tests of the exporting example", &export));
    if native_tls {
        for (package, features, tests) in [
            ("scaigrid-transport", "reqwest,ureq,native-tls", ["tls", "real_sockets"]),
            ("scaigrid-transport", "reqwest,ureq,webpki-roots,native-tls", ["tls", "provider"]),
            ("scaigrid", "async,blocking,rustls,native-tls", ["tls", "client"]),
        ] {
            let [one, other] = tests;
            let arguments = ["test", "-p", package, "--no-default-features", "--features", features];
            let arguments = [&arguments[..], &["--test", one, "--test", other]].concat();
            steps.push(step(format!("tests of {package} with features [{features}]"), &arguments));
        }
    }
    steps.push(step("programs outside the workspace", &["xtask", "consumers"]));
    // Last, so that the output ends with a test summary.
    let blocking = ["test", "-p", "scaigrid", "--no-default-features", "--features", "blocking", "--tests"];
    steps.push(step("tests of a blocking-only build", &blocking));
    steps
}

/// Runs every step and stops at the first that fails.
pub(crate) fn run() -> Result<(), Box<dyn std::error::Error>> {
    if !has_native_tls() {
        println!(
            "== The feature `native-tls` is skipped: pkg-config finds no openssl (Debian: libssl-dev, pkg-config)."
        );
    }
    let mut before = None;
    for step in steps() {
        // Told at the next step, so that the output ends with cargo's own words.
        if let Some((title, seconds)) = before {
            println!("\n== {title}: {seconds} s");
        }
        println!("\n== {}: cargo {}", step.title, step.arguments.join(" "));
        #[allow(clippy::disallowed_methods, reason = "tells how long a step took")]
        let started = Instant::now();
        // The toolchain's own cargo, not the one of an outer `cargo run`.
        let status = Command::new("cargo").args(&step.arguments).envs(step.variable).status()?;
        if !status.success() {
            return Err(format!("{} failed: {status}", step.title).into());
        }
        before = Some((step.title, started.elapsed().as_secs()));
    }
    Ok(())
}
