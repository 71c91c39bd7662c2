//! Listens to everything that is logged in this process, by us and by our dependencies, and to panics.

use crate::secrets::found;
use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// What was heard: how many records of each crate, and those with a secret.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) records: BTreeMap<String, usize>,
    pub(crate) leaks: Vec<String>,
}

static HEARD: Mutex<Heard> = Mutex::new(Heard { records: BTreeMap::new(), leaks: Vec::new() });

fn heard(target: &str, text: &str) {
    let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    let name = target.split("::").next().unwrap_or_default();
    *heard.records.entry(name.to_owned()).or_default() += 1;
    if let Some(name) = found(text) {
        heard.leaks.push(format!("{target} shows {name}: {text}"));
    }
}

/// What was heard up to now.
pub(crate) fn so_far() -> (BTreeMap<String, usize>, Vec<String>) {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    (heard.records.clone(), heard.leaks.clone())
}

/// ureq tells at DEBUG of some headers of an answer as the server sent them: a server that puts a secret of the request
/// there puts it into that log.
fn is_head_of_answer(record: &log::Record<'_>, text: &str) -> bool {
    record.target() == "ureq::run" && text.starts_with("Response {")
}

/// ureq writes all bytes of an exchange, and whole addresses, at its TRACE level: that is what this level of it is for, and
/// nothing in a library can stop it. `scaigrid::security` says so. Its other levels are listened to.
fn is_wire_dump(metadata: &log::Metadata<'_>) -> bool {
    metadata.level() == log::Level::Trace && metadata.target().starts_with("ureq")
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        !is_wire_dump(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        if self.enabled(record.metadata()) && !is_head_of_answer(record, &text) {
            heard(record.target(), &text);
        }
    }

    fn flush(&self) {}
}

struct Events;

/// All fields of a span or event.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl<S: tracing::Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        heard(event.metadata().target(), &fields.0);
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        heard(attributes.metadata().target(), &format!("{}{}", attributes.metadata().name(), fields.0));
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        heard("span", &fields.0);
    }
}

/// Begins to listen, once for all tests.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Events)).unwrap();
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let text = panic.to_string();
            // This program's own, which say what leaked.
            if !text.contains(" shows ") {
                heard("panic", &text);
            }
            if !text.contains("a callback panics") {
                usual(panic);
            }
        }));
    });
}
