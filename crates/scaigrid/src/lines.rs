//! JSON lines that come in pieces.

use bytes::{Buf, Bytes, BytesMut};

/// Cuts bytes into lines, without the line ends and without blank lines. Linear in the bytes, however they are cut.
pub(crate) struct Lines {
    buffer: BytesMut,
    /// How many bytes of the buffer are known to hold no line end.
    searched: usize,
    max_bytes: usize,
}

/// A line is longer than allowed.
#[derive(Debug, PartialEq)]
pub(crate) struct TooLong;

impl Lines {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { buffer: BytesMut::new(), searched: 0, max_bytes }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next line that is whole. `None`: more bytes are needed.
    pub(crate) fn next(&mut self) -> Option<Result<Bytes, TooLong>> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(at) = unsearched.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return (self.searched > self.max_bytes).then_some(Err(TooLong));
            };
            let line = self.buffer.split_to(self.searched + at).freeze();
            self.buffer.advance(1);
            self.searched = 0;
            if line.len() > self.max_bytes {
                return Some(Err(TooLong));
            }
            if !line.trim_ascii().is_empty() {
                return Some(Ok(line));
            }
        }
    }

    /// The last line, which need not have an end.
    pub(crate) fn finish(&mut self) -> Option<Bytes> {
        self.searched = 0;
        let rest = self.buffer.split().freeze();
        (!rest.trim_ascii().is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(64);
        let mut all = Vec::new();
        for piece in pieces {
            lines.push(piece);
            while let Some(line) = lines.next() {
                all.push(line.unwrap().to_vec());
            }
        }
        all.extend(lines.finish().map(|line| line.to_vec()));
        all
    }

    #[test]
    fn lines_have_limits() {
        let mut lines = Lines::new(3);
        lines.push(b"abc\nabcd");
        assert_eq!(lines.next(), Some(Ok(Bytes::from_static(b"abc"))));
        assert_eq!(lines.next(), Some(Err(TooLong)));
    }

    proptest! {
        #[test]
        fn the_cut_does_not_matter(text in "[a-c\n\r ]{0,60}", at in 0_usize..60) {
            let text = text.as_bytes();
            let (head, tail) = text.split_at(at.min(text.len()));
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            prop_assert_eq!(cut(&[head, tail]), cut(&[text]));
            prop_assert_eq!(cut(&bytes), cut(&[text]));
            let expected: Vec<&[u8]> =
                text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
            prop_assert_eq!(cut(&[text]), expected);
        }
    }
}
