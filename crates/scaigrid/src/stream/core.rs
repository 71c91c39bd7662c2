//! A stream without I/O: bytes in, chunks or one error out, and the reply put together on the way.

mod failing;
mod known;

use super::events::{Events, StreamEvent};
use crate::answer::{self, Failed};
use crate::call::Outcome;
use crate::clock::Now;
use crate::observation::{self, Ending, Observation};
use crate::one_line::Secrets;
use crate::settings::Settings;
use crate::{AttemptReport, Reply, trace};
use bytes::{Buf, Bytes};
use http::response::Parts;
use http::{StatusCode, header};
use scaigrid_transport::sse::{DEFAULT_MAX_EVENT_BYTES, Decoder, Event, EventTooLarge};
use scaigrid_transport::{Timeouts, TransportError};
use scaigrid_types::{
    ChatAccumulator, ChatChunk, ChatCompletion, ChunkDecoder, DecodeError, DecodedData, ErrorEnvelope,
};
use serde::de::IgnoredAny;
use std::time::{Duration, Instant, SystemTime};

/// What comes out next.
pub(crate) enum Item {
    /// A chunk, in the place that was handed in: it is large, and not moved.
    Chunk,
    /// More bytes: [`StreamCore::push`], [`StreamCore::end`], or [`StreamCore::fail`].
    NeedsInput,
    /// The one error; nothing comes after it.
    Failed(Failed),
    End,
}

/// What the first item of a stream is.
pub(crate) enum Peek {
    /// A chunk, or the end.
    Item,
    NeedsInput,
    Failed(Failed),
}

/// What became of a request for a stream.
pub(crate) enum Opening<B> {
    /// It flows.
    Stream(Box<StreamCore>, B),
    /// It failed before its first chunk.
    Failed(Failed),
    /// The answer is no stream.
    Plain(Outcome),
}

/// What the call knows once the stream is open, or the file has begun to come.
pub(crate) struct Opened {
    pub(crate) endpoint: &'static str,
    /// What must not be printed, whoever says it.
    pub(crate) secrets: Secrets,
    pub(crate) started: Instant,
    pub(crate) attempts: u32,
    /// Time to the first chunk.
    pub(crate) elapsed: Duration,
    pub(crate) history: Vec<AttemptReport>,
    /// When it was opened.
    pub(crate) at: SystemTime,
    /// Told of the end.
    pub(crate) observation: Observation,
}

impl Opened {
    pub(crate) fn support_line(&self, status: StatusCode, request_id: Option<&str>) -> String {
        crate::support::Line {
            endpoint: Some(self.endpoint),
            outcome: "began",
            error: None,
            status: Some(status),
            request_id,
            at: Some(self.at),
            attempts: self.attempts,
        }
        .to_string()
    }
}

pub(crate) struct StreamCore {
    head: Parts,
    decoder: Decoder,
    chunks: ChunkDecoder,
    /// Bytes that are not decoded yet.
    input: Bytes,
    /// Was read to see whether the call had succeeded, and is still to come out.
    first: Option<Box<ChatChunk>>,
    state: State,
    reply: ChatAccumulator,
    /// When the wait behind the last chunk began.
    waits_since: Option<Instant>,
    events: Events,
    max_bytes: usize,
    limits: Timeouts,
    request_id: Option<String>,
    opened: Option<Opened>,
}

enum State {
    Flowing,
    /// The body has ended, or failed, before `[DONE]`, maybe within an event.
    Over {
        cause: Option<TransportError>,
        cut: Option<Bytes>,
    },
    /// The body has ended within an `error` event that is whole but for its blank line.
    Failing(ErrorEnvelope, Bytes),
    /// `[DONE]` was seen, or everything was handed out.
    Done,
    Failed,
}

/// What the next event means. Owned, because it outlives the decoder's buffer.
enum Meaning {
    /// It was read into its place.
    Chunk,
    Done,
    Nothing,
    NeedsInput,
    /// In a box: it is rare, and large.
    Trouble(Box<Trouble>),
}

/// What ends a stream with an error, and the data of its event.
enum Trouble {
    Failure(ErrorEnvelope, Bytes),
    Undecodable(DecodeError, Bytes),
    TooLarge(EventTooLarge),
}

impl From<Trouble> for Meaning {
    #[cold]
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(Box::new(trouble))
    }
}

