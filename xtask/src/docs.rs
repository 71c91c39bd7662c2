//! The documentation.

use crate::features::has_native_tls;
use crate::run::{Action, Step, all};
use crate::{Chore, no_more};

pub(crate) const CHORE: Chore = Chore {
    name: "docs",
    summary: "rustdoc of all features, with warnings as errors",
    help: "\
Usage: cargo xtask docs

Builds the documentation of the whole workspace with all features, as docs.rs does; `native-tls` where it can be built.
Broken links and links to private items are errors. The code in it is compiled and run by `cargo xtask test`.",
    run: |arguments| {
        no_more(arguments)?;
        all(&steps())
    },
};

/// All features of `scaigrid` that are not on by default, and so all of the crates below it, but for `native-tls`.
const FEATURES: &str = "blocking,mock,opentelemetry,rust_decimal,testing,webhook-signatures,webpki-roots";

pub(crate) fn steps() -> Vec<Step> {
    let native_tls = has_native_tls().then_some("native-tls");
    let features = FEATURES.split(',').chain(native_tls);
    let features: Vec<_> = features.map(|feature| format!("scaigrid/{feature}")).collect();
    let features = features.join(",");
    let arguments = ["doc", "--workspace", "--no-deps", "--features", &features].map(str::to_owned).to_vec();
    let variable = Some(("RUSTDOCFLAGS", "-D warnings -D rustdoc::private_intra_doc_links"));
    vec![Step { title: "documentation".into(), action: Action::Cargo { arguments, variable } }]
}
