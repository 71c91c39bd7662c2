//! Settings of what keeps state: sessions, webhooks, and ScaiMatrix.

use crate::scaimatrix::Ingestion;
use crate::sessions::ReplyForm;
use crate::webhooks::DeliverySettings;

/// All of them, from the builder.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceSettings {
    pub(crate) session_reply: ReplyForm,
    pub(crate) webhooks: DeliverySettings,
    pub(crate) ingestion: Ingestion,
}
