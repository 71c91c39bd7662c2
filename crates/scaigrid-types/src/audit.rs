//! The audit log: who changed what.
//!
//! Source: docs `reference/audit-log`. Needs the permission `admin:access`, or `accounting:view_partner`.

use crate::accounting::{ExportFormat, is_export};
use crate::macros::{endpoint, object, paginated, query};
use crate::open_enum::open_enum;
use crate::{DownloadEndpoint, Page};

open_enum! {
    /// Whether what was tried succeeded. Documented.
    AuditStatus {
        /// It did.
        Success = "SUCCESS",
        /// It did not.
        Failure = "FAILURE",
    }
}

open_enum! {
    /// Who acted. Documented.
    ActorType {
        /// A person.
        User = "user",
        /// A program.
        Service = "service",
        /// A webhook.
        Webhook = "webhook",
    }
}

query! {
    /// Lists changes: `GET /v1/audit-log`. All parameters are documented.
    ListAuditLog {
        /// The begin, in ISO 8601.
        start: String,
        /// The end, in ISO 8601.
        end: String,
        /// Only this action, such as `budget.create`.
        action: String,
        /// Only what this actor did.
        actor_id: String,
        /// Only changes of this type of thing, such as `budget`.
        resource_type: String,
        /// Only changes of this thing.
        resource_id: String,
        /// Only what succeeded, or what failed.
        status: AuditStatus,
        /// Only from this address.
        ip_address: String,
        /// Most items of one page: 100 by default, 1000 at most.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before.
        cursor: String,
    }
}

endpoint! {
    ListAuditLog => Page<AuditEntry>, "audit.list", Get "/v1/audit-log", page + query
}

paginated!(ListAuditLog => AuditEntry);

query! {
    /// The audit log as a file: `GET /v1/audit-log/export`. Documented; that there is no envelope, and how the formats are
    /// spelled, is assumed.
    ExportAuditLog {
        /// The form of the file.
        format: ExportFormat,
        /// The begin, in ISO 8601.
        start: String,
        /// The end, in ISO 8601.
        end: String,
        /// Only this action, such as `budget.create`.
        action: String,
        /// Only what this actor did.
        actor_id: String,
        /// Only changes of this type of thing, such as `budget`.
        resource_type: String,
        /// Only changes of this thing.
        resource_id: String,
        /// Only what succeeded, or what failed.
        status: AuditStatus,
        /// Only from this address.
        ip_address: String,
    }
}

endpoint! {
    ExportAuditLog => Vec<u8>, "audit.export", Get "/v1/audit-log/export", export + query {
        fn accept(&self) -> &'static str {
            "text/csv, application/x-ndjson, application/json"
        }
    }
}

impl DownloadEndpoint for ExportAuditLog {
    fn is_file(&self, content_type: Option<&str>) -> bool {
        is_export(self.format.as_ref(), content_type)
    }
}

object! {
    /// One change. The fields are documented, but for the status; all are optional here.
    AuditEntry {
        ;
        /// Names the entry, such as `audit_...`.
        id: String,
        /// When, in RFC 3339 and UTC.
        timestamp: String,
        /// What was done, such as `budget.create`.
        action: String,
        /// Who did it.
        actor_id: String,
        /// The actor's e-mail address.
        actor_email: String,
        /// What the actor is.
        actor_type: ActorType,
        /// In which tenant.
        tenant_id: String,
        /// For which partner.
        partner_id: String,
        /// The type of the thing changed, such as `budget`.
        resource_type: String,
        /// The thing changed.
        resource_id: String,
        /// From where.
        ip_address: String,
        /// With which program.
        user_agent: String,
        /// Whether it succeeded. Assumed.
        status: AuditStatus,
    }
}
