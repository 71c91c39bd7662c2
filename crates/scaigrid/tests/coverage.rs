//! `src/coverage.md` against the sources, the tests, and the emulator: what it says is so, and nothing is missing in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use scaigrid::*;
use scaigrid_emulator::Emulator;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("../src/coverage.md");
const DOORS: &str = include_str!("../src/doors.rs");
const HELPERS: &str = include_str!("../src/client/helpers.rs");
const BLOCKING_HELPERS: &str = include_str!("../src/blocking/helpers.rs");

/// One line of the table.
struct Row<'a> {
    line: &'a str,
    /// Method and path, such as `GET /v1/models/{slug}`. `None` for what is no single call.
    call: Option<&'a str>,
    /// Names of methods. Empty for generic calls.
    methods: Vec<&'a str>,
    is_generic: bool,
    level: &'a str,
    emulator: &'a str,
    test: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|line| line.starts_with('|'));
    let lines = lines.filter(|line| !line.starts_with("| call |") && !line.starts_with("|---"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [call, method, level, emulator, test] = cells[..] else { panic!("five cells: {line}") };
            let quoted = call.strip_prefix('`').and_then(|rest| rest.split('`').next());
            Row {
                line,
                call: quoted.filter(|call| call.contains(" /")),
                methods: method.split('`').skip(1).step_by(2).collect(),
                is_generic: method == "generic",
                level,
                emulator,
                test: test.trim_matches('`'),
            }
        })
        .collect()
}

/// With every id as `{}`, because each page names ids in its own way.
fn shape(call: &str) -> String {
    let segments = call.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_lowercase() || "_0123456789".contains(letter))
}

/// The methods of `doors.rs`, with the calls that their documentation names.
fn doors() -> BTreeMap<&'static str, Vec<&'static str>> {
    let (list, _) = DOORS.split_once("macro_rules! async_doors").unwrap();
    let mut doors = BTreeMap::new();
    let mut calls = Vec::new();
    for line in list.lines().map(str::trim) {
        match (line.strip_prefix("///"), line.split_once('(')) {
            (Some(text), _) => {
                calls.extend(text.split('`').skip(1).step_by(2).filter(|code| code.contains(" /")))
            }
            (None, Some((name, _))) if is_name(name) => {
                doors.insert(name, std::mem::take(&mut calls));
            }
            _ => {}
        }
    }
    doors
}

/// The public methods of a file.
fn public_methods(source: &'static str) -> BTreeSet<&'static str> {
    let name = |line: &'static str| {
        let line = line.strip_prefix("    pub ")?;
        let line = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        line.split(['(', '<']).next()
    };
    source.lines().filter_map(name).collect()
}

#[test]
fn every_row_says_everything() {
    let rows = rows();
    assert!(rows.len() > 100, "{}", rows.len());
    for row in &rows {
        assert!(row.is_generic != row.methods.iter().any(|name| is_name(name)), "method: {}", row.line);
        assert!(
            row.level.starts_with("documented") || row.level.starts_with("assumed: "),
            "level: {}",
            row.line
        );
        assert!(["yes", "no"].contains(&row.emulator), "emulator: {}", row.line);
        assert!(is_name(row.test), "test: {}", row.line);
    }
    let calls: Vec<_> =
        rows.iter().filter_map(|row| Some((shape(row.call?), row.line.contains("with `stream`")))).collect();
    assert_eq!(calls.iter().collect::<BTreeSet<_>>().len(), calls.len(), "a call has one row");
}

#[test]
fn every_method_is_in_a_row_and_every_row_names_methods_that_exist() {
    let doors = doors();
    let helpers = public_methods(HELPERS);
    assert_eq!(helpers, public_methods(BLOCKING_HELPERS), "both colours have the same helpers");
    assert!(
        doors.len() > 50 && helpers.len() > 6,
        "the sources have another form: {} {}",
        doors.len(),
        helpers.len()
    );
    let exist: BTreeSet<&str> = doors.keys().copied().chain(helpers).collect();
    let rows = rows();
    let named: BTreeSet<&str> = rows.iter().flat_map(|row| row.methods.clone()).collect();
    assert_eq!(exist.difference(&named).collect::<Vec<_>>(), [&""; 0], "methods without a row");
    assert_eq!(named.difference(&exist).collect::<Vec<_>>(), [&""; 0], "rows with methods that do not exist");
    for name in &named {
        let link = format!("[`{name}`]: crate::Client::{name}");
        assert!(TABLE.lines().any(|line| line == link), "missing: {link}");
    }
    for row in &rows {
        for name in &row.methods {
            let Some(documented) = doors.get(name) else { continue };
            let call = row.call.map(shape);
            assert!(
                documented.iter().any(|one| Some(shape(one)) == call),
                "{name}: {documented:?} in {}",
                row.line
            );
        }
    }
}

