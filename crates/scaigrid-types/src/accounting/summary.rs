//! Sums: `GET /v1/accounting/usage/summary`.

use crate::lenient;
use crate::open_enum::open_enum;
use crate::{Endpoint, Method, Money, Path, Query, ReplyError, ResponseBody};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::Add as _;

open_enum! {
    /// A period of usage. Documented.
    UsagePeriod {
        /// The last hour.
        Hour = "hour",
        /// The last day.
        Day = "day",
        /// The last week.
        Week = "week",
        /// The last month.
        Month = "month",
    }
}

open_enum! {
    /// What a summary adds up by. Documented.
    GroupBy {
        /// One row for each frontend slug.
        Model = "model",
        /// One row for each user.
        User = "user",
        /// One row for each backend.
        Backend = "backend",
        /// One row for each tenant.
        Tenant = "tenant",
    }
}

/// Asks for a usage summary: `GET /v1/accounting/usage/summary`. All parameters are documented.
///
/// ```
/// use scaigrid_types::{Endpoint, GroupBy, UsagePeriod, UsageSummaryQuery};
///
/// let query = UsageSummaryQuery::new(UsagePeriod::Month).group_by(GroupBy::Model);
/// assert_eq!(query.query().pairs().collect::<Vec<_>>(), [("period", "month"), ("group_by", "model")]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UsageSummaryQuery {
    /// The period.
    #[serde(default)]
    pub period: Option<UsagePeriod>,
    /// What to add up by.
    #[serde(default)]
    pub group_by: Option<GroupBy>,
    /// The begin, in ISO 8601.
    #[serde(default)]
    pub start: Option<String>,
    /// The end, in ISO 8601.
    #[serde(default)]
    pub end: Option<String>,
    /// Only this user. Needs the permission `accounting:view_tenant`.
    #[serde(default)]
    pub user_id: Option<String>,
    /// Only this tenant. Needs the permission `accounting:view_partner`.
    #[serde(default)]
    pub tenant_id: Option<String>,
    /// Only this frontend slug.
    #[serde(default)]
    pub model: Option<String>,
    /// Only this backend.
    #[serde(default)]
    pub backend_id: Option<String>,
}

impl UsageSummaryQuery {
    /// A summary of a period.
    pub fn new(period: impl Into<UsagePeriod>) -> Self {
        Self { period: Some(period.into()), ..Self::default() }
    }

    /// A summary between two times in ISO 8601, such as `2026-04-22T00:00:00Z`.
    pub fn between(start: impl Into<String>, end: impl Into<String>) -> Self {
        Self { start: Some(start.into()), end: Some(end.into()), ..Self::default() }
    }

    /// Adds up by this.
    pub fn group_by(mut self, group_by: impl Into<GroupBy>) -> Self {
        self.group_by = Some(group_by.into());
        self
    }

    /// Only this user.
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// Only this tenant.
    pub fn tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// Only this frontend slug.
    pub fn model(mut self, slug: impl Into<String>) -> Self {
        self.model = Some(slug.into());
        self
    }

    /// Only this backend.
    pub fn backend_id(mut self, backend_id: impl Into<String>) -> Self {
        self.backend_id = Some(backend_id.into());
        self
    }
}

impl Endpoint for UsageSummaryQuery {
    type Reply = UsageSummary;

    fn name(&self) -> &'static str {
        "accounting.usage_summary"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> Path {
        Path::from_static("/v1/accounting/usage/summary")
    }

    fn query(&self) -> Query {
        Query::new()
            .with_opt("period", self.period.as_ref())
            .with_opt("group_by", self.group_by.as_ref())
            .with_opt("start", self.start.as_ref())
            .with_opt("end", self.end.as_ref())
            .with_opt("user_id", self.user_id.as_ref())
            .with_opt("tenant_id", self.tenant_id.as_ref())
            .with_opt("model", self.model.as_ref())
            .with_opt("backend_id", self.backend_id.as_ref())
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<UsageSummary, ReplyError> {
        // Documented: an array. Assumed: without `group_by`, maybe one object.
        match body.json::<Value>()?.get("data").cloned().unwrap_or_default() {
            Value::Object(data) if is_row(&data) => body.data().map(|row| UsageSummary { rows: vec![row] }),
            _ => body.page().map(|page| UsageSummary { rows: page.items }),
        }
    }
}

/// Whether an object is a row itself, and not what holds a list of rows.
fn is_row(data: &Map<String, Value>) -> bool {
    const FIELDS: [&str; 7] = [
        "group_key",
        "request_count",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "total_cost",
        "backend_cost",
    ];
    FIELDS.iter().any(|field| data.contains_key(*field)) && !data.get("items").is_some_and(Value::is_array)
}

/// What the gateway counted, authoritative for accounting.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct UsageSummary {
    /// One row for each group; usually one row without `group_by`.
    pub rows: Vec<UsageSummaryRow>,
}

impl UsageSummary {
    /// From its rows.
    pub fn new(rows: Vec<UsageSummaryRow>) -> Self {
        Self { rows }
    }

    /// All rows added up, without a group key. Counts and costs that no row has stay `None`.
    pub fn totals(&self) -> UsageSummaryRow {
        let mut totals = UsageSummaryRow::default();
        for row in &self.rows {
            add(&mut totals.request_count, row.request_count, u64::saturating_add);
            add(&mut totals.input_tokens, row.input_tokens, u64::saturating_add);
            add(&mut totals.output_tokens, row.output_tokens, u64::saturating_add);
            add(&mut totals.total_tokens, row.total_tokens, u64::saturating_add);
            add(&mut totals.total_cost, row.total_cost, Money::add);
            add(&mut totals.backend_cost, row.backend_cost, Money::add);
        }
        totals
    }
}

fn add<T: Copy + Default>(sum: &mut Option<T>, value: Option<T>, plus: impl Fn(T, T) -> T) {
    if let Some(value) = value {
        *sum = Some(plus(sum.unwrap_or_default(), value));
    }
}

/// One row of a usage summary. The fields are documented; all are optional here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UsageSummaryRow {
    /// The slug, user, backend, or tenant that the row is about. `None` without `group_by` (assumed).
    #[serde(default)]
    pub group_key: Option<String>,
    /// Calls.
    #[serde(default, deserialize_with = "lenient::opt_u64")]
    pub request_count: Option<u64>,
    /// Tokens of all inputs.
    #[serde(default, deserialize_with = "lenient::opt_u64")]
    pub input_tokens: Option<u64>,
    /// Tokens of all outputs.
    #[serde(default, deserialize_with = "lenient::opt_u64")]
    pub output_tokens: Option<u64>,
    /// Both together.
    #[serde(default, deserialize_with = "lenient::opt_u64")]
    pub total_tokens: Option<u64>,
    /// What the tenant is charged, without a currency.
    #[serde(default)]
    pub total_cost: Option<Money>,
    /// What the provider costs, without a currency.
    #[serde(default)]
    pub backend_cost: Option<Money>,
}
