//! Speech and transcripts.

use crate::calls::{booked, call, call_as, call_in_pieces, form, post_as_type};
use crate::http::OMNI;
use scaigrid_emulator::{Emulator, Fault, count_tokens};
use serde_json::{Value, json};
use std::time::Duration;

const SYNTHESIZE: &str = "/v1/inference/audio/synthesize";
const TRANSCRIBE: &str = "/v1/inference/audio/transcribe";
const WHISPER: &str = "openai/whisper-1";
const TTS: &str = "openai/tts-1";
const TEXT: &str = "Hello there. Wie schön, dich zu hören!";

fn speech() -> Value {
    json!({"model": TTS, "input": TEXT, "voice": "alloy"})
}

fn wav(emulator: &Emulator) -> Vec<u8> {
    let (head, frames, whole) = call_in_pieces(emulator, SYNTHESIZE, &speech());
    assert!(head.status == 200 && whole);
    frames.concat()
}

const MP3: Option<(&str, &str)> = Some(("recording.mp3", "audio/mpeg"));
const WAV: Option<(&str, &str)> = Some(("speech.wav", "audio/wav"));

#[test]
fn speech_is_a_wav_that_comes_word_by_word() {
    let emulator = Emulator::start().unwrap();
    let (head, frames, whole) = call_in_pieces(&emulator, SYNTHESIZE, &speech());
    assert_eq!((head.status, head.header("content-type"), whole), (200, Some("audio/wav"), true));
    assert!(head.header("x-scaigrid-request-id").is_some());
    assert_eq!(frames.len(), 7);
    let file = frames.concat();
    assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    assert_eq!(u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
    // PCM, one channel, 8000 samples a second, 16 bits.
    let format: Vec<u16> = file[20..36].chunks(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    assert_eq!(format, [1, 1, 8_000, 0, 16_000, 0, 2, 16]);
    assert_eq!(frames[1].len(), 3_200);
    assert!(frames[1].iter().any(|byte| *byte != 0));
    let tokens = count_tokens(TEXT);
    assert_eq!((booked(&emulator, TTS).0, booked(&emulator, TTS).1), (1, tokens));

    let raw = json!({"model": TTS, "input": TEXT, "voice": "alloy", "response_format": "pcm", "speed": 2});
    let (head, frames, _) = call_in_pieces(&emulator, SYNTHESIZE, &raw);
    assert_eq!((head.header("content-type"), frames.concat().len()), (Some("audio/pcm"), 7 * 1_600));
}

#[test]
fn speech_can_be_slow_and_can_be_cut() {
    let emulator = Emulator::builder().stream_pace(Duration::from_millis(5)).start().unwrap();
    let whole = wav(&emulator);
    emulator.faults().push(Fault::cut_after(5_000));
    let (head, frames, ended) = call_in_pieces(&emulator, SYNTHESIZE, &speech());
    assert_eq!((head.status, ended), (200, false));
    assert_eq!(frames.concat(), whole[..5_000]);
    emulator.faults().push(Fault::error("BACKEND_ERROR"));
    let failed = call(&emulator, SYNTHESIZE, &speech());
    assert_eq!((failed.status, failed.code().as_str()), (502, "BACKEND_ERROR"));
}

#[test]
fn wrong_speech_requests_get_json() {
    let emulator = Emulator::builder().api_key("a").api_key("poor").budget("poor", "0".parse().unwrap());
    let emulator = emulator.start().unwrap();
    assert_eq!(call(&emulator, SYNTHESIZE, &json!({})).invalid_fields(), ["model", "input", "voice"]);
    let wrong = json!({"model": 1, "input": " ", "voice": {}, "response_format": "mp3", "speed": 5});
    let answer = call(&emulator, SYNTHESIZE, &wrong);
    assert_eq!(answer.invalid_fields(), ["model", "input", "voice", "response_format", "speed"]);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.json()["error"]["details"][3]["message"].as_str().unwrap().contains("wav"));
    let long = json!({"model": TTS, "input": "é".repeat(4_097), "voice": "v"});
    assert_eq!(call(&emulator, SYNTHESIZE, &long).invalid_fields(), ["input"]);
    for model in [WHISPER, OMNI] {
        let body = json!({"model": model, "input": "x", "voice": "v"});
        assert_eq!(call(&emulator, SYNTHESIZE, &body).invalid_fields(), ["model"]);
    }
    let unknown = call(&emulator, SYNTHESIZE, &json!({"model": "x", "input": "x", "voice": "v"}));
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "MODEL_NOT_FOUND"));
    assert_eq!(call_as(&emulator, "poor", SYNTHESIZE, &speech()).code(), "BUDGET_EXCEEDED");
}

