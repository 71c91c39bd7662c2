//! Both clients against the emulator, over real sockets. Waits are recorded and not waited.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use scaigrid::{
    ChatRequest, Endpoint, Error, ErrorCode, ErrorKind, GenericClientBuilder, GetModel, GroupBy, ListModels,
    Modality, Money, RawRequest, Reply, SystemClock, UsagePeriod, UsageSummaryQuery,
};
use scaigrid_emulator::{Emulator, Fault};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// The machine's clock, but waits end at once.
#[derive(Clone, Default)]
struct Impatient(Arc<Mutex<Vec<Duration>>>);

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl scaigrid::Clock for Impatient {
    fn now(&self) -> Instant {
        scaigrid::Clock::now(&SystemClock)
    }

    fn system_time(&self) -> SystemTime {
        scaigrid::Clock::system_time(&SystemClock)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

#[cfg(feature = "blocking")]
impl scaigrid::blocking::Clock for Impatient {
    fn now(&self) -> Instant {
        scaigrid::blocking::Clock::now(&SystemClock)
    }

    fn system_time(&self) -> SystemTime {
        scaigrid::blocking::Clock::system_time(&SystemClock)
    }

    fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

/// One call in one colour.
trait Colour {
    const NAME: &'static str;

    fn new(emulator: &Emulator, key: &str) -> Self;
    fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Reply<E::Reply>, Error>;
    fn with_timeout(self, timeout: Duration) -> Self;
    fn waits(&self) -> Vec<Duration>;
}

fn settings<C>(builder: GenericClientBuilder<C>, emulator: &Emulator, key: &str) -> GenericClientBuilder<C> {
    builder.base_url(emulator.base_url()).api_key(key).timeout(Duration::from_secs(5))
}

#[cfg(feature = "async")]
struct Async {
    client: scaigrid::Client,
    runtime: tokio::runtime::Runtime,
    clock: Impatient,
}

#[cfg(feature = "async")]
impl Colour for Async {
    const NAME: &'static str = "async";

    fn new(emulator: &Emulator, key: &str) -> Self {
        let clock = Impatient::default();
        let builder = settings(scaigrid::Client::builder(), emulator, key).clock(clock.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { client: builder.build().unwrap(), runtime, clock }
    }

    fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Reply<E::Reply>, Error> {
        self.runtime.block_on(self.client.send(endpoint))
    }

    fn with_timeout(self, timeout: Duration) -> Self {
        Self { client: self.client.with_timeout(timeout), ..self }
    }

    fn waits(&self) -> Vec<Duration> {
        std::mem::take(&mut self.clock.0.lock().unwrap())
    }
}

#[cfg(feature = "blocking")]
struct Blocking {
    client: scaigrid::blocking::Client,
    clock: Impatient,
}

#[cfg(feature = "blocking")]
impl Colour for Blocking {
    const NAME: &'static str = "blocking";

    fn new(emulator: &Emulator, key: &str) -> Self {
        let clock = Impatient::default();
        let builder = settings(scaigrid::blocking::Client::builder(), emulator, key).clock(clock.clone());
        Self { client: builder.build().unwrap(), clock }
    }

    fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Reply<E::Reply>, Error> {
        self.client.send(endpoint)
    }

    fn with_timeout(self, timeout: Duration) -> Self {
        Self { client: self.client.with_timeout(timeout), ..self }
    }

    fn waits(&self) -> Vec<Duration> {
        std::mem::take(&mut self.clock.0.lock().unwrap())
    }
}

fn question() -> ChatRequest {
    ChatRequest::new("scailabs/poolnoodle-omni")
        .system("You generate conversation titles. Reply with ONLY the title, max 6 words.")
        .user("Hey, what's a good recipe for carbonara?")
        .max_tokens(20)
        .temperature(0.3)
}

fn a_title_with_its_facts<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, emulator.api_key());
    let reply = client.send(&question()).unwrap();
    assert!(reply.text().to_lowercase().contains("carbonara"), "{}", reply.text());
    assert!((1..=6).contains(&reply.text().split_whitespace().count()));
    assert!(reply.request_id().unwrap().starts_with("req_"));
    assert!(reply.rate_limit().remaining.unwrap() < reply.rate_limit().limit.unwrap());
    assert_eq!(reply.attempts(), 1);
    let usage = reply.usage.unwrap();
    assert_eq!(usage.total(), usage.prompt() + usage.completion());
    let received = emulator.requests().pop().unwrap();
    assert_eq!(Some(received.request_id.as_str()), reply.request_id());
    assert!(received.header("user-agent").unwrap().starts_with("scaigrid-rust/"));
}

fn models_and_one_model<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, emulator.api_key());
    let all = client.send(&ListModels::new()).unwrap();
    assert!(all.items.len() >= 2);
    let embedding = client.send(&ListModels::new().modality(Modality::Embedding)).unwrap();
    assert!(!embedding.items.is_empty() && embedding.items.len() < all.items.len());
    let mut slugs = Vec::new();
    let mut request = ListModels::new().limit(1);
    loop {
        let page = client.send(&request).unwrap().into_inner();
        slugs.extend(page.items.into_iter().map(|model| model.slug));
        match page.next_cursor {
            Some(cursor) => request = request.cursor(cursor),
            None => break,
        }
    }
    assert_eq!(slugs, all.items.iter().map(|model| model.slug.clone()).collect::<Vec<_>>());
    let model = client.send(&GetModel::new("scailabs/poolnoodle-omni")).unwrap();
    assert_eq!(model.slug, "scailabs/poolnoodle-omni");
    assert!(model.input_price_per_mtok.unwrap() > Money::ZERO);
    let error = client.send(&GetModel::new("tenant/acme/none")).unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(&ErrorCode::ModelNotFound), 1));
}

