//! What was used and what it cost, by model and by day, with the blocking client.
//!
//! cargo run --bin usage_report -- --period week
#![allow(clippy::print_stderr, reason = "the report goes to stdout, all else to stderr")]

use rust_decimal::Decimal;
use scaigrid::blocking::Client;
use scaigrid::{ChatRequest, Error, GroupBy, ListUsage, Money, UsagePeriod, UsageSummaryQuery};
use scaigrid_examples::{Options, emulator_without_key, exit_code, print_now, with_gateway};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

/// What a line of the report adds up. Money stays decimal: nothing is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    calls: u64,
    tokens_in: u64,
    tokens_out: u64,
    cost: Money,
}

/// By model, as the gateway adds up.
fn by_model(client: &Client, period: &UsagePeriod) -> Result<BTreeMap<String, Sum>, Error> {
    let query = UsageSummaryQuery::new(period.clone()).group_by(GroupBy::Model);
    let summary = client.usage_summary(&query)?.into_inner();
    let line = |row: scaigrid::UsageSummaryRow| {
        let sum = Sum {
            calls: row.request_count.unwrap_or_default(),
            tokens_in: row.input_tokens.unwrap_or_default(),
            tokens_out: row.output_tokens.unwrap_or_default(),
            cost: row.total_cost.unwrap_or_default(),
        };
        (row.group_key.unwrap_or_default(), sum)
    };
    Ok(summary.rows.into_iter().map(line).collect())
}

/// By day, from the single records. They come page by page, and each is forgotten once it is added.
fn by_day(client: &Client, period: &UsagePeriod) -> Result<BTreeMap<String, Sum>, Error> {
    let mut days = BTreeMap::<String, Sum>::new();
    for record in client.items(ListUsage::new().period(period.clone()).limit(1000)) {
        let record = record?;
        // In UTC, such as `2026-04-22T14:30:01Z`.
        let day = record.created_at.as_deref().and_then(|time| time.get(..10)).unwrap_or_default();
        let sum = days.entry(day.to_owned()).or_default();
        sum.calls += 1;
        sum.tokens_in += record.tokens_in.unwrap_or_default();
        sum.tokens_out += record.tokens_out.unwrap_or_default();
        sum.cost += record.cost.unwrap_or_default();
    }
    Ok(days)
}

/// All lines together.
fn total(lines: &BTreeMap<String, Sum>) -> Sum {
    lines.values().fold(Sum::default(), |total, sum| Sum {
        calls: total.calls + sum.calls,
        tokens_in: total.tokens_in + sum.tokens_in,
        tokens_out: total.tokens_out + sum.tokens_out,
        cost: total.cost + sum.cost,
    })
}

/// Lines with bars of their costs, and their total.
fn table(title: &str, lines: &BTreeMap<String, Sum>) -> String {
    let most = lines.values().map(|sum| sum.cost).max().unwrap_or_default();
    // Points below each other.
    let places = lines.values().map(|sum| sum.cost.parts().1).max().unwrap_or_default() as usize;
    let mut text =
        format!("{title:<28} {:>8} {:>12} {:>12} {:>14}\n", "calls", "tokens in", "tokens out", "cost");
    let total = ("all", &total(lines), String::new());
    let each = lines.iter().map(|(name, sum)| (name.as_str(), sum, bar(sum.cost, most)));
    for (name, sum, bar) in each.chain([total]) {
        let Sum { calls, tokens_in, tokens_out, cost } = sum;
        let name = if name.is_empty() { "unknown" } else { name };
        let line =
            format!("{name:<28} {calls:>8} {tokens_in:>12} {tokens_out:>12} {cost:>14.places$}  {bar}");
        // Writing to memory does not fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// 24 blocks for the most, and at least one for anything.
fn bar(cost: Money, most: Money) -> String {
    let part = Decimal::from(cost).checked_div(most.into()).unwrap_or_default();
    (0..24_u32).filter(|blocks| part * Decimal::from(24) > Decimal::from(*blocks)).map(|_| '█').collect()
}

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::read("usage_report [--period hour|day|week|month]")?;
    let period = UsagePeriod::from(options.value("period").unwrap_or("month"));
    let emulator = emulator_without_key(false)?;
    let client = with_gateway(Client::builder(), &emulator).build()?;
    if emulator.is_some() {
        eprintln!("nothing was used yet: chatting a little first");
        chat(&client)?;
    }
    let (models, days) = (by_model(&client, &period)?, by_day(&client, &period)?);
    print_now(&format!("{}\n{}", table("model", &models), table("day (UTC)", &days)))?;
    if total(&models) != total(&days) {
        eprintln!("the two differ: usage is written down up to 30 seconds after the call");
    }
    Ok(())
}

/// Something to report.
fn chat(client: &Client) -> Result<(), Error> {
    for (model, question) in [
        ("scailabs/poolnoodle-omni", "What's a good recipe for carbonara?"),
        ("scailabs/poolnoodle-mini", "Which cheese goes with it?"),
        ("scailabs/poolnoodle-mini", "And which wine?"),
    ] {
        client.chat(&ChatRequest::new(model).user(question))?;
    }
    Ok(())
}
