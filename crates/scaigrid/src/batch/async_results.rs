//! The results of a batch, async.

use super::{NextLine, ResultLines};
use crate::observation::Watch;
use crate::{Download, Error};
use futures_core::Stream;
use scaigrid_types::BatchResult;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The results of a batch: a [`Stream`] of their lines, which are read when they are asked for.
///
/// They come in any order: [`BatchResult::custom_id`] tells whose they are. A line that cannot be read is an error of its own,
/// and the others follow; a file that breaks off ends them.
pub struct BatchResults {
    file: Download,
    lines: ResultLines,
}

impl BatchResults {
    pub(crate) fn new(file: Download, max_line_bytes: usize, watch: Option<Arc<Watch>>) -> Self {
        Self { file, lines: ResultLines::new(max_line_bytes, watch) }
    }

    /// The next result. `None` at the end.
    ///
    /// # Errors
    /// See [`BatchResults`].
    pub async fn next(&mut self) -> Option<Result<BatchResult, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for BatchResults {
    type Item = Result<BatchResult, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match this.lines.next() {
                NextLine::Result(result) => return Poll::Ready(Some(result)),
                NextLine::End => return Poll::Ready(None),
                NextLine::NeedsInput => match ready!(Pin::new(&mut this.file).poll_next(context)) {
                    Some(Ok(piece)) => this.lines.push(&piece),
                    Some(Err(error)) => {
                        this.lines = ResultLines::new(0, None);
                        this.lines.end();
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => this.lines.end(),
                },
            }
        }
    }
}

impl fmt::Debug for BatchResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchResults").field("file", &self.file).finish_non_exhaustive()
    }
}
