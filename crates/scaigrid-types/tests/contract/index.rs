//! The endpoint index: name, method, path, and query of every call, and what the reference says about all calls of its
//! kind: replay safety, credential, time limit, and how they take an error.

use scaigrid_types::*;
use std::collections::BTreeSet;
use std::time::Duration;

/// What there is to know about a call.
struct Call {
    name: &'static str,
    /// Method, path, and query. A `/` inside a segment is `%2F`.
    line: String,
    replay: ReplaySafety,
    timeout: Duration,
    is_authenticated: bool,
    accept: &'static str,
    takes_an_error_for_an_error: bool,
}

fn call<E: Endpoint>(endpoint: E) -> Call {
    let path: String =
        endpoint.path().segments().map(|segment| "/".to_owned() + &segment.replace('/', "%2F")).collect();
    let query: Vec<_> = endpoint.query().pairs().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let failed = crate::decode(&endpoint, r#"{"error":{"code":"BACKEND_ERROR"}}"#);
    Call {
        name: endpoint.name(),
        line: format!("{} {path}{query}", endpoint.method().as_str()),
        replay: endpoint.replay_safety(),
        timeout: endpoint.timeout(),
        is_authenticated: endpoint.is_authenticated(),
        accept: endpoint.accept(),
        takes_an_error_for_an_error: matches!(failed, Err(ReplyError::Api(_))),
    }
}

/// Each call with all its query parameters, and its line in the reference's index.
fn inference() -> Vec<(Call, &'static str, &'static str)> {
    let chat = ChatRequest::new("m").user("a");
    let sound = || Upload::bytes("a.mp3", b"ID3");
    vec![
        (call(ChatStreamRequest(&chat)), "chat_stream", "POST /v1/inference/chat"),
        (call(chat.clone()), "chat", "POST /v1/inference/chat"),
        (call(EmbedRequest::new("m", "a")), "embed", "POST /v1/inference/embed"),
        (call(GenerateImagesRequest::new("m", "p")), "images.generate", "POST /v1/inference/images/generate"),
        (
            call(TranscribeRequest::new("m", sound())),
            "audio.transcribe",
            "POST /v1/inference/audio/transcribe",
        ),
        (
            call(SynthesizeRequest::new("m", "i", "v")),
            "audio.synthesize",
            "POST /v1/inference/audio/synthesize",
        ),
        (call(GenerateRequest::new("m", "p")), "generate", "POST /v1/inference/generate"),
        (call(SubmitBatch::from_url("u")), "batch.submit", "POST /v1/inference/batch"),
        (
            call(ListBatches::new().limit(5).cursor("c")),
            "batch.list",
            "GET /v1/inference/batch?limit=5&cursor=c",
        ),
        (call(GetBatch::new("b/1")), "batch.get", "GET /v1/inference/batch/b%2F1"),
        (call(CancelBatch::new("b/1")), "batch.cancel", "POST /v1/inference/batch/b%2F1/cancel"),
        (
            call(ListModels::new().limit(5).cursor("c").modality(Modality::Chat).status(ModelStatus::Active)),
            "models.list",
            "GET /v1/models?limit=5&cursor=c&modality=chat&status=active",
        ),
        (
            call(GetModel::new("tenant/acme/summarizer")),
            "models.get",
            "GET /v1/models/tenant%2Facme%2Fsummarizer",
        ),
    ]
}

fn conversations() -> Vec<(Call, &'static str, &'static str)> {
    let message = SendSessionMessage::new("s/1", "c");
    vec![
        (call(CreateSession::new("m")), "sessions.create", "POST /v1/sessions"),
        (
            call(ListSessions::new().scope("tenant").limit(5).cursor("c")),
            "sessions.list",
            "GET /v1/sessions?scope=tenant&limit=5&cursor=c",
        ),
        (call(GetSession::new("s/1")), "sessions.get", "GET /v1/sessions/s%2F1"),
        (call(UpdateSession::new("s/1")), "sessions.update", "PATCH /v1/sessions/s%2F1"),
        (call(DeleteSession::new("s/1")), "sessions.delete", "DELETE /v1/sessions/s%2F1"),
        (call(StreamSessionMessage(&message)), "sessions.stream_message", "POST /v1/sessions/s%2F1/messages"),
        (call(message.clone()), "sessions.send_message", "POST /v1/sessions/s%2F1/messages"),
        (call(CreateRoom::new("n")), "rooms.create", "POST /v1/rooms"),
        (call(ListRooms::new().limit(5).cursor("c")), "rooms.list", "GET /v1/rooms?limit=5&cursor=c"),
        (call(GetRoom::new("r/1")), "rooms.get", "GET /v1/rooms/r%2F1"),
        (call(UpdateRoom::new("r/1")), "rooms.update", "PATCH /v1/rooms/r%2F1"),
        (call(ArchiveRoom::new("r/1")), "rooms.archive", "DELETE /v1/rooms/r%2F1"),
        (call(AddRoomMember::new("r/1", "bot", "b")), "rooms.add_member", "POST /v1/rooms/r%2F1/members"),
        (call(SendRoomMessage::new("r/1", "c")), "rooms.send_message", "POST /v1/rooms/r%2F1/messages"),
    ]
}

fn administration() -> Vec<(Call, &'static str, &'static str)> {
    let usage = ListUsage::new().start("a").end("b").period(UsagePeriod::Hour).user_id("u").tenant_id("t");
    let summary = UsageSummaryQuery::between("a", "b").user_id("u").tenant_id("t").model("m/1");
    let export = ExportUsage::new().format(ExportFormat::Ndjson).start("a").end("b").period("week");
    let deliveries = ListDeliveries::new("w/1").status(DeliveryStatus::Pending).since("a").limit(5);
    let audit = ListAuditLog::new().start("a").end("b").action("x").actor_id("u").resource_type("budget");
    let audited = ExportAuditLog::new().format("csv").start("a").end("b").action("x").actor_id("u");
    vec![
        (
            call(usage.model("m/1").backend_id("be").limit(5).cursor("c")),
            "accounting.usage",
            "GET /v1/accounting/usage?start=a&end=b&period=hour&user_id=u&tenant_id=t&model=m/1&backend_id=be&limit=5&cursor=c",
        ),
        (
            call(summary.backend_id("be").group_by(GroupBy::Backend)),
            "accounting.usage_summary",
            "GET /v1/accounting/usage/summary?group_by=backend&start=a&end=b&user_id=u&tenant_id=t&model=m/1&backend_id=be",
        ),
        (
            call(export.user_id("u").tenant_id("t").model("m").backend_id("be")),
            "accounting.export",
            "GET /v1/accounting/export?format=ndjson&start=a&end=b&period=week&user_id=u&tenant_id=t&model=m&backend_id=be",
        ),
        (
            call(ListBudgets::new().limit(5).cursor("c")),
            "accounting.budgets",
            "GET /v1/accounting/budgets?limit=5&cursor=c",
        ),
        (call(GetBudget::new("b/1")), "accounting.budget", "GET /v1/accounting/budgets/b%2F1"),
        (call(GetMe), "me", "GET /v1/me"),
        (call(CreateApiKey::new("n")), "api_keys.create", "POST /v1/api-keys"),
        (call(ListApiKeys::new().limit(5).cursor("c")), "api_keys.list", "GET /v1/api-keys?limit=5&cursor=c"),
        (call(RevokeApiKey::new("k/1")), "api_keys.revoke", "DELETE /v1/api-keys/k%2F1"),
        (call(CreateWebhook::new("u", [])), "webhooks.create", "POST /v1/webhooks"),
        (
            call(ListWebhooks::new().limit(5).cursor("c")),
            "webhooks.list",
            "GET /v1/webhooks?limit=5&cursor=c",
        ),
        (call(GetWebhook::new("w/1")), "webhooks.get", "GET /v1/webhooks/w%2F1"),
        (call(UpdateWebhook::new("w/1", "u", [])), "webhooks.update", "PUT /v1/webhooks/w%2F1"),
        (call(DeleteWebhook::new("w/1")), "webhooks.delete", "DELETE /v1/webhooks/w%2F1"),
        (call(TestWebhook::new("w/1")), "webhooks.test", "POST /v1/webhooks/w%2F1/test"),
        (
            call(deliveries.after("c")),
            "webhooks.deliveries",
            "GET /v1/webhooks/w%2F1/deliveries?status=pending&since=a&limit=5&cursor=c",
        ),
        (
            call(audit.resource_id("r").status(AuditStatus::Failure).ip_address("i").limit(5).cursor("c")),
            "audit.list",
            "GET /v1/audit-log?start=a&end=b&action=x&actor_id=u&resource_type=budget&resource_id=r&status=FAILURE&ip_address=i&limit=5&cursor=c",
        ),
        (
            call(audited.resource_type("t").resource_id("r").status("SUCCESS").ip_address("i")),
            "audit.export",
            "GET /v1/audit-log/export?format=csv&start=a&end=b&action=x&actor_id=u&resource_type=t&resource_id=r&status=SUCCESS&ip_address=i",
        ),
        (call(GetHealth), "health", "GET /health"),
        (call(GetReadiness), "health.ready", "GET /health/ready"),
        (call(GetDetailedHealth), "health.detailed", "GET /health/detailed"),
        (call(GetMetrics), "metrics", "GET /metrics"),
    ]
}

const SCAIMATRIX: &str = "/v1/modules/scaimatrix/collections";

fn scaimatrix() -> Vec<(Call, &'static str, String)> {
    let text = || Upload::bytes("a.md", b"#");
    let rows = [
        (call(CreateCollection::new("n", "m")), "scaimatrix.create_collection", "POST", ""),
        (
            call(ListCollections::new().limit(5).cursor("c")),
            "scaimatrix.collections",
            "GET",
            "?limit=5&cursor=c",
        ),
        (call(GetCollection::new("c/1")), "scaimatrix.collection", "GET", "/c%2F1"),
        (call(UpdateCollection::new("c/1")), "scaimatrix.update_collection", "PUT", "/c%2F1"),
        (call(DeleteCollection::new("c/1")), "scaimatrix.delete_collection", "DELETE", "/c%2F1"),
        (call(ForkCollection::new("c/1")), "scaimatrix.fork_collection", "POST", "/c%2F1/fork"),
        (call(UploadDocument::new("c/1", text())), "scaimatrix.upload_document", "POST", "/c%2F1/documents"),
        (
            call(ListDocuments::new("c/1").limit(5).cursor("c")),
            "scaimatrix.documents",
            "GET",
            "/c%2F1/documents?limit=5&cursor=c",
        ),
        (call(GetDocument::new("c/1", "d/1")), "scaimatrix.document", "GET", "/c%2F1/documents/d%2F1"),
        (
            call(DeleteDocument::new("c/1", "d/1")),
            "scaimatrix.delete_document",
            "DELETE",
            "/c%2F1/documents/d%2F1",
        ),
        (call(SearchCollection::new("c/1", "q")), "scaimatrix.search", "POST", "/c%2F1/search"),
    ];
    let full = |(call, name, method, rest): (Call, _, &str, &str)| {
        (call, name, format!("{method} {SCAIMATRIX}{rest}"))
    };
    rows.into_iter().map(full).collect()
}

fn all() -> Vec<(Call, &'static str, String)> {
    let mut all = scaimatrix();
    for rows in [inference(), conversations(), administration()] {
        all.extend(rows.into_iter().map(|(call, name, line)| (call, name, line.to_owned())));
    }
    all
}

#[test]
fn every_call_is_where_the_index_says() {
    for (call, name, line) in all() {
        assert_eq!((call.name, call.line), (name, line));
    }
}

/// What the reference says of kinds of calls, without a look at the types.
#[test]
fn every_call_behaves_as_its_kind() {
    for (call, name, line) in all() {
        let (method, rest) = line.split_once(' ').unwrap();
        let path = rest.split('?').next().unwrap();
        let is_inference = path.starts_with("/v1/inference/") && !path.contains("/batch");
        let replay = match method {
            "GET" | "PUT" | "DELETE" => ReplaySafety::Idempotent,
            // It changes nothing, and costs at most a vector. The reference counts it among the other `POST`s.
            _ if name == "scaimatrix.search" => ReplaySafety::Inference,
            "POST" if is_inference => ReplaySafety::Inference,
            _ => ReplaySafety::NotIdempotent,
        };
        assert_eq!(call.replay, replay, "{name}");
        // 60 s, and 120 s for images and audio. That an upload may take as long is the SDK's own decision.
        let is_slow =
            path.contains("/images/") || path.contains("/audio/") || name == "scaimatrix.upload_document";
        assert_eq!(call.timeout, Duration::from_secs(if is_slow { 120 } else { 60 }), "{name}");
        let is_open = ["/health", "/health/ready", "/metrics"].contains(&path);
        assert_eq!(call.is_authenticated, !is_open, "{name}");
        let streams = name == "chat_stream" || name == "sessions.stream_message";
        assert_eq!(call.accept == "text/event-stream", streams, "{name}");
        let is_raw =
            ["/synthesize", "/transcribe", "/export", "/metrics"].iter().any(|end| path.ends_with(end));
        assert_eq!(call.accept == "application/json", !streams && !is_raw, "{name}: {}", call.accept);
        assert!(call.takes_an_error_for_an_error, "{name}");
    }
}

#[test]
fn parameters_that_are_not_set_are_not_sent() {
    for line in [
        call(ListModels::new()).line,
        call(ListUsage::new()).line,
        call(UsageSummaryQuery::default()).line,
        call(ListAuditLog::new()).line,
        call(ListDeliveries::new("w")).line,
        call(ListDocuments::new("c")).line,
        call(ExportUsage::new()).line,
    ] {
        assert!(!line.contains('?'), "{line}");
    }
}

/// The names of all calls.
pub(crate) fn names() -> BTreeSet<String> {
    all().into_iter().map(|(_, name, _)| name.to_owned()).collect()
}

/// Looks for the names in the sources, so that a call without a row is found.
#[test]
fn no_call_is_left_out() {
    fn names_in(folder: &std::path::Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names_in(&path, names);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let code: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let pieces: Vec<&str> = code.split('"').collect();
            // The name stands before the method and the path, or is what `fn name` returns.
            for around in pieces.windows(3).step_by(2) {
                let [before, name, after] = around else { continue };
                let after = after.trim_start_matches(',').trim();
                let is_call = ["Get", "Post", "Put", "Patch", "Delete"].contains(&after);
                let is_name = before.trim_end().ends_with("fn name(&self) -> &'static str {");
                if is_call || is_name {
                    names.insert((*name).to_owned());
                }
            }
        }
    }
    let mut in_sources = BTreeSet::new();
    names_in(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut in_sources);
    let mut in_table = names();
    // Any call; see `raw.rs`.
    in_table.insert("raw".to_owned());
    assert_eq!(in_sources.difference(&in_table).collect::<Vec<_>>(), [""; 0], "calls without a line here");
    assert_eq!(
        in_table.difference(&in_sources).collect::<Vec<_>>(),
        [""; 0],
        "lines of calls that do not exist"
    );
}
