//! The promises of the dependency tree, asked of cargo itself.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::process::Command;

/// All packages that a build of `package` with `features` links or builds with, on this platform.
fn tree(package: &str, features: &str) -> BTreeSet<String> {
    let arguments = ["tree", "-p", package, "--no-default-features", "--features", features];
    packages(&arguments, concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn packages(arguments: &[&str], folder: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(folder)
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

/// How many packages a build may have, ours and those of build scripts and macros included. What Cargo.lock gives is
/// exactly this: to raise a number is a decision, with a reason in the commit.
const CEILINGS: [(&str, &str, usize); 20] = [
    // serde and its derive, serde_json, thiserror, base64, and what they need.
    ("scaigrid-types", "", 15),
    ("scaigrid-types", "webhook-signatures", 28),
    ("scaigrid-retry", "", 16),
    ("scaigrid-transport", "", 11),
    ("scaigrid-transport", "async", 13),
    ("scaigrid-transport", "reqwest", 72),
    ("scaigrid-transport", "reqwest,rustls", 89),
    ("scaigrid-transport", "ureq", 18),
    ("scaigrid-transport", "ureq,rustls", 35),
    ("scaigrid", "", 26),
    ("scaigrid", "async", 81),
    // A program on bare reqwest with the same TLS that can make a chat call (serde, JSON, tokio's macros) has 91 packages.
    ("scaigrid", "async,rustls", 98),
    ("scaigrid", "async,gzip,rustls", 108),
    ("scaigrid", "blocking", 31),
    ("scaigrid", "blocking,rustls", 47),
    ("scaigrid", "blocking,gzip,rustls", 52),
    ("scaigrid", "async,blocking,gzip,rustls", 111),
    ("scaigrid", "async,blocking,gzip,rustls,opentelemetry", 117),
    ("scaigrid", "async,blocking,gzip,rustls,webhook-signatures", 123),
    ("scaigrid-emulator", "", 86),
];

#[test]
fn no_build_has_more_packages_than_its_ceiling() {
    let counts = CEILINGS.map(|(package, features, _)| (package, features, tree(package, features).len()));
    let over: Vec<_> =
        counts.iter().zip(CEILINGS).filter(|((_, _, count), (_, _, ceiling))| count > ceiling).collect();
    assert!(over.is_empty(), "found and allowed: {over:#?}");
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
    // What verifies webhooks comes only to those who receive them, and brings no HTTP either.
    let receiver = tree("scaigrid-types", "webhook-signatures");
    assert_none_of(&receiver, &["http", "bytes", "hyper", "tokio", "ring", "openssl"]);
    assert!(receiver.contains("hmac"));
    assert_none_of(&tree("scaigrid", "async,blocking,gzip,rustls"), &["hmac", "sha2", "jiff"]);
}

/// The packages of a client that is written by hand on reqwest, with the TLS that ours has, and serde for its models.
fn raw_reqwest() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/raw-reqwest");
    std::fs::create_dir_all(format!("{folder}/src")).unwrap();
    let manifest = r#"
        [package]
        name = "raw-reqwest"
        edition = "2024"
        [workspace]
        [dependencies]
        reqwest = { version = "0.13", default-features = false, features = ["json", "rustls-no-provider"] }
        rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
        serde = { version = "1", features = ["derive"] }
        tokio = { version = "1", features = ["macros", "rt"] }
    "#;
    std::fs::write(format!("{folder}/Cargo.toml"), manifest).unwrap();
    std::fs::write(format!("{folder}/src/main.rs"), "fn main() {}").unwrap();
    // The same versions, and nothing that is not here.
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    std::fs::copy(lock, format!("{folder}/Cargo.lock")).unwrap();
    let mut packages = packages(&["tree", "--offline"], folder);
    packages.remove("raw-reqwest");
    packages
}

#[test]
fn few_packages_are_needed_beyond_those_of_reqwest() {
    // Our own four are among them.
    let (ours, raw) = (tree("scaigrid", "async,rustls"), raw_reqwest());
    assert!(ours.len() <= raw.len() + 8, "reqwest needs {}, and ours beyond: {:?}", raw.len(), &ours - &raw);
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
    // Bundled roots come only to those who ask; ureq's own feature brings them along.
    assert_none_of(&tree("scaigrid", "async,gzip,rustls"), &["webpki-roots"]);
    assert!(tree("scaigrid", "async,webpki-roots").contains("webpki-roots"));
}
