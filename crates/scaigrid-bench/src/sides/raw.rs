//! Hand loops on HTTP clients. They take lines that begin with `data:` and check nothing else.

use super::models::{Completion, Counted, Envelope, Request};
use crate::side::{Answer, Ask, AsyncSide, BlockingSide, KEY};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper_util::client::legacy::{Client as HyperClient, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use memchr::memchr;
use std::io::Read as _;

fn address(base: &str, enveloped: bool) -> String {
    format!("{base}{}", if enveloped { "/v1/inference/chat" } else { "/v1/chat/completions" })
}

/// Splits at LF, and keeps a line that has not ended.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn push(&mut self, mut piece: &[u8], mut take: impl FnMut(&[u8])) {
        let mut data = |line: &[u8]| {
            if let Some(data) = line.strip_prefix(b"data:") {
                take(data.strip_prefix(b" ").unwrap_or(data));
            }
        };
        if !self.0.is_empty() {
            let Some(end) = memchr(b'\n', piece) else { return self.0.extend_from_slice(piece) };
            self.0.extend_from_slice(&piece[..end]);
            data(&self.0);
            self.0.clear();
            piece = &piece[end + 1..];
        }
        while let Some(end) = memchr(b'\n', piece) {
            data(&piece[..end]);
            piece = &piece[end + 1..];
        }
        self.0.extend_from_slice(piece);
    }
}

fn decode(body: &[u8], enveloped: bool) -> Answer {
    let completion: Completion = match enveloped {
        true => serde_json::from_slice::<Envelope<Completion>>(body).unwrap().data,
        false => serde_json::from_slice(body).unwrap(),
    };
    completion.answer()
}

/// On reqwest, into owned models.
pub struct Reqwest {
    client: reqwest::Client,
    address: String,
    enveloped: bool,
}

impl Reqwest {
    async fn send(&self, ask: &Ask, stream: bool) -> reqwest::Response {
        let request = self.client.post(&self.address).bearer_auth(KEY).json(&Request::new(ask, stream));
        request.send().await.unwrap().error_for_status().unwrap()
    }
}

impl AsyncSide for Reqwest {
    fn new(base: &str, enveloped: bool) -> Self {
        // Other packages of the workspace turn on reqwest's TLS, which then wants a provider, also for plain http.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { client: reqwest::Client::new(), address: address(base, enveloped), enveloped }
    }

    async fn chat(&self, ask: &Ask) -> Answer {
        let response = self.send(ask, false).await;
        let completion: Completion = match self.enveloped {
            true => response.json::<Envelope<Completion>>().await.unwrap().data,
            false => response.json().await.unwrap(),
        };
        completion.answer()
    }

    async fn stream(&self, ask: &Ask) -> Answer {
        let mut response = self.send(ask, true).await;
        let (mut lines, mut counted) = (Lines::default(), Counted::default());
        while let Some(piece) = response.chunk().await.unwrap() {
            lines.push(&piece, |data| counted.owned(data));
        }
        counted.answer()
    }
}

/// On hyper, into borrowed models: the floor of what is async.
pub struct Hyper {
    client: HyperClient<HttpConnector, Full<Bytes>>,
    address: hyper::Uri,
    credential: hyper::header::HeaderValue,
    enveloped: bool,
}

impl Hyper {
    async fn send(&self, ask: &Ask, stream: bool) -> Incoming {
        let body = serde_json::to_vec(&Request::new(ask, stream)).unwrap();
        let request = hyper::Request::post(self.address.clone())
            .header(AUTHORIZATION, self.credential.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body.into()))
            .unwrap();
        let response = self.client.request(request).await.unwrap();
        assert!(response.status().is_success());
        response.into_body()
    }
}

impl AsyncSide for Hyper {
    fn new(base: &str, enveloped: bool) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: HyperClient::builder(TokioExecutor::new()).build(connector),
            address: address(base, enveloped).parse().unwrap(),
            credential: format!("Bearer {KEY}").parse().unwrap(),
            enveloped,
        }
    }

    async fn chat(&self, ask: &Ask) -> Answer {
        let body = self.send(ask, false).await.collect().await.unwrap().to_bytes();
        decode(&body, self.enveloped)
    }

    async fn stream(&self, ask: &Ask) -> Answer {
        let mut body = self.send(ask, true).await;
        let (mut lines, mut counted) = (Lines::default(), Counted::default());
        while let Some(frame) = body.frame().await {
            if let Ok(piece) = frame.unwrap().into_data() {
                lines.push(&piece, |data| counted.borrowed(data));
            }
        }
        counted.answer()
    }
}

/// On ureq, into owned models.
pub struct Ureq {
    agent: ureq::Agent,
    address: String,
    credential: String,
    enveloped: bool,
}

/// ureq's own limit is 10 MiB.
const LARGEST: u64 = 64 * 1024 * 1024;

impl Ureq {
    fn send(&self, ask: &Ask, stream: bool) -> ureq::http::Response<ureq::Body> {
        let request = self.agent.post(&self.address).header("authorization", &self.credential);
        request.send_json(Request::new(ask, stream)).unwrap()
    }
}

impl BlockingSide for Ureq {
    fn new(base: &str, enveloped: bool) -> Self {
        // It keeps three idle connections a host unless told otherwise.
        let config =
            ureq::Agent::config_builder().max_idle_connections(256).max_idle_connections_per_host(256);
        Self {
            agent: config.build().into(),
            address: address(base, enveloped),
            credential: format!("Bearer {KEY}"),
            enveloped,
        }
    }

    fn chat(&self, ask: &Ask) -> Answer {
        let mut response = self.send(ask, false);
        let body = response.body_mut().with_config().limit(LARGEST);
        let completion: Completion = match self.enveloped {
            true => body.read_json::<Envelope<Completion>>().unwrap().data,
            false => body.read_json().unwrap(),
        };
        completion.answer()
    }

    fn stream(&self, ask: &Ask) -> Answer {
        let mut body = self.send(ask, true).into_body().into_reader();
        let (mut lines, mut counted) = (Lines::default(), Counted::default());
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = body.read(&mut buffer).unwrap();
            if read == 0 {
                return counted.answer();
            }
            lines.push(&buffer[..read], |data| counted.owned(data));
        }
    }
}
