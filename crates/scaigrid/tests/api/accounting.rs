//! Usage: record by record, summed up, and as a file; and budgets that block.

use crate::receiver::Receiver;
use crate::{CHAT_MODEL, EMBEDDING_MODEL, question};
use scaigrid::{
    Agreement, CreateSession, CreateWebhook, EmbedRequest, ErrorCode, EventType, ExportFormat, ExportUsage,
    GroupBy, ListBudgets, ListUsage, Money, RawRequest, SendSessionMessage, UsagePeriod, UsageRecord,
    UsageSummaryQuery, WebhookEvent, reconcile,
};
use serde_json::{Value, json};

/// Calls, tokens in, tokens out, and costs.
type Sums = (u64, u64, u64, Money);

fn sums(records: &[UsageRecord]) -> Sums {
    let tokens = |number: fn(&UsageRecord) -> Option<u64>| records.iter().filter_map(number).sum();
    let cost = records.iter().filter_map(|one| one.cost).sum();
    (records.len() as u64, tokens(|one| one.tokens_in), tokens(|one| one.tokens_out), cost)
}

/// The records of an export in JSON lines or as one list.
fn records(values: Vec<Value>) -> Vec<UsageRecord> {
    values.into_iter().map(|value| serde_json::from_value(value).unwrap()).collect()
}

/// The records of an export in comma-separated values. No cell of it holds a comma.
fn from_csv(text: &str) -> Vec<UsageRecord> {
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    let record = |line: &str| {
        let pairs = names.iter().zip(line.split(',')).filter(|(_, cell)| !cell.is_empty());
        let pairs = pairs.map(|(name, cell)| match cell.parse::<u64>() {
            Ok(number) => ((*name).to_owned(), json!(number)),
            Err(_) => ((*name).to_owned(), json!(cell)),
        });
        serde_json::from_value(Value::Object(pairs.collect())).unwrap()
    };
    lines.map(record).collect()
}

run!(exports_records_and_summary_add_up_to_the_same, |_, client| {
    let chat = wait!(client.chat(&question("What goes into a carbonara?"))).unwrap();
    let streamed = wait!(wait!(client.chat_stream(&question("Hello."))).unwrap().finish()).unwrap();
    let vectors = wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, ["one text", "another"]))).unwrap();
    let session = wait!(client.create_session(&CreateSession::new(CHAT_MODEL))).unwrap();
    let message = SendSessionMessage::new(&session.id, "We travel to Ljubljana.");
    let said = wait!(client.send_session_message(&message)).unwrap();
    wait!(client.chat(&scaigrid::ChatRequest::new("no/such-model").user("x"))).unwrap_err();
    let usages = [chat.usage, streamed.usage, vectors.usage, said.usage().copied()].map(Option::unwrap);

    let listed = all!(client, ListUsage::new().period(UsagePeriod::Day).limit(3));
    let tokens: Vec<_> = listed.iter().map(|one| (one.tokens_in.unwrap(), one.tokens_out.unwrap())).collect();
    assert_eq!(tokens, usages.map(|usage| (usage.prompt(), usage.completion())));
    let all = sums(&listed);
    assert!(all.3 > Money::ZERO);
    assert_eq!(listed[0].extra["request_id"].as_str(), chat.request_id());

    let totals = wait!(client.usage_summary(&UsageSummaryQuery::new(UsagePeriod::Day))).unwrap().totals();
    let summed = [totals.request_count, totals.input_tokens, totals.output_tokens].map(Option::unwrap);
    assert_eq!((summed[0], summed[1], summed[2], totals.total_cost.unwrap()), all);

    for format in [ExportFormat::Csv, ExportFormat::Json, ExportFormat::Ndjson] {
        let file = wait!(client.export_usage(&ExportUsage::new().format(format.clone()))).unwrap();
        assert!(file.content_type().is_some());
        let text = String::from_utf8(wait!(file.collect_bytes(1 << 20)).unwrap().to_vec()).unwrap();
        let exported = match format {
            ExportFormat::Csv => from_csv(&text),
            ExportFormat::Json => records(serde_json::from_str(&text).unwrap()),
            _ => records(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()),
        };
        assert_eq!(sums(&exported), all, "{text}");
        assert!(exported.iter().zip(&listed).all(|(one, other)| one.id == other.id));
    }
});

run!(usage_is_filtered_and_grouped, |_, client| {
    wait!(client.chat(&question("Hello."))).unwrap();
    wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, "text"))).unwrap();
    let embeddings = all!(client, ListUsage::new().model(EMBEDDING_MODEL));
    assert_eq!(
        embeddings.iter().map(|one| one.model.as_deref()).collect::<Vec<_>>(),
        [Some(EMBEDDING_MODEL)]
    );
    let by_model = UsageSummaryQuery::new(UsagePeriod::Day).group_by(GroupBy::Model);
    let by_model = wait!(client.usage_summary(&by_model)).unwrap();
    let mut models: Vec<_> = by_model.rows.iter().map(|row| row.group_key.as_deref().unwrap()).collect();
    models.sort_unstable();
    assert_eq!(models, [EMBEDDING_MODEL, CHAT_MODEL]);
    let export = ExportUsage::new().format(ExportFormat::Ndjson).model(CHAT_MODEL);
    let file = wait!(wait!(client.export_usage(&export)).unwrap().collect_bytes(1 << 20)).unwrap();
    assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), 1);
    let later = ListUsage::new().start("2100-01-01").end("2100-01-02");
    assert!(wait!(client.usage_records(&later)).unwrap().items.is_empty());
    let wrong = wait!(client.usage_records(&ListUsage::new().start("yesterday"))).unwrap_err();
    assert!(wrong.field_errors().iter().any(|one| one.field == "start"), "{wrong}");
});

