//! Speech in both directions, and files on disk.

use crate::temp_dir::TempDir;
use scaigrid::{
    ErrorKind, SynthesizeRequest, TimestampGranularity, TranscribeRequest, TranscriptionFormat, Upload,
};
use scaigrid_emulator::Fault;
use std::io::Read;

const SPOKEN: &str = "Good evening. The train to Utrecht leaves at nine, from platform two.";
const LARGE: usize = 4 << 20;

fn spoken() -> SynthesizeRequest {
    SynthesizeRequest::new("openai/tts-1", SPOKEN, "alloy")
}

run!(a_transcript_is_the_text_that_was_spoken, |emulator, client| {
    let speech = wait!(client.synthesize(&spoken())).unwrap();
    assert_eq!(speech.content_type(), Some("audio/wav"));
    let wav = wait!(speech.collect_bytes(LARGE)).unwrap();
    assert!(wav.starts_with(b"RIFF"));

    let upload = Upload::bytes("evening.wav", wav.clone());
    let heard =
        wait!(client.transcribe(&TranscribeRequest::new("openai/whisper-1", upload.clone()))).unwrap();
    assert_eq!(heard.text, SPOKEN);
    let sent = emulator.requests().pop().unwrap();
    assert!(sent.header("content-type").unwrap().starts_with("multipart/form-data; boundary="));
    assert!(sent.body.windows(wav.len()).any(|window| window == wav), "the file as it is");

    let request = TranscribeRequest::new("openai/whisper-1", upload.clone())
        .language("en")
        .temperature(0.0)
        .response_format(TranscriptionFormat::VerboseJson)
        .timestamps(TimestampGranularity::Segment)
        .timestamps(TimestampGranularity::Word);
    let verbose = wait!(client.transcribe(&request)).unwrap();
    assert_eq!((verbose.text.as_str(), verbose.language.as_deref()), (SPOKEN, Some("en")));
    let words = verbose.words.as_ref().unwrap();
    assert_eq!(words.len(), SPOKEN.split_whitespace().count());
    assert!(words.windows(2).all(|pair| pair[0].end <= pair[1].start.map(|start| start + 0.001)));
    assert!(verbose.duration.unwrap() >= words.last().unwrap().end.unwrap() - 0.001);
    assert!(!verbose.segments.as_ref().unwrap().is_empty());

    for (format, mark) in [(TranscriptionFormat::Srt, "-->"), (TranscriptionFormat::Vtt, "WEBVTT")] {
        let request = TranscribeRequest::new("openai/whisper-1", upload.clone()).response_format(format);
        let captions = wait!(client.transcribe(&request)).unwrap();
        assert!(captions.text.contains(mark) && captions.text.contains("Utrecht"), "{}", captions.text);
    }
});

run!(recordings_come_from_files_and_readers, |emulator, client| {
    let dir = TempDir::new();
    let path = dir.file("evening.wav");
    let bytes = wait!(wait!(client.synthesize(&spoken())).unwrap().save(&path)).unwrap();
    let wav = std::fs::read(&path).unwrap();
    assert_eq!(bytes, wav.len() as u64);
    let known = Upload::reader("evening.wav", std::io::Cursor::new(wav.clone()), bytes);
    let unknown = Upload::reader("evening.wav", std::io::Cursor::new(wav).take(bytes), None);
    for upload in [Upload::file(&path), known, unknown] {
        let heard = wait!(client.transcribe(&TranscribeRequest::new("openai/whisper-1", upload))).unwrap();
        assert_eq!(heard.text, SPOKEN);
    }
    assert!(emulator.requests().pop().unwrap().header("content-length").is_none(), "sent in chunks");
    let missing = TranscribeRequest::new("openai/whisper-1", Upload::file(dir.file("missing.wav")));
    assert_eq!(wait!(client.transcribe(&missing)).unwrap_err().kind(), ErrorKind::File);
});

run!(a_saved_file_is_whole_and_replaces_an_older_one, |_, client| {
    let dir = TempDir::new();
    let path = dir.file("speech.wav");
    std::fs::write(&path, "an older file").unwrap();
    let length = wait!(wait!(client.synthesize(&spoken())).unwrap().save(&path)).unwrap();
    let saved = std::fs::read(&path).unwrap();
    assert_eq!(saved.len() as u64, length);
    assert_eq!(saved, wait!(wait!(client.synthesize(&spoken())).unwrap().collect_bytes(LARGE)).unwrap());
    assert_eq!(dir.names(), ["speech.wav"]);
});

run!(a_cut_download_leaves_nothing_behind, |emulator, client| {
    let dir = TempDir::new();
    let path = dir.file("speech.wav");
    emulator.faults().push(Fault::cut_after(1000));
    let download = wait!(client.synthesize(&spoken())).unwrap();
    let error = wait!(download.save(&path)).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 1), "{error}");
    assert!(error.to_string().contains("bytes of the file") && error.may_have_run(), "{error}");
    assert!(dir.names().is_empty(), "{:?}", dir.names());
    // An older file stays as it was.
    std::fs::write(&path, "an older file").unwrap();
    emulator.faults().push(Fault::cut_after(1000));
    wait!(wait!(client.synthesize(&spoken())).unwrap().save(&path)).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), b"an older file");
    assert_eq!(dir.names(), ["speech.wav"]);
    // Nor is there anything where nothing can be written.
    let download = wait!(client.synthesize(&spoken())).unwrap();
    let error = wait!(download.save(dir.file("missing/speech.wav"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
});

run!(speech_comes_piece_by_piece, |_, client| {
    let mut download = wait!(client.synthesize(&spoken())).unwrap();
    let mut received = 0;
    while let Some(piece) = wait!(download.next()) {
        received += piece.unwrap().len() as u64;
        assert_eq!(download.received(), received);
    }
    assert!(received > 1000 && wait!(download.next()).is_none());
});
