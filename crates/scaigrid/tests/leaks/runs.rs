//! What is tried, in one colour.

use super::{Client, ClientBuilder, calls};
use crate::clocks::{Jumping, Provider};
use crate::hostile::{Answer, Echo, Hostile};
use crate::logs;
use crate::printed::Printed;
use crate::secrets::{API_KEY, HEADER, PROXY_PASSWORD, TOKEN, assert_silent};
use scaigrid::RetryBudget;
use scaigrid_emulator::Emulator;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A client that has every secret, and shows what it tells of its attempts.
fn settings(base_url: &str) -> ClientBuilder {
    Client::builder()
        .base_url(base_url)
        .header("x-team", HEADER)
        .clock(Jumping::new())
        .retry_budget(RetryBudget::new(1_000_000))
        .max_response_bytes(64 * 1024)
        .on_attempt(|attempt| assert_silent("a report", &format!("{attempt} {attempt:?}")))
}

fn with_key(base_url: &str) -> ClientBuilder {
    settings(base_url).api_key(API_KEY)
}

fn with_provider(base_url: &str, provider: Provider) -> ClientBuilder {
    settings(base_url).token_provider(provider)
}

fn built(builder: ClientBuilder) -> Client {
    assert_silent("a builder", &format!("{builder:?} {builder:#?}"));
    let client = builder.build().unwrap();
    assert_silent("a client", &format!("{client:?} {client:#?}"));
    client
}

fn assert_logs_are_silent() {
    let (_, leaks) = logs::so_far();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// Everything that goes wrong.
fn answers() -> Vec<Answer> {
    let mut all = vec![Answer::Secrets, Answer::Close];
    for echo in Echo::ALL {
        all.extend([
            Answer::Api(422, "VALIDATION_ERROR", echo),
            Answer::Page(502, echo),
            Answer::OtherType(echo),
            Answer::Redirect(echo),
            Answer::StreamError(echo),
        ]);
    }
    // What these say is read in the same way, or not at all.
    for echo in [Echo::Head, Echo::BearerEncoded] {
        all.extend([
            Answer::Api(401, "AUTH_TOKEN_INVALID", echo),
            Answer::Api(503, "MODEL_UNAVAILABLE", echo),
            Answer::Code(echo),
            Answer::Page(407, echo),
            Answer::OtherForm(echo),
            Answer::Cut(echo),
            Answer::NotHttp(echo),
            Answer::BadHeader(echo),
            Answer::BadChunk(echo),
            Answer::NotGzip(echo),
            Answer::BadRetryAfter(echo),
            Answer::TooLarge(echo),
            Answer::StreamOfOther(echo),
            Answer::StreamCut(echo),
        ]);
    }
    all
}

#[test]
fn no_failure_of_any_call_shows_a_secret() {
    logs::listen();
    let (server, elsewhere) = (Hostile::start(), Hostile::start());
    let clients = [
        ("an API key", built(with_key(&server.url()))),
        ("a provider", built(with_provider(&server.url(), Provider::Gives))),
        ("a provider that fails", built(with_provider(&server.url(), Provider::FailsToRefresh))),
    ];
    let mut seen = Printed::new();
    for (with, client) in &clients {
        for answer in answers() {
            // The other clients differ in what a refused token leads to.
            if *with != "an API key"
                && !matches!(answer, Answer::Api(401, ..) | Answer::Page(502, Echo::Head))
            {
                continue;
            }
            seen.title = format!("{answer:?} with {with}");
            seen.with_secrets = matches!(answer, Answer::Secrets);
            server.answer_with(answer);
            elsewhere.answer_with(answer);
            block_on!(wait!(calls::all(client, &elsewhere.url(), &mut seen)));
        }
        // The bearer and the header have arrived, or there would have been nothing to repeat.
        let requests = server.take_seen();
        assert!(requests.iter().any(|one| one.header("authorization").starts_with("Bearer ")));
        assert!(requests.iter().any(|one| one.header("x-team") == HEADER));
        // And nobody else has seen them.
        let requests = elsewhere.take_seen();
        assert!(!requests.is_empty());
        for request in requests {
            assert_eq!(
                (request.header("authorization"), request.header("x-team")),
                (String::new(), String::new())
            );
        }
    }
    seen.assert_silent();
    assert!(seen.failures > 3000, "{}", seen.failures);
    let (records, _) = logs::so_far();
    assert!(records.contains_key("scaigrid"), "{records:?}");
    assert_logs_are_silent();
}

#[test]
fn no_call_without_an_answer_shows_a_secret() {
    logs::listen();
    let silent = Hostile::start();
    silent.answer_with(Answer::Silence);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{nobody}");
    let mut seen = Printed::new();
    for url in [silent.url(), nobody.clone()] {
        seen.title = url.clone();
        let quick = Duration::from_millis(30);
        let builder = with_key(&url).timeout(quick).first_byte_timeout(quick).stream_idle_timeout(quick);
        let client = built(builder.retry_policy(scaigrid::StandardPolicy::no_retries()));
        block_on!(wait!(calls::all(&client, &nobody, &mut seen)));
    }
    seen.assert_silent();
    assert!(seen.failures > 100 && seen.successes < 10, "{} {}", seen.failures, seen.successes);
    assert_logs_are_silent();
}

#[test]
fn no_success_shows_a_secret() {
    logs::listen();
    let emulator = Emulator::builder().api_key(API_KEY).api_key(TOKEN).start().unwrap();
    let mut seen = Printed::new();
    seen.with_values = true;
    let url = emulator.base_url();
    for client in [built(with_key(url)), built(with_provider(url, Provider::Gives))] {
        block_on!(wait!(calls::all(&client, url, &mut seen)));
    }
    seen.debug("what the emulator has received", &emulator.requests());
    seen.assert_silent();
    assert!(seen.successes > 120, "{}", seen.successes);
    assert!(seen.learnt.len() > 3, "keys and media tokens: {:?}", seen.learnt);
    assert_logs_are_silent();
}

/// Two servers on one machine, at different ports, are two origins.
#[test]
fn the_bearer_stays_at_its_origin() {
    logs::listen();
    let (gateway, other) = (Hostile::start(), Hostile::start());
    let bearer = format!("Bearer {API_KEY}");
    let client = built(with_key(&gateway.url()));
    let mut seen = Printed::new();
    gateway.answer_with(Answer::RedirectTo(other.address()));
    block_on!(wait!(calls::all(&client, &gateway.url(), &mut seen)));
    assert!(gateway.take_seen().len() > 60);
    assert!(other.take_seen().is_empty(), "no redirect is followed");

    let job = |origin: &Hostile| {
        let urls = serde_json::json!({"id": "b", "output_file_url": format!("{}/file", origin.url())});
        serde_json::from_value::<scaigrid::BatchJob>(urls).unwrap()
    };
    for server in [&gateway, &other] {
        server.answer_with(Answer::Page(502, Echo::Head));
        let _ = block_on!(wait!(client.batch_results(&job(server)))).map(|_| ());
        let _ = block_on!(wait!(client.download_url(&format!("{}/file", server.url())))).map(|_| ());
    }
    let sent = |server: &Hostile| {
        let requests = server.take_seen();
        let with = |name: &str, value: &str| requests.iter().filter(|one| one.header(name) == value).count();
        (requests.len(), with("authorization", &bearer), with("x-team", HEADER))
    };
    let (requests, with_bearer, with_header) = sent(&gateway);
    assert!(
        requests == with_header && with_bearer > 0 && with_bearer < requests,
        "results have it, files have not"
    );
    let (requests, with_bearer, with_header) = sent(&other);
    assert!(requests > 1 && with_bearer == 0 && with_header == 0);
    seen.assert_silent();
}

#[test]
fn callbacks_that_panic_show_no_secret() {
    logs::listen();
    let server = Hostile::start();
    server.answer_with(Answer::Page(502, Echo::Head));
    let reports = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&reports);
    let observing = with_key(&server.url()).on_attempt(move |attempt| {
        told.lock().unwrap().push_str(&format!("{attempt} {attempt:?}"));
        panic!("a callback panics");
    });
    let jitter = with_key(&server.url()).jitter_source(|| panic!("a callback panics"));
    for builder in [observing, jitter, with_provider(&server.url(), Provider::Panics)] {
        let client = built(builder);
        let call = AssertUnwindSafe(|| block_on!(wait!(client.me())).map(|reply| reply.into_inner()));
        let panic = std::panic::catch_unwind(call).unwrap_err();
        let text = panic.downcast_ref::<&str>().unwrap();
        assert_eq!(*text, "a callback panics");
        assert_silent("a panic", text);
    }
    assert!(reports.lock().unwrap().contains("502"));
    assert_silent("a report", &reports.lock().unwrap());
    assert_logs_are_silent();
}

