//! Files in both directions.

use crate::harness::*;
use crate::harness_more::*;
use scaigrid::transport::TransportErrorKind as Kind;
use scaigrid::{
    ErrorCode, ErrorKind, ExportFormat, ExportUsage, Image, StopReason, SynthesizeRequest, TranscribeRequest,
    Upload,
};
use std::time::Duration;

fn speech() -> SynthesizeRequest {
    SynthesizeRequest::new("m", "Hello", "v")
}

fn sound(pieces: &[&'static str]) -> Answer {
    events(pieces.to_vec()).header("content-type", "audio/wav")
}

fn nothing() -> File<'static, SynthesizeRequest> {
    File::Url("unused")
}

#[test]
fn a_file_comes_piece_by_piece() {
    downloaded_in_both_colours(
        &Setup::default(),
        &[sound(&["RI", "FF"])],
        &File::Endpoint(&speech()),
        4,
        |seen| {
            assert_eq!(seen.result.as_ref().unwrap(), "RIFF");
            assert_eq!((seen.content_type.as_deref(), seen.attempts), (Some("audio/wav"), 1));
            assert_eq!(seen.requests[0].body(), r#"{"model":"m","input":"Hello","voice":"v"}"#);
            let timeouts = seen.timeouts[0];
            assert_eq!((timeouts.attempt, timeouts.read), (None, Some(Duration::from_secs(60))));
        },
    );
    downloaded_in_both_colours(
        &Setup::default(),
        &[sound(&["RI", "FF"])],
        &File::Endpoint(&speech()),
        3,
        |seen| {
            assert_eq!(seen.result.as_ref().unwrap_err().kind(), ErrorKind::BodyTooLarge);
        },
    );
}

#[test]
fn failures_before_the_file_are_retried_and_later_ones_are_not() {
    let answers = [error("BACKEND_TIMEOUT"), fails(Kind::Connect), sound(&["ok"])];
    downloaded_in_both_colours(&Setup::default(), &answers, &File::Endpoint(&speech()), 9, |seen| {
        assert_eq!(seen.result.as_ref().unwrap(), "ok");
        assert_eq!((seen.attempts, seen.waits.len()), (3, 2));
    });
    downloaded_in_both_colours(
        &Setup::default(),
        &[sound(&["RI"]).broken()],
        &File::Endpoint(&speech()),
        9,
        |seen| {
            let error = seen.result.as_ref().unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 1));
            assert!(error.to_string().contains("after 2 bytes of the file"), "{error}");
            assert!(error.may_have_run() && error.stop_reason() == Some(StopReason::MayHaveRun));
        },
    );
}

