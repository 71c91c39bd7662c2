//! Draws: a small pattern, the same from left and right, in three colours that the prompt decides.

use crate::ids;

/// Width and height, in pixels, whatever size was asked for.
const EDGE: u32 = 64;

/// Width and height of a square of the pattern.
const SQUARE: u32 = 8;

/// The longest prompt that is written into the file, in characters.
const MAX_NOTE: usize = 2_000;

type Colour = [u8; 3];

/// A PNG file. It depends on the arguments alone.
pub(super) fn png(seed: &[&str], number: u64, prompt: &str) -> Vec<u8> {
    let number = number.to_string();
    let hash = |purpose: &str| ids::hash(seed.iter().copied().chain([number.as_str(), purpose]));
    let pixels = pixels(hash("pattern"), [colour(hash("back")), colour(hash("front")), colour(hash("dots"))]);
    let note: String = prompt.chars().take(MAX_NOTE).collect();
    // Writing to memory does not fail, and the pixels are as many as the header says.
    encode(&pixels, note).unwrap_or_default()
}

fn encode(pixels: &[u8], note: String) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, EDGE, EDGE);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.add_text_chunk("Software".to_owned(), "scaigrid-emulator".to_owned())?;
    encoder.add_itxt_chunk("Description".to_owned(), note)?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

fn pixels(pattern: u64, [back, front, dots]: [Colour; 3]) -> Vec<u8> {
    let squares = EDGE / SQUARE;
    let pixel = |(x, y): (u32, u32)| {
        let (column, row) = (x / SQUARE, y / SQUARE);
        // Two bits of the hash for each square of the left half: 4 columns and 8 rows.
        let bits = (pattern >> (2 * (row * squares / 2 + column.min(squares - 1 - column)))) & 3;
        match bits {
            0 | 1 => shade(back, y),
            2 => shade(front, y),
            _ => dots,
        }
    };
    (0..EDGE).flat_map(|y| (0..EDGE).map(move |x| (x, y))).flat_map(pixel).collect()
}

/// Darker towards the bottom.
fn shade(colour: Colour, y: u32) -> Colour {
    let light = 2 * EDGE - y;
    colour.map(|part| u8::try_from(u32::from(part) * light / (2 * EDGE)).unwrap_or(u8::MAX))
}

/// No colour is nearly black.
fn colour(hash: u64) -> Colour {
    let [red, green, blue, ..] = hash.to_le_bytes();
    [red, green, blue].map(|part| part / 2 + 96)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8]) -> (Vec<u8>, String) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (EDGE, EDGE, png::ColorType::Rgb));
        let note = reader.info().utf8_text[0].get_text().unwrap();
        (pixels, note)
    }

    #[test]
    fn a_prompt_has_a_picture_of_its_own() {
        let file = png(&["a fox"], 0, "a fox 🦊");
        let (pixels, note) = decode(&file);
        assert_eq!(note, "a fox 🦊");
        assert_eq!(file, png(&["a fox"], 0, "a fox 🦊"));
        for other in [png(&["a fox"], 1, "a fox 🦊"), png(&["a cat"], 0, "a fox 🦊")] {
            assert_ne!(decode(&other).0, pixels);
        }
        assert!(file.len() < 4_000, "{}", file.len());
    }

    #[test]
    fn both_halves_mirror_each_other() {
        let (pixels, _) = decode(&png(&["x"], 0, ""));
        let edge = EDGE as usize;
        for row in pixels.chunks(3 * edge) {
            let colours: Vec<&[u8]> = row.chunks(3).collect();
            for x in 0..edge {
                assert_eq!(colours[x], colours[edge - 1 - x]);
            }
        }
    }

    #[test]
    fn long_prompts_are_cut() {
        let (_, note) = decode(&png(&["x"], 0, &"é".repeat(9_000)));
        assert_eq!(note.chars().count(), MAX_NOTE);
    }
}
