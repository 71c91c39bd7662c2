//! The results of a batch, line by line.

#[cfg(feature = "async")]
mod async_results;
#[cfg(feature = "blocking")]
mod blocking_results;

#[cfg(feature = "async")]
pub use async_results::BatchResults;
#[cfg(feature = "blocking")]
pub use blocking_results::BatchResults as BlockingBatchResults;

use crate::lines::{Lines, TooLong};
use crate::observation::Watch;
use crate::{Error, ErrorKind};
use bytes::Bytes;
use scaigrid_types::BatchResult;
use std::sync::Arc;

/// Turns pieces of a file into results, without I/O.
pub(crate) struct ResultLines {
    lines: Lines,
    /// Where they are counted; `None` for the file of errors, whose lines may be among the results, too.
    watch: Option<Arc<Watch>>,
    /// Lines handed out so far.
    count: u64,
    is_over: bool,
}

/// What comes next.
pub(crate) enum NextLine {
    Result(Result<BatchResult, Error>),
    /// More bytes: [`ResultLines::push`] or [`ResultLines::end`].
    NeedsInput,
    End,
}

impl ResultLines {
    pub(crate) fn new(max_line_bytes: usize, watch: Option<Arc<Watch>>) -> Self {
        Self { lines: Lines::new(max_line_bytes), watch, count: 0, is_over: false }
    }

    pub(crate) fn push(&mut self, piece: &Bytes) {
        self.lines.push(piece);
    }

    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    pub(crate) fn next(&mut self) -> NextLine {
        let line = match self.lines.next() {
            Some(Ok(line)) => Some(line),
            Some(Err(TooLong)) => {
                // What follows cannot be told from the rest of the line.
                self.lines.finish();
                self.is_over = true;
                let message = format!("line {} of the results is too long", self.count + 1);
                return NextLine::Result(Err(Error::new(ErrorKind::BodyTooLarge, message)));
            }
            None if self.is_over => self.lines.finish(),
            None => return NextLine::NeedsInput,
        };
        let Some(line) = line else { return NextLine::End };
        self.count += 1;
        let result = BatchResult::from_line(&line);
        if let (Ok(result), Some(watch)) = (&result, &self.watch) {
            watch.usage.count_line(watch.label.as_ref(), result);
        }
        NextLine::Result(result.map_err(|error| {
            let message = format!("line {} of the results: {error}", self.count);
            Error::new(ErrorKind::Decode, message).with_source(error)
        }))
    }
}
