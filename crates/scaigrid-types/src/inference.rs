//! Inference beside chat: embeddings, images, audio, text completion.

mod audio;
mod embeddings;
mod generate;
mod images;

pub use audio::{
    AudioFileFormat, SynthesizeRequest, TimestampGranularity, TranscribeRequest, Transcription,
    TranscriptionFormat, TranscriptionSegment, TranscriptionWord,
};
pub use embeddings::{EmbedInput, EmbedRequest, Embedding, Embeddings};
pub use generate::{GenerateRequest, GeneratedChoice, Generation};
pub use images::{
    GenerateImagesRequest, GeneratedImages, Image, ImageQuality, ImageResponseFormat, ImageStyle,
};