fn the_summary_adds_up_what_was_served<C: Colour>(_: &Emulator) {
    let emulator = Emulator::start().unwrap();
    let client = C::new(&emulator, emulator.api_key());
    let usage: scaigrid::Usage = (0..3).map(|_| client.send(&question()).unwrap().usage.unwrap()).sum();
    let query = UsageSummaryQuery::new(UsagePeriod::Day);
    let totals = client.send(&query).unwrap().totals();
    assert_eq!(totals.request_count, Some(3));
    assert_eq!(totals.input_tokens, Some(usage.prompt()));
    assert_eq!(totals.output_tokens, Some(usage.completion()));
    assert!(totals.total_cost.unwrap() > Money::ZERO);
    let by_model = client.send(&query.group_by(GroupBy::Model)).unwrap();
    assert_eq!(by_model.rows[0].group_key.as_deref(), Some("scailabs/poolnoodle-omni"));
}

fn retried_calls_are_seen_as_often_as_they_are_sent<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, emulator.api_key());
    for (faults, requests, result) in [
        (vec![Fault::error("BACKEND_ERROR"), Fault::error("BACKEND_TIMEOUT")], 3, Ok(())),
        (vec![Fault::error("BACKEND_RATE_LIMITED").retry_after_body(0.25)], 2, Ok(())),
        (vec![Fault::error("RATE_LIMITED").retry_after(1.5)], 2, Ok(())),
        (vec![Fault::error("MODEL_UNAVAILABLE").without_meta()], 2, Ok(())),
        (vec![Fault::error("BACKEND_ERROR").without_status_field()], 2, Ok(())),
        (vec![Fault::error("BACKEND_ERROR").status(200)], 2, Ok(())),
        (vec![Fault::response(503, "text/html", "<html>later</html>")], 2, Ok(())),
        (vec![Fault::error("BUDGET_EXCEEDED").retry_after(1.0)], 1, Err(Some(ErrorCode::BudgetExceeded))),
        (vec![Fault::error("UPSTREAM_SHAPE_MISMATCH")], 1, Err(Some(ErrorCode::UpstreamShapeMismatch))),
        (vec![Fault::error("SOMETHING_NEW").status(429)], 1, Err(Some("SOMETHING_NEW".into()))),
        (vec![Fault::response(429, "text/html", "<html>slow down</html>")], 1, Err(None)),
    ] {
        let before = emulator.requests().len();
        faults.iter().for_each(|fault| emulator.faults().push(fault.clone()));
        let outcome = client.send(&question());
        assert_eq!(emulator.requests().len() - before, requests, "{faults:?}");
        assert_eq!(client.waits().len(), requests - 1);
        match (outcome, result) {
            (Ok(reply), Ok(())) => assert_eq!(reply.attempts() as usize, requests),
            (Err(error), Err(code)) => {
                assert_eq!(error.code(), code.as_ref());
                assert!(error.request_id().unwrap().starts_with("req_"), "{error}");
                assert!(!error.body().is_empty());
            }
            (outcome, _) => panic!("{faults:?}: {outcome:?}"),
        }
        assert!(emulator.faults().is_empty());
    }
}

fn hints_are_waited_out<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, emulator.api_key());
    for (fault, least) in [
        (Fault::error("RATE_LIMITED").retry_after_body(0.25), 250),
        (Fault::error("RATE_LIMITED").retry_after_body(1.5), 1500),
        (Fault::error("RATE_LIMITED").retry_after_body(1.0).retry_after_header("3"), 3000),
    ] {
        emulator.faults().push(fault);
        client.send(&question()).unwrap();
        let waits = client.waits();
        let most = Duration::from_millis(least * 11 / 10 + 1);
        assert!(waits.len() == 1 && (Duration::from_millis(least)..=most).contains(&waits[0]), "{waits:?}");
    }
}

