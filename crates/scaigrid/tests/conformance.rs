//! Both transports keep their contract, as everybody's can be asked to.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use scaigrid::testing::conformance;
use std::collections::BTreeSet;

#[cfg(feature = "async")]
fn of_reqwest() -> conformance::Report {
    use scaigrid::transport::ReqwestTransport;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(conformance::run(|| ReqwestTransport::builder().no_proxy().build().unwrap()))
}

#[cfg(feature = "blocking")]
fn of_ureq() -> conformance::Report {
    use scaigrid::transport::UreqTransport;
    conformance::run_blocking(|| UreqTransport::builder().no_proxy().build().unwrap())
}

/// None is dropped: neither a name that is there twice, nor one that a colour leaves out.
fn is_complete(report: &conformance::Report) {
    let names: Vec<_> = conformance::scenarios().collect();
    assert_eq!(
        names.iter().collect::<BTreeSet<_>>().len(),
        names.len(),
        "a name of its own for each scenario"
    );
    assert!(names.len() >= 50, "{}", names.len());
    let played: Vec<_> = report.outcomes().iter().map(|outcome| outcome.name).collect();
    assert_eq!(played, names);
}

#[cfg(feature = "async")]
#[test]
fn reqwest_keeps_the_contract() {
    let report = of_reqwest();
    report.assert_passed();
    is_complete(&report);
}

#[cfg(feature = "blocking")]
#[test]
fn ureq_keeps_the_contract() {
    let report = of_ureq();
    report.assert_passed();
    is_complete(&report);
}
