//! What must never be printed, and the forms in which it is looked for.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::collections::HashMap;
use std::sync::OnceLock;

/// A program's API key.
pub(crate) const API_KEY: &str = "sgk_Zx81/QpLm02Vw+kT5rYhB=7dNcEj";
/// What a token provider gives first, and what it gives after a refusal.
pub(crate) const TOKEN: &str = "eyJhb.Gc1/aB9+xQ2~wE4rT6yU8iO0pL=";
pub(crate) const FRESH_TOKEN: &str = "eyJmc.Nv3/zX7+cV1~bN5mK9jH2gF4dS=";
/// What the deliveries of a webhook are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_Rt6/uJ3+kM8nB1vC4xZ7aS0dF=q";
/// The value of a header that the program adds to each request.
pub(crate) const HEADER: &str = "hdr_Yh7/gT2+fR5dE9sW1aQ4zX8cV=0bN";
/// A key that the gateway has just made, and shows once.
pub(crate) const CREATED_KEY: &str = "sgk_Mn4/bV6+cX0zL2kJ8hG5fD1sA=9pO";
/// The token in the address of an image or of a batch's results, as it stands there.
pub(crate) const MEDIA_TOKEN: &str = "mt_Pl9oK3iJ7uH1yG5tF8rD2eS6wA0q";
/// The password of a proxy.
pub(crate) const PROXY_PASSWORD: &str = "pxy_Wq3eR7tY1uI5oP9aS2dF6gH0jK4l";

/// All of them, with their names. A new secret is added here, and given to the clients where they take it.
const SECRETS: [(&str, &str); 8] = [
    ("the API key", API_KEY),
    ("the provider's token", TOKEN),
    ("the provider's fresh token", FRESH_TOKEN),
    ("the webhook secret", WEBHOOK_SECRET),
    ("the secret header", HEADER),
    ("the created API key", CREATED_KEY),
    ("the media token", MEDIA_TOKEN),
    ("the proxy's password", PROXY_PASSWORD),
];

/// A piece of this length is a leak, too: of a text that was cut, or put on several lines.
const PIECE: usize = 12;

/// Percent-encoded but for letters and digits.
pub(crate) fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// All forms of a text, each cut into pieces that overlap.
fn pieces(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), percent(secret), percent(secret).to_lowercase()];
    forms.extend(["-", ".", "_", "~"].map(|kept| percent(secret).replace(&percent(kept), kept)));
    for skipped in 0..3 {
        let padded = [&b"\0\0"[..skipped], secret.as_bytes()].concat();
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&padded);
            // The first and last characters also hold bits of what is around the secret.
            forms.push(text[4..text.len() - 4].to_owned());
        }
    }
    let windows = |form: String| (0..=form.len() - PIECE).map(move |at| form[at..at + PIECE].to_owned());
    forms.into_iter().flat_map(windows).collect()
}

/// All pieces, and the first two bytes that one has, because most texts are long and hold none.
struct Pieces {
    names: HashMap<String, &'static str>,
    begins: Vec<bool>,
}

fn begin(text: &[u8]) -> usize {
    usize::from(text[0]) * 256 + usize::from(text[1])
}

/// The secret that a text holds, if it holds one.
pub(crate) fn found(text: &str) -> Option<&'static str> {
    static PIECES: OnceLock<Pieces> = OnceLock::new();
    let all = PIECES.get_or_init(|| {
        let names: HashMap<_, _> = SECRETS
            .iter()
            .flat_map(|(name, secret)| pieces(secret).into_iter().map(|one| (one, *name)))
            .collect();
        let mut begins = vec![false; 256 * 256];
        names.keys().for_each(|piece| begins[begin(piece.as_bytes())] = true);
        Pieces { names, begins }
    });
    let windows = text.as_bytes().windows(PIECE).filter(|window| all.begins[begin(window)]);
    windows
        .filter_map(|window| std::str::from_utf8(window).ok())
        .find_map(|window| all.names.get(window).copied())
}

#[track_caller]
pub(crate) fn assert_silent(what: &str, text: &str) {
    if let Some(name) = found(text) {
        panic!("{what} shows {name}: {text}");
    }
}

#[test]
fn secrets_are_found_in_every_form() {
    for (name, secret) in SECRETS {
        let bearer = format!("Bearer {secret}");
        for text in [
            secret.to_owned(),
            format!("x{}", &secret[..PIECE]),
            percent(&bearer),
            STANDARD.encode(&bearer),
            URL_SAFE.encode(secret),
            STANDARD.encode(format!("u:{secret}")),
        ] {
            assert_eq!(found(&format!("<{text}>")), Some(name), "{text}");
        }
    }
    assert_eq!(found("nothing of the kind: sgk_, whsec_, Bearer [redacted]"), None);
}
