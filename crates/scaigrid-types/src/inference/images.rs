//! Images: `POST /v1/inference/images/generate`.
//!
//! Source: docs `api-guides/images`, `reference/inference`.

use crate::lenient;
use crate::macros::{endpoint, object, request};
use crate::open_enum::open_enum;
use crate::{Base64, SecretUrl, Usage};
use base64::Engine as _;
use serde_json::{Map, Value};
use std::time::Duration;

open_enum! {
    /// How much care the model takes. Documented, by model.
    ImageQuality {
        /// Usual.
        Standard = "standard",
        /// Finer, dearer.
        Hd = "hd",
    }
}

open_enum! {
    /// How an image looks. Documented, by model.
    ImageStyle {
        /// Dramatic.
        Vivid = "vivid",
        /// Plain.
        Natural = "natural",
    }
}

open_enum! {
    /// How images come back. Documented.
    ImageResponseFormat {
        /// As an address to download from, for an hour by default. The default.
        Url = "url",
        /// In the answer itself.
        B64Json = "b64_json",
    }
}

request! {
    /// Makes images from a text: `POST /v1/inference/images/generate`. All fields are documented.
    ///
    /// ```
    /// use scaigrid_types::{GenerateImagesRequest, ImageQuality};
    ///
    /// let request = GenerateImagesRequest::new("openai/dall-e-3", "A landscape painting")
    ///     .size("1024x1024")
    ///     .quality(ImageQuality::Hd);
    /// assert_eq!(request.prompt, "A landscape painting");
    /// ```
    GenerateImagesRequest {
        /// The frontend slug of an image model, such as `openai/dall-e-3`.
        model: String,
        /// What to show.
        prompt: String,
        ;
        /// How many images, typically 1 to 10.
        n: u32,
        /// Width and height in pixels: `1024x1024`, `1792x1024`, `1024x1792`; depends on the model.
        size: String,
        /// How much care the model takes.
        quality: ImageQuality,
        /// How they look.
        style: ImageStyle,
        /// How they come back. Default: as addresses.
        response_format: ImageResponseFormat,
        /// Passed on to the provider.
        metadata: Map<String, Value>,
    }
}

endpoint! {
    GenerateImagesRequest => GeneratedImages, "images.generate", Post "/v1/inference/images/generate", data + json + inference {
        fn timeout(&self) -> Duration {
            Duration::from_secs(120)
        }

        fn operation(&self) -> Option<&'static str> {
            Some("generate_content")
        }

        fn requested_model(&self) -> Option<&str> {
            Some(&self.model)
        }

        fn facts<'a>(&self, reply: &'a GeneratedImages) -> crate::ReplyFacts<'a> {
            reply.into()
        }
    }
}

object! {
    /// The images. `data` is documented; the rest is assumed.
    GeneratedImages {
        /// One entry for each image.
        #[serde(default, deserialize_with = "lenient::null_as_default")]
        data: Vec<Image>,
        ;
        /// When they were made, in seconds since the Unix epoch. Assumed.
        #[serde(deserialize_with = "lenient::opt_seconds")]
        created: u64,
        /// The frontend slug that answered. Assumed.
        model: String,
        /// Token counts. Assumed.
        usage: Usage,
    }
}

object! {
    /// One image: either an address or the bytes. Documented.
    Image {
        ;
        /// Where to download it: the gateway's media proxy, with a short-lived token in the address, for an hour by default.
        url: SecretUrl,
        /// The bytes, in base64: see [`decode_b64`](Self::decode_b64).
        b64_json: Base64,
        /// The prompt as the model changed it (dall-e-3).
        revised_prompt: String,
    }
}

impl Image {
    /// The bytes, if the image came with them.
    ///
    /// # Errors
    /// When `b64_json` is not base64.
    pub fn decode_b64(&self) -> Option<Result<Vec<u8>, base64::DecodeError>> {
        Some(base64::engine::general_purpose::STANDARD.decode(self.b64_json.as_deref()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_is_an_address_or_bytes() {
        let value = json!({"data": [{"url": "https://x/1", "revised_prompt": "p"}, {"b64_json": "aGk="}, {"b64_json": "?"}]});
        let images: GeneratedImages = serde_json::from_value(value).unwrap();
        let bytes: Vec<_> = images.data.iter().map(Image::decode_b64).collect();
        assert!(bytes[0].is_none() && bytes[2].as_ref().unwrap().is_err());
        assert_eq!(bytes[1], Some(Ok(b"hi".to_vec())));
    }
}
