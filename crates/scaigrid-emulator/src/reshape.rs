//! What the [variants](crate::WireVariant) make of an enveloped answer. Works on the finished body, so that it
//! holds for every route.

use crate::variant::WireVariant;
use serde_json::{Map, Value, json};

/// What the request was, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a str,
    /// Where the page of a list begins.
    pub(crate) start: usize,
}

/// The body in the form that the variants ask for. A body without the envelope's `meta.request_id` stays as it
/// is.
pub(crate) fn reshape(body: Value, asked: Asked<'_>, has: impl Fn(WireVariant) -> bool) -> Value {
    let is_enveloped = body.pointer("/meta/request_id").is_some();
    let Value::Object(mut body) = body else { return body };
    if !is_enveloped {
        return Value::Object(body);
    }
    if let Some(Value::Object(error)) = body.get_mut("error") {
        reshape_error(error, &has);
    } else {
        if has(WireVariant::ModelsWithoutHealth) && asked.path.starts_with("/v1/models") {
            body.get_mut("data").into_iter().for_each(without_health);
        }
        if has(WireVariant::WithoutStatus) {
            body.remove("status");
        }
        if has(WireVariant::StatusSuccess) {
            body.insert("status".to_owned(), json!("success"));
        }
        let shape = WireVariant::ALL.iter().copied().filter(|variant| has(*variant)).find_map(Shape::of);
        let models = has(WireVariant::ModelsBareArray) && asked.path == "/v1/models";
        let shape = shape.or(models.then_some(Shape::BareArray));
        if let Some((shape, list)) = shape.and_then(|shape| Some((shape, List::take(&mut body)?))) {
            list.put(&mut body, shape, asked.start);
        }
    }
    if has(WireVariant::WithoutMeta) {
        without_request_id(&mut body);
    }
    Value::Object(body)
}

fn reshape_error(error: &mut Map<String, Value>, has: &impl Fn(WireVariant) -> bool) {
    if let (true, Some(Value::String(code))) = (has(WireVariant::ErrorsUnknownCode), error.get_mut("code")) {
        code.insert_str(0, "EMULATOR_");
    }
    if let (true, Some(Value::Array(details))) = (has(WireVariant::DetailsObject), error.get_mut("details")) {
        let pair = |detail: &Value| {
            Some((detail.get("field")?.as_str()?.to_owned(), detail.get("message")?.clone()))
        };
        let object: Map<String, Value> = details.iter().filter_map(pair).collect();
        error.insert("details".to_owned(), Value::Object(object));
    }
    if has(WireVariant::RetryAfterAbsent) {
        error.remove("retry_after");
    }
    if let Some(hint) = error.get_mut("retry_after") {
        if has(WireVariant::RetryAfterZero) {
            *hint = json!(0);
        }
        // A hint is at least 1 second.
        if let (true, Some(seconds)) = (has(WireVariant::RetryAfterFractional), hint.as_f64()) {
            *hint = json!(seconds - 0.5);
        }
    }
}

/// Rests of `meta`, such as a cursor, stay.
fn without_request_id(body: &mut Map<String, Value>) {
    if let Some(Value::Object(meta)) = body.get_mut("meta") {
        meta.remove("request_id");
        if meta.is_empty() {
            body.remove("meta");
        }
    }
}

/// From one model, or from all of a list.
fn without_health(data: &mut Value) {
    let models = match data {
        Value::Object(object) if object.contains_key("items") => {
            object.get_mut("items").and_then(Value::as_array_mut)
        }
        _ => None,
    };
    let strip = |model: &mut Value| {
        let fields = ["status", "health_status", "active_backend_count", "total_backend_count"];
        if let Value::Object(model) = model {
            fields.iter().for_each(|field| drop(model.remove(*field)));
        }
    };
    match models {
        Some(models) => models.iter_mut().for_each(strip),
        None => strip(data),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    ItemsPagination,
    Items,
    BareArray,
    MetaCursor,
    TopLevelCursor,
    Jobs,
    Events,
    Object,
}

impl Shape {
    fn of(variant: WireVariant) -> Option<Self> {
        match variant {
            WireVariant::ListItemsPagination => Some(Self::ItemsPagination),
            WireVariant::ListItems => Some(Self::Items),
            WireVariant::ListBareArray => Some(Self::BareArray),
            WireVariant::ListMetaCursor => Some(Self::MetaCursor),
            WireVariant::ListTopLevelCursor => Some(Self::TopLevelCursor),
            WireVariant::ListJobs => Some(Self::Jobs),
            WireVariant::ListEvents => Some(Self::Events),
            WireVariant::ListObject => Some(Self::Object),
            _ => None,
        }
    }
}

/// A list, taken out of its shape.
struct List {
    items: Vec<Value>,
    next: Option<Value>,
}

impl List {
    /// `None` when the body has no list, and stays as it is: `data` has to be an array, or an object with nothing
    /// but `items`.
    fn take(body: &mut Map<String, Value>) -> Option<Self> {
        let items = match body.get_mut("data")? {
            Value::Array(items) => std::mem::take(items),
            Value::Object(data) if data.len() == 1 => match data.get_mut("items") {
                Some(Value::Array(items)) => std::mem::take(items),
                _ => return None,
            },
            _ => return None,
        };
        let mut next = None;
        let mut cursor = |object: &mut Map<String, Value>| {
            object.remove("has_more");
            next = next.take().or(object.remove("next_cursor").filter(Value::is_string));
        };
        if let Some(Value::Object(pagination)) = &mut body.remove("pagination") {
            cursor(pagination);
        }
        if let Some(Value::Object(meta)) = body.get_mut("meta") {
            cursor(meta);
        }
        cursor(body);
        Some(Self { items, next })
    }

    fn put(self, body: &mut Map<String, Value>, shape: Shape, start: usize) {
        let Self { items, next } = self;
        let total = start.saturating_add(items.len());
        let cursor = json!({"has_more": next.is_some(), "next_cursor": next});
        let data = match shape {
            Shape::ItemsPagination | Shape::Items => json!({"items": items}),
            Shape::Jobs => {
                let mut data = json!({"jobs": items, "next_page_token": next});
                // Only the last page knows how many there are.
                if let (None, Value::Object(data)) = (&next, &mut data) {
                    data.insert("total_count".to_owned(), json!(total));
                }
                data
            }
            Shape::Events => json!({"events": items, "next_cursor": next}),
            Shape::BareArray | Shape::MetaCursor | Shape::TopLevelCursor | Shape::Object => json!(items),
        };
        if shape == Shape::Object {
            body.clear();
            body.insert("object".to_owned(), json!("list"));
        }
        body.insert("data".to_owned(), data);
        match (shape, cursor) {
            (Shape::ItemsPagination, cursor) => drop(body.insert("pagination".to_owned(), cursor)),
            (Shape::TopLevelCursor, Value::Object(cursor)) => body.extend(cursor),
            (Shape::MetaCursor, Value::Object(cursor)) => {
                if let Some(Value::Object(meta)) = body.get_mut("meta") {
                    meta.extend(cursor);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "reshape_tests.rs"]
mod tests;
