//! The SDK by task, with code that is compiled and run by the tests of this crate.
//!
//! | page | for |
//! |---|---|
//! | [`errors`] | what can go wrong, how to tell it apart, and what to do |
//! | [`retries`] | what is repeated, how often, and how to change that |
//! | [`streaming`] | replies as they come |
//! | [`usage`] | tokens, costs, limits of your own, and traces |
//! | [`testing`] | tests without a network |
//! | [`layers`] | other transports, clocks, policies, and calls |
//! | [`migration`] | from the integration guide's Python and TypeScript, and from `async-openai` |
//!
//! Both clients have the same methods. Where a page shows one of them, the other differs by `.await` only, unless it says
//! more. Most code here runs against a scripted gateway ([`testing`]); yours begins with `Client::from_env()?` instead.

/// What can go wrong, how to tell it apart, and what to do.
#[doc = include_str!("guide/errors.md")]
pub mod errors {}

/// What is repeated, how often, and how to change that.
#[doc = include_str!("guide/retries.md")]
pub mod retries {}

/// Replies as they come.
#[doc = include_str!("guide/streaming.md")]
pub mod streaming {}

/// Tokens, costs, limits of your own, and traces.
#[doc = include_str!("guide/usage.md")]
pub mod usage {}

/// Tests without a network.
#[doc = include_str!("guide/testing.md")]
// The module is there with its feature only, and its documentation may be built without.
#[cfg_attr(feature = "testing", doc = "\n[`scaigrid::testing`]: crate::testing")]
#[cfg_attr(feature = "testing", doc = "\n[`conformance`]: crate::testing::conformance")]
#[cfg_attr(
    not(feature = "testing"),
    doc = "\n[`scaigrid::testing`]: https://docs.rs/scaigrid/latest/scaigrid/testing/"
)]
#[cfg_attr(
    not(feature = "testing"),
    doc = "\n[`conformance`]: https://docs.rs/scaigrid/latest/scaigrid/testing/conformance/"
)]
pub mod testing {}

/// Other transports, clocks, policies, and calls.
#[doc = include_str!("guide/layers.md")]
pub mod layers {}

/// From the integration guide's Python and TypeScript, and from `async-openai`.
#[doc = include_str!("guide/migration.md")]
pub mod migration {}
