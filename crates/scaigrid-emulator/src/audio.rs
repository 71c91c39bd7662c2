//! `POST /v1/inference/audio/transcribe` and `POST /v1/inference/audio/synthesize`.

mod captions;
mod form;
mod synthesize;
mod tone;
mod transcribe;
mod wav;

pub(crate) use synthesize::synthesize;
pub(crate) use transcribe::transcribe;
