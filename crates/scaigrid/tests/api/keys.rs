//! API keys, the caller's profile, and what a caller may not do.

use crate::temp_dir::TempDir;
use crate::{CHAT_MODEL, question};
use scaigrid::{
    AddRoomMember, CreateApiKey, CreateSession, EmbedRequest, ErrorCode, ExportAuditLog, ListApiKeys,
    ListAuditLog, ListCollections, ListModels, ListUsage, ListWebhooks, RawRequest, RoomMemberType,
    SynthesizeRequest,
};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator};

run!(a_created_key_works_until_it_is_revoked, |emulator, client| {
    let created = wait!(client.create_api_key(&CreateApiKey::new("ci"))).unwrap();
    assert_eq!(created.api_key.name.as_deref(), Some("ci"));
    let key = created.key.expose();
    assert!(key.starts_with("sgk_") && key.len() > 32);
    assert!(!format!("{created:?}").contains(key));
    let theirs = client_of!(emulator, key);
    wait!(theirs.chat(&question("Hello."))).unwrap();
    assert_eq!(wait!(theirs.me()).unwrap().id, wait!(client.me()).unwrap().id, "the same user");

    wait!(client.revoke_api_key(&created.api_key.id)).unwrap();
    let error = wait!(theirs.models(&ListModels::new())).unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(&ErrorCode::AuthTokenInvalid), 1));
    assert!(error.is_auth() && !format!("{error} {error:?}").contains(key));
    wait!(client.models(&ListModels::new())).unwrap();
    let again = wait!(client.revoke_api_key(&created.api_key.id)).unwrap_err();
    assert_eq!(again.status().unwrap(), 404);
});

run!(keys_are_listed_without_the_keys_themselves, |emulator, client| {
    let mut keys = Vec::new();
    for name in ["a", "b", "c"] {
        keys.push(wait!(client.create_api_key(&CreateApiKey::new(name))).unwrap().into_inner());
    }
    let page = wait!(client.api_keys(&ListApiKeys::new())).unwrap();
    let text = String::from_utf8(page.body().to_vec()).unwrap();
    assert!(keys.iter().all(|one| !text.contains(one.key.expose())) && !text.contains(emulator.api_key()));
    let listed: Vec<_> = all!(client, ListApiKeys::new().limit(2)).into_iter().map(|one| one.id).collect();
    assert_eq!(listed.len(), 4, "and the one that is used");
    assert!(keys.iter().all(|one| listed.contains(&one.api_key.id)));
});

run!(keys_expire_and_belong_to_somebody, |emulator, client| {
    let old = CreateApiKey::new("old").expires_at("2020-01-01T00:00:00Z");
    let old = wait!(client.create_api_key(&old)).unwrap();
    assert!(old.api_key.expires_at.as_ref().unwrap().starts_with("2020-01-01"));
    let error = wait!(client_of!(emulator, old.key.expose()).me()).unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AuthTokenInvalid));
    let nobody = CreateApiKey::new("x").assigned_user_id("user_nobody").expires_at("soon");
    let error = wait!(client.create_api_key(&nobody)).unwrap_err();
    let fields: Vec<_> = error.field_errors().into_iter().map(|one| one.field).collect();
    assert_eq!(fields, ["expires_at", "assigned_user_id"]);
});

run!(a_created_key_outlives_an_emulator_with_a_state_file, |_, _| {
    let dir = TempDir::new();
    let start = || Emulator::builder().state_file(dir.file("state.json")).start().unwrap();
    let emulator = start();
    let first = client_of!(&emulator, emulator.api_key());
    let created = wait!(first.create_api_key(&CreateApiKey::new("ci"))).unwrap();
    wait!(first.chat(&question("Hello."))).unwrap();
    emulator.stop();
    let emulator = start();
    let again = client_of!(&emulator, created.key.expose());
    assert_eq!(wait!(again.usage_records(&ListUsage::new())).unwrap().items.len(), 1);
    wait!(again.chat(&question("Hello."))).unwrap();
});

fn viewer() -> scaigrid_emulator::EmulatorBuilder {
    Emulator::builder()
        .api_key(DEFAULT_API_KEY)
        .api_key_with_permissions("sgk_viewer", ["models:list", "accounting:view_own"])
}

run!(the_profile_tells_roles_and_permissions, viewer(), |emulator, client| {
    let me = wait!(client.me()).unwrap();
    assert!(me.id.is_some() && me.tenant_id.is_some() && !me.roles.as_ref().unwrap().is_empty());
    assert!(me.has_permission("models:use") && me.has_permission("admin:access"));
    let viewer = client_of!(emulator, "sgk_viewer");
    let seen = wait!(viewer.me()).unwrap();
    assert!(seen.has_permission("models:list") && !seen.has_permission("models:use"));
    assert_ne!(seen.id, me.id);
    let other = wait!(viewer.send(&RawRequest::get("/v1/auth/me"))).unwrap();
    assert_eq!(other["id"].as_str(), seen.id.as_deref(), "the same profile");
});

run!(what_is_not_permitted_is_refused, viewer(), |emulator, client| {
    let viewer = client_of!(emulator, "sgk_viewer");
    let session = wait!(client.create_session(&CreateSession::new(CHAT_MODEL))).unwrap();
    macro_rules! is_denied {
        ($($call:expr),+ $(,)?) => {$(
            let error = wait!($call).map(|_| ()).unwrap_err();
            assert_eq!(error.code(), Some(&ErrorCode::AuthzPermissionDenied), "{}: {error}", stringify!($call));
            assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (403, 1));
            assert_eq!(error.request_id(), Some(emulator.requests().pop().unwrap().request_id.as_str()));
        )+};
    }
    let budget = serde_json::json!({"scope": "user", "period": "daily", "request_limit": 1});
    is_denied![
        viewer.chat(&question("Hello.")),
        viewer.chat_stream(&question("Hello.")),
        viewer.embed(&EmbedRequest::new(crate::EMBEDDING_MODEL, "x")),
        viewer.synthesize(&SynthesizeRequest::new("openai/tts-1", "x", "alloy")),
        viewer.session(&session.id),
        viewer.add_room_member(&AddRoomMember::new("r", RoomMemberType::User, "u")),
        viewer.webhooks(&ListWebhooks::new()),
        viewer.collections(&ListCollections::new()),
        viewer.revoke_api_key("apikey_1"),
        viewer.audit_log(&ListAuditLog::new()),
        viewer.export_audit_log(&ExportAuditLog::new()),
        viewer.detailed_health(),
        viewer.send(&RawRequest::post("/v1/accounting/budgets").json(&budget)),
        viewer.usage_records(&ListUsage::new().user_id("user_1")),
    ];
    wait!(viewer.models(&ListModels::new())).unwrap();
    wait!(viewer.usage_records(&ListUsage::new())).unwrap();
});
