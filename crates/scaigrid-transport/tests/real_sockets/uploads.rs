//! Request bodies that are read while they are sent.

use super::*;
use std::collections::VecDeque;
use std::io;

type Pieces = VecDeque<Result<&'static str, &'static str>>;

fn next(pieces: &mut Pieces, read: &AtomicUsize) -> Option<io::Result<&'static str>> {
    let piece = pieces.pop_front()?;
    read.fetch_add(1, Ordering::SeqCst);
    Some(piece.map_err(io::Error::other))
}

#[cfg(feature = "ureq")]
pub(crate) struct Reader {
    pub(crate) pieces: Pieces,
    pub(crate) read: Arc<AtomicUsize>,
}

#[cfg(feature = "ureq")]
impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = next(&mut self.pieces, &self.read) else { return Ok(0) };
        let piece = piece?;
        buffer[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

#[cfg(feature = "reqwest")]
pub(crate) struct Stream {
    pub(crate) pieces: Pieces,
    pub(crate) read: Arc<AtomicUsize>,
}

#[cfg(feature = "reqwest")]
impl futures_core::Stream for Stream {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let this = &mut *self;
        let piece = next(&mut this.pieces, &this.read);
        std::task::Poll::Ready(piece.map(|piece| piece.map(|text| Bytes::from_static(text.as_bytes()))))
    }
}

both! {
    a_body_of_known_length_has_a_content_length,
    a_body_of_unknown_length_is_chunked,
    a_body_that_breaks_off_is_told_apart,
    nothing_is_read_without_a_connection,
    a_refusal_comes_through_before_a_large_body_is_sent,
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn uploaded<C: Colour>(
    pieces: Vec<Result<&'static str, &'static str>>,
    len: Option<u64>,
) -> (Outcome, String) {
    let (address, seen) = serve(vec![Act::Answer(ANSWER.to_vec())]);
    let outcome = C::new().upload(&format!("http://{address}/"), pieces, len, &Arc::default());
    let request = match outcome.is_ok().then(|| seen.recv().unwrap()) {
        Some(Seen::Request(request)) => request,
        _ => String::new(),
    };
    (outcome, request.to_ascii_lowercase())
}

fn a_body_of_known_length_has_a_content_length<C: Colour>() {
    let (outcome, request) = uploaded::<C>(vec![Ok("ab"), Ok("cde")], Some(5));
    assert_eq!(outcome.unwrap().1, "ok");
    assert!(request.contains("content-length: 5\r\n") && !request.contains("transfer-encoding"), "{request}");
    assert!(request.ends_with("\r\n\r\nabcde"), "{request}");
}

fn a_body_of_unknown_length_is_chunked<C: Colour>() {
    let (outcome, request) = uploaded::<C>(vec![Ok("ab"), Ok("cde")], None);
    assert_eq!(outcome.unwrap().1, "ok");
    assert!(
        request.contains("transfer-encoding: chunked\r\n") && !request.contains("content-length"),
        "{request}"
    );
    assert!(request.ends_with("0\r\n\r\n"), "{request}");
}

fn a_body_that_breaks_off_is_told_apart<C: Colour>() {
    for len in [Some(5), None] {
        let (outcome, _) = uploaded::<C>(vec![Ok("ab"), Err("the disk is gone")], len);
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.may_have_run()), (Kind::RequestBody, false), "{error:?}");
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let told: Vec<_> = causes.map(ToString::to_string).collect();
        assert!(told.iter().any(|text| text.contains("the disk is gone")), "{told:?}");
    }
}

fn nothing_is_read_without_a_connection<C: Colour>() {
    let read = Arc::<AtomicUsize>::default();
    let uri = format!("http://{}/", closed_port());
    let error = C::new().upload(&uri, vec![Ok("ab")], Some(2), &read).unwrap_err();
    assert_eq!((error.kind(), read.load(Ordering::SeqCst)), (Kind::Connect, 0));
}

/// The server answers the head and closes, without reading the body.
fn a_refusal_comes_through_before_a_large_body_is_sent<C: Colour>() {
    let refusal = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";
    for len in [Some(8 * 1024 * 1024), None] {
        let (address, _) = serve(vec![Act::RefuseHead(refusal)]);
        let piece: &'static str = Box::leak("x".repeat(4096).into_boxed_str());
        let pieces = vec![Ok(piece); 2048];
        let outcome = C::new().upload(&format!("http://{address}/"), pieces, len, &Arc::default());
        assert_eq!(outcome.unwrap(), (413, Bytes::from_static(b"no")), "{len:?}");
    }
}
