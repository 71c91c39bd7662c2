//! What the server is asked to send. It travels in the name of the model, which every client passes on.

use std::fmt;
use std::str::FromStr;

/// How the server writes a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pace {
    /// As fast as it is taken, in slices of 16 KiB.
    Flood,
    /// One write for each event.
    Each,
    /// In writes of so many bytes, wherever events begin.
    Pieces(usize),
    /// One event in so many milliseconds.
    Every(u64),
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    /// How a stream is written.
    pub pace: Pace,
    /// Chunks of a stream that hold text.
    pub chunks: usize,
    /// 0: the plain shape that every peer's benchmark has. Other numbers are seeds of varied shapes.
    pub shape: u64,
    /// Bytes of text of a plain answer; 0 for the usual one.
    pub reply_bytes: usize,
}

impl Load {
    /// A plain answer of the usual size.
    pub fn chat() -> Self {
        Self { pace: Pace::Flood, chunks: 0, shape: 0, reply_bytes: 0 }
    }

    /// A stream in the plain shape.
    pub fn stream(pace: Pace, chunks: usize) -> Self {
        Self { pace, chunks, ..Self::chat() }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pace {
            Pace::Flood => f.write_str("flood")?,
            Pace::Each => f.write_str("each")?,
            Pace::Pieces(bytes) => write!(f, "pieces{bytes}")?,
            Pace::Every(millis) => write!(f, "every{millis}")?,
        }
        write!(f, "-{}-{}-{}", self.chunks, self.shape, self.reply_bytes)
    }
}

impl FromStr for Load {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no load: PACE-CHUNKS-SHAPE-BYTES is expected");
        let parts: Vec<&str> = text.split('-').collect();
        let [pace, chunks, shape, bytes] = parts[..] else { return Err(wrong()) };
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
        let pace = match pace.find(|c: char| c.is_ascii_digit()).map(|at| pace.split_at(at)) {
            None if pace == "flood" => Pace::Flood,
            None if pace == "each" => Pace::Each,
            Some(("pieces", bytes)) if number(bytes)? > 0 => Pace::Pieces(number(bytes)? as usize),
            Some(("every", millis)) if number(millis)? > 0 => Pace::Every(number(millis)?),
            _ => return Err(wrong()),
        };
        Ok(Self {
            pace,
            chunks: number(chunks)? as usize,
            shape: number(shape)?,
            reply_bytes: number(bytes)? as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_survives_as_text() {
        for pace in [Pace::Flood, Pace::Each, Pace::Pieces(61), Pace::Every(5)] {
            let load = Load { pace, chunks: 20_000, shape: 7, reply_bytes: 1 << 20 };
            assert_eq!(load.to_string().parse(), Ok(load));
        }
        for wrong in ["", "flood", "flood-1-2", "pieces0-1-0-0", "every-1-0-0", "slow-1-0-0", "flood-x-0-0"] {
            assert!(wrong.parse::<Load>().is_err(), "{wrong}");
        }
    }
}
