//! Feature sets: those that people use, and all of them.

use crate::metadata::{Package, Workspace};
use crate::run::{Step, all, cargo, root, run};
use crate::{Chore, Result};
use std::collections::BTreeSet;

pub(crate) const CHORE: Chore = Chore {
    name: "features",
    summary: "clippy on the feature sets that people use; --powerset checks all of them",
    help: "\
Usage: cargo xtask features [--powerset]

  --powerset   `cargo check` of every set of features of every published crate, less those that differ only by a
               feature which another one brings along; takes its time",
    run: |mut arguments| {
        let mut powerset = false;
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("powerset") => powerset = true,
                other => return Err(other.unexpected().into()),
            }
        }
        if powerset { check_powerset() } else { all(&steps()) }
    },
};

/// Feature sets of `scaigrid` that people use, and that must build without the others.
const CLIENT: [&str; 11] = [
    "",
    "blocking,testing",
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
const TYPES: [&str; 3] = ["", "rust_decimal", "webhook-signatures"];

/// The same for `scaigrid-transport`.
const TRANSPORT: [&str; 8] = [
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
const NATIVE_TLS: [(&str, &str); 4] = [
    ("scaigrid", "async,native-tls"),
    ("scaigrid", "blocking,native-tls"),
    ("scaigrid-transport", "reqwest,ureq,native-tls"),
    ("scaigrid-transport", "reqwest,ureq,webpki-roots,native-tls"),
];

/// On Linux, `native-tls` needs the headers of OpenSSL, which not every machine has.
pub(crate) fn has_native_tls() -> bool {
    let finds = || std::process::Command::new("pkg-config").args(["--exists", "openssl"]).status();
    !cfg!(target_os = "linux") || finds().is_ok_and(|status| status.success())
}

/// Says so when the platform's TLS cannot be built.
fn tell_of_native_tls() -> Result {
    let openssl = "pkg-config finds no openssl (Debian: libssl-dev, pkg-config)";
    match has_native_tls() {
        true => println!("It is checked."),
        false => println!("It is skipped: {openssl}."),
    }
    Ok(())
}

pub(crate) fn steps() -> Vec<Step> {
    let sets = CLIENT.map(|set| ("scaigrid", set)).into_iter();
    let sets = sets.chain(TYPES.map(|set| ("scaigrid-types", set)));
    let sets = sets.chain(TRANSPORT.map(|set| ("scaigrid-transport", set)));
    let sets = sets.chain(NATIVE_TLS.into_iter().filter(|_| has_native_tls()));
    let mut steps = vec![Step::own("the feature native-tls", tell_of_native_tls)];
    steps.extend(sets.map(|(package, set)| {
        let arguments = ["clippy", "-p", package, "--no-default-features", "--features", set];
        let arguments = [&arguments[..], &["--all-targets", "--", "-D", "warnings"]].concat();
        Step::cargo(format!("{package} with features [{set}]"), &arguments)
    }));
    let example =
        ["clippy", "-p", "scaigrid-examples", "--features", "otel", "--all-targets", "--", "-D", "warnings"];
    steps.push(Step::cargo("the exporting example", &example));
    steps
}

/// To its end, whatever fails: it takes long.
fn check_powerset() -> Result {
    let workspace = Workspace::read(&root())?;
    let mut sets = Vec::new();
    for package in workspace.published()? {
        let joined = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(",");
        sets.extend(powerset(package).into_iter().map(|set| (&package.name, joined(set))));
    }
    let mut failed = Vec::new();
    for (number, (package, set)) in sets.iter().enumerate() {
        println!("{} of {}: {package} with features [{set}]", number + 1, sets.len());
        let arguments = ["check", "--quiet", "-p", package, "--no-default-features", "--features", set];
        if run(cargo().args(arguments)).is_err() {
            failed.push(format!("{package} with features [{set}]"));
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("{} sets fail:\n{}", failed.len(), failed.join("\n")).into()),
    }
}

/// Every set of features, but one only of those that mean the same: where a feature brings another one of the package
/// along, sets that name both are left out.
pub fn powerset(package: &Package) -> Vec<BTreeSet<&str>> {
    let names = package.features.keys().map(String::as_str).filter(|name| *name != "default");
    let mut sets = vec![BTreeSet::new()];
    for name in names {
        let with_it = sets.iter().map(|set| set.iter().copied().chain([name]).collect());
        let with_it: Vec<_> = with_it.collect();
        sets.extend(with_it);
    }
    sets.retain(|set| {
        !set.iter().any(|name| set.iter().any(|other| name != other && brings(package, name, other)))
    });
    sets
}

fn brings(package: &Package, feature: &str, other: &str) -> bool {
    let direct = package.features.get(feature).into_iter().flatten();
    direct
        .into_iter()
        .any(|name| name == other || package.features.contains_key(name) && brings(package, name, other))
}
