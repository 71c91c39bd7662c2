//! Answers as bytes: the plain shape, and varied ones with the same meaning.
//!
//! A varied shape has another order of the fields, fields that nobody knows, white space, escapes, text that is not
//! ASCII, and other forms of events. What it is depends on the seed alone, so that server and client agree.

use crate::side::Answer;
use fastrand::Rng;

/// Texts of chunks repeat after so many.
pub const PERIOD: usize = 256;

/// What the plain shape says, again and again: as usual, short pieces, some of them with escapes.
const WORDS: [&str; 16] = [
    " the",
    " quick",
    " brown",
    " fox",
    " jumps\n",
    " over",
    " \"lazy\"",
    " dog",
    " café",
    ",",
    " and",
    " 日本",
    " then",
    " some",
    " tokens",
    ".",
];

/// What varied shapes draw from, in addition.
const RARE: [&str; 8] = ["😀", "\t", "\\", " Ωμέγα", " кот", "\u{7f}", " a/b", " \u{2028}"];

/// The plain answer's text.
const TEXT: &str = "The gateway routes each request to a healthy backend, applies the tenant's rate limits and budgets, \
    and records the usage.\n\n1. It authenticates the key.\n2. It picks a backend by weight.\n3. It streams the \
    \"answer\" back — café style.\n\nIf every backend is down the call fails with a retryable error, and the client \
    should wait for the time that the server asks for before it tries again.";

const PROMPT_TOKENS: usize = 57;

/// An object that is being written.
struct Object<'a> {
    fields: Vec<(String, String)>,
    rng: Option<&'a mut Rng>,
}

impl<'a> Object<'a> {
    /// `rng`: for a varied shape.
    fn new(rng: Option<&'a mut Rng>) -> Self {
        Self { fields: Vec::new(), rng }
    }

    fn with(mut self, name: &str, json: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), json.into()));
        self
    }

    /// In order and without white space, or shuffled, spaced, and with what nobody knows.
    fn end(mut self) -> String {
        let Some(rng) = self.rng else { return join(&self.fields, ",", ":") };
        let unknown = ["null", "[]", "{\"a\":[1,{\"b\":\"}\"}]}", "-1.5e3", "\"x\\\"]\""];
        for _ in 0..rng.usize(..3) {
            let name = format!("x_{}", rng.u16(..));
            self.fields.push((name, unknown[rng.usize(..unknown.len())].to_owned()));
        }
        rng.shuffle(&mut self.fields);
        match rng.u8(..3) {
            0 => join(&self.fields, ", ", ": "),
            1 => join(&self.fields, "\t,", " : "),
            _ => join(&self.fields, ",", ":"),
        }
    }
}

fn join(fields: &[(String, String)], comma: &str, colon: &str) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, json)| format!("\"{name}\"{colon}{json}")).collect();
    format!("{{{}}}", fields.join(comma))
}

/// A JSON string. In varied shapes, some characters are escaped that need not be.
fn quote(text: &str, rng: Option<&mut Rng>) -> String {
    let plain = serde_json::to_string(text).unwrap();
    let Some(rng) = rng else { return plain };
    let mut json = String::from("\"");
    for character in text.chars() {
        if rng.u8(..8) == 0 {
            let mut units = [0; 2];
            character.encode_utf16(&mut units).iter().for_each(|unit| json += &format!("\\u{unit:04x}"));
        } else {
            let quoted = serde_json::to_string(&character).unwrap();
            json += &quoted[1..quoted.len() - 1];
        }
    }
    json + "\""
}

/// Streams of one shape, however long.
pub struct Stream {
    rng: Option<Rng>,
    texts: Vec<String>,
}

impl Stream {
    /// 0 is the plain shape.
    pub fn new(shape: u64) -> Self {
        let mut rng = (shape > 0).then(|| Rng::with_seed(shape));
        let texts = (0..PERIOD).map(|number| match &mut rng {
            None => WORDS[number % WORDS.len()].to_owned(),
            Some(rng) => {
                let pool = [&WORDS[..], &RARE[..]].concat();
                (0..rng.usize(1..6)).map(|_| pool[rng.usize(..pool.len())]).collect()
            }
        });
        let texts = texts.collect();
        Self { rng, texts }
    }

