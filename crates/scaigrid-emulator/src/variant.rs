//! Other forms of the wire, each behind a switch.

use crate::StreamFault;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Variants of the same group exclude each other; those of no group go with everything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    None,
    Status,
    Lists,
    RetryAfter,
    Errors,
}

/// One table: variant, name, group, what is different.
macro_rules! wire_variants {
    ($( $variant:ident, $name:literal, $group:ident, $doc:literal; )+) => {
        /// One form of the wire that differs from the emulator's default. Public documents show several forms of
        /// the same thing; by default the emulator sends the one that they show most.
        ///
        /// Set by [`EmulatorBuilder::variant`](crate::EmulatorBuilder::variant),
        /// [`Emulator::set_variant`](crate::Emulator::set_variant), or `--variant NAME`. Of some groups, such as
        /// the shapes of lists, only one can be set: the last one counts. Answers of queued
        /// [faults](crate::Fault) stay as they are.
        ///
        /// ```
        /// use scaigrid_emulator::WireVariant;
        ///
        /// let variant: WireVariant = "list-bare-array".parse()?;
        /// assert_eq!(variant, WireVariant::ListBareArray);
        /// # Ok::<(), scaigrid_emulator::UnknownVariant>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum WireVariant {
            $( #[doc = concat!("`", $name, "`: ", $doc)] $variant, )+
        }

        impl WireVariant {
            /// All variants.
            pub const ALL: &'static [WireVariant] = &[$( WireVariant::$variant, )+];

            /// The name on the command line, such as `list-bare-array`.
            pub fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )+
                }
            }

            /// What is different, in one line.
            pub fn description(self) -> &'static str {
                match self {
                    $( Self::$variant => $doc, )+
                }
            }

            fn group(self) -> Group {
                match self {
                    $( Self::$variant => Group::$group, )+
                }
            }
        }
    };
}

wire_variants! {
    WithoutStatus, "without-status", Status, "successes have no `status`";
    StatusSuccess, "status-success", Status, "successes have `\"status\":\"success\"`";
    WithoutMeta, "without-meta", None, "no `meta` in successes and errors; the id is in the header only";
    WithoutRequestIdHeader, "without-request-id-header", None, "no request id header; the id is in `meta` only";
    ModelsBareArray, "models-bare-array", None, "the list of models is a bare `data[]`";
    ModelsWithoutHealth, "models-without-health", None, "models have no status, health, or backend counts";
    ListItemsPagination, "list-items-pagination", Lists, "shape 1: `data.items[]` and `pagination`";
    ListItems, "list-items", Lists, "shape 2: `data.items[]` without cursor";
    ListBareArray, "list-bare-array", Lists, "shape 3: `data[]` without cursor";
    ListMetaCursor, "list-meta-cursor", Lists, "shape 4: `data[]`, cursor in `meta`";
    ListTopLevelCursor, "list-top-level-cursor", Lists, "shape 5: `data[]`, cursor at the top level";
    ListJobs, "list-jobs", Lists, "shape 6: `data.jobs[]`, `data.next_page_token`, `data.total_count`";
    ListEvents, "list-events", Lists, "shape 7: `data.events[]`, `data.next_cursor`";
    ListObject, "list-object", Lists, "shape 8: `{\"object\":\"list\",\"data\":[]}` without envelope";
    Validation400, "validation-400", None, "`VALIDATION_ERROR` comes with HTTP 400";
    RetryAfterFractional, "retry-after-fractional", RetryAfter, "half a second less in the body";
    RetryAfterZero, "retry-after-zero", RetryAfter, "0 in body and header";
    RetryAfterAbsent, "retry-after-absent", RetryAfter, "no hint in body or header";
    DetailsObject, "details-object", None, "`error.details` is an object of field and message";
    TranscriptPlainText, "transcript-plain-text", None, "a transcript without `response_format` is plain text";
    EmbeddingsPath, "embeddings-path", None, "embeddings are also at `/v1/inference/embeddings`";
    ChatCompletionsPath, "chat-completions-path", None, "chats are also at `/v1/chat/completions`";
    IdsElsewhere, "ids-elsewhere", None, "other names: `batch_id` for `id`, `results_url` for `output_file_url`";
    SessionReplyCompletion, "session-reply-completion", None, "a session answers with a chat completion";
    SummaryAsObject, "summary-as-object", None, "a usage summary without `group_by` is one object";
    ErrorsNotJson, "errors-not-json", Errors, "errors are HTML, as from a proxy";
    ErrorsUnknownCode, "errors-unknown-code", Errors, "error codes begin with `EMULATOR_`, which nobody knows";
    StreamWithoutDone, "stream-without-done", None, "event streams end without `[DONE]`";
    StreamStalls, "stream-stalls", None, "event streams fall silent after the first chunk";
}