impl StreamCore {
    /// For a 2xx answer that is an event stream.
    ///
    /// In a box: it is large, and moves from the call to the stream.
    pub(crate) fn new(head: Parts, settings: &Settings, limits: Timeouts) -> Box<Self> {
        Box::new(Self {
            request_id: answer::request_id(&head.headers, &[]),
            head,
            decoder: Decoder::with_max_event_bytes(DEFAULT_MAX_EVENT_BYTES.min(settings.max_response_bytes)),
            chunks: ChunkDecoder::new(),
            input: Bytes::new(),
            first: None,
            state: State::Flowing,
            reply: ChatAccumulator::new(),
            waits_since: None,
            events: Events::default(),
            max_bytes: settings.max_response_bytes,
            limits,
            opened: None,
        })
    }

    /// Whether an answer is read as a stream: a success that is no document of another type.
    pub(crate) fn is_stream(head: &Parts) -> bool {
        let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|text| text.split(';').next()).map(str::trim);
        head.status.is_success()
            && essence.is_none_or(|essence| essence.eq_ignore_ascii_case("text/event-stream"))
    }

    /// Takes secrets out of what is printed of its head.
    pub(crate) fn redact(&mut self, secrets: &Secrets) {
        self.request_id.iter_mut().for_each(|id| secrets.redact(id));
    }

    /// The call has succeeded: the stream is handed out.
    pub(crate) fn open(&mut self, opened: Opened) {
        self.opened = Some(opened);
    }

    /// A plain reply in place of a stream: one chunk.
    pub(crate) fn of_reply(reply: Reply<ChatCompletion>, settings: &Settings, opened: Opened) -> Box<Self> {
        let (mut head, ()) = http::Response::new(()).into_parts();
        head.status = reply.status();
        head.headers.clone_from(reply.headers());
        let mut core = Self::new(head, settings, Timeouts::none());
        core.request_id = reply.request_id().map(str::to_owned);
        core.open(Opened { history: reply.history().to_vec(), ..opened });
        let chunk = ChatChunk::from(reply.into_inner());
        core.reply.push(&chunk);
        core.first = Some(Box::new(chunk));
        core.state = State::Done;
        core
    }

    /// Reads the first item without taking it, to see whether the call has succeeded.
    pub(crate) fn peek(&mut self, now: &dyn Fn() -> Now) -> Peek {
        let mut chunk = None;
        match self.next(&mut chunk, now) {
            Item::Chunk => {
                self.first = chunk.map(Box::new);
                Peek::Item
            }
            Item::End => Peek::Item,
            Item::NeedsInput => Peek::NeedsInput,
            Item::Failed(failed) => Peek::Failed(failed),
        }
    }

    /// Bytes of the body.
    pub(crate) fn push(&mut self, piece: Bytes) {
        self.input = piece;
    }

    /// Nothing is there yet. The first time since the last chunk, the wait begins.
    pub(crate) fn waits(&mut self, now: impl FnOnce() -> Instant) {
        if self.waits_since.is_none() {
            self.waits_since = Some(now());
        }
    }

    /// The body has ended.
    pub(crate) fn end(&mut self) {
        if !matches!(self.state, State::Flowing) {
            return;
        }
        self.state = match self.decoder.unfinished() {
            // The sentinel counts also without its blank line.
            Some(event) if is_sentinel(&event) => State::Done,
            // So does a failure, if it is whole.
            Some(event)
                if event.name == "error" && serde_json::from_str::<IgnoredAny>(event.data).is_ok() =>
            {
                State::Failing(ErrorEnvelope::from_event(event.data), copied(&event))
            }
            event => {
                let cut = event.map(|event| copied(&event));
                State::Over { cause: None, cut }
            }
        };
    }

    /// The body has failed.
    pub(crate) fn fail(&mut self, error: TransportError) {
        if matches!(self.state, State::Flowing) {
            self.state = State::Over { cause: Some(error), cut: None };
        }
    }

    /// Whether `[DONE]` was seen, so that the connection may be used again.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The next item; a chunk is read into the place that is handed in. After [`Item::Failed`] and [`Item::End`] there is
    /// only [`Item::End`].
    ///
    /// The clock is read only where the time matters: many chunks come in one piece. What happens once in a stream has
    /// functions of its own, out of the way of what happens with each chunk.
    pub(crate) fn next(&mut self, place: &mut Option<ChatChunk>, now: &dyn Fn() -> Now) -> Item {
        if let Some(first) = self.first.take() {
            *place = Some(*first);
            return Item::Chunk;
        }
        loop {
            let State::Flowing = self.state else { return self.past_the_flow(now()) };
            if self.input.is_empty() {
                return Item::NeedsInput;
            }
            match self.event(place) {
                Meaning::Chunk => {
                    self.waits_since = None;
                    place.iter().for_each(|chunk| self.reply.push(chunk));
                    if self.reply.size() > self.max_bytes {
                        return self.too_much(now());
                    }
                    return Item::Chunk;
                }
                Meaning::Nothing => {}
                Meaning::NeedsInput => return Item::NeedsInput,
                Meaning::Done => self.state = State::Done,
                Meaning::Trouble(trouble) => return self.in_trouble(*trouble, now()),
            }
        }
    }

    /// What comes when no more events do.
    #[cold]
    fn past_the_flow(&mut self, now: Now) -> Item {
        match &mut self.state {
            State::Over { cause, cut } => {
                let (cause, cut) = (cause.take(), cut.take());
                let error = self.over(cause, cut, now);
                self.failed(error, now)
            }
            State::Failing(envelope, data) => {
                let (envelope, data) = (std::mem::take(envelope), std::mem::take(data));
                self.refused(envelope, data, now)
            }
            State::Flowing | State::Done | State::Failed => {
                self.conclude(observation::Outcome::Succeeded, Some(now.instant));
                Item::End
            }
        }
    }

    /// Decodes one event of the input.
    fn event(&mut self, place: &mut Option<ChatChunk>) -> Meaning {
        let mut rest = &self.input[..];
        let meaning = match self.decoder.next(&mut rest) {
            Ok(None) => Meaning::NeedsInput,
            Ok(Some(event)) if is_sentinel(&event) => Meaning::Done,
            // Keeps the connection alive, and says nothing.
            Ok(Some(event)) if event.data.is_empty() && event.name != "error" => Meaning::Nothing,
            Ok(Some(event)) if event.name == "message" => match self.chunks.decode_into(event.data, place) {
                Ok(DecodedData::Chunk) => Meaning::Chunk,
                no_chunk => not_a_chunk(&event, no_chunk, &mut self.events),
            },
            Ok(Some(event)) => named(&event, &mut self.events),
            Err(error) => Trouble::TooLarge(error).into(),
        };
        if rest.is_empty() {
            // Lets go of the transport's buffer, which can then be read into again.
            self.input = Bytes::new();
        } else {
            let used = self.input.len() - rest.len();
            self.input.advance(used);
        }
        meaning
    }

    /// The call's span, while the stream is open, if somebody records it.
    pub(crate) fn span(&self) -> Option<tracing::Span> {
        self.opened.as_ref()?.observation.span()
    }

    /// Tells those who watch of the end, unless that was done, with what has come. Without a time, it is dropped.
    fn conclude(&mut self, outcome: observation::Outcome<'_>, at: Option<Instant>) {
        let Some(opened) = self.opened.as_mut().filter(|opened| opened.observation.is_live()) else { return };
        let mut observation = opened.observation.take();
        let opened = &*opened;
        observation.finish(
            outcome,
            Ending {
                at,
                requested_model: None,
                status: Some(self.head.status),
                request_id: self.request_id.as_deref(),
                facts: self.reply.facts(),
                content: Some(&|| Some(trace::of_reply(&self.reply.snapshot()))),
                secrets: Some(&|| opened.secrets.clone()),
            },
        );
    }
}

/// Dropped before its end: what has come was produced all the same.
impl Drop for StreamCore {
    fn drop(&mut self) {
        self.conclude(observation::Outcome::Abandoned(None), None);
    }
}

/// An event with a name.
#[cold]
fn named(event: &Event<'_>, events: &mut Events) -> Meaning {
    if event.name == "error" {
        return Trouble::Failure(ErrorEnvelope::from_event(event.data), copied(event)).into();
    }
    events.push(event.name, event.data);
    Meaning::Nothing
}

/// An event without a name whose data is no chunk.
#[cold]
fn not_a_chunk(event: &Event<'_>, decoded: Result<DecodedData, DecodeError>, events: &mut Events) -> Meaning {
    match decoded {
        Ok(DecodedData::Error(envelope)) => Trouble::Failure(*envelope, copied(event)).into(),
        Ok(_) => {
            events.push(event.name, event.data);
            Meaning::Nothing
        }
        Err(error) => Trouble::Undecodable(error, copied(event)).into(),
    }
}

fn copied(event: &Event<'_>) -> Bytes {
    Bytes::copy_from_slice(event.data.as_bytes())
}

fn is_sentinel(event: &Event<'_>) -> bool {
    event.name == "message" && event.data == "[DONE]"
}
