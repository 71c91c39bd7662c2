//! What is counted, at which end of a call, and what a budget guard does with it.

use crate::harness::*;
use scaigrid::{
    Agreement, BudgetGuard, ChatRequest, EmbedRequest, Error, ErrorKind, ListModels, Model, PriceTable,
    RawRequest, SendSessionMessage, SynthesizeRequest, UsageSnapshot, UsageSummary, UsageSummaryRow,
    UsageTotals, reconcile,
};
use scaigrid_transport::TransportErrorKind as Kind;
use scaigrid_types::Endpoint;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The same calls in both colours.
trait Colour: Sized {
    fn send<E: Endpoint>(&self, endpoint: &E) -> Result<(), Error>;
    /// Takes so many chunks, and drops the stream.
    fn stream(&self, chunks: usize) -> Result<(), Error>;
    /// Takes so many pieces, and drops the file.
    fn speak(&self, pieces: usize) -> Result<(), Error>;
    fn usage(&self) -> UsageSnapshot;
    fn reset(&self) -> UsageSnapshot;
    fn labelled(&self, label: &str) -> Self;

    fn chat(&self) -> Result<(), Error> {
        self.send(&chat())
    }

    fn total(&self) -> UsageTotals {
        self.usage().total()
    }
}

fn chat() -> ChatRequest {
    ChatRequest::new("m").user("Hello")
}

fn speech() -> SynthesizeRequest {
    SynthesizeRequest::new("tts", "Hello", "alloy")
}

#[cfg(feature = "async")]
impl Colour for scaigrid::Client {
    fn send<E: Endpoint>(&self, endpoint: &E) -> Result<(), Error> {
        runtime().block_on(self.send(endpoint)).map(drop)
    }