#[test]
fn the_documented_example_is_transcribed() {
    let emulator = Emulator::start().unwrap();
    let parts = [("model", None, WHISPER.as_bytes()), ("file", MP3, b"ID3..."), ("language", None, b"en")];
    let answer = form(&emulator, TRANSCRIBE, &parts);
    answer.request_id();
    let expected = "This is the transcript of recording.mp3, 6 bytes of audio/mpeg.";
    assert_eq!(answer.json()["data"], json!({"text": expected}));
    assert_eq!(booked(&emulator, WHISPER).1, count_tokens(expected));
}

#[test]
fn what_was_spoken_comes_back_in_every_format() {
    let emulator = Emulator::start().unwrap();
    let file = wav(&emulator);
    let answer = |format: &str, more: &[&str]| {
        let mut parts = vec![("model", None, WHISPER.as_bytes()), ("file", WAV, &file[..])];
        parts.push(("response_format", None, format.as_bytes()));
        parts.extend(more.iter().map(|value| ("timestamp_granularities", None, value.as_bytes())));
        form(&emulator, TRANSCRIBE, &parts)
    };
    for format in ["text", "json"] {
        assert_eq!(answer(format, &[]).json()["data"], json!({"text": TEXT}));
    }
    let verbose = answer("verbose_json", &[]).json()["data"].clone();
    assert_eq!((&verbose["text"], &verbose["language"]), (&json!(TEXT), &json!("en")));
    // Seven words of 0.2 seconds.
    assert_eq!(verbose["duration"], 1.4);
    let segments = json!([
        {"id": 0, "start": 0.0, "end": 0.4, "text": "Hello there."},
        {"id": 1, "start": 0.4, "end": 1.4, "text": "Wie schön, dich zu hören!"}
    ]);
    assert_eq!(verbose["segments"], segments);
    assert!(verbose.get("words").is_none());
    let both = answer("verbose_json", &["word", "segment"]).json()["data"].clone();
    assert_eq!(both["words"][1], json!({"word": "there.", "start": 0.2, "end": 0.4}));
    assert_eq!((both["words"].as_array().unwrap().len(), &both["segments"]), (7, &segments));
    assert!(answer("verbose_json", &["word"]).json()["data"].get("segments").is_none());

    let srt = answer("srt", &[]);
    assert_eq!(srt.header("content-type"), Some("application/x-subrip; charset=utf-8"));
    assert!(srt.header("x-scaigrid-request-id").is_some());
    let text = String::from_utf8(srt.body).unwrap();
    assert!(text.starts_with("1\n00:00:00,000 --> 00:00:00,400\nHello there.\n\n2\n"), "{text}");
    let vtt = answer("vtt", &[]);
    assert_eq!(vtt.header("content-type"), Some("text/vtt; charset=utf-8"));
    assert!(vtt.body.starts_with(b"WEBVTT\n\n00:00:00.000 --> 00:00:00.400\nHello there."));
}

#[test]
fn wrong_forms_are_named() {
    let emulator = Emulator::builder().budget("a", "0".parse().unwrap()).api_key("a").start().unwrap();
    assert_eq!(form(&emulator, TRANSCRIBE, &[]).invalid_fields(), ["model", "file"]);
    let wrong: [(&str, _, &[u8]); 6] = [
        ("file", None, b"x"),
        ("language", None, b"English"),
        ("response_format", None, b"xml"),
        ("temperature", None, b"1.1"),
        ("timestamp_granularities", None, b"word"),
        ("prompt", None, b"\xff"),
    ];
    let fields =
        ["model", "file", "language", "prompt", "response_format", "temperature", "timestamp_granularities"];
    assert_eq!(form(&emulator, TRANSCRIBE, &wrong).invalid_fields(), fields);
    for model in [TTS, OMNI] {
        let parts: [(&str, _, &[u8]); 2] = [("model", None, model.as_bytes()), ("file", MP3, b"x")];
        assert_eq!(form(&emulator, TRANSCRIBE, &parts).invalid_fields(), ["model"]);
    }
    let code = |model: &str| {
        form(&emulator, TRANSCRIBE, &[("model", None, model.as_bytes()), ("file", MP3, b"x")]).code()
    };
    assert_eq!((code("whisper-1").as_str(), code(WHISPER).as_str()), ("MODEL_NOT_FOUND", "BUDGET_EXCEEDED"));
    for (content_type, body) in [
        ("application/json", &b"{}"[..]),
        ("multipart/form-data", b""),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nhal",
        ),
        ("multipart/form-data; boundary=x", b"nothing"),
    ] {
        let answer = post_as_type(&emulator, TRANSCRIBE, content_type, body);
        assert_eq!(answer.invalid_fields(), ["body"], "{content_type}");
    }
}

#[test]
fn a_file_has_a_limit() {
    let emulator = Emulator::builder().without_recording().start().unwrap();
    let large = vec![0; 25 * 1024 * 1024 + 1];
    let answer = |file: &[u8]| {
        form(&emulator, TRANSCRIBE, &[("model", None, WHISPER.as_bytes()), ("file", MP3, file)])
    };
    let refused = answer(&large);
    assert_eq!((refused.status, refused.code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    assert_eq!(answer(&large[1..]).status, 200);
}
