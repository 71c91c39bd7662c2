//! Single records, and all of them as a file.

use super::UsagePeriod;
use crate::macros::{endpoint, object, paginated, query};
use crate::open_enum::open_enum;
use crate::{DownloadEndpoint, Money, Page, ReplyError, ResponseBody};

query! {
    /// Lists usage, one record for each inference call: `GET /v1/accounting/usage`. All parameters are documented.
    ///
    /// ```
    /// use scaigrid_types::{Endpoint, ListUsage, UsagePeriod};
    ///
    /// let list = ListUsage::new().period(UsagePeriod::Day).limit(100);
    /// assert_eq!(list.query().pairs().collect::<Vec<_>>(), [("period", "day"), ("limit", "100")]);
    /// ```
    ListUsage {
        /// The begin, in ISO 8601.
        start: String,
        /// The end, in ISO 8601.
        end: String,
        /// The period.
        period: UsagePeriod,
        /// Only this user. Needs the permission `accounting:view_tenant`.
        user_id: String,
        /// Only this tenant. Needs the permission `accounting:view_partner`.
        tenant_id: String,
        /// Only this frontend slug.
        model: String,
        /// Only this backend.
        backend_id: String,
        /// Most items of one page: 100 by default, 1000 at most.
        limit: u32,
        /// Where to go on: [`Page::next_cursor`] of the page before.
        cursor: String,
    }
}

endpoint! {
    ListUsage => Page<UsageRecord>, "accounting.usage", Get "/v1/accounting/usage", page + query
}

paginated!(ListUsage => UsageRecord);

object! {
    /// One inference call as the gateway counted it. The fields are documented; all but the id are optional here.
    UsageRecord {
        /// Names the record, such as `usage_...`.
        id: String,
        ;
        /// The frontend slug.
        model: String,
        /// The backend that answered.
        backend_id: String,
        /// Who called.
        user_id: String,
        /// For which tenant.
        tenant_id: String,
        /// Tokens of the input.
        tokens_in: u64,
        /// Tokens of the output.
        tokens_out: u64,
        /// What the tenant is charged, without a currency.
        cost: Money,
        /// How long it took, in milliseconds.
        latency_ms: u64,
        /// When, in RFC 3339 and UTC.
        created_at: String,
    }
}

open_enum! {
    /// The form of an export. Documented for usage; assumed for the audit log.
    ExportFormat {
        /// Comma-separated values, with a header line.
        Csv = "csv",
        /// One JSON document.
        Json = "json",
        /// One JSON document a line.
        Ndjson = "ndjson",
    }
}

query! {
    /// Usage as a file, without an envelope: `GET /v1/accounting/export`. The parameters are documented, but not the
    /// columns. Ask for smaller ranges when there is much.
    ExportUsage {
        /// The form of the file.
        format: ExportFormat,
        /// The begin, in ISO 8601.
        start: String,
        /// The end, in ISO 8601.
        end: String,
        /// The period.
        period: UsagePeriod,
        /// Only this user. Needs the permission `accounting:view_tenant`.
        user_id: String,
        /// Only this tenant. Needs the permission `accounting:view_partner`.
        tenant_id: String,
        /// Only this frontend slug.
        model: String,
        /// Only this backend.
        backend_id: String,
    }
}

endpoint! {
    ExportUsage => Vec<u8>, "accounting.export", Get "/v1/accounting/export", export + query {
        fn accept(&self) -> &'static str {
            "text/csv, application/x-ndjson, application/json"
        }
    }
}

impl DownloadEndpoint for ExportUsage {
    fn is_file(&self, content_type: Option<&str>) -> bool {
        is_export(self.format.as_ref(), content_type)
    }
}

/// JSON is the file when JSON was asked for, or maybe asked for.
pub(crate) fn is_export(format: Option<&ExportFormat>, content_type: Option<&str>) -> bool {
    let body = ResponseBody::new(b"", content_type);
    let is_json_wanted = !matches!(format, Some(ExportFormat::Csv | ExportFormat::Ndjson));
    !body.is_html() && (is_json_wanted || !body.is_json())
}

impl ResponseBody<'_> {
    /// An export: bytes of any type, JSON included.
    pub(crate) fn export(&self) -> Result<Vec<u8>, ReplyError> {
        self.bytes().map(<[u8]>::to_vec)
    }
}
