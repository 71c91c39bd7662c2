//! Audio: `POST /v1/inference/audio/transcribe` and `POST /v1/inference/audio/synthesize`.
//!
//! Source: docs `api-guides/audio`, `reference/inference`.

use crate::lenient;
use crate::macros::{endpoint, object, request};
use crate::open_enum::open_enum;
use crate::request_body::refuse_not_finite;
use crate::{
    DownloadEndpoint, Endpoint, InvalidRequest, Method, Multipart, Path, ReplaySafety, ReplyError,
    RequestBody, ResponseBody, Upload,
};
use std::time::Duration;

/// The documented samples wait this long for audio.
const TIMEOUT: Duration = Duration::from_secs(120);

open_enum! {
    /// What a transcription looks like. Documented.
    TranscriptionFormat {
        /// The documented default; the documented sample shows JSON all the same.
        Text = "text",
        /// JSON with the text.
        Json = "json",
        /// JSON with the text and times.
        VerboseJson = "verbose_json",
        /// SubRip subtitles.
        Srt = "srt",
        /// WebVTT subtitles.
        Vtt = "vtt",
    }
}

open_enum! {
    /// What a verbose transcription has times for. Documented.
    TimestampGranularity {
        /// Each segment.
        Segment = "segment",
        /// Each word.
        Word = "word",
    }
}

/// Writes down what is said in a recording: `POST /v1/inference/audio/transcribe`. All fields are documented.
///
/// ```
/// use scaigrid_types::{TranscribeRequest, TranscriptionFormat, Upload};
///
/// let request = TranscribeRequest::new("openai/whisper-1", Upload::file("recording.mp3"))
///     .language("en")
///     .response_format(TranscriptionFormat::Srt);
/// # let _ = request;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TranscribeRequest {
    /// The frontend slug of an audio model, such as `openai/whisper-1`.
    pub model: String,
    /// The recording, below 25 MB: MP3, WAV, OGG, WebM, M4A, and some rarer formats.
    pub file: Upload,
    /// The language spoken, in ISO 639-1, such as `en`.
    pub language: Option<String>,
    /// Randomness, from 0.0 to 1.0.
    pub temperature: Option<f64>,
    /// A text that the recording goes on from, or words to expect.
    pub prompt: Option<String>,
    /// What the answer looks like.
    pub response_format: Option<TranscriptionFormat>,
    /// What to give times for; with [`VerboseJson`](TranscriptionFormat::VerboseJson) only. How the list is sent is
    /// assumed: the field is repeated.
    pub timestamp_granularities: Vec<TimestampGranularity>,
}

impl TranscribeRequest {
    /// A recording for a model.
    pub fn new(model: impl Into<String>, file: Upload) -> Self {
        Self {
            model: model.into(),
            file,
            language: None,
            temperature: None,
            prompt: None,
            response_format: None,
            timestamp_granularities: Vec::new(),
        }
    }

    /// Names the language spoken, in ISO 639-1.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Sets the randomness, from 0.0 to 1.0.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Gives a text that the recording goes on from.
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = Some(prompt.into());
        self
    }

    /// Sets what the answer looks like.
    pub fn response_format(mut self, format: impl Into<TranscriptionFormat>) -> Self {
        self.response_format = Some(format.into());
        self
    }

    /// Asks for times; with [`VerboseJson`](TranscriptionFormat::VerboseJson) only.
    pub fn timestamps(mut self, granularity: impl Into<TimestampGranularity>) -> Self {
        self.timestamp_granularities.push(granularity.into());
        self
    }
}

impl Endpoint for TranscribeRequest {
    type Reply = Transcription;

    fn name(&self) -> &'static str {
        "audio.transcribe"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> Path {
        Path::from_static("/v1/inference/audio/transcribe")
    }

    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        refuse_not_finite([("temperature", self.temperature)])?;
        let mut form = Multipart::new()
            .field("model", &self.model)
            .field_opt("language", self.language.as_ref())
            .field_opt("temperature", self.temperature)
            .field_opt("prompt", self.prompt.as_ref())
            .field_opt("response_format", self.response_format.as_ref());
        for granularity in &self.timestamp_granularities {
            form = form.field("timestamp_granularities", granularity);
        }
        // Last, so that a server that reads the fields first need not keep the file.
        form.file("file", &self.file).into_body().map(Some)
    }

    fn accept(&self) -> &'static str {
        "application/json, text/plain, text/vtt, application/x-subrip"
    }

    fn replay_safety(&self) -> ReplaySafety {
        ReplaySafety::Inference
    }

    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    /// JSON means an envelope, anything else is the text itself (assumed).
    fn decode(&self, body: ResponseBody<'_>) -> Result<Transcription, ReplyError> {
        let looks_like_json =
            || body.content_type().is_none() && body.bytes().is_ok_and(|text| text.starts_with(b"{"));
        if body.is_json() || looks_like_json() {
            return body.data();
        }
        let text = String::from_utf8(body.file()?).map_err(|error| error.into_bytes());
        let text = text.unwrap_or_else(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Transcription { text, ..Transcription::default() })
    }

    fn operation(&self) -> Option<&'static str> {
        Some("transcription")
    }

    fn requested_model(&self) -> Option<&str> {
        Some(&self.model)
    }

    /// Where the answer has token counts, which is assumed.
    fn facts<'a>(&self, reply: &'a Transcription) -> crate::ReplyFacts<'a> {
        crate::ReplyFacts::from_fields(&reply.extra)
    }
}