#[test]
fn wrong_settings_show_no_secret() {
    logs::listen();
    let wrong = [
        with_key("http://127.0.0.1:9").api_key(format!("{API_KEY}\r\n")),
        with_key("http://127.0.0.1:9").token_provider(Provider::Gives),
        with_key(&format!("https://u:{API_KEY}@gateway.example")),
        with_key(&format!("u:{API_KEY}@gateway.example")),
        with_key(&format!("https://gateway.example/?key={API_KEY}")),
        with_key(&format!("https://gateway.example#{API_KEY}")),
        with_key(&format!("https://gateway .example/?{API_KEY}")),
        with_key("http://127.0.0.1:9").header("x-other", format!("{HEADER}\n")),
        with_key("http://127.0.0.1:9").header("authorization", HEADER),
        with_key("http://gateway.example"),
    ];
    for builder in wrong {
        assert_silent("a builder", &format!("{builder:?} {builder:#?}"));
        let error = builder.build().unwrap_err();
        assert_silent("an error", &format!("{error} {error:?} {error:#?}"));
    }
    let address = format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9");
    let mut seen = Printed::new();
    for error in proxied(&address) {
        seen.title = "a proxy".to_owned();
        let _ = seen.result::<()>("error", Err(error));
    }
    seen.assert_silent();
    assert_eq!(seen.failures, 2);
    assert_logs_are_silent();
}

/// The errors of calls through a proxy that is not there, and through one whose address is wrong.
fn proxied(address: &str) -> Vec<scaigrid::Error> {
    let client = |address: &str| {
        super::transport_through(address).map(|transport| {
            let shown = format!("{transport:?} {transport:#?}");
            assert_silent("a transport", &shown);
            settings("http://gateway.example").api_key(API_KEY).allow_plain_http(true).transport(transport)
        })
    };
    let client_of_nobody = client(address).unwrap().build().unwrap();
    let refused = client(&format!("{address} not an address")).unwrap_err();
    assert_silent("a refused proxy", &format!("{refused} {refused:?}"));
    let mut errors = vec![block_on!(wait!(client_of_nobody.me())).unwrap_err()];
    errors.push(
        block_on!(wait!(client_of_nobody.download_url("http://elsewhere.example/"))).map(|_| ()).unwrap_err(),
    );
    errors
}