    /// What a client must find in a stream of `chunks`.
    pub fn expected(&self, chunks: usize) -> Answer {
        let text = |number: usize| self.texts[number % PERIOD].len() as u64;
        let whole: u64 = (0..PERIOD).map(text).sum();
        let rest: u64 = (0..chunks % PERIOD).map(text).sum();
        Answer {
            chunks: chunks as u64,
            bytes: whole * (chunks / PERIOD) as u64 + rest,
            tokens: (chunks + PROMPT_TOKENS) as u64,
        }
    }

    /// The JSON of a chunk.
    pub fn chunk(&mut self, number: usize) -> String {
        let text = quote(&self.texts[number % PERIOD].clone(), self.rng.as_mut());
        let role = if number == 0 { Some("\"assistant\"") } else { None };
        let mut delta = Object::new(self.rng.as_mut());
        if let Some(role) = role {
            delta = delta.with("role", role);
        }
        let delta = delta.with("content", text).end();
        self.choice(delta, "null")
    }

    fn choice(&mut self, delta: String, finish_reason: &str) -> String {
        let choice = Object::new(self.rng.as_mut())
            .with("index", "0")
            .with("delta", delta)
            .with("logprobs", "null")
            .with("finish_reason", finish_reason)
            .end();
        self.object(format!("[{choice}]"), None)
    }

    fn object(&mut self, choices: String, usage: Option<String>) -> String {
        let mut object = Object::new(self.rng.as_mut())
            .with("id", "\"chatcmpl-AbC123dEf456GhI789\"")
            .with("object", "\"chat.completion.chunk\"")
            .with("created", "1790000000")
            .with("model", "\"bench-model\"")
            .with("service_tier", "\"default\"")
            .with("system_fingerprint", "\"fp_44709d6fcb\"")
            .with("choices", choices);
        if let Some(usage) = usage {
            object = object.with("usage", usage);
        }
        object.end()
    }

    /// The JSON of what follows the chunks with text.
    pub fn tail(&mut self, chunks: usize) -> [String; 2] {
        let finish = self.choice("{}".to_owned(), "\"stop\"");
        let usage = Object::new(self.rng.as_mut())
            .with("prompt_tokens", PROMPT_TOKENS.to_string())
            .with("completion_tokens", chunks.to_string())
            .with("total_tokens", (chunks + PROMPT_TOKENS).to_string())
            .end();
        [finish, self.object("[]".to_owned(), Some(usage))]
    }

    /// The event that holds `data`.
    pub fn event(&mut self, data: &str) -> String {
        let Some(rng) = &mut self.rng else { return format!("data: {data}\n\n") };
        match rng.u8(..6) {
            0 => format!("data:{data}\n\n"),
            1 => format!(": keep-alive\n\ndata: {data}\n\n"),
            2 => format!("event: message\ndata: {data}\n\n"),
            3 => format!("id: {}\ndata: {data}\n\n", rng.u16(..)),
            _ => format!("data: {data}\n\n"),
        }
    }

    /// One event in the framing of HTTP/1.1: one piece, or in varied shapes up to three.
    pub fn framed(&mut self, event: &str) -> Vec<u8> {
        let mut cuts = vec![0, event.len()];
        if let Some(rng) = &mut self.rng {
            cuts.extend((0..rng.usize(..3)).map(|_| rng.usize(1..event.len())));
            cuts.sort_unstable();
            cuts.dedup();
        }
        let mut framed = Vec::new();
        for ends in cuts.windows(2) {
            let piece = &event.as_bytes()[ends[0]..ends[1]];
            framed.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            framed.extend_from_slice(piece);
            framed.extend_from_slice(b"\r\n");
        }
        framed
    }
}