    fn stream(&self, chunks: usize) -> Result<(), Error> {
        runtime().block_on(async {
            let mut stream = self.chat_stream(&chat()).await?;
            for _ in 0..chunks {
                if stream.next().await.transpose()?.is_none() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn speak(&self, pieces: usize) -> Result<(), Error> {
        runtime().block_on(async {
            let mut file = self.synthesize(&speech()).await?;
            for _ in 0..pieces {
                if file.next().await.transpose()?.is_none() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn usage(&self) -> UsageSnapshot {
        self.usage()
    }

    fn reset(&self) -> UsageSnapshot {
        self.reset_usage()
    }

    fn labelled(&self, label: &str) -> Self {
        self.with_label(label)
    }
}

#[cfg(feature = "blocking")]
impl Colour for scaigrid::blocking::Client {
    fn send<E: Endpoint>(&self, endpoint: &E) -> Result<(), Error> {
        self.send(endpoint).map(drop)
    }

    fn stream(&self, chunks: usize) -> Result<(), Error> {
        self.chat_stream(&chat())?.take(chunks).try_for_each(|chunk| chunk.map(drop))
    }

    fn speak(&self, pieces: usize) -> Result<(), Error> {
        self.synthesize(&speech())?.take(pieces).try_for_each(|piece| piece.map(drop))
    }

    fn usage(&self) -> UsageSnapshot {
        self.usage()
    }

    fn reset(&self) -> UsageSnapshot {
        self.reset_usage()
    }

    fn labelled(&self, label: &str) -> Self {
        self.with_label(label)
    }
}

/// Runs the same lines with a client of each colour. `$made` is made anew for each.
macro_rules! each {
    ($made:expr, $answers:expr, |$setup:ident, $client:ident| $body:block) => {
        #[cfg(feature = "async")]
        {
            let $setup = $made;
            let $client = async_client(&$setup, &script(&$setup, &$answers));
            $body
        }
        #[cfg(feature = "blocking")]
        {
            let $setup = $made;
            let $client = blocking_client(&$setup, &script(&$setup, &$answers));
            $body
        }
    };
}

fn guarded(guard: BudgetGuard) -> Setup {
    Setup { guard: Some(guard), ..Setup::default() }
}

/// Such as `calls succeeded failed cut abandoned | retries | prompt completion | with without`.
fn numbers(sums: &UsageTotals) -> String {
    format!(
        "{} {} {} {} {} | {} | {} {} | {} {}",
        sums.calls,
        sums.succeeded,
        sums.failed,
        sums.cut_short,
        sums.abandoned,
        sums.retries,
        sums.prompt_tokens,
        sums.completion_tokens,
        sums.with_usage,
        sums.without_usage,
    )
}

const TEXT: &str = "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[test]
fn calls_retries_tokens_and_failures_are_counted() {
    let answers = [
        error("BACKEND_ERROR"),
        ok(),
        ok(),
        error("BUDGET_EXCEEDED"),
        fails(Kind::Connect),
        fails(Kind::Connect),
        fails(Kind::Connect),
        error("VALIDATION_ERROR"),
    ];
    each!(Setup::default(), answers, |setup, client| {
        Colour::chat(&client).unwrap();
        Colour::chat(&client).unwrap();
        assert!(Colour::chat(&client).is_err() && Colour::chat(&client).is_err());
        assert!(Colour::send(&client, &ListModels::new()).is_err());
        // What cannot be sent is no call.
        assert!(Colour::send(&client, &chat().temperature(f64::NAN)).is_err());
        let seen = Colour::usage(&client);
        // The failed attempt of the first call may have run.
        assert_eq!(numbers(&seen.total()), "4 2 2 0 0 | 3 | 2 2 | 2 1");
        assert_eq!(seen.total().failures, [("BUDGET_EXCEEDED".into(), 1), ("Connect".into(), 1)].into());
        assert_eq!(seen.by_model().into_keys().collect::<Vec<_>>(), ["m"]);
        assert_eq!((seen.management().calls, seen.management().failures["VALIDATION_ERROR"]), (1, 1));
    });
}

#[test]
fn streams_count_what_is_known_when_they_end() {
    let until_done = || events([TEXT, USAGE, DONE]);
    for (answer, chunks, expected) in [
        (until_done(), 9, "1 1 0 0 0 | 0 | 5 2 | 1 0"),
        // Dropped before the end: with the usage, and without.
        (until_done(), 2, "1 0 0 0 1 | 0 | 5 2 | 1 0"),
        (until_done(), 1, "1 0 0 0 1 | 0 | 0 0 | 0 1"),
        (until_done(), 0, "1 0 0 0 1 | 0 | 0 0 | 0 1"),
        // Cut: with the usage, and without.
        (events([TEXT, USAGE]), 9, "1 0 0 1 0 | 0 | 5 2 | 1 0"),
        (events([TEXT]).broken(), 9, "1 0 0 1 0 | 0 | 0 0 | 0 1"),
        // A plain reply in place of a stream.
        (ok(), 9, "1 1 0 0 0 | 0 | 1 1 | 1 0"),
    ] {
        let answers = [answer];
        each!(Setup::default(), answers, |setup, client| {
            let _ = Colour::stream(&client, chunks);
            assert_eq!(numbers(&client.total()), expected, "{chunks} chunks of {answers:?}");
        });
    }
    let answers = [events([TEXT]), error("RATE_LIMITED"), events([TEXT, USAGE, DONE])];
    each!(Setup::default(), answers, |setup, client| {
        assert!(Colour::stream(&client, 9).is_err());
        Colour::stream(&client, 9).unwrap();
        assert_eq!(numbers(&client.total()), "2 1 0 1 0 | 1 | 5 2 | 1 1");
        assert_eq!(client.total().failures, [("StreamTruncated".to_owned(), 1)].into());
    });
}

#[test]
fn files_count_at_their_end() {
    let sound = |answer: Answer| answer.header("content-type", "audio/wav");
    for (answer, pieces, expected) in [
        (sound(events(["a", "b"])), 9, "1 1 0 0 0 | 0 | 0 0 | 0 1"),
        (sound(events(["a", "b"])), 1, "1 0 0 0 1 | 0 | 0 0 | 0 1"),
        (sound(events(["a", "b"]).broken()), 9, "1 0 0 1 0 | 0 | 0 0 | 0 1"),
    ] {
        let answers = [answer];
        each!(Setup::default(), answers, |setup, client| {
            let _ = Colour::speak(&client, pieces);
            assert_eq!(numbers(&client.total()), expected, "{pieces} pieces of {answers:?}");
        });
    }
}

#[cfg(feature = "async")]
#[test]
fn a_future_that_is_dropped_is_an_abandoned_call() {
    let setup = Setup::default();
    let client = async_client(&setup, &script(&setup, &[ok()]));
    let request = chat();
    let future = client.chat(&request);
    // Not polled: nothing has begun.
    drop(future);
    assert_eq!(client.usage().total().calls, 0);
    runtime().block_on(async {
        let builder = scaigrid::Client::builder().base_url("https://gateway.test").token_provider(Never);
        let client = builder.transport(scaigrid::testing::ScriptedTransport::new()).build().unwrap();
        let request = chat();
        let mut call = std::pin::pin!(Some(client.chat(&request)));
        std::future::poll_fn(|context| {
            use std::future::Future as _;
            assert!(call.as_mut().as_pin_mut().unwrap().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        call.set(None);
        assert_eq!(numbers(&client.usage().total()), "1 0 0 0 1 | 0 | 0 0 | 0 0");
    });
}

/// Gives so many answers of a script, and then none.
#[cfg(feature = "async")]
struct ThenSilent(scaigrid::testing::ScriptedTransport, AtomicU32);

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl scaigrid::transport::Transport for ThenSilent {
    async fn send(
        &self,
        request: http::Request<scaigrid::transport::RequestBody>,
        timeouts: scaigrid::transport::Timeouts,
    ) -> Result<http::Response<scaigrid::transport::Body>, scaigrid::transport::TransportError> {
        if self.1.fetch_sub(1, Ordering::Relaxed) == 0 {
            return std::future::pending().await;
        }
        scaigrid::transport::Transport::send(&self.0, request, timeouts).await
    }
}

#[cfg(feature = "async")]
#[test]
fn a_call_that_is_dropped_after_it_was_sent_may_have_run() {
    use std::future::Future;
    use std::task::{Context, Waker};

    fn is_pending(future: impl Future) -> bool {
        std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }
    for (answers, expected) in [
        (vec![], "1 0 0 0 1 | 0 | 0 0 | 0 1"),
        // The failure before says that it has not run, or does not.
        (vec![error("RATE_LIMITED")], "1 0 0 0 1 | 1 | 0 0 | 0 1"),
        (vec![error("BACKEND_ERROR")], "1 0 0 0 1 | 1 | 0 0 | 0 2"),
        (vec![fails(Kind::Connect), error("BACKEND_ERROR")], "1 0 0 0 1 | 2 | 0 0 | 0 2"),
    ] {
        let setup = Setup::default();
        let client = || {
            let gateway = script(&setup, &answers).gateway;
            let transport =
                ThenSilent(gateway.clone(), AtomicU32::new(u32::try_from(answers.len()).unwrap()));
            let builder = scaigrid::Client::builder().base_url("https://gateway.test").api_key("sgk_test");
            builder.transport(transport).clock(gateway.clock()).build().unwrap()
        };
        let (plain, stream, file) = (client(), client(), client());
        assert!(is_pending(plain.chat(&chat())));
        assert!(is_pending(stream.chat_stream(&chat())));
        assert!(is_pending(file.synthesize(&speech())));
        for client in [plain, stream, file] {
            let seen = client.usage();
            assert_eq!(numbers(&seen.total()), expected, "{answers:?}");
            assert!(!seen.by_model().contains_key("(unknown)"), "{seen:?}");
        }
    }
}

/// A token provider that never answers.
#[cfg(feature = "async")]
struct Never;

#[cfg(feature = "async")]
#[async_trait::async_trait]
impl scaigrid::TokenProvider for Never {
    async fn current(&self) -> Result<scaigrid::BearerToken, scaigrid::BoxError> {
        std::future::pending().await
    }

    async fn refreshed(
        &self,
        _: &scaigrid::BearerToken,
    ) -> Result<scaigrid::BearerToken, scaigrid::BoxError> {
        self.current().await
    }
}

#[cfg(feature = "blocking")]
#[test]
fn a_cancelled_call_is_an_abandoned_one() {
    let setup = Setup::default();
    let client = blocking_client(&setup, &script(&setup, &[]));
    let handle = scaigrid::blocking::CancelHandle::new();
    handle.cancel();
    assert!(client.with_cancel_handle(&handle).chat(&chat()).is_err());
    assert_eq!(numbers(&client.usage().total()), "1 0 0 0 1 | 0 | 0 0 | 0 0");
}

#[test]
fn labels_and_models_are_kept_apart_and_the_table_is_bounded() {
    let answers: Vec<_> = (0..310).map(|_| ok()).collect();
    each!(Setup::default(), answers, |setup, client| {
        Colour::chat(&client.labelled("tenant-a")).unwrap();
        Colour::chat(&client.labelled("tenant-a").labelled("tenant-b")).unwrap();
        Colour::send(&client, &SendSessionMessage::new("s", "hi")).unwrap();
        Colour::send(&client, &RawRequest::post("/v1/inference/new")).unwrap();
        for number in 0..300 {
            Colour::send(&client, &ChatRequest::new(format!("model-{number}"))).unwrap();
        }
        Colour::send(&client, &ChatRequest::new("x".repeat(300))).unwrap();
        let seen = Colour::usage(&client);
        assert_eq!(numbers(&seen.total()), "305 305 0 0 0 | 0 | 305 305 | 305 0");
        assert_eq!(seen.of_label("tenant-a")["m"].calls, 1);
        assert_eq!(seen.by_label()[&Some("tenant-b".to_owned())].total_tokens, 2);
        assert_eq!(seen.by_label()[&None].calls, 303);
        let models = seen.by_model();
        assert_eq!((models["m"].calls, models["(unknown)"].calls), (2, 2));
        assert_eq!((models.len(), models["(other)"].calls), (257, 1 + 300 - 254));
        Colour::chat(&client.labelled(&"x".repeat(300))).unwrap();
        assert_eq!(Colour::usage(&client).by_label()[&Some("(other)".to_owned())].calls, 1);
    });
}

#[test]
fn snapshots_differ_and_begin_anew() {
    each!(Setup::default(), [ok(), ok(), error("BUDGET_EXCEEDED"), ok()], |setup, client| {
        Colour::chat(&client).unwrap();
        let before = Colour::usage(&client);
        Colour::chat(&client.labelled("a")).unwrap();
        assert!(Colour::chat(&client).is_err());
        let seen = Colour::usage(&client).since(&before);
        assert_eq!(numbers(&seen.total()), "2 1 1 0 0 | 0 | 1 1 | 1 0");
        assert_eq!(Colour::usage(&client).since(&Colour::usage(&client)), UsageSnapshot::default());
        assert_eq!(Colour::reset(&client).total().calls, 3);
        assert_eq!(Colour::usage(&client.labelled("b")), UsageSnapshot::default());
        Colour::chat(&client).unwrap();
        assert_eq!(client.total().calls, 1);
        assert_eq!(Colour::usage(&client).since(&before).total().calls, 0);
    });
}

fn money(text: &str) -> scaigrid::Money {
    text.parse().unwrap()
}

#[test]
fn costs_are_estimated_and_what_has_no_price_is_told() {
    let mut half = Model::new("half");
    half.input_price_per_mtok = Some(money("0.02"));
    let prices =
        PriceTable::from_models(&[half, Model::new("free?")]).with_price("m", money("0.35"), money("1.10"));
    assert!(!prices.contains("free?"));
    each!(Setup::default(), [ok(), ok(), ok()], |setup, client| {
        Colour::chat(&client).unwrap();
        let estimate = Colour::usage(&client).estimated_cost(&prices);
        assert_eq!((estimate.amount, estimate.is_complete()), (money("0.00000145"), true));
        Colour::send(&client, &EmbedRequest::new("half", "x")).unwrap();
        Colour::send(&client, &ChatRequest::new("free?")).unwrap();
        let estimate = Colour::usage(&client).estimated_cost(&prices);
        assert_eq!(estimate.amount, money("0.00000147"));
        assert_eq!(
            (estimate.unpriced_models, estimate.unpriced_tokens),
            (vec!["free?".into(), "half".into()], 3)
        );
    });
}

#[test]
fn a_guard_on_tokens_refuses_before_it_is_sent_and_lets_lists_pass() {
    let list = answer(200, r#"{"data":[]}"#);
    let answers = [ok(), ok(), list.clone(), list, ok()];
    each!(guarded(BudgetGuard::tokens(4)), answers, |setup, client| {
        let guard = setup.guard.as_ref().unwrap();
        Colour::chat(&client).unwrap();
        assert!(!guard.is_exceeded());
        Colour::chat(&client.labelled("a")).unwrap();
        assert!(guard.is_exceeded());
        for refused in
            [Colour::chat(&client), Colour::stream(&client, 1), Colour::speak(&client.labelled("b"), 1)]
        {
            let error = refused.unwrap_err();
            assert_eq!(
                (error.kind(), error.attempts(), error.may_have_run()),
                (ErrorKind::BudgetGuard, 0, false)
            );
            assert!(error.to_string().contains("4 of 4 tokens"), "{error}");
        }
        Colour::send(&client, &ListModels::new()).unwrap();
        Colour::send(&client, &ListModels::new()).unwrap();
        assert_eq!(client.total().failures, [("BudgetGuard".to_owned(), 3)].into());
        assert_eq!(client.total().without_usage, 0);
        Colour::reset(&client);
        assert!(guard.is_exceeded(), "the sums are not the guard's");
        guard.reset();
        Colour::chat(&client).unwrap();
    });
}

#[test]
fn a_guard_on_costs_wants_prices() {
    let prices = || PriceTable::new().with_price("m", money("1"), money("2"));
    let guard = || BudgetGuard::estimated_cost(money("0.000006"), prices());
    each!(guarded(guard()), [ok(), ok()], |setup, client| {
        let error = Colour::send(&client, &ChatRequest::new("new")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BudgetGuard);
        assert!(error.to_string().contains("no price for the model `new`"), "{error}");
        assert!(Colour::send(&client, &SendSessionMessage::new("s", "hi")).is_err());
        Colour::chat(&client).unwrap();
        Colour::chat(&client).unwrap();
        assert_eq!(setup.guard.as_ref().unwrap().used().estimated_cost, money("0.000006"));
        assert!(Colour::chat(&client).unwrap_err().to_string().contains("estimated 0.000006 of 0.000006"));
    });
    each!(guarded(guard().allow_unpriced()), [ok()], |setup, client| {
        Colour::send(&client, &ChatRequest::new("new")).unwrap();
        let used = setup.guard.as_ref().unwrap().used();
        assert_eq!((used.tokens, used.unpriced_tokens, used.estimated_cost), (2, 2, money("0")));
    });
}

#[test]
fn a_guard_may_only_tell_once() {
    let told = Arc::new(AtomicU32::new(0));
    let guard = || {
        let told = Arc::clone(&told);
        BudgetGuard::tokens(3).notify(move |used| {
            assert_eq!(used.tokens, 4);
            told.fetch_add(1, Ordering::Relaxed);
        })
    };
    each!(guarded(guard()), [ok(), ok(), ok(), ok()], |setup, client| {
        told.store(0, Ordering::Relaxed);
        for _ in 0..4 {
            Colour::chat(&client).unwrap();
        }
        assert_eq!(told.load(Ordering::Relaxed), 1);
    });
}

fn summary(rows: &[(&str, u64, u64, u64)]) -> UsageSummary {
    let row = |(model, requests, tokens_in, tokens_out): &(&str, u64, u64, u64)| {
        let mut row = UsageSummaryRow::default();
        row.group_key = Some((*model).to_owned());
        (row.request_count, row.input_tokens, row.output_tokens) =
            (Some(*requests), Some(*tokens_in), Some(*tokens_out));
        row
    };
    UsageSummary::new(rows.iter().map(row).collect())
}

#[test]
fn the_gateways_summary_is_compared_row_by_row() {
    let answers = [ok(), fails(Kind::Timeout), ok()];
    each!(Setup::default(), answers, |setup, client| {
        Colour::chat(&client).unwrap();
        assert!(Colour::send(&client, &ChatRequest::new("lost")).is_err());
        Colour::send(&client, &ChatRequest::new("more")).unwrap();
        let seen = Colour::usage(&client);
        let rows = |summary: &UsageSummary| -> Vec<_> {
            let rows = reconcile(&seen, summary).into_iter();
            rows.map(|row| (row.model, row.requests, row.prompt_tokens, row.agreement)).collect()
        };
        let row = |model: &str, requests, tokens, agreement| {
            (model.to_owned(), Some(requests), Some(tokens), agreement)
        };
        let told = summary(&[("m", 1, 1, 1), ("lost", 1, 9, 3), ("more", 2, 2, 2), ("others", 1, 1, 1)]);
        assert_eq!(
            rows(&told),
            [
                row("lost", 1, 9, Agreement::Explained),
                row("m", 0, 0, Agreement::Equal),
                row("more", 1, 1, Agreement::Different),
                row("others", 1, 1, Agreement::Different),
            ]
        );
        // Rows with the same key are one.
        let split = summary(&[("m", 1, 0, 1), ("m", 0, 1, 0), ("lost", 1, 9, 3), ("more", 1, 1, 1)]);
        let rest = [row("m", 0, 0, Agreement::Equal), row("more", 0, 0, Agreement::Equal)];
        assert_eq!(rows(&split), [[row("lost", 1, 9, Agreement::Explained)].as_slice(), &rest].concat());
        // A row without numbers says nothing.
        let mut silent = UsageSummaryRow::default();
        silent.group_key = Some("m".to_owned());
        let silent = reconcile(&seen, &UsageSummary::new(vec![silent]));
        let silent = silent.iter().find(|row| row.model == "m").unwrap();
        assert_eq!((silent.agreement, silent.requests), (Agreement::Unknown, None));
        let fewer = summary(&[("lost", 0, 0, 0), ("more", 1, 1, 1)]);
        assert_eq!(
            rows(&fewer),
            [
                row("lost", 0, 0, Agreement::Equal),
                row("m", -1, -1, Agreement::Different),
                row("more", 0, 0, Agreement::Equal),
            ]
        );
    });
}
