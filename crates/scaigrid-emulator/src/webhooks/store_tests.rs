use super::*;
use crate::events::Event;

fn webhook(events: &[&str]) -> Webhook {
    Webhook::new(Changes {
        url: Some("http://127.0.0.1:1/".to_owned()),
        events: Some(events.iter().map(|event| (*event).to_owned()).collect()),
        secret: Some("whsec_1".to_owned()),
        status: None,
        max_retries: None,
    })
}

fn outcome(status_code: u16) -> Outcome {
    let error = (status_code >= 300).then(|| "no".to_owned());
    Outcome { status_code: Some(status_code), duration_ms: 1, error }
}

fn changes(status: Status) -> Changes {
    Changes { url: None, events: None, secret: None, status: Some(status), max_retries: None }
}

#[test]
fn the_secret_is_never_shown() {
    let webhook = webhook(&["a"]);
    assert_eq!(webhook.view()["secret"], MASK);
    assert!(!webhook.view().to_string().contains("whsec"));
    assert_eq!(webhook.order().secret.as_deref(), Some("whsec_1"));
}

#[test]
fn fifty_failures_in_a_row_disable_it_once() {
    let mut webhook = webhook(&["a"]);
    assert!(!(0..49).any(|_| webhook.count(&outcome(500))));
    assert!(!webhook.count(&outcome(204)), "a success starts anew");
    assert!(!(0..49).any(|_| webhook.count(&outcome(500))));
    assert!(webhook.count(&outcome(500)));
    assert_eq!(webhook.status, Status::Inactive);
    assert!(!webhook.count(&outcome(500)), "it is disabled already");
    webhook.apply(changes(Status::Active));
    assert!(!webhook.count(&outcome(500)));
    assert_eq!((webhook.status, webhook.failures_in_a_row), (Status::Active, 1));
}

#[test]
fn only_active_subscribers_get_an_event() {
    let mut webhooks = Webhooks::default();
    webhooks.add(webhook(&["a", "b"])).unwrap();
    webhooks.add(webhook(&["b"])).unwrap();
    assert_eq!((webhooks.subscribers("a").count(), webhooks.subscribers("b").count()), (1, 2));
    webhooks.webhooks[0].apply(changes(Status::Inactive));
    assert_eq!((webhooks.subscribers("a").count(), webhooks.subscribers("b").count()), (0, 1));
    while webhooks.webhooks.len() < MAX_WEBHOOKS {
        webhooks.add(webhook(&["c"])).unwrap();
    }
    assert!(webhooks.add(webhook(&["c"])).is_err());
}

#[test]
fn a_delivery_is_pending_until_its_last_attempt() {
    let mut webhook = webhook(&["a"]);
    let event = || Event { event_type: "a".to_owned(), source: "test", payload: Value::Null };
    let id = webhook.begin(&Parcel::new(event())).delivery_id;
    let status = |webhook: &Webhook| webhook.deliveries.back().unwrap().status;
    assert_eq!(status(&webhook), DeliveryStatus::Pending);
    webhook.record(&id, &outcome(500), Some(7));
    assert_eq!(status(&webhook), DeliveryStatus::Pending);
    webhook.record(&id, &outcome(500), None);
    assert_eq!(status(&webhook), DeliveryStatus::Failed);
    webhook.record(&id, &outcome(200), None);
    assert_eq!(status(&webhook), DeliveryStatus::Success);
    let view = webhook.deliveries.back().unwrap().view("wh_1");
    assert_eq!((&view["attempts"], &view["error_message"]), (&json!(3), &Value::Null));

    for _ in 0..MAX_DELIVERIES {
        webhook.begin(&Parcel::new(event()));
    }
    assert_eq!(webhook.deliveries.len(), MAX_DELIVERIES);
    // Pushed out by then.
    webhook.record(&id, &outcome(200), None);
    assert!(webhook.deliveries().all(|delivery| delivery.status == DeliveryStatus::Pending));

    let mut webhooks = Webhooks::default();
    webhooks.add(webhook).unwrap();
    let text = serde_json::to_string(&webhooks).unwrap();
    let again: Webhooks = serde_json::from_str(&text).unwrap();
    assert_eq!(again.webhooks[0].order().secret.as_deref(), Some("whsec_1"));
    assert_eq!(again.webhooks[0].deliveries.len(), MAX_DELIVERIES);
}

#[test]
fn what_is_pending_is_taken_up_from_a_file() {
    let mut webhook = webhook(&["a"]);
    let event = || Event { event_type: "a".to_owned(), source: "test", payload: json!({"n": 1}) };
    let done = webhook.begin(&Parcel::new(event())).delivery_id;
    webhook.record(&done, &outcome(200), None);
    let parcel = Parcel::new(event());
    let retried = webhook.begin(&parcel).delivery_id;
    webhook.record(&retried, &outcome(500), Some(7));
    let test = webhook.begin_test(&Parcel::new(event()));

    let text = serde_json::to_string(&webhook).unwrap();
    let mut again: Webhook = serde_json::from_str(&text).unwrap();
    let errands = again.errands();
    assert_eq!(errands.len(), 1);
    assert_eq!((&errands[0].webhook_id, &errands[0].delivery_id), (&again.id, &retried));
    assert_eq!((&errands[0].body, errands[0].attempts, errands[0].due_ms), (&parcel.body, 1, 7));
    let test = again.delivery(&test).unwrap();
    assert_eq!(
        (test.status, test.error_message.as_deref()),
        (DeliveryStatus::Failed, Some("the emulator was stopped"))
    );
}