#[test]
fn json_where_a_file_was_expected_takes_the_error_path() {
    let failure = answer(200, r#"{"status":"error","error":{"code":"BUDGET_EXCEEDED","message":"m"}}"#);
    downloaded_in_both_colours(&Setup::default(), &[failure], &File::Endpoint(&speech()), 9, |seen| {
        assert_eq!(seen.result.as_ref().unwrap_err().code(), Some(&ErrorCode::BudgetExceeded));
    });
    let other = answer(200, r#"{"data":{}}"#);
    downloaded_in_both_colours(&Setup::default(), &[other], &File::Endpoint(&speech()), 9, |seen| {
        let error = seen.result.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("JSON where a file was expected"), "{error}");
    });
    // An export may be JSON.
    let export = ExportUsage::new().format(ExportFormat::Json);
    let rows = answer(200, r#"[{"id":"usage_1"}]"#);
    downloaded_in_both_colours(&Setup::default(), &[rows], &File::Endpoint(&export), 99, |seen| {
        assert_eq!(seen.result.as_ref().unwrap(), r#"[{"id":"usage_1"}]"#);
    });
    let csv = ExportUsage::new().format(ExportFormat::Csv);
    let failure = answer(200, r#"{"error":{"code":"VALIDATION_ERROR"}}"#);
    downloaded_in_both_colours(&Setup::default(), &[failure], &File::Endpoint(&csv), 99, |seen| {
        assert_eq!(seen.result.as_ref().unwrap_err().code(), Some(&ErrorCode::ValidationError));
    });
}

#[test]
fn the_key_never_goes_to_where_images_lie() {
    let image = |url: &str| -> Image { serde_json::from_value(serde_json::json!({ "url": url })).unwrap() };
    for (url, uri) in [
        ("https://cdn.example/1.png?token=t", "https://cdn.example/1.png?token=t"),
        ("https://gateway.test/media/1?token=t", "https://gateway.test/media/1?token=t"),
        ("/media/1?token=t", "https://gateway.test/media/1?token=t"),
    ] {
        let png = [events(["PNG"]).header("content-type", "image/png")];
        let image = image(url);
        let check = |seen: &SeenFile| {
            assert_eq!(seen.result.as_ref().unwrap(), "PNG");
            assert_eq!(seen.requests[0].uri().to_string(), uri);
            assert!(!seen.requests[0].headers().contains_key("authorization"), "{url}");
        };
        downloaded_in_both_colours(
            &Setup::default(),
            &png,
            &File::<SynthesizeRequest>::Image(&image),
            9,
            check,
        );
        downloaded_in_both_colours(&Setup::default(), &png, &File::<SynthesizeRequest>::Url(url), 9, check);
        // Nobody is asked for a token that is not sent.
        let provided = Setup { token_provider: true, ..Setup::default() };
        downloaded_in_both_colours(&provided, &png, &File::<SynthesizeRequest>::Url(url), 9, check);
    }
    let redirect = answer(302, "").header("location", "https://elsewhere.example/1?token=secret");
    let file = File::<SynthesizeRequest>::Url("https://gateway.test/media/1");
    downloaded_in_both_colours(&Setup::default(), &[redirect], &file, 9, |seen| {
        let error = seen.result.as_ref().unwrap_err();
        assert_eq!((error.kind(), seen.requests.len()), (ErrorKind::Http, 1));
        assert!(!error.to_string().contains("secret"), "{error}");
    });
    let with_bytes: Image = serde_json::from_str(r#"{"b64_json":"aGk="}"#).unwrap();
    let file = File::<SynthesizeRequest>::Image(&with_bytes);
    downloaded_in_both_colours(&Setup::default(), &[], &file, 9, |seen| {
        assert!(seen.result.as_ref().unwrap_err().to_string().contains("decode_b64"));
    });
    downloaded_in_both_colours(&Setup::default(), &[], &nothing(), 9, |seen| {
        assert_eq!(seen.result.as_ref().unwrap_err().kind(), ErrorKind::InvalidRequest);
    });
}

fn transcribe(upload: Upload) -> TranscribeRequest {
    TranscribeRequest::new("m", upload)
}

fn text() -> Answer {
    answer(200, r#"{"data":{"text":"hi"}}"#)
}

#[test]
fn an_upload_from_memory_or_a_file_is_sent_again() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for upload in [Upload::bytes("a.wav", "RIFF"), Upload::file(file)] {
        let answers = [error("BACKEND_TIMEOUT"), error("BACKEND_ERROR"), text()];
        in_both_colours(&Setup::default(), &answers, &transcribe(upload), |seen| {
            assert_eq!(seen.result.as_ref().unwrap().text, "hi");
            let bodies: Vec<_> = seen.requests.iter().map(http::Request::body).collect();
            assert_eq!((bodies.len(), bodies[0]), (3, bodies[2]));
            assert!(bodies[0].windows(8).any(|bytes| bytes == b"filename"));
        });
    }
}

#[test]
fn an_upload_from_a_reader_is_sent_once_unless_nothing_was_read() {
    let reader = |text: &'static str| Upload::reader("a.wav", text.as_bytes(), Some(text.len() as u64));
    // A reader serves one call, so each colour gets its own.
    for answers in [
        vec![error("BACKEND_TIMEOUT")],
        vec![error_after("RATE_LIMITED", "1")],
        vec![fails(Kind::Dns), error("BACKEND_ERROR")],
    ] {
        let last = answers.len();
        each_colour(
            &Setup::default(),
            &answers,
            || transcribe(reader("RIFF")),
            |seen| {
                let error = seen.error();
                assert_eq!(error.stop_reason(), Some(StopReason::BodyNotRepeatable), "{error}");
                assert_eq!(error.attempts() as usize, last);
                assert!(error.to_string().contains("came from a reader"), "{error}");
            },
        );
    }
    // What would not be repeated anyway is not blamed on the reader.
    each_colour(
        &Setup::default(),
        &[error("VALIDATION_ERROR")],
        || transcribe(reader("RIFF")),
        |seen| assert_eq!(seen.error().stop_reason(), Some(StopReason::NotRetryable)),
    );
    let recovered = [fails(Kind::Connect), text()];
    each_colour(
        &Setup::default(),
        &recovered,
        || transcribe(reader("RIFF")),
        |seen| {
            assert_eq!(seen.result.as_ref().unwrap().attempts(), 2);
            assert!(seen.requests[1].body().windows(4).any(|bytes| bytes == b"RIFF"));
        },
    );
    // Nor with a fresh token.
    let provided = Setup { token_provider: true, ..Setup::default() };
    each_colour(
        &provided,
        &[error("SESSION_EXPIRED")],
        || transcribe(reader("RIFF")),
        |seen| {
            assert_eq!(seen.error().stop_reason(), Some(StopReason::BodyNotRepeatable));
        },
    );
}

#[test]
fn a_reader_that_fails_or_ends_early_is_an_error_of_the_callers() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    each_colour(
        &Setup::default(),
        &[text()],
        || transcribe(Upload::reader("a", Broken, None)),
        |seen| {
            assert_eq!((seen.error().kind(), seen.error().attempts()), (ErrorKind::File, 1));
            assert!(!seen.error().may_have_run());
        },
    );
    let short = || transcribe(Upload::reader("a", &b"ab"[..], Some(9)));
    each_colour(&Setup::default(), &[text()], short, |seen| {
        assert_eq!(seen.error().kind(), ErrorKind::File);
    });
    let missing = || transcribe(Upload::file("/no/such/file.wav"));
    each_colour(&Setup::default(), &[], missing, |seen| {
        assert_eq!((seen.error().kind(), seen.error().attempts()), (ErrorKind::File, 0));
        let text = seen.error().to_string();
        assert!(text.starts_with("audio.transcribe: the file /no/such/file.wav cannot be read"), "{text}");
    });
}

#[test]
fn audio_may_take_longer_than_other_calls() {
    let upload = || transcribe(Upload::bytes("a", "x"));
    each_colour(&Setup::default(), &[text().taking(119_000)], upload, |seen| assert!(seen.result.is_ok()));
    let shorter = Setup { timeout: Some(Duration::from_secs(5)), ..Setup::default() };
    each_colour(&shorter, &[text().taking(6_000)], upload, |seen| {
        assert_eq!(seen.error().kind(), ErrorKind::Timeout);
        assert!(seen.error().to_string().contains("the limit was 5s"));
    });
}

#[test]
fn calls_without_a_type_carry_files_too() {
    use scaigrid::{Multipart, RawRequest};
    let form = || Multipart::new().field("language", "en").file("file", &Upload::bytes("a.wav", "RIFF"));
    let upload = || RawRequest::post("/v1/modules/scaiecho/transcribe").multipart(form());
    each_colour(&Setup::default(), &[text()], upload, |seen| {
        assert_eq!(seen.result.as_ref().unwrap()["text"], "hi");
        let content_type = seen.requests[0].headers()["content-type"].to_str().unwrap();
        assert!(content_type.starts_with("multipart/form-data; boundary=scaigrid-"), "{content_type}");
    });
    let odd = || RawRequest::post("/v1/x").multipart(form().file("b", &Upload::bytes("a\r\nb", "")));
    each_colour(&Setup::default(), &[], odd, |seen| {
        assert_eq!((seen.error().kind(), seen.error().attempts()), (ErrorKind::InvalidRequest, 0));
    });
    let file = RawRequest::get("/v1/modules/scaispeak/speech").segment("1");
    downloaded_in_both_colours(&Setup::default(), &[sound(&["RIFF"])], &File::Endpoint(&file), 9, |seen| {
        assert_eq!(seen.result.as_ref().unwrap(), "RIFF");
    });
}

#[test]
fn an_address_that_is_a_key_is_not_repeated() {
    let url = "https://cdn.example/media/1?token=TOPSECRET%2Bx&n=1";
    for failure in [
        answer(404, "<pre>Cannot GET /media/1?token=TOPSECRET%2Bx&n=1</pre>")
            .header("content-type", "text/html"),
        answer(
            403,
            r#"{"error":{"code":"X","message":"token TOPSECRET+x of /media/1?token=TOPSECRET%2Bx&n=1"}}"#,
        ),
        answer(302, "").header("location", "https://cdn.example/TOPSECRET%2Bx"),
    ] {
        let setup = Setup { observed: Some(Observed::default()), ..Setup::default() };
        downloaded_in_both_colours(&setup, &[failure], &File::<SynthesizeRequest>::Url(url), 9, |seen| {
            let error = seen.result.as_ref().unwrap_err();
            let attempts = setup.observed.as_ref().unwrap().lock().unwrap();
            let shown = format!("{error} {error:?} {} {attempts:?}", error.retry_report());
            assert!(!shown.contains("TOPSECRET"), "{shown}");
        });
    }
}

#[test]
fn a_refused_token_is_replaced_also_where_the_upload_cannot_be_repeated() {
    let provided = Setup { token_provider: true, ..Setup::default() };
    let upload = || transcribe(Upload::reader("a.wav", &b"RIFF"[..], Some(4)));
    each_colour(&provided, &[error("SESSION_EXPIRED")], upload, |seen| {
        assert_eq!(seen.error().stop_reason(), Some(StopReason::BodyNotRepeatable));
        assert_eq!((seen.error().history().len(), seen.tokens_refused), (1, 1));
    });
}

#[test]
fn a_refused_upload_is_reported_also_when_there_is_no_fresh_token() {
    let setup = Setup { token_provider: true, no_fresh_token: true, ..Setup::default() };
    let upload = || transcribe(Upload::reader("a.wav", &b"RIFF"[..], Some(4)));
    each_colour(&setup, &[error("SESSION_EXPIRED")], upload, |seen| {
        let error = seen.error();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::TokenProvider, 1));
        assert_eq!(error.history().len(), 1, "{:?}", error.history());
    });
}