fn broken_answers_are_not_repeated<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, emulator.api_key());
    for (fault, kind) in [
        (Fault::reset(), ErrorKind::Connection),
        (Fault::close(), ErrorKind::Connection),
        (Fault::cut_after(10), ErrorKind::Connection),
        (Fault::raw("HTTP/1.1 banana\r\n\r\n"), ErrorKind::Connection),
        (Fault::response(200, "application/json", "{\"data\":"), ErrorKind::Decode),
        (Fault::response(200, "text/html", "<html>log in</html>"), ErrorKind::Decode),
    ] {
        let before = emulator.requests().len();
        emulator.faults().push(fault.clone());
        let error = client.send(&question()).unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, 1), "{fault:?}: {error}");
        assert!(error.may_have_run());
        assert_eq!(emulator.requests().len() - before, 1);
    }
}

fn a_slow_answer_meets_the_limit<C: Colour>(emulator: &Emulator) {
    emulator.faults().push(Fault::delay(Duration::from_secs(30)));
    let client = C::new(emulator, emulator.api_key()).with_timeout(Duration::from_millis(100));
    let error = client.send(&question()).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
    assert!(error.to_string().contains("the limit was 100ms"), "{error}");
}

fn refusals_name_their_cause<C: Colour>(emulator: &Emulator) {
    let error = C::new(emulator, "sgk_revoked").send(&question()).unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AuthTokenInvalid));
    assert!(error.is_auth() && !format!("{error:?} {error}").contains("sgk_revoked"));
    let client = C::new(emulator, emulator.api_key());
    let error = client.send(&ChatRequest::new("").temperature(7.0)).unwrap_err();
    let fields: Vec<_> = error.field_errors().into_iter().map(|field| field.field).collect();
    for field in ["model", "messages", "temperature"] {
        assert!(fields.iter().any(|name| name == field), "{field}: {fields:?}");
    }
    let error = client.send(&ChatRequest::new("no/such-model").user("Hello")).unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ModelNotFound));
}

fn limits_and_budgets_block<C: Colour>(_: &Emulator) {
    let emulator = Emulator::builder()
        .api_key("sgk_poor")
        .budget("sgk_poor", "0.000001".parse().unwrap())
        .rate_limit_per_minute(3)
        .start()
        .unwrap();
    let client = C::new(&emulator, "sgk_poor");
    client.send(&question()).unwrap();
    let error = client.send(&question()).unwrap_err();
    assert!(error.is_budget_exceeded(), "{error}");
    assert_eq!(error.attempts(), 1);
    client.send(&ListModels::new()).unwrap();
    let error = client.send(&ListModels::new()).unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::RateLimited));
    assert_eq!(error.rate_limit().remaining, Some(0));
    assert!(error.retry_after().unwrap() <= Duration::from_secs(60));
}

fn the_raw_request_reaches_everything<C: Colour>(emulator: &Emulator) {
    let client = C::new(emulator, emulator.api_key());
    let health = client.send(&RawRequest::get("/health")).unwrap();
    assert_eq!(*health, serde_json::json!({"status": "ok"}));
    let model = client.send(&RawRequest::get("/v1/models").segment("scailabs/poolnoodle-omni")).unwrap();
    assert_eq!(model["slug"], "scailabs/poolnoodle-omni");
    let error = client.send(&RawRequest::post("/v1/nowhere")).unwrap_err();
    assert_eq!(error.status().unwrap(), 404);
}

fn connections_are_shared_by_clones_and_calls<C: Colour>(_: &Emulator) {
    let emulator = Emulator::start().unwrap();
    let client = C::new(&emulator, emulator.api_key());
    emulator.faults().push(Fault::error("BACKEND_ERROR"));
    for _ in 0..3 {
        client.send(&question()).unwrap();
    }
    let connections: Vec<_> = emulator.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [connections[0]; 4], "{}: also after a failure", C::NAME);
}

/// Every test in both colours, each on an emulator of its own.
macro_rules! both {
    ($($test:ident),+ $(,)?) => {
        #[cfg(feature = "async")]
        mod in_async { $( #[test] fn $test() { super::$test::<super::Async>(&super::Emulator::start().unwrap()); } )+ }
        #[cfg(feature = "blocking")]
        mod in_blocking { $( #[test] fn $test() { super::$test::<super::Blocking>(&super::Emulator::start().unwrap()); } )+ }
    };
}

both! {
    a_title_with_its_facts,
    models_and_one_model,
    the_summary_adds_up_what_was_served,
    retried_calls_are_seen_as_often_as_they_are_sent,
    hints_are_waited_out,
    broken_answers_are_not_repeated,
    a_slow_answer_meets_the_limit,
    refusals_name_their_cause,
    limits_and_budgets_block,
    the_raw_request_reaches_everything,
    connections_are_shared_by_clones_and_calls,
}
