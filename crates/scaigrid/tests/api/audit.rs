//! The audit log: who changed what.

use crate::question;
use scaigrid::{
    ActorType, AuditStatus, CreateApiKey, CreateWebhook, EventType, ExportAuditLog, ExportFormat,
    ListAuditLog,
};
use serde_json::Value;

run!(changes_are_in_the_audit_log_and_in_its_export, |_, client| {
    let key = wait!(client.create_api_key(&CreateApiKey::new("ci"))).unwrap();
    wait!(client.revoke_api_key(&key.api_key.id)).unwrap();
    let elsewhere = CreateWebhook::new("https://your-service.example/", [EventType::RequestFailed]);
    let refused = wait!(client.create_webhook(&elsewhere)).unwrap_err();
    wait!(client.chat(&question("Hello."))).unwrap();

    let log = wait!(client.audit_log(&ListAuditLog::new())).unwrap();
    let actions: Vec<_> = log.items.iter().map(|one| one.action.as_deref().unwrap()).collect();
    assert_eq!(
        actions,
        ["api_key.create", "api_key.delete", "webhook.create"],
        "inference and reads are not in it"
    );
    let first = &log.items[0];
    assert_eq!(
        (first.resource_id.as_ref(), &first.actor_type),
        (Some(&key.api_key.id), &Some(ActorType::User))
    );
    assert_eq!(
        (first.status.as_ref(), first.ip_address.as_deref()),
        (Some(&AuditStatus::Success), Some("127.0.0.1"))
    );
    assert!(first.user_agent.as_ref().unwrap().starts_with("scaigrid-rust/"));
    let failures = wait!(client.audit_log(&ListAuditLog::new().status(AuditStatus::Failure))).unwrap();
    assert_eq!(failures.items.len(), 1);
    assert_eq!(failures.items[0].extra["request_id"].as_str(), refused.request_id());
    let walked = all!(client, ListAuditLog::new().limit(2));
    assert_eq!(walked, log.items);

    let ids: Vec<_> = log.items.iter().map(|one| one.id.clone().unwrap()).collect();
    for format in [ExportFormat::Csv, ExportFormat::Json, ExportFormat::Ndjson] {
        let export = ExportAuditLog::new().format(format.clone());
        let file = wait!(wait!(client.export_audit_log(&export)).unwrap().collect_bytes(1 << 20)).unwrap();
        let text = String::from_utf8(file.to_vec()).unwrap();
        let exported: Vec<String> = match format {
            ExportFormat::Csv => {
                text.lines().skip(1).map(|line| line.split(',').next().unwrap().into()).collect()
            }
            ExportFormat::Json => {
                serde_json::from_str::<Vec<Value>>(&text).unwrap().iter().map(id_of).collect()
            }
            _ => text.lines().map(|line| id_of(&serde_json::from_str(line).unwrap())).collect(),
        };
        assert_eq!(exported, ids, "{text}");
    }
    let export = ExportAuditLog::new().action("webhook.create").format(ExportFormat::Ndjson);
    let file = wait!(wait!(client.export_audit_log(&export)).unwrap().collect_bytes(1 << 20)).unwrap();
    assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), 1);
});

fn id_of(entry: &Value) -> String {
    entry["id"].as_str().unwrap().to_owned()
}
