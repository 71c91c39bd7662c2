//! The promises of the dependency tree, asked of cargo itself.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::process::Command;

/// All packages that a build of `package` with `features` links or builds with, on this platform.
fn tree(package: &str, features: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", package, "--no-default-features", "--features", features])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn ours(tree: &BTreeSet<String>) -> Vec<&str> {
    tree.iter().map(String::as_str).filter(|name| name.starts_with("scaigrid")).collect()
}

#[track_caller]
fn assert_none_of(tree: &BTreeSet<String>, names: &[&str]) {
    for name in names {
        assert!(!tree.contains(*name), "{name} must not be in {tree:?}");
    }
}

#[test]
fn layers_only_point_down() {
    assert_eq!(ours(&tree("scaigrid-types", "")), ["scaigrid-types"]);
    assert_eq!(ours(&tree("scaigrid-retry", "")), ["scaigrid-retry", "scaigrid-types"]);
    assert_eq!(ours(&tree("scaigrid-transport", "reqwest,ureq,rustls")), ["scaigrid-transport"]);
    assert_eq!(
        ours(&tree("scaigrid", "async,blocking,rustls")),
        ["scaigrid", "scaigrid-retry", "scaigrid-transport", "scaigrid-types"]
    );
    assert_eq!(ours(&tree("scaigrid-emulator", "")), ["scaigrid-emulator", "scaigrid-types"]);
}

#[test]
fn types_and_retry_know_no_http_and_no_async() {
    for package in ["scaigrid-types", "scaigrid-retry"] {
        let tree = tree(package, "");
        let http =
            ["http", "bytes", "hyper", "reqwest", "ureq", "url", "tokio", "futures-core", "async-trait"];
        assert_none_of(&tree, &http);
    }
    // Fifteen: serde and its derive, serde_json, thiserror, base64, and what they need.
    assert!(tree("scaigrid-types", "").len() <= 15);
    // What verifies webhooks comes only to those who receive them, and brings no HTTP either.
    let receiver = tree("scaigrid-types", "webhook-signatures");
    assert_none_of(&receiver, &["http", "bytes", "hyper", "tokio", "ring", "openssl"]);
    assert!(receiver.contains("hmac"));
    assert_none_of(&tree("scaigrid", "async,blocking,gzip,rustls"), &["hmac", "sha2", "jiff"]);
}

#[test]
fn a_blocking_build_has_no_runtime() {
    for features in ["blocking", "blocking,rustls"] {
        let tree = tree("scaigrid", features);
        assert!(tree.contains("ureq"));
        assert_none_of(
            &tree,
            &["tokio", "hyper", "hyper-util", "reqwest", "futures-core", "async-trait", "mockall"],
        );
    }
}

#[test]
fn an_async_build_has_no_ureq() {
    for features in ["async", "async,rustls"] {
        let tree = tree("scaigrid", features);
        assert!(tree.contains("reqwest"));
        assert_none_of(&tree, &["ureq", "ureq-proto", "mockall"]);
    }
}

#[test]
fn without_the_feature_there_is_no_tls() {
    for features in ["async", "blocking", "async,blocking"] {
        assert_none_of(
            &tree("scaigrid", features),
            &["rustls", "ring", "native-tls", "aws-lc-rs", "openssl"],
        );
    }
    assert_none_of(&tree("scaigrid", "async,blocking,rustls"), &["native-tls", "aws-lc-rs", "openssl"]);
    // The platform's own TLS comes without rustls, and brings no runtime.
    let native = tree("scaigrid", "blocking,native-tls");
    assert!(native.contains("native-tls"));
    assert_none_of(&native, &["rustls", "ring", "tokio", "hyper"]);
    assert_none_of(&tree("scaigrid", "async,native-tls"), &["rustls", "ring", "ureq"]);
    // Bundled roots come only to those who ask; ureq's own feature brings them along.
    assert_none_of(&tree("scaigrid", "async,gzip,rustls"), &["webpki-roots"]);
    assert!(tree("scaigrid", "async,webpki-roots").contains("webpki-roots"));
}

#[test]
fn opentelemetry_comes_only_with_its_feature() {
    let is_otel = |name: &&String| name.contains("opentelemetry");
    for features in ["default", "async,blocking,gzip,rustls,webpki-roots,webhook-signatures"] {
        let tree = tree("scaigrid", features);
        assert_eq!(tree.iter().find(is_otel), None, "{features}");
        // The facade only: what collects is the program's.
        assert!(tree.contains("tracing"));
        assert_none_of(&tree, &["tracing-subscriber", "tracing-attributes"]);
    }
    let with_it = tree("scaigrid", "async,opentelemetry");
    assert!(with_it.contains("opentelemetry"));
    // The API, and no SDK, exporter, or protocol.
    assert_none_of(&with_it, &["opentelemetry_sdk", "opentelemetry-otlp", "tonic", "prost"]);
}
