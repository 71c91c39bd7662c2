//! Lists from their first page to their last.

use crate::harness::*;
use crate::harness_more::*;
use scaigrid::{ErrorKind, ListModels, ListUsage, Modality, UsagePeriod};

fn page(slugs: &[&str], next: Option<&str>) -> Answer {
    let items: Vec<_> = slugs.iter().map(|slug| serde_json::json!({"slug": slug})).collect();
    let pagination = serde_json::json!({"has_more": next.is_some(), "next_cursor": next});
    answer(200, serde_json::json!({"data": {"items": items}, "pagination": pagination}).to_string())
}

fn slugs(seen: &SeenItems<scaigrid::Model>) -> Vec<&str> {
    seen.items.iter().map(|model| model.slug.as_str()).collect()
}

#[test]
fn items_come_from_all_pages_with_the_limit_and_filters_of_the_request() {
    let answers = [page(&["a", "b"], Some("c&1")), page(&[], Some("2")), page(&["c"], None)];
    let list = ListModels::new().limit(2).modality(Modality::Chat);
    items_in_both_colours(&answers, &list, 99, |seen| {
        assert_eq!(slugs(seen), ["a", "b", "c"]);
        let expected =
            ["limit=2&modality=chat", "limit=2&cursor=c%261&modality=chat", "limit=2&cursor=2&modality=chat"];
        assert_eq!(seen.queries, expected);
        assert!(seen.error.is_none() && seen.next_cursor.is_none());
    });
}

#[test]
fn pages_are_fetched_on_demand() {
    // A second request would find no answer.
    items_in_both_colours(&[page(&["a", "b"], Some("2"))], &ListModels::new(), 2, |seen| {
        assert_eq!((slugs(seen).len(), seen.queries.len()), (2, 1));
        assert_eq!(seen.next_cursor.as_deref(), Some("2"));
    });
    items_in_both_colours(&[], &ListModels::new(), 0, |seen| assert!(seen.queries.is_empty()));
}

#[test]
fn a_cursor_that_comes_again_is_the_end() {
    let again = [page(&["a"], Some("1")), page(&["b"], Some("1"))];
    items_in_both_colours(&again, &ListModels::new(), 99, |seen| assert_eq!(slugs(seen), ["a", "b"]));
    let ring = [page(&["a"], Some("1")), page(&["b"], Some("2")), page(&["c"], Some("1"))];
    items_in_both_colours(&ring, &ListModels::new(), 99, |seen| assert_eq!(slugs(seen), ["a", "b", "c"]));
    let own = ListModels::new().cursor("0");
    let back = [page(&["a"], Some("0")), page(&["a"], Some("0"))];
    items_in_both_colours(&back, &own, 99, |seen| assert!(slugs(seen).len() <= 2));
}

#[test]
fn an_error_comes_once_behind_the_items_before_it() {
    let answers = [page(&["a", "b"], Some("2")), error("MODEL_ACCESS_DENIED")];
    items_in_both_colours(&answers, &ListModels::new(), 99, |seen| {
        assert_eq!(slugs(seen), ["a", "b"]);
        assert_eq!(seen.error.as_ref().unwrap().kind(), ErrorKind::Api);
        assert_eq!(seen.next_cursor.as_deref(), Some("2"), "to go on there");
    });
    let undecodable = [answer(200, r#"{"data":{"items":[{"id":"usage_1"},{"model":"m"}]}}"#)];
    let list = ListUsage::new().period(UsagePeriod::Day);
    items_in_both_colours(&undecodable, &list, 99, |seen| {
        let error = seen.error.as_ref().unwrap().to_string();
        assert!(error.starts_with("accounting.usage: "), "{error}");
        assert!(error.contains("data.items[1]") && error.contains("`id`"), "{error}");
    });
}
