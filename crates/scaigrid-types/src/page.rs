//! Lists: one decoder for every list shape that the gateway documents.

use crate::DecodeError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One page of a list.
///
/// Source: docs `reference/accounting`, `reference/models-and-routing`. The gateway documents seven list
/// shapes; all decode into this type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in the server's order.
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the next page. `None` on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of `items`; `next_cursor` is `None` for the last one.
    pub fn new(items: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { items, next_cursor }
    }

    /// Whether another page follows.
    pub fn has_more(&self) -> bool {
        self.next_cursor.is_some()
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// The `pagination` object beside `data`. Documented for the usage list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pagination {
    /// Whether another page follows.
    pub has_more: bool,
    /// The next page's cursor; null on the last page.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

impl Pagination {
    /// From the next page's cursor, `None` on the last page.
    pub fn new(next_cursor: Option<String>) -> Self {
        Self { has_more: next_cursor.is_some(), next_cursor }
    }
}

/// Names under which lists lie inside `data`, most usual first.
const LIST_KEYS: [&str; 5] = ["items", "results", "jobs", "events", "data"];

/// Decodes a page from a whole success body.
pub(crate) fn decode<T: DeserializeOwned>(body: Value) -> Result<Page<T>, DecodeError> {
    let mut body = match body {
        Value::Object(body) => body,
        Value::Array(items) => return Ok(Page::new(items_of(items, "")?, None)),
        _ => return Err(DecodeError::new("", "expected a list")),
    };
    let Some(mut data) = body.remove("data") else {
        return Err(DecodeError::new("", "missing field `data`"));
    };
    let next_cursor = next_cursor(&body, &data);
    let (path, items) = match &mut data {
        Value::Array(items) => ("data".to_owned(), std::mem::take(items)),
        Value::Object(object) => take_list(object)?,
        Value::Null => ("data".to_owned(), Vec::new()),
        _ => return Err(DecodeError::new("data", "expected a list")),
    };
    Ok(Page::new(items_of(items, &path)?, next_cursor))
}

fn take_list(data: &mut Map<String, Value>) -> Result<(String, Vec<Value>), DecodeError> {
    let named = LIST_KEYS.iter().copied().find(|key| data.get(*key).is_some_and(Value::is_array));
    let mut arrays = data.iter().filter(|(_, value)| value.is_array()).map(|(key, _)| key.as_str());
    let key = match (named, arrays.next(), arrays.next()) {
        (Some(key), ..) => key.to_owned(),
        (None, Some(only), None) => only.to_owned(),
        // `items: null` and an object without any list are empty lists.
        (None, None, _) => return Ok(("data".to_owned(), Vec::new())),
        _ => return Err(DecodeError::new("data", "more than one list, and none of a known name")),
    };
    let items = match data.get_mut(&key) {
        Some(Value::Array(items)) => std::mem::take(items),
        _ => Vec::new(),
    };
    Ok((format!("data.{key}"), items))
}

fn items_of<T: DeserializeOwned>(items: Vec<Value>, path: &str) -> Result<Vec<T>, DecodeError> {
    let decode = |(index, item)| {
        T::deserialize(item).map_err(|error| DecodeError::from_value(format!("{path}[{index}]"), &error))
    };
    items.into_iter().enumerate().map(decode).collect()
}

/// Looks in `pagination`, `meta`, `data`, and the top level, in that order; the first place that has cursor
/// data decides. An absent, null, or empty cursor, or `has_more: false`, means the last page.
fn next_cursor(body: &Map<String, Value>, data: &Value) -> Option<String> {
    let places = [body.get("pagination"), body.get("meta"), Some(data)];
    let objects = places.into_iter().flatten().filter_map(Value::as_object).chain([body]);
    for object in objects {
        let cursor = object.get("next_cursor").or_else(|| object.get("next_page_token"));
        let has_more = object.get("has_more").and_then(Value::as_bool);
        if cursor.is_none() && has_more.is_none() {
            continue;
        }
        let text = match cursor {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        return text.filter(|text| !text.is_empty() && has_more != Some(false));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(body: Value) -> Page<u8> {
        decode(body).unwrap()
    }

    #[test]
    fn every_documented_shape_decodes() {
        let next = Some("c2".to_owned());
        let shapes = [
            json!({"data": {"items": [1, 2]}, "pagination": {"has_more": true, "next_cursor": "c2"}}),
            json!({"data": [1, 2], "meta": {"next_cursor": "c2", "has_more": true}}),
            json!({"data": [1, 2], "has_more": true, "next_cursor": "c2"}),
            json!({"data": {"jobs": [1, 2], "next_page_token": "c2", "total_count": 9}}),
            json!({"data": {"events": [1, 2], "next_cursor": "c2"}}),
        ];
        for shape in shapes {
            assert_eq!(page(shape.clone()), Page::new(vec![1, 2], next.clone()), "{shape}");
        }
        let last_pages = [
            json!({"data": {"items": [1, 2]}}),
            json!({"data": [1, 2]}),
            json!({"object": "list", "data": [1, 2]}),
            json!([1, 2]),
            json!({"data": {"things": [1, 2], "total": 2}}),
            json!({"data": {"items": [1, 2]}, "pagination": {"has_more": false, "next_cursor": "c2"}}),
            json!({"data": {"items": [1, 2]}, "pagination": {"has_more": true, "next_cursor": ""}}),
            json!({"data": {"items": [1, 2]}, "pagination": {"has_more": true, "next_cursor": null}}),
        ];
        for shape in last_pages {
            assert_eq!(page(shape.clone()), Page::new(vec![1, 2], None), "{shape}");
        }
    }

    #[test]
    fn empty_lists_and_wrong_shapes() {
        assert_eq!(page(json!({"data": {"items": null}})), Page::new(vec![], None));
        assert_eq!(page(json!({"data": {}})), Page::new(vec![], None));
        assert_eq!(page(json!({"data": null})), Page::new(vec![], None));
        for wrong in [json!({}), json!(1), json!({"data": 1}), json!({"data": {"a": [1], "b": [2]}})] {
            assert!(decode::<u8>(wrong.clone()).is_err(), "{wrong}");
        }
        let error = decode::<u8>(json!({"data": {"items": [1, "x"]}})).unwrap_err();
        assert_eq!(error.path(), "data.items[1]");
    }
}
