//! `/v1/audit-log`: who changed what.

mod action;
mod log;
mod routes;

pub(crate) use log::AuditLog;
pub(crate) use routes::audited;

use crate::gateway::Gateway;
use axum::Router;
use axum::routing::get;
use routes::{export_audit_log, list_audit_log};
use std::sync::Arc;

/// All routes of the audit log.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/v1/audit-log", get(list_audit_log))
        .route("/v1/audit-log/export", get(export_audit_log))
}
