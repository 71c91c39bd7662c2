//! WAV files: a header that carries the spoken text, and what a header says.
//!
//! The text lies in the `ICMT` (comment) entry of a `LIST` chunk of type `INFO`, as players show it, in UTF-8. The
//! `ISFT` (software) entry says that this emulator made the file.

/// Samples in a second.
pub(super) const RATE: u32 = 8_000;

/// 16 bits, one channel.
const BYTES_A_SAMPLE: u32 = 2;

const SOFTWARE: &[u8] = b"scaigrid-emulator\0";

/// Everything before the samples. All chunks but the samples come first, so that a stream can be read as it comes.
pub(super) fn header(sample_bytes: u32, text: &str) -> Vec<u8> {
    let format: Vec<u8> = [
        &1_u16.to_le_bytes()[..], // PCM
        &1_u16.to_le_bytes(),     // one channel
        &RATE.to_le_bytes(),
        &(RATE * BYTES_A_SAMPLE).to_le_bytes(),
        &2_u16.to_le_bytes(), // bytes a sample
        &16_u16.to_le_bytes(),
    ]
    .concat();
    let comment: Vec<u8> = text.bytes().filter(|byte| *byte != 0).chain([0]).collect();
    let info = [b"INFO".to_vec(), chunk(b"ISFT", SOFTWARE), chunk(b"ICMT", &comment)].concat();
    let chunks = [b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"LIST", &info)].concat();
    let whole = size(&chunks).saturating_add(8).saturating_add(sample_bytes);
    [&b"RIFF"[..], &whole.to_le_bytes(), &chunks, b"data", &sample_bytes.to_le_bytes()].concat()
}

/// A chunk, filled up to an even length.
fn chunk(id: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let fill: &[u8] = if data.len() % 2 == 0 { b"" } else { b"\0" };
    [id, &size(data).to_le_bytes()[..], data, fill].concat()
}

fn size(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}

/// What is known of a WAV file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Header {
    /// In seconds.
    pub(super) duration: Option<f64>,
    /// The text, if this emulator spoke it.
    pub(super) text: Option<String>,
}

/// `None` when it is no WAV file. Sizes that the file does not keep are cut to what is there.
pub(super) fn inspect(file: &[u8]) -> Option<Header> {
    let chunks = file.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let mut header = Header::default();
    let mut bytes_a_second = None;
    for (id, data) in Chunks(chunks) {
        match &id {
            b"fmt " => bytes_a_second = number(data.get(8..).unwrap_or_default()).filter(|rate| *rate > 0),
            b"LIST" => header.text = header.text.or_else(|| spoken(data)),
            b"data" => {
                header.duration = bytes_a_second.map(|rate| data.len() as f64 / f64::from(rate));
            }
            _ => {}
        }
    }
    Some(header)
}

fn spoken(list: &[u8]) -> Option<String> {
    let entries = list.strip_prefix(b"INFO")?;
    let entry = |name: &[u8; 4]| Chunks(entries).find(|(id, _)| id == name).map(|(_, data)| data);
    entry(b"ISFT").filter(|software| *software == SOFTWARE)?;
    let comment = entry(b"ICMT")?;
    std::str::from_utf8(comment.strip_suffix(b"\0").unwrap_or(comment)).ok().map(str::to_owned)
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The chunks one after another, without what fills them up.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, rest) = self.0.split_first_chunk::<4>()?;
        let size = usize::try_from(number(rest)?).ok()?;
        let rest = rest.get(4..)?;
        let data = rest.get(..size).unwrap_or(rest);
        self.0 = rest.get(size.saturating_add(size % 2)..).unwrap_or_default();
        Some((*id, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_header_says_how_long_and_what() {
        for text in ["", "odd", "even", "Größe 🎉"] {
            let file = [header(16_000, text), vec![0; 16_000]].concat();
            let whole = u32::from_le_bytes(file[4..8].try_into().unwrap());
            assert_eq!(whole as usize, file.len() - 8);
            let expected = Header { duration: Some(1.0), text: Some(text.to_owned()) };
            assert_eq!(inspect(&file), Some(expected));
        }
    }

    #[test]
    fn files_of_others_have_no_text_and_no_wav_has_nothing() {
        let mut file = [header(8, "hello"), vec![0; 8]].concat();
        let software = file.windows(8).position(|eight| eight == b"scaigrid").unwrap();
        file[software] = b'S';
        assert_eq!(inspect(&file), Some(Header { duration: Some(0.0005), text: None }));
        assert_eq!(inspect(b"RIFF\0\0\0\0WAVE"), Some(Header::default()));
        for other in [&b"ID3\x04"[..], b"", b"RIFF", b"RIFF\0\0\0\0AVI "] {
            assert_eq!(inspect(other), None);
        }
    }

    #[test]
    fn a_size_that_is_not_kept_is_cut() {
        let file = [header(u32::MAX, "x"), vec![0; 16_000]].concat();
        assert_eq!(inspect(&file).unwrap().duration, Some(1.0));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0_usize..200) {
            inspect(&[b"RIFF\0\0\0\0WAVE", &bytes[..]].concat());
            let file = header(10, "some text");
            inspect(file.get(..cut).unwrap_or(&file));
        }
    }
}
