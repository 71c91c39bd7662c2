//! Embeddings: `POST /v1/inference/embed`.
//!
//! Source: docs `api-guides/embeddings`, `reference/inference`.

use crate::macros::{endpoint, request};
use crate::{Usage, lenient};
use serde::{Deserialize, Deserializer, Serialize};

request! {
    /// Asks for the vectors of texts: `POST /v1/inference/embed`. All fields are documented; that model and input are
    /// required is assumed.
    ///
    /// Most models take 1,000 texts and more at once; the docs advise a few hundred for bulk loads.
    ///
    /// ```
    /// use scaigrid_types::EmbedRequest;
    ///
    /// let request = EmbedRequest::new("openai/text-embedding-3-small", ["first text", "second text"]);
    /// assert_eq!(request.input.texts().len(), 2);
    /// ```
    EmbedRequest {
        /// The frontend slug of an embedding model.
        model: String,
        /// One text or several.
        input: EmbedInput,
        ;
        /// How many numbers each vector has. Default: by model, for example 1536.
        dimensions: u64,
    }
}

endpoint! {
    EmbedRequest => Embeddings, "embed", Post "/v1/inference/embed", data + json + inference {
        fn operation(&self) -> Option<&'static str> {
            Some("embeddings")
        }

        fn requested_model(&self) -> Option<&str> {
            Some(&self.model)
        }

        fn facts<'a>(&self, reply: &'a Embeddings) -> crate::ReplyFacts<'a> {
            reply.into()
        }
    }
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum EmbedInput {
    /// One text, sent as a string.
    One(String),
    /// Several texts, sent as a list.
    Many(Vec<String>),
}

impl EmbedInput {
    /// The texts, in order.
    pub fn texts(&self) -> &[String] {
        match self {
            EmbedInput::One(text) => std::slice::from_ref(text),
            EmbedInput::Many(texts) => texts,
        }
    }
}

impl From<&str> for EmbedInput {
    fn from(text: &str) -> Self {
        Self::One(text.to_owned())
    }
}

impl From<String> for EmbedInput {
    fn from(text: String) -> Self {
        Self::One(text)
    }
}

impl<T: Into<String>> From<Vec<T>> for EmbedInput {
    fn from(texts: Vec<T>) -> Self {
        Self::Many(texts.into_iter().map(Into::into).collect())
    }
}

impl<T: Clone + Into<String>> From<&[T]> for EmbedInput {
    fn from(texts: &[T]) -> Self {
        Self::Many(texts.iter().cloned().map(Into::into).collect())
    }
}

impl<T: Clone + Into<String>> From<&Vec<T>> for EmbedInput {
    fn from(texts: &Vec<T>) -> Self {
        texts.as_slice().into()
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for EmbedInput {
    fn from(texts: [T; N]) -> Self {
        Self::Many(texts.into_iter().map(Into::into).collect())
    }
}

/// The vectors, sorted by [`index`](Embedding::index): the order of the inputs, whatever order the server sent.
///
/// `data[].index` and `data[].embedding` are documented, the rest is assumed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embeddings {
    /// One vector for each input.
    #[serde(default, deserialize_with = "sorted")]
    pub data: Vec<Embedding>,
    /// The frontend slug that answered. Assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Token counts; there are no completion tokens. Assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl Embeddings {
    /// The vectors alone, in the order of the inputs.
    pub fn vectors(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.data.iter().map(|embedding| embedding.embedding.as_slice())
    }
}

/// The vector of one text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embedding {
    /// Which input it belongs to, from 0. Its position when the server sent none (assumed).
    pub index: u32,
    /// The vector.
    pub embedding: Vec<f32>,
}

/// Fills missing indexes with the position, and sorts.
fn sorted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Embedding>, D::Error> {
    #[derive(Deserialize)]
    struct Numbered {
        #[serde(default, deserialize_with = "lenient::opt_u32")]
        index: Option<u32>,
        embedding: Vec<f32>,
    }
    let numbered: Vec<Numbered> = lenient::null_as_default(deserializer)?;
    let embedding = |(position, Numbered { index, embedding }): (usize, Numbered)| Embedding {
        index: index.unwrap_or(u32::try_from(position).unwrap_or(u32::MAX)),
        embedding,
    };
    let mut embeddings: Vec<Embedding> = numbered.into_iter().enumerate().map(embedding).collect();
    embeddings.sort_by_key(|embedding| embedding.index);
    Ok(embeddings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn vectors_come_in_the_order_of_the_inputs() {
        let value = json!({"data": [{"index": 1, "embedding": [1, 0.5]}, {"index": 0, "embedding": [2.0]}]});
        let embeddings: Embeddings = serde_json::from_value(value).unwrap();
        assert_eq!(embeddings.vectors().collect::<Vec<_>>(), [&[2.0][..], &[1.0, 0.5]]);
        let value = json!({"data": [{"embedding": [1]}, {"embedding": [2]}], "usage": {"prompt_tokens": 3}});
        let embeddings: Embeddings = serde_json::from_value(value).unwrap();
        assert_eq!(embeddings.data.iter().map(|one| one.index).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(serde_json::from_str::<Embeddings>(r#"{"data":null}"#).unwrap().data.len(), 0);
    }

    #[test]
    fn one_text_is_a_string_and_several_are_a_list() {
        let body = |input: EmbedInput| serde_json::to_value(EmbedRequest::new("m", input)).unwrap();
        assert_eq!(body("a".into()), json!({"model": "m", "input": "a"}));
        assert_eq!(body(vec!["a"].into()), json!({"model": "m", "input": ["a"]}));
        assert_eq!(EmbedInput::from(&["a", "b"][..]), EmbedInput::from(["a", "b"]));
    }
}