/// A plain answer: its JSON, and what a client must find in it.
pub fn completion(shape: u64, reply_bytes: usize, enveloped: bool) -> (String, Answer) {
    let mut rng = (shape > 0).then(|| Rng::with_seed(shape));
    let mut text = match reply_bytes {
        0 => TEXT.to_owned(),
        bytes => {
            let mut text = TEXT.repeat(bytes / TEXT.len() + 1);
            text.truncate(border(&text, bytes));
            text
        }
    };
    if shape > 0 {
        text += " 日本 Ωμέγα 😀\t";
    }
    let message = Object::new(rng.as_mut())
        .with("role", "\"assistant\"")
        .with("content", quote(&text, None))
        .with("refusal", "null")
        .with("annotations", "[]")
        .end();
    let choice = Object::new(rng.as_mut())
        .with("index", "0")
        .with("message", message)
        .with("logprobs", "null")
        .with("finish_reason", "\"stop\"")
        .end();
    let usage = Object::new(rng.as_mut())
        .with("prompt_tokens", "57")
        .with("completion_tokens", "92")
        .with("total_tokens", "149")
        .with("prompt_tokens_details", r#"{"cached_tokens":0,"audio_tokens":0}"#)
        .with(
            "completion_tokens_details",
            r#"{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}"#,
        )
        .end();
    let mut json = Object::new(rng.as_mut())
        .with("id", "\"chatcmpl-AbC123dEf456GhI789\"")
        .with("object", "\"chat.completion\"")
        .with("created", "1790000000")
        .with("model", "\"bench-model\"")
        .with("choices", format!("[{choice}]"))
        .with("usage", usage)
        .with("service_tier", "\"default\"")
        .with("system_fingerprint", "\"fp_44709d6fcb\"")
        .end();
    if enveloped {
        json = Object::new(rng.as_mut())
            .with("status", "\"ok\"")
            .with("data", json)
            .with("meta", r#"{"request_id":"req_abc123"}"#)
            .end();
    }
    (json, Answer { chunks: 1, bytes: text.len() as u64, tokens: 149 })
}

/// The last border of characters up to `at`; std's own needs a later Rust.
fn border(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_shape_says_the_same_as_the_plain_one() {
        for shape in [0, 1, 2, 3] {
            let mut stream = Stream::new(shape);
            let mut found = Answer::default();
            for number in 0..PERIOD + 44 {
                let json: Value = serde_json::from_str(&stream.chunk(number)).unwrap();
                let choice = &json["choices"][0];
                assert_eq!(choice["delta"]["role"].is_string(), number == 0);
                found.add(choice["delta"]["content"].as_str().unwrap());
            }
            let [finish, usage] =
                stream.tail(PERIOD + 44).map(|json| -> Value { serde_json::from_str(&json).unwrap() });
            assert_eq!(finish["choices"][0]["finish_reason"], "stop");
            found.tokens = usage["usage"]["total_tokens"].as_u64().unwrap();
            assert_eq!(found, stream.expected(PERIOD + 44));
        }
    }

    #[test]
    fn plain_answers_have_the_size_that_was_asked_for() {
        for (shape, bytes) in [(0, 0), (3, 0), (0, 1024), (0, 1 << 20)] {
            let (json, expected) = completion(shape, bytes, true);
            let json: Value = serde_json::from_str(&json).unwrap();
            let text = json["data"]["choices"][0]["message"]["content"].as_str().unwrap();
            assert_eq!(text.len() as u64, expected.bytes);
            assert!(bytes == 0 || (bytes - 3..=bytes).contains(&text.len()));
        }
    }

    #[test]
    fn pieces_put_together_are_the_event() {
        let mut stream = Stream::new(5);
        for length in 2..50 {
            let event = "x".repeat(length);
            let framed = String::from_utf8(stream.framed(&event)).unwrap();
            let lines: Vec<&str> = framed.split("\r\n").collect();
            assert!(
                lines
                    .chunks(2)
                    .take_while(|pair| pair.len() == 2)
                    .all(|pair| { usize::from_str_radix(pair[0], 16).unwrap() == pair[1].len() })
            );
            let text: String = lines.iter().skip(1).step_by(2).copied().collect();
            assert_eq!(text, event);
        }
    }
}
