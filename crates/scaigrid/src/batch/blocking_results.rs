//! The results of a batch, blocking.

use super::{NextLine, ResultLines};
use crate::Error;
use crate::blocking::Download;
use crate::observation::Watch;
use scaigrid_types::BatchResult;
use std::fmt;
use std::sync::Arc;

/// The results of a batch: an [`Iterator`] over their lines, which are read when they are asked for.
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
}

impl Iterator for BatchResults {
    type Item = Result<BatchResult, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.lines.next() {
                NextLine::Result(result) => return Some(result),
                NextLine::End => return None,
                NextLine::NeedsInput => match self.file.next() {
                    Some(Ok(piece)) => self.lines.push(&piece),
                    Some(Err(error)) => {
                        self.lines = ResultLines::new(0, None);
                        self.lines.end();
                        return Some(Err(error));
                    }
                    None => self.lines.end(),
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