run!(the_clients_count_is_reconciled_with_the_summary, |emulator, client| {
    for _ in 0..2 {
        wait!(client.chat(&question("Hello."))).unwrap();
    }
    wait!(wait!(client.chat_stream(&question("Hello."))).unwrap().finish()).unwrap();
    wait!(client.embed(&EmbedRequest::new(EMBEDDING_MODEL, "text"))).unwrap();
    let by_model = UsageSummaryQuery::new(UsagePeriod::Day).group_by(GroupBy::Model);
    let summary = wait!(client.usage_summary(&by_model)).unwrap();
    let rows = reconcile(&client.usage(), &summary);
    assert_eq!(rows.iter().map(|row| row.model.as_str()).collect::<Vec<_>>(), [EMBEDDING_MODEL, CHAT_MODEL]);
    for row in rows {
        assert_eq!(row.agreement, Agreement::Equal, "{row:?}");
        assert_eq!((row.requests, row.prompt_tokens, row.completion_tokens), (Some(0), Some(0), Some(0)));
        assert!(row.client.with_usage > 0 && row.gateway.unwrap().total_cost.unwrap() > Money::ZERO);
    }
    // Calls of another client with the same key.
    let other = client_of!(emulator, emulator.api_key());
    let unseen = wait!(other.chat(&question("A question that only the other client asks."))).unwrap();
    let unseen = unseen.usage.unwrap();
    let summary = wait!(client.usage_summary(&by_model)).unwrap();
    let rows = reconcile(&client.usage(), &summary);
    assert_eq!((rows[0].agreement, rows[1].agreement), (Agreement::Equal, Agreement::Different));
    let tokens = |count: u64| Some(i64::try_from(count).unwrap());
    assert_eq!(rows[1].requests, Some(1));
    assert_eq!(
        (rows[1].prompt_tokens, rows[1].completion_tokens),
        (tokens(unseen.prompt()), tokens(unseen.completion()))
    );
});

run!(a_budget_blocks_and_is_seen, |emulator, client| {
    let receiver = Receiver::answering(&[200]);
    let events = [EventType::BudgetSoftLimitReached, EventType::BudgetHardLimitReached];
    wait!(client.create_webhook(&CreateWebhook::new(receiver.url(), events))).unwrap();
    let terms = json!({"scope": "user", "period": "daily", "request_limit": 2, "hard_action": "block"});
    let made = wait!(client.send(&RawRequest::post("/v1/accounting/budgets").json(&terms))).unwrap();
    let id = made["id"].as_str().unwrap();
    for _ in 0..2 {
        wait!(client.chat(&question("Hello."))).unwrap();
    }
    let before = emulator.requests().len();
    let error = wait!(client.chat(&question("Hello."))).unwrap_err();
    assert!(error.is_budget_exceeded() && error.status().unwrap() == 429, "{error}");
    assert_eq!((error.attempts(), emulator.requests().len() - before), (1, 1), "a 429 that is not retried");
    let error = wait!(client.chat_stream(&question("Hello."))).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::BudgetExceeded));

    let budget = wait!(client.budget(id)).unwrap();
    assert_eq!((budget.id.as_deref(), budget.request_limit), (Some(id), Some(2)));
    assert_eq!(budget.extra["current_usage"]["requests"], 2);
    assert_eq!(wait!(client.budgets(&ListBudgets::new())).unwrap().items, [budget.into_inner()]);
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(WebhookEvent::from_body(&receiver.next().body).unwrap().event_type);
    }
    // Each has a delivery of its own, so they come in any order.
    assert!(told.contains(&EventType::BudgetSoftLimitReached));
    assert!(told.contains(&EventType::BudgetHardLimitReached));
});

run!(budgets_are_listed_page_by_page, |_, client| {
    for limit in 1..=5 {
        let terms = json!({"scope": "tenant", "period": "monthly", "cost_limit": format!("{limit}.50")});
        wait!(client.send(&RawRequest::post("/v1/accounting/budgets").json(&terms))).unwrap();
    }
    let limits: Vec<_> =
        all!(client, ListBudgets::new().limit(2)).into_iter().map(|one| one.cost_limit).collect();
    let expected = ["1.50", "2.50", "3.50", "4.50", "5.50"].map(|text| Some(text.parse().unwrap()));
    assert_eq!(limits, expected);
});
