//! Webhooks: managed, and really delivered.

use crate::quickly;
use crate::receiver::Receiver;
use scaigrid::{CreateWebhook, DeliveryStatus, EventType, ListDeliveries, ListWebhooks, WebhookStatus};
use scaigrid_emulator::Emulator;
use std::time::Duration;

const SECRET: &str = "whsec_random_32_chars_or_more_0000";

fn webhook(receiver: &Receiver, events: impl IntoIterator<Item = EventType>) -> CreateWebhook {
    let events: Vec<_> = events.into_iter().collect();
    CreateWebhook::new(receiver.url(), events).secret(SECRET)
}

#[cfg(feature = "webhook-signatures")]
run!(a_delivery_is_verified_and_a_changed_one_refused, |_, client| {
    use scaigrid::{RequestCompleted, SIGNATURE_HEADER, TIMESTAMP_HEADER, VerifyError, WebhookVerifier};

    let receiver = Receiver::answering(&[200]);
    wait!(client.create_webhook(&webhook(&receiver, [EventType::RequestCompleted]))).unwrap();
    let chat = wait!(client.chat(&crate::question("Hello."))).unwrap();
    let delivery = receiver.next();
    let verifier = WebhookVerifier::new(SECRET);
    let signature = delivery.header(SIGNATURE_HEADER);
    let event = verifier.verify(&delivery.body, signature).unwrap();
    assert_eq!(event.event_type, EventType::RequestCompleted);
    let completed: RequestCompleted = event.payload_as().unwrap();
    assert_eq!(completed.tokens, Some(chat.usage.unwrap().total()));
    let now = crate::now();
    verifier.check_timestamp(delivery.header(TIMESTAMP_HEADER), now, Duration::from_secs(300)).unwrap();
    verifier.check_event_time(&event, now, Duration::from_secs(300)).unwrap();

    let mut tampered = delivery.body.clone();
    let digit = tampered.iter_mut().rev().find(|byte| byte.is_ascii_digit()).unwrap();
    *digit = if *digit == b'0' { b'1' } else { b'0' };
    assert_eq!(verifier.verify(&tampered, signature), Err(VerifyError::WrongSignature));
    let other = WebhookVerifier::new("another secret");
    assert_eq!(other.verify(&delivery.body, signature), Err(VerifyError::WrongSignature));
    assert_eq!(verifier.verify(&delivery.body, None), Err(VerifyError::MissingSignature));
});

run!(
    a_delivery_that_fails_is_made_again,
    Emulator::builder().webhook_schedule(&[Duration::from_millis(1)]),
    |emulator, client| {
        let receiver = Receiver::answering(&[500, 204]);
        let made = wait!(client.create_webhook(&webhook(&receiver, ["test.event".into()]))).unwrap();
        emulator.emit_event("test.event", serde_json::json!({"n": 1}));
        let (first, second) = (receiver.next(), receiver.next());
        assert_eq!(first.body, second.body, "the same event, with the same id");
        #[cfg(feature = "webhook-signatures")]
        scaigrid::WebhookVerifier::new(SECRET)
            .verify(&second.body, second.header(scaigrid::SIGNATURE_HEADER))
            .unwrap();
        let list = ListDeliveries::new(&made.id).status(DeliveryStatus::Success);
        let done = wait!(client.wait_until(&list, quickly(), |page| !page.items.is_empty())).unwrap();
        assert_eq!((done.items[0].status_code, &done.items[0].error_message), (Some(204), &None));
        assert_eq!(done.items[0].extra["attempts"], 2);
    }
);

run!(a_test_delivery_says_how_it_went, |_, client| {
    let receiver = Receiver::answering(&[202, 418]);
    let made = wait!(client.create_webhook(&webhook(&receiver, [EventType::RequestFailed]))).unwrap();
    let taken = wait!(client.test_webhook(&made.id)).unwrap();
    assert_eq!((taken.status_code, &taken.error), (Some(202), &None));
    assert!(receiver.next().header("x-scaigrid-signature").is_some());
    let refused = wait!(client.test_webhook(&made.id)).unwrap();
    assert!(refused.status_code == Some(418) && refused.error.as_ref().unwrap().contains("418"));
    let listed = wait!(client.webhook_deliveries(&ListDeliveries::new(&made.id))).unwrap();
    let ids: Vec<_> = listed.items.iter().map(|one| Some(one.id.clone())).collect();
    assert_eq!(ids, [refused.delivery_id.clone(), taken.delivery_id.clone()], "the newest first");
});

run!(a_webhook_is_changed_and_deleted, |emulator, client| {
    let receiver = Receiver::answering(&[200]);
    let made = wait!(client.create_webhook(&webhook(&receiver, ["a.b".into()]).max_retries(2))).unwrap();
    assert_eq!((&made.status, made.max_retries), (&Some(WebhookStatus::Active), Some(2)));
    assert!(!format!("{made:?}").contains("whsec"));
    let seen = wait!(client.webhook(&made.id)).unwrap();
    assert_eq!((seen.url.as_deref(), &seen.events), (Some(receiver.url().as_str()), &made.events));

    let mut update = seen.to_update().unwrap();
    update.events = vec!["c.d".into()];
    let changed = wait!(client.update_webhook(&update)).unwrap();
    assert_eq!((changed.events.as_ref().unwrap()[0].as_str(), changed.max_retries), ("c.d", Some(2)));
    emulator.emit_event("a.b", serde_json::json!({}));
    emulator.emit_event("c.d", serde_json::json!({}));
    let delivery = receiver.next();
    let event = scaigrid::WebhookEvent::from_body(&delivery.body).unwrap();
    assert_eq!(event.event_type, "c.d");
    assert!(delivery.header("x-scaigrid-signature").is_some(), "the secret stays");

    wait!(client.update_webhook(&update.status(WebhookStatus::Inactive))).unwrap();
    assert_eq!(wait!(client.webhooks(&ListWebhooks::new())).unwrap().items.len(), 1);
    wait!(client.delete_webhook(&made.id)).unwrap();
    assert!(wait!(client.webhooks(&ListWebhooks::new())).unwrap().items.is_empty());
});

run!(only_addresses_of_this_machine_get_deliveries, |_, client| {
    let elsewhere = CreateWebhook::new("https://your-service.example/hook", [EventType::RequestFailed]);
    let error = wait!(client.create_webhook(&elsewhere)).unwrap_err();
    assert!(error.field_errors().iter().any(|one| one.field == "url"), "{error}");
});
