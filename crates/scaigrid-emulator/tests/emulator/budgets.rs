//! Budgets over HTTP.

use crate::http::{Answer, SUMMARY, call, chat, get, post, post_as, send};
use scaigrid_emulator::{DEFAULT_API_KEY, Emulator};
use scaigrid_types::Money;
use serde_json::{Value, json};

const BUDGETS: &str = "/v1/accounting/budgets";

fn create(emulator: &Emulator, body: &Value) -> Answer {
    call(emulator, "POST", BUDGETS, body)
}

#[test]
fn a_blocking_budget_refuses_inference_and_shows_its_use() {
    let emulator = Emulator::builder().api_key("one").api_key("two").start().unwrap();
    let terms = json!({"scope": "user", "period": "daily", "request_limit": 2, "soft_limit_pct": 0.5});
    let made = create(&emulator, &terms).json()["data"].clone();
    assert!(made["id"].as_str().unwrap().starts_with("budget_"));
    assert_eq!((&made["scope_id"], &made["hard_action"]), (&json!("user_1"), &json!("block")));
    assert_eq!((&made["enforcement_state"], &made["cost_limit"]), (&json!("ok"), &json!(null)));
    let target = format!("{BUDGETS}/{}", made["id"].as_str().unwrap());
    let state = || get(&emulator, &target).json()["data"].clone();
    for expected in ["soft_limit_reached", "hard_limit_reached"] {
        assert_eq!(post(&emulator, &chat("hello")).status, 200);
        assert_eq!(state()["enforcement_state"], expected);
    }
    assert_eq!(state()["current_usage"]["requests"], 2);
    let refused = post(&emulator, &chat("hello"));
    assert_eq!((refused.status, refused.code().as_str()), (429, "BUDGET_EXCEEDED"));
    assert!(refused.json()["error"].get("retry_after").is_none());
    // Nothing was served, and others are not concerned.
    assert_eq!(state()["current_usage"]["requests"], 2);
    assert_eq!(post_as(&emulator, "two", &chat("hello")).status, 200);
    assert_eq!(get(&emulator, SUMMARY).status, 200);
    let missing = get(&emulator, &format!("{BUDGETS}/none"));
    assert_eq!((missing.status, missing.code().as_str()), (404, "NOT_FOUND"));
}

#[test]
fn a_budget_counts_what_was_served_before_in_its_period() {
    let emulator = Emulator::builder().api_key("one").api_key("two").start().unwrap();
    post(&emulator, &chat("hello"));
    post_as(&emulator, "two", &chat("hello"));
    let terms = json!({"scope": "tenant", "period": "total", "token_limit": 1_000_000, "cost_limit": "5.00"});
    let made = create(&emulator, &terms).json()["data"].clone();
    assert_eq!(
        (&made["current_usage"]["requests"], &made["scope_id"]),
        (&json!(2), &json!("tenant_emulator"))
    );
    assert_eq!((&made["cost_limit"], &made["period_end"]), (&json!("5.00"), &json!(null)));
    let row = get(&emulator, SUMMARY).json()["data"][0].clone();
    assert_eq!(made["current_usage"]["tokens"], row["total_tokens"]);
    let terms = json!({"scope": "tenant", "period": "monthly", "request_limit": 2});
    assert_eq!(create(&emulator, &terms).status, 200);
    assert_eq!(post_as(&emulator, "two", &chat("hello")).code(), "BUDGET_EXCEEDED");
}

#[test]
fn notifying_budgets_let_pass_and_throttling_ones_slow_down() {
    let emulator = Emulator::builder().rate_limit_per_minute(100).start().unwrap();
    let terms = |action: &str| json!({"scope": "partner", "period": "weekly", "request_limit": 1, "hard_action": action});
    create(&emulator, &terms("notify"));
    for _ in 0..2 {
        let answer = post(&emulator, &chat("hello"));
        assert_eq!((answer.status, answer.header("x-scaigrid-ratelimit-limit")), (200, Some("100")));
    }
    create(&emulator, &terms("throttle"));
    for _ in 4..10 {
        assert_eq!(post(&emulator, &chat("hello")).header("x-scaigrid-ratelimit-limit"), Some("10"));
    }
    assert_eq!(post(&emulator, &chat("hello")).code(), "RATE_LIMITED");
}

#[test]
fn the_builders_budget_is_a_budget_like_others() {
    let limit: Money = "0.5".parse().unwrap();
    let emulator = Emulator::builder().budget(DEFAULT_API_KEY, limit).start().unwrap();
    let listed = get(&emulator, BUDGETS).json();
    let item = &listed["data"]["items"][0];
    assert_eq!((&item["period"], &item["cost_limit"]), (&json!("total"), &json!("0.5")));
    assert_eq!((&item["hard_action"], &item["scope"]), (&json!("block"), &json!("user")));
    assert_eq!(listed["pagination"]["has_more"], false);
}

#[test]
fn a_caller_sees_what_applies_to_them() {
    let emulator = Emulator::builder()
        .api_key("admin")
        .api_key_with_permissions("own", ["accounting:view_own"])
        .start()
        .unwrap();
    for terms in [
        json!({"scope": "user", "period": "daily", "request_limit": 1}),
        json!({"scope": "user", "scope_id": "user_2", "period": "daily", "request_limit": 1}),
        json!({"scope": "tenant", "period": "daily", "request_limit": 1}),
    ] {
        create(&emulator, &terms);
    }
    let scopes = |key| -> Vec<Value> {
        let answer = send(&emulator, "GET", BUDGETS, Some(key), b"").unwrap().json();
        answer["data"]["items"].as_array().unwrap().iter().map(|one| one["scope_id"].clone()).collect()
    };
    assert_eq!(scopes("admin"), ["user_1", "user_2", "tenant_emulator"]);
    assert_eq!(scopes("own"), ["user_2", "tenant_emulator"]);
    let foreign = get(&emulator, BUDGETS).json()["data"]["items"][0]["id"].as_str().unwrap().to_owned();
    let hidden = send(&emulator, "GET", &format!("{BUDGETS}/{foreign}"), Some("own"), b"").unwrap();
    assert_eq!(hidden.status, 404);
}

#[test]
fn wrong_budgets_name_every_problem() {
    let emulator = Emulator::start().unwrap();
    for (body, fields) in [
        (json!({}), &["scope", "period", "cost_limit"][..]),
        (
            json!({"scope": "group", "period": "day", "cost_limit": "x", "token_limit": -1, "request_limit": 1.5,
                "hard_action": "stop", "soft_limit_pct": 1.5, "scope_id": 7}),
            &[
                "scope",
                "period",
                "cost_limit",
                "token_limit",
                "request_limit",
                "hard_action",
                "soft_limit_pct",
                "scope_id",
            ],
        ),
        (
            json!({"scope": "user", "scope_id": "nobody", "period": "total", "cost_limit": -1}),
            &["cost_limit", "scope_id"],
        ),
        (
            json!({"scope": "tenant", "scope_id": "other", "period": "total", "cost_limit": 1.5}),
            &["scope_id"],
        ),
    ] {
        assert_eq!(create(&emulator, &body).invalid_fields(), fields, "{body}");
    }
    assert_eq!(get(&emulator, BUDGETS).json()["data"]["items"], json!([]));
}
