//! A body put together from its pieces.

use crate::{TransportError, TransportErrorKind};
use bytes::Bytes;

/// Puts pieces together under a limit. A body of one piece is not copied.
pub(crate) struct Collected {
    first: Bytes,
    rest: Vec<u8>,
    max_bytes: usize,
}

impl Collected {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { first: Bytes::new(), rest: Vec::new(), max_bytes }
    }

    pub(crate) fn push(&mut self, piece: Bytes) -> Result<(), TransportError> {
        let len = self.first.len().max(self.rest.len());
        if piece.len() > self.max_bytes.saturating_sub(len) {
            let message = format!("the answer is larger than the allowed {} bytes", self.max_bytes);
            return Err(TransportError::new(TransportErrorKind::BodyTooLarge).with_message(message));
        }
        if len == 0 {
            self.first = piece;
            return Ok(());
        }
        if self.rest.is_empty() {
            self.rest.extend_from_slice(&self.first);
        }
        self.rest.extend_from_slice(&piece);
        Ok(())
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { Bytes::from(self.rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(pieces: &[&'static str], max_bytes: usize) -> Result<Bytes, TransportError> {
        let mut whole = Collected::new(max_bytes);
        pieces.iter().try_for_each(|piece| whole.push(Bytes::from_static(piece.as_bytes())))?;
        Ok(whole.finish())
    }

    #[test]
    fn pieces_add_up_to_the_limit_and_no_further() {
        assert_eq!(collect(&[], 0).unwrap(), "");
        assert_eq!(collect(&["ab"], 2).unwrap(), "ab");
        assert_eq!(collect(&["", "ab", "", "c", "de"], 5).unwrap(), "abcde");
        let error = collect(&["ab", "c", "de"], 4).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::BodyTooLarge);
        assert_eq!(error.to_string(), "the answer is larger than the allowed 4 bytes");
    }
}