/// All files below a folder whose names end with `.rs`.
fn sources(folder: &str) -> String {
    fn read(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, all);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("src/macros.rs") {
                all.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut all = String::new();
    read(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all);
    all
}

#[test]
fn every_named_test_exists() {
    let sources = sources("tests");
    let mut tests = BTreeSet::new();
    for begin in ["run!(", "#[test]"] {
        for rest in sources.split(begin).skip(1) {
            let rest = rest.trim_start();
            tests.extend(rest.strip_prefix("fn ").unwrap_or(rest).split([',', '(']).next());
        }
    }
    for row in rows() {
        assert!(tests.contains(row.test), "no such test: {}", row.line);
    }
}

/// Name and call of an endpoint, as a client sees them.
fn call_of<E: Endpoint>(endpoint: E) -> (&'static str, String) {
    let path: String = endpoint.path().segments().map(|segment| format!("/{segment}")).collect();
    (endpoint.name(), format!("{} {path}", endpoint.method().as_str()))
}

/// One value of each endpoint that `scaigrid-types` has, but for the raw request. Ids are `{}`.
fn endpoints() -> BTreeMap<&'static str, String> {
    let id = "{}";
    let upload = || Upload::bytes("a", b"");
    let message = SendSessionMessage::new(id, "");
    let chat = ChatRequest::new("");
    let deliveries = ListDeliveries::new(id);
    BTreeMap::from([
        call_of(ChatStreamRequest(&chat)),
        call_of(chat.clone()),
        call_of(EmbedRequest::new("", "")),
        call_of(GenerateRequest::new("", "")),
        call_of(GenerateImagesRequest::new("", "")),
        call_of(TranscribeRequest::new("", upload())),
        call_of(SynthesizeRequest::new("", "", "")),
        call_of(SubmitBatch::new()),
        call_of(ListBatches::new()),
        call_of(GetBatch::new(id)),
        call_of(CancelBatch::new(id)),
        call_of(ListModels::new()),
        call_of(GetModel::new(id)),
        call_of(CreateSession::new("")),
        call_of(ListSessions::new()),
        call_of(GetSession::new(id)),
        call_of(UpdateSession::new(id)),
        call_of(DeleteSession::new(id)),
        call_of(StreamSessionMessage(&message)),
        call_of(message.clone()),
        call_of(CreateRoom::new("")),
        call_of(ListRooms::new()),
        call_of(GetRoom::new(id)),
        call_of(UpdateRoom::new(id)),
        call_of(ArchiveRoom::new(id)),
        call_of(AddRoomMember::new(id, RoomMemberType::User, "")),
        call_of(SendRoomMessage::new(id, "")),
        call_of(ListUsage::new()),
        call_of(UsageSummaryQuery::new(UsagePeriod::Day)),
        call_of(ExportUsage::new()),
        call_of(ListBudgets::new()),
        call_of(GetBudget::new(id)),
        call_of(CreateApiKey::new("")),
        call_of(ListApiKeys::new()),
        call_of(RevokeApiKey::new(id)),
        call_of(CreateWebhook::new("", [])),
        call_of(ListWebhooks::new()),
        call_of(GetWebhook::new(id)),
        call_of(UpdateWebhook::new(id, "", [])),
        call_of(DeleteWebhook::new(id)),
        call_of(TestWebhook::new(id)),
        call_of(deliveries),
        call_of(GetMe),
        call_of(ListAuditLog::new()),
        call_of(ExportAuditLog::new()),
        call_of(GetHealth),
        call_of(GetReadiness),
        call_of(GetDetailedHealth),
        call_of(GetMetrics),
        call_of(CreateCollection::new("", "")),
        call_of(ListCollections::new()),
        call_of(GetCollection::new(id)),
        call_of(UpdateCollection::new(id)),
        call_of(DeleteCollection::new(id)),
        call_of(ForkCollection::new(id)),
        call_of(UploadDocument::new(id, upload())),
        call_of(ListDocuments::new(id)),
        call_of(GetDocument::new(id, id)),
        call_of(DeleteDocument::new(id, id)),
        call_of(SearchCollection::new(id, "")),
    ])
}

/// The names of all endpoints in the sources of `scaigrid-types`: the first text behind `endpoint!`, `by_id!`, and
/// `fn name`. `None`: this is the published package, which has no others beside it.
fn names_in_sources() -> Option<BTreeSet<String>> {
    let folder = "../scaigrid-types/src";
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).exists() {
        return None;
    }
    let sources = sources(folder);
    let code = sources.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    for begin in ["endpoint!", "by_id!", "fn name(&self) -> &'static str {"] {
        for rest in code.split(begin).skip(1) {
            names.insert(rest.split('"').nth(1).unwrap().to_owned());
        }
    }
    Some(names)
}

#[test]
fn every_endpoint_is_in_a_row() {
    let endpoints = endpoints();
    let listed: BTreeSet<String> =
        endpoints.keys().map(|name| (*name).to_owned()).chain(["raw".to_owned()]).collect();
    if let Some(in_sources) = names_in_sources() {
        let missing: Vec<_> = in_sources.difference(&listed).collect();
        assert_eq!(missing, [""; 0], "endpoints that are not in the list `endpoints`");
        let unknown: Vec<_> = listed.difference(&in_sources).collect();
        assert_eq!(unknown, [""; 0], "in the list `endpoints`, but not in the sources");
    }
    let rows: BTreeSet<String> =
        rows().into_iter().filter(|row| !row.is_generic).filter_map(|row| row.call.map(shape)).collect();
    for (name, call) in endpoints {
        assert!(rows.contains(&call), "no row: {name}, {call}");
    }
}

/// Status and body of an answer.
fn answer(emulator: &Emulator, call: &str) -> (String, String) {
    let (method, path) = call.split_once(' ').unwrap();
    let path = shape(path).replace("{}", "nobodys-id");
    let mut stream = TcpStream::connect(emulator.base_url().trim_start_matches("http://")).unwrap();
    let key = emulator.api_key();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

#[test]
fn the_emulator_answers_what_the_table_says() {
    let emulator = Emulator::start().unwrap();
    let message = |body: &str| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        body["error"]["message"].as_str().unwrap_or_default().to_owned()
    };
    let (_, unknown) = answer(&emulator, "GET /v1/no-such-route");
    let unknown = message(&unknown);
    assert!(!unknown.is_empty());
    for row in rows() {
        let Some(call) = row.call else { continue };
        let (status, body) = answer(&emulator, call);
        let is_answered = status != "405" && message(&body) != unknown;
        assert_eq!(if is_answered { "yes" } else { "no" }, row.emulator, "{}: {status} {body}", row.line);
    }
}
