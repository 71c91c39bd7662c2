//! Errors of the layers below, for programs that use `?`.

use super::{Error, ErrorKind};
use scaigrid_types::{BatchInputError, DecodeError, InvalidRequest, ReplyError};

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::new(ErrorKind::InvalidRequest, error.to_string()).with_source(error)
    }
}

impl From<BatchInputError> for Error {
    fn from(error: BatchInputError) -> Self {
        Self::new(ErrorKind::InvalidRequest, error.to_string()).with_source(error)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::decode(error)
    }
}

/// Such as of a line of a batch.
impl From<ReplyError> for Error {
    fn from(error: ReplyError) -> Self {
        let text = error.to_string();
        match error {
            ReplyError::Api(envelope) => {
                let message = envelope.error.message.clone().unwrap_or(text);
                let mut error = Self::new(ErrorKind::Api, message);
                let context = error.context_mut();
                context.request_id = envelope.request_id().map(str::to_owned);
                context.api = Some(envelope.error);
                error
            }
            ReplyError::Decode(error) => Self::decode(error),
            _ => Self::new(ErrorKind::Decode, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid_types::{BatchInput, BatchResult, ChatCompletion, ChatRequest, ErrorCode, SubmitBatch};

    fn batch(id: &str, line: &[u8]) -> Result<ChatCompletion, Error> {
        let mut input = BatchInput::new();
        input.push(id, &ChatRequest::new("m"))?;
        SubmitBatch::inline(&input)?;
        Ok(BatchResult::from_line(line)?.data()?)
    }

    #[test]
    fn a_batch_program_needs_no_errors_of_its_own() {
        let kind = |id, line: &str| batch(id, line.as_bytes()).map(|_| ()).unwrap_err().kind();
        assert_eq!(kind("", ""), ErrorKind::InvalidRequest);
        assert_eq!(kind("1", "{}"), ErrorKind::Decode);
        let failed = r#"{"custom_id":"1","error":{"code":"MODEL_NOT_FOUND","message":"m"}}"#;
        let error = batch("1", failed.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Some(&ErrorCode::ModelNotFound));
        assert_eq!(error.message(), "m");
    }
}