/// Shows the name.
impl fmt::Display for WireVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No [`WireVariant`] has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no variant is named `{0}`")]
pub struct UnknownVariant(String);

impl FromStr for WireVariant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<Self, UnknownVariant> {
        let found = Self::ALL.iter().find(|variant| variant.name() == name);
        found.copied().ok_or_else(|| UnknownVariant(name.to_owned()))
    }
}

/// The switches of an emulator.
#[derive(Debug, Default)]
pub(crate) struct Variants {
    /// One bit for each variant.
    bits: AtomicU64,
}

impl Variants {
    pub(crate) fn has(&self, variant: WireVariant) -> bool {
        self.bits.load(Ordering::Relaxed) & bit(variant) != 0
    }

    pub(crate) fn are_default(&self) -> bool {
        self.bits.load(Ordering::Relaxed) == 0
    }

    /// Sets a variant, in place of others of its group, or takes it back.
    pub(crate) fn set(&self, variant: WireVariant, is_on: bool) {
        let is_rival = |other: &&WireVariant| {
            is_on && variant.group() != Group::None && other.group() == variant.group()
        };
        let rivals = WireVariant::ALL.iter().filter(is_rival).fold(0, |bits, other| bits | bit(*other));
        let change = |bits: u64| {
            let cleared = bits & !rivals & !bit(variant);
            Some(if is_on { cleared | bit(variant) } else { cleared })
        };
        // Never fails: `change` always has an answer.
        let _ = self.bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }

    pub(crate) fn all(&self) -> Vec<WireVariant> {
        WireVariant::ALL.iter().copied().filter(|variant| self.has(*variant)).collect()
    }

    /// What is odd about a stream: its queued fault, and what the variants add.
    pub(crate) fn on_stream(&self, queued: Option<StreamFault>) -> StreamFault {
        let stalls = || match self.has(WireVariant::StreamStalls) {
            true => StreamFault::stall().after_chunks(1),
            false => StreamFault::new(),
        };
        let fault = queued.unwrap_or_else(stalls);
        if self.has(WireVariant::StreamWithoutDone) { fault.without_done() } else { fault }
    }
}

fn bit(variant: WireVariant) -> u64 {
    1 << (variant as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_variant_has_a_name_and_a_bit_of_its_own() {
        let names: HashSet<_> = WireVariant::ALL.iter().map(|variant| variant.name()).collect();
        let bits: HashSet<_> = WireVariant::ALL.iter().map(|variant| bit(*variant)).collect();
        assert_eq!((names.len(), bits.len()), (WireVariant::ALL.len(), WireVariant::ALL.len()));
        for variant in WireVariant::ALL {
            assert_eq!(variant.to_string().parse(), Ok(*variant));
        }
        assert_eq!(
            "nothing".parse::<WireVariant>().unwrap_err().to_string(),
            "no variant is named `nothing`"
        );
    }

    #[test]
    fn the_last_of_a_group_counts() {
        let variants = Variants::default();
        for variant in [WireVariant::ListJobs, WireVariant::WithoutMeta, WireVariant::ListObject] {
            variants.set(variant, true);
        }
        assert_eq!(variants.all(), [WireVariant::WithoutMeta, WireVariant::ListObject]);
        variants.set(WireVariant::ListJobs, false);
        assert!(variants.has(WireVariant::ListObject));
        variants.set(WireVariant::ListObject, false);
        variants.set(WireVariant::WithoutMeta, false);
        assert!(variants.are_default());
    }
}
