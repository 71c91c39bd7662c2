//! The transport keeps the contract.

use own_transport::HyperTransport;
use scaigrid::testing::conformance;

#[tokio::test]
async fn on_one_thread() {
    conformance::run(HyperTransport::new).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_threads() {
    conformance::run(HyperTransport::new).await.assert_passed();
}
