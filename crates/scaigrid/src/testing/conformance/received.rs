//! A request as the server reads it from the wire.

use std::io::{self, Read};

/// The longest head that is read, in bytes.
const HEAD: usize = 64 * 1024;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Received {
    /// Request line and headers, as they came.
    pub(super) head: String,
    /// Without the framing of chunks.
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// All values of a header.
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    pub(super) fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").iter().any(|value| value.eq_ignore_ascii_case("chunked"))
    }

    pub(super) fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding").iter().any(|value| value.contains("gzip"))
    }

    pub(super) fn asks_before_sending(&self) -> bool {
        self.header("expect").iter().any(|value| value.eq_ignore_ascii_case("100-continue"))
    }
}

pub(super) fn read_head(stream: &mut impl Read) -> io::Result<Received> {
    let head = read_until(stream, b"\r\n\r\n")?;
    Ok(Received { head: String::from_utf8_lossy(&head).into_owned(), body: Vec::new() })
}

/// Adds the body.
pub(super) fn read_rest(stream: &mut impl Read, mut request: Received) -> io::Result<Received> {
    if request.is_chunked() {
        loop {
            let line = read_until(stream, b"\r\n")?;
            let size = String::from_utf8_lossy(&line);
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            read_exactly(stream, size, &mut request.body)?;
            read_until(stream, b"\r\n")?;
            if size == 0 {
                return Ok(request);
            }
        }
    }
    let len = request.header("content-length").first().and_then(|len| len.parse().ok()).unwrap_or(0);
    read_exactly(stream, len, &mut request.body)?;
    Ok(request)
}

fn read_exactly(stream: &mut impl Read, len: u64, body: &mut Vec<u8>) -> io::Result<()> {
    match stream.take(len).read_to_end(body)? as u64 == len {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Byte by byte, so that nothing of what follows is taken.
fn read_until(stream: &mut impl Read, end: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(end) {
        stream.read_exact(&mut byte)?;
        bytes.extend_from_slice(&byte);
        if bytes.len() > HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(bytes)
}
