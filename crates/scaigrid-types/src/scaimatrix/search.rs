//! Search.

use crate::macros::{endpoint, object, request};
use crate::open_enum::open_enum;
use crate::request_body::refuse_not_finite;
use crate::{InvalidRequest, ReplaySafety, RequestBody, lenient};

open_enum! {
    /// How to search. One value is seen in an integrator's client; that there is a mixed search is documented, but not its
    /// value.
    SearchType {
        /// By vectors.
        Vector = "vector",
        /// By vectors and words. Assumed.
        Hybrid = "hybrid",
    }
}

request! {
    /// Searches a collection: `POST /v1/modules/scaimatrix/collections/{id}/search`. Documented with `min_score`; the other
    /// fields are seen in an integrator's client.
    ///
    /// A vector store that is down gives an empty result and not an error.
    SearchCollection(collection_id) {
        /// What to look for.
        query: String,
        ;
        /// Most results.
        top_k: u32,
        /// Leaves out results with a lower score.
        min_score: f64,
        /// How to search.
        search_type: SearchType,
    }
}

endpoint! {
    SearchCollection => SearchResults, "scaimatrix.search",
        Post "/v1/modules/scaimatrix/collections" / collection_id / "search", data {
        fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
            refuse_not_finite([("min_score", self.min_score)])?;
            self.json().map(Some)
        }

        fn replay_safety(&self) -> ReplaySafety {
            // It changes nothing, but may make a vector of the query, which costs.
            ReplaySafety::Inference
        }
    }
}

object! {
    /// What was found, best first. Seen in an integrator's client.
    SearchResults {
        /// The results.
        #[serde(default, deserialize_with = "lenient::null_as_default")]
        results: Vec<SearchHit>,
        ;
        /// How many there are.
        total: u64,
    }
}

object! {
    /// A piece of a document. Seen in an integrator's client.
    SearchHit {
        ;
        /// Whose piece.
        document_id: String,
        /// The document's name for people.
        document_name: String,
        /// The text.
        content: String,
        /// How well it fits; higher is better.
        score: f64,
    }
}