object! {
    /// What was said. `text` is documented, the rest is assumed.
    Transcription {
        /// All of it; for [`Srt`](TranscriptionFormat::Srt) and [`Vtt`](TranscriptionFormat::Vtt) with the times in the text.
        #[serde(default, deserialize_with = "lenient::null_as_default")]
        text: String,
        ;
        /// The language, as the model names it. Assumed.
        language: String,
        /// The length of the recording, in seconds. Assumed.
        duration: f64,
        /// Segments with times. Assumed.
        segments: Vec<TranscriptionSegment>,
        /// Words with times. Assumed.
        words: Vec<TranscriptionWord>,
    }
}

object! {
    /// A part of a recording. Assumed.
    TranscriptionSegment {
        /// What was said.
        #[serde(default, deserialize_with = "lenient::null_as_default")]
        text: String,
        ;
        /// Its number.
        id: u64,
        /// When it begins, in seconds.
        start: f64,
        /// When it ends, in seconds.
        end: f64,
    }
}

object! {
    /// A word of a recording. Assumed.
    TranscriptionWord {
        /// The word.
        #[serde(default, deserialize_with = "lenient::null_as_default")]
        word: String,
        ;
        /// When it begins, in seconds.
        start: f64,
        /// When it ends, in seconds.
        end: f64,
    }
}

open_enum! {
    /// A format of sound files. Not documented; OpenAI's names are assumed.
    AudioFileFormat {
        /// MPEG layer 3.
        Mp3 = "mp3",
        /// Opus in Ogg.
        Opus = "opus",
        /// AAC.
        Aac = "aac",
        /// FLAC.
        Flac = "flac",
        /// WAV.
        Wav = "wav",
        /// Samples without a header.
        Pcm = "pcm",
    }
}

request! {
    /// Speaks a text: `POST /v1/inference/audio/synthesize`. `model` and `input` are documented. That there is a voice is
    /// documented, but not the field's name: `voice` is assumed, and so are the format and the speed.
    ///
    /// ```
    /// use scaigrid_types::{AudioFileFormat, SynthesizeRequest};
    ///
    /// let request = SynthesizeRequest::new("openai/tts-1", "Hello there.", "alloy")
    ///     .response_format(AudioFileFormat::Wav);
    /// # let _ = request;
    /// ```
    SynthesizeRequest {
        /// The frontend slug of an audio model.
        model: String,
        /// The text.
        input: String,
        /// Who speaks.
        voice: String,
        ;
        /// The format of the sound file. Default: not documented.
        response_format: AudioFileFormat,
        /// How fast, where 1.0 is usual.
        speed: f64,
    }
}

endpoint! {
    SynthesizeRequest => Vec<u8>, "audio.synthesize", Post "/v1/inference/audio/synthesize", file + inference {
        fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
            refuse_not_finite([("speed", self.speed)])?;
            self.json().map(Some)
        }

        fn accept(&self) -> &'static str {
            "audio/*, application/octet-stream, application/json;q=0.5"
        }

        fn timeout(&self) -> Duration {
            TIMEOUT
        }

        fn operation(&self) -> Option<&'static str> {
            Some("generate_content")
        }

        fn requested_model(&self) -> Option<&str> {
            Some(&self.model)
        }
    }
}

impl DownloadEndpoint for SynthesizeRequest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcription_is_json_or_plain_text() {
        let request = TranscribeRequest::new("m", Upload::bytes("a.mp3", b""));
        let decode =
            |body: &str, kind| request.decode(ResponseBody::new(body.as_bytes(), Some(kind))).unwrap();
        assert_eq!(decode(r#"{"data":{"text":"hi"}}"#, "application/json").text, "hi");
        assert_eq!(decode("WEBVTT\n", "text/vtt").text, "WEBVTT\n");
        let verbose = r#"{"data":{"text":"hi","duration":1,"segments":[{"id":0.0,"start":0,"end":0.5,"text":"hi"}],"words":[{"word":"hi","start":0,"end":1}]}}"#;
        let verbose = decode(verbose, "application/json");
        assert_eq!(verbose.segments.unwrap()[0].end, Some(0.5));
        assert_eq!(verbose.words.unwrap()[0].word, "hi");
        let failed =
            request.decode(ResponseBody::new(br#"{"error":{"code":"X"}}"#, Some("application/json")));
        assert!(matches!(failed, Err(ReplyError::Api(_))));
    }

    #[test]
    fn json_in_place_of_a_sound_is_an_error() {
        let request = SynthesizeRequest::new("m", "x", "v");
        assert!(!request.is_file(Some("application/json")) && request.is_file(Some("audio/wav")));
        let body = ResponseBody::new(br#"{"data":1}"#, Some("application/json"));
        assert!(request.decode(body).unwrap_err().to_string().contains("JSON where a file"));
        assert!(request.speed(f64::NAN).body().is_err());
    }
}
