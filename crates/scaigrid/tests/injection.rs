//! Line breaks and NUL in what a caller gives change neither the head of a request, nor its path, nor the parts of a form.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use scaigrid::blocking::Client;
use scaigrid::transport::blocking::{Body, RequestBody, Transport};
use scaigrid::transport::{Timeouts, TransportError, TransportErrorKind};
use scaigrid::{ErrorKind, ListUsage, RawRequest, StandardPolicy, TranscribeRequest, Upload, UploadDocument};
use std::io::Read;
use std::sync::{Arc, Mutex};

const KEY: &str = "sgk_a_key";

/// A request as it would go out.
struct Sent {
    head: http::request::Parts,
    body: Vec<u8>,
}

/// Keeps what it is given, and sends nothing.
#[derive(Clone, Default)]
struct Keeps(Arc<Mutex<Vec<Sent>>>);

impl Transport for Keeps {
    fn send(
        &self,
        request: http::Request<RequestBody>,
        _: Timeouts,
    ) -> Result<http::Response<Body>, TransportError> {
        let (head, mut content) = request.into_parts();
        let mut body = Vec::new();
        content.read_to_end(&mut body).unwrap();
        self.0.lock().unwrap().push(Sent { head, body });
        Err(TransportError::new(TransportErrorKind::Tls))
    }
}

impl Keeps {
    fn client(&self) -> scaigrid::blocking::ClientBuilder {
        let policy = StandardPolicy::no_retries();
        Client::builder().base_url("https://gateway.example/gw").retry_policy(policy).transport(self.clone())
    }

    /// The one request that went out, if one did. Its head is as it must be.
    fn sent(&self) -> Option<Sent> {
        let sent = self.0.lock().unwrap().pop()?;
        assert!(self.0.lock().unwrap().is_empty());
        let address = sent.head.uri.to_string();
        assert!(address.starts_with("https://gateway.example/gw/v1/"), "{address}");
        assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address:?}");
        for (name, value) in &sent.head.headers {
            assert!(value.as_bytes().iter().all(|byte| !b"\r\n\0".contains(byte)), "{name}");
        }
        Some(sent)
    }
}

/// Texts with what hurts.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\0".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("X-Evil: 1".to_owned()),
        Just("/../".to_owned()),
        Just("?#&=%0d%0a".to_owned()),
        Just("\"; name=\"evil\"\r\n\r\nx\r\n--".to_owned()),
        Just("\u{2028}\u{85}".to_owned()),
        ".{0,6}",
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// The heads of the parts of a form.
fn parts(sent: &Sent) -> Vec<String> {
    let content_type = sent.head.headers["content-type"].to_str().unwrap();
    let boundary = content_type.split("boundary=").nth(1).unwrap().trim_matches('"');
    let text = String::from_utf8_lossy(&sent.body).into_owned();
    let parts: Vec<_> = text.split(&format!("--{boundary}")).map(str::to_owned).collect();
    assert_eq!(parts.first().map(String::as_str), Some(""));
    assert_eq!(parts.last().unwrap().trim(), "--");
    let inner = &parts[1..parts.len() - 1];
    inner.iter().map(|part| part.split("\r\n\r\n").next().unwrap().trim_start().to_owned()).collect()
}

fn assert_heads(heads: &[String], names: &[&str]) {
    assert_eq!(heads.len(), names.len(), "{heads:?}");
    for (head, name) in heads.iter().zip(names) {
        let mut seen = 0;
        for line in head.split("\r\n") {
            let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{head:?}"));
            assert!(
                ["content-disposition", "content-type"].contains(&key.to_ascii_lowercase().as_str()),
                "{head:?}"
            );
            assert!(!value.contains(['\r', '\n', '\0']), "{head:?}");
            seen += usize::from(value.contains(&format!("name=\"{name}\"")));
        }
        assert_eq!(seen, 1, "{head:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn headers_and_keys_cannot_be_split(text in nasty()) {
        let keeps = Keeps::default();
        let breaks = text.contains(['\r', '\n', '\0']);
        for builder in [
            keeps.client().api_key(&text),
            keeps.client().api_key(format!("sgk_{text}")),
            keeps.client().api_key(KEY).header("x-team", &text),
            keeps.client().api_key(KEY).header(&text, "value"),
            keeps.client().api_key(KEY).header(format!("x-{text}"), "value"),
        ] {
            match builder.build() {
                Ok(client) => {
                    prop_assert!(!breaks);
                    client.me().unwrap_err();
                    prop_assert!(keeps.sent().is_some());
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Config),
            }
        }
        let client = keeps.client().api_key(KEY).build().unwrap();
        prop_assert!(!breaks || client.with_header("x-team", &text).is_err());
        prop_assert!(!breaks || client.with_header(&text, "value").is_err());
        prop_assert!(!breaks || scaigrid::BearerToken::new(&text).is_err());
        let address = keeps.client().api_key(KEY).base_url(format!("https://h/{text}")).build();
        prop_assert!(!breaks || address.is_err());
    }

    #[test]
    fn ids_stay_one_segment_and_values_one_parameter(text in nasty()) {
        let keeps = Keeps::default();
        let client = keeps.client().api_key(KEY).build().unwrap();
        client.model(&text).unwrap_err();
        if let Some(sent) = keeps.sent() {
            prop_assert_eq!(sent.head.uri.path().split('/').count(), 5, "{}", sent.head.uri);
            prop_assert!(sent.head.uri.query().is_none());
        }
        client.document(&text, "d").unwrap_err();
        if let Some(sent) = keeps.sent() {
            prop_assert!(sent.head.uri.path().ends_with("/documents/d"));
            prop_assert_eq!(sent.head.uri.path().split('/').count(), 9, "{}", sent.head.uri);
        }
        client.usage_records(&ListUsage::new().model(text.as_str()).limit(3)).unwrap_err();
        let sent = keeps.sent().unwrap();
        prop_assert_eq!(sent.head.uri.query().unwrap().split('&').count(), 2);
        prop_assert_eq!(sent.head.uri.path(), "/gw/v1/accounting/usage");
        client.send(&RawRequest::get("/v1/x").segment(&text).query(text.clone(), &text)).unwrap_err();
        if let Some(sent) = keeps.sent() {
            prop_assert_eq!(sent.head.uri.path().split('/').count(), 5 - 1 + usize::from(!text.is_empty()));
        }
        client.download_url(&format!("https://h/{text}")).unwrap_err();
        keeps.0.lock().unwrap().clear();
    }

    #[test]
    fn forms_keep_their_parts(name in nasty(), value in nasty(), kind in nasty()) {
        let keeps = Keeps::default();
        let client = keeps.client().api_key(KEY).build().unwrap();
        let upload = || Upload::bytes(name.as_str(), "content");
        let request = TranscribeRequest::new(value.as_str(), upload()).prompt(value.as_str());
        client.transcribe(&request).unwrap_err();
        if let Some(sent) = keeps.sent() {
            let heads: Vec<_> = parts(&sent);
            let names: Vec<_> = heads.iter().map(|head| ["file", "model", "prompt"].into_iter()
                .find(|name| head.contains(&format!("; name=\"{name}\""))).unwrap_or("?")).collect();
            assert_heads(&heads, &names);
            let mut sorted = names;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, ["file", "model", "prompt"]);
        }
        let request = UploadDocument::new("c", upload().content_type(kind));
        client.upload_document(&request).unwrap_err();
        if let Some(sent) = keeps.sent() {
            assert_heads(&parts(&sent), &["file"]);
        }
    }
}
