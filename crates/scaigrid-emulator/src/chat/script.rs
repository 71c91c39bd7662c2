//! What a stream does, step by step: the chunks as server-sent events, and what a fault makes of them.

use super::chunks::Piece;
use crate::fault::message_for;
use crate::stream_fault::{CutEnd, LineEnd, StreamFault, StreamFaultKind};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write;
use std::time::Duration;

/// One step. After the last one, the body ends properly.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Wait(Duration),
    Send {
        bytes: Bytes,
        /// What it brings of the answer's completion tokens.
        tokens: u64,
        /// Nothing of the answer comes after it.
        settles: bool,
    },
    /// Silence until the client leaves.
    Stall,
    Break {
        /// RST instead of FIN.
        reset: bool,
    },
}

impl Step {
    fn send(bytes: impl Into<Bytes>) -> Self {
        Step::Send { bytes: bytes.into(), tokens: 0, settles: false }
    }
}

/// Steps, each made when it is asked for.
pub(crate) type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// The steps of a stream with these chunks. `pace` comes before each chunk after the first.
pub(crate) fn steps(
    pieces: impl Iterator<Item = Piece> + Send + 'static,
    fault: StreamFault,
    pace: Duration,
) -> Steps {
    let gzip = fault.gzip;
    let pause = move |position: usize| {
        Step::Wait(fault.pace.unwrap_or(if position == 0 { Duration::ZERO } else { pace }))
    };
    let steps: Steps = match fault.kind {
        StreamFaultKind::Frames(frames) => {
            let frames = frames.into_iter().enumerate();
            Box::new(frames.flat_map(move |(position, bytes)| [pause(position), Step::send(bytes)]))
        }
        StreamFaultKind::Cut { after_bytes, end } => {
            Box::new(cut(events(pieces, fault, pause), after_bytes, end))
        }
        _ => Box::new(events(pieces, fault, pause)),
    };
    if gzip { Box::new(gzipped(steps)) } else { steps }
}

fn events(
    pieces: impl Iterator<Item = Piece> + Send + 'static,
    fault: StreamFault,
    pause: impl Fn(usize) -> Step + Send + 'static,
) -> impl Iterator<Item = Step> + Send {
    let end = fault.line_end;
    let done = fault.with_done.then(|| Step::send(event(end, &["data: [DONE]"])));
    let (chunks, last) = match fault.kind {
        StreamFaultKind::Error { code, message, retry_after } => {
            let message = message.unwrap_or_else(|| message_for(code.as_str()));
            let mut error = json!({"code": code.as_str(), "message": message});
            if let (Some(seconds), Some(error)) =
                (retry_after.filter(|s| s.is_finite()), error.as_object_mut())
            {
                error.insert("retry_after".to_owned(), json!(seconds));
            }
            let bytes = event(end, &["event: error", &format!("data: {error}")]);
            (fault.after_chunks, [Some(Step::Send { bytes, tokens: 0, settles: true }), done])
        }
        StreamFaultKind::Stall => (fault.after_chunks, [Some(Step::Stall), None]),
        _ => (usize::MAX, [None, done]),
    };
    let comment = fault.comments.then(|| event(end, &[": keep-alive"]));
    let chunk = move |(position, piece): (usize, Piece)| {
        // Not reached: a chunk has no map with keys that are not strings.
        let json = serde_json::to_string(&piece.chunk).unwrap_or_default();
        let bytes = event(end, &[&format!("data: {json}")]);
        let data = Step::Send { bytes, tokens: piece.tokens, settles: piece.is_last };
        [Some(pause(position)), comment.clone().map(Step::send), Some(data)].into_iter().flatten()
    };
    let prefix = (!fault.prefix.is_empty()).then(|| Step::send(fault.prefix));
    let chunks = pieces.take(chunks).enumerate().flat_map(chunk);
    prefix.into_iter().chain(chunks).chain(last.into_iter().flatten())
}

/// Lines and the blank line that ends them.
fn event(end: LineEnd, lines: &[&str]) -> Bytes {
    let lines = lines.iter().flat_map(|line| [*line, end.as_str()]);
    Bytes::from(lines.chain([end.as_str()]).collect::<String>())
}

/// The first `left` bytes, then the end.
pub(crate) fn cut(
    steps: impl Iterator<Item = Step>,
    mut left: usize,
    end: CutEnd,
) -> impl Iterator<Item = Step> {
    let mut steps = steps.fuse();
    let mut last = match end {
        CutEnd::Clean => None,
        CutEnd::Close => Some(Step::Break { reset: false }),
        CutEnd::Reset => Some(Step::Break { reset: true }),
    };
    std::iter::from_fn(move || match if left == 0 { None } else { steps.next() } {
        None => last.take(),
        Some(Step::Send { mut bytes, tokens, settles }) => {
            bytes.truncate(left);
            left -= bytes.len();
            Some(Step::Send { bytes, tokens, settles })
        }
        other => other,
    })
}

/// Compressed, and flushed after each step, so that the client can read each at once.
fn gzipped(steps: Steps) -> impl Iterator<Item = Step> + Send {
    let mut steps = steps.peekable();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    std::iter::from_fn(move || {
        let (bytes, tokens, settles) = match steps.next()? {
            Step::Send { bytes, tokens, settles } => (bytes, tokens, settles),
            other => return Some(other),
        };
        // Writing to memory does not fail.
        let _ = encoder.write_all(&bytes);
        let _ = if steps.peek().is_some() { encoder.flush() } else { encoder.try_finish() };
        Some(Step::Send { bytes: std::mem::take(encoder.get_mut()).into(), tokens, settles })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(steps: impl Iterator<Item = Step>) -> (Vec<Bytes>, Option<Step>) {
        let mut last = None;
        let sent = steps.filter_map(|step| match step {
            Step::Send { bytes, .. } => Some(bytes),
            other => {
                last = Some(other);
                None
            }
        });
        (sent.collect(), last)
    }

    #[test]
    fn a_cut_sends_exactly_that_much() {
        let steps = || ["abc", "", "def"].map(Step::send).into_iter();
        for (length, frames) in
            [(0, &[][..]), (1, &["a"]), (3, &["abc"]), (4, &["abc", "", "d"]), (99, &["abc", "", "def"])]
        {
            assert_eq!(
                sent(cut(steps(), length, CutEnd::Reset)),
                (frames.iter().map(|frame| Bytes::from(*frame)).collect(), Some(Step::Break { reset: true }))
            );
            assert_eq!(sent(cut(steps(), length, CutEnd::Clean)).1, None);
        }
    }

    #[test]
    fn events_end_with_a_blank_line() {
        assert_eq!(event(LineEnd::Lf, &["event: error", "data: {}"]), "event: error\ndata: {}\n\n");
        assert_eq!(event(LineEnd::CrLf, &["data: a"]), "data: a\r\n\r\n");
        assert_eq!(event(LineEnd::Cr, &["data: a"]), "data: a\r\r");
    }
}
