//! One cell: a call in a colour, in a world that misbehaves, and what must come of it.

use crate::server::World;
use crate::table::{Call, Colour, Mode, Row, Trouble, Wait};
use scaigrid::{
    ChatRequest, Endpoint, Error, ErrorKind, GenericClientBuilder, InvalidRequest, ListModels, Method, Path,
    ReplaySafety, ReplyError, RequestBody, ResponseBody, SystemClock,
};
use scaigrid_transport::{ReqwestTransport, UreqTransport};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) row: usize,
    pub(crate) mode: Mode,
    pub(crate) call: Call,
    pub(crate) colour: Colour,
}

/// How often the trouble comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    Always,
}

/// What a busy machine keeps, too.
const SOON: Duration = Duration::from_secs(5);
/// As short as a connection within a busy machine allows.
const HASTE: Duration = Duration::from_millis(500);

/// How long the client waits for the end of a body behind `[DONE]`.
const DRAIN: Duration = Duration::from_millis(100);

/// The machine's clock, but waits end at once, and the world heals in them.
#[derive(Clone)]
struct Impatient {
    world: Arc<World>,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Impatient {
    fn wait(&self, duration: Duration) {
        self.waits.lock().unwrap().push(duration);
        self.world.heal();
    }
}

#[async_trait::async_trait]
impl scaigrid::Clock for Impatient {
    fn now(&self) -> Instant {
        scaigrid::Clock::now(&SystemClock)
    }

    fn system_time(&self) -> SystemTime {
        scaigrid::Clock::system_time(&SystemClock)
    }

    async fn sleep(&self, duration: Duration) {
        // Within an exchange, the time is real.
        match duration {
            HASTE | SOON | DRAIN => scaigrid::Clock::sleep(&SystemClock, duration).await,
            _ => self.wait(duration),
        }
    }
}

impl scaigrid::blocking::Clock for Impatient {
    fn now(&self) -> Instant {
        scaigrid::blocking::Clock::now(&SystemClock)
    }

    fn system_time(&self) -> SystemTime {
        scaigrid::blocking::Clock::system_time(&SystemClock)
    }

    fn sleep(&self, duration: Duration) {
        self.wait(duration);
    }
}

/// What came of a call.
struct Came {
    result: Result<u32, Error>,
    waits: Vec<Duration>,
}

impl Came {
    fn attempts(&self) -> usize {
        match &self.result {
            Ok(attempts) => *attempts as usize,
            Err(error) => error.attempts() as usize,
        }
    }
}

impl Cell {
    pub(crate) fn check(&self, row: &Row, times: Times) {
        let world = Arc::new(World::new(row, self.mode, times));
        let came = match self.colour {
            Colour::Async => self.call_async(row, &world),
            Colour::Blocking => self.call_blocking(row, &world),
        };
        self.compare(row, times, &came);
        check_what_the_server_saw(row, &world, came.attempts());
    }

    fn compare(&self, row: &Row, times: Times, came: &Came) {
        let repeated = row.repeated.repeats(self.call);
        // An unknown host does not come back.
        let recovers = repeated && times == Times::Once && !matches!(row.trouble, Trouble::UnknownHost);
        let attempts = match (repeated, recovers) {
            (false, _) => 1,
            (true, true) => 2,
            (true, false) => 3,
        };
        assert_eq!(came.attempts(), attempts, "{:?}", came.result);
        assert_eq!(came.waits.len(), attempts - 1, "{:?}", came.waits);
        for (number, wait) in came.waits.iter().enumerate() {
            let (least, most) = match row.wait {
                Wait::Hint(hint) => (hint, hint.mul_f64(1.1)),
                Wait::Backoff => {
                    let full = Duration::from_millis(500 << number);
                    (full * 3 / 4, full)
                }
            };
            assert!((least..=most).contains(wait), "wait {number}: {wait:?} not in {least:?}..={most:?}");
        }
        match (&came.result, row.kind) {
            (Ok(_), kind) => assert!(recovers || kind.is_none(), "it succeeded"),
            (Err(error), None) => panic!("it surfaced: {error:?}"),
            (Err(error), Some(kind)) => {
                assert!(!recovers, "{error:?}");
                assert_eq!(error.kind(), kind, "{error:?}");
                assert_eq!(error.code().map(|code| code.as_str()), row.code, "{error:?}");
                assert_eq!(error.history().len(), attempts);
            }
        }
    }

    fn settings<C>(
        &self,
        row: &Row,
        world: &World,
        builder: GenericClientBuilder<C>,
    ) -> GenericClientBuilder<C> {
        let patience = if row.hasty { HASTE } else { SOON };
        builder
            .base_url(&world.base_url)
            .allow_plain_http(world.proxy.is_some())
            .api_key(scaigrid_emulator::DEFAULT_API_KEY)
            .timeout(patience)
            .first_byte_timeout(patience)
            .stream_idle_timeout(patience)
            .connect_timeout(HASTE)
            .max_response_bytes(64 * 1024)
    }

    fn call_async(&self, row: &Row, world: &Arc<World>) -> Came {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clock = Impatient { world: Arc::clone(world), waits: Arc::default() };
        let mut builder = self.settings(row, world, scaigrid::Client::builder()).clock(clock.clone());
        if let Some(proxy) = &world.proxy {
            builder = builder.transport(ReqwestTransport::builder().proxy(proxy).build().unwrap());
        }
        let client = builder.build().unwrap();
        let result = runtime.block_on(async {
            if let Trouble::Stale(_) = row.trouble {
                client.models(&ListModels::new()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            match (self.mode, self.call) {
                (Mode::Stream, _) => {
                    let stream = client.chat_stream(&chat()).await?;
                    let attempts = stream.attempts();
                    stream.finish().await.map(|_| attempts)
                }
                (_, Call::Get) => client.models(&ListModels::new()).await.map(|reply| reply.attempts()),
                (_, Call::Inference) => client.chat(&chat()).await.map(|reply| reply.attempts()),
                (_, Call::Creating) => client.send(&Creating(chat())).await.map(|reply| reply.attempts()),
            }
        });
        drop(client);
        // Connections are closed by tasks of the HTTP stack, which need turns.
        let began = Instant::now();
        while runtime.metrics().num_alive_tasks() > 0 {
            assert!(began.elapsed() < SOON, "{} tasks are left", runtime.metrics().num_alive_tasks());
            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
        Came { result, waits: std::mem::take(&mut clock.waits.lock().unwrap()) }
    }

    fn call_blocking(&self, row: &Row, world: &Arc<World>) -> Came {
        let clock = Impatient { world: Arc::clone(world), waits: Arc::default() };
        let builder = self.settings(row, world, scaigrid::blocking::Client::builder());
        let mut builder = builder.clock(clock.clone());
        if let Some(proxy) = &world.proxy {
            builder = builder.transport(UreqTransport::builder().proxy(proxy).build().unwrap());
        }
        let client = builder.build().unwrap();
        if let Trouble::Stale(_) = row.trouble {
            client.models(&ListModels::new()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
        }
        let result = match (self.mode, self.call) {
            (Mode::Stream, _) => client.chat_stream(&chat()).and_then(|stream| {
                let attempts = stream.attempts();
                stream.finish().map(|_| attempts)
            }),
            (_, Call::Get) => client.models(&ListModels::new()).map(|reply| reply.attempts()),
            (_, Call::Inference) => client.chat(&chat()).map(|reply| reply.attempts()),
            (_, Call::Creating) => client.send(&Creating(chat())).map(|reply| reply.attempts()),
        };
        Came { result, waits: std::mem::take(&mut clock.waits.lock().unwrap()) }
    }
}

/// As many requests as the client counts, and no connection that outlives it.
fn check_what_the_server_saw(row: &Row, world: &World, attempts: usize) {
    let requests = world.emulator(|emulator| emulator.requests().len()).unwrap_or(0);
    let connections =
        world.emulator(|emulator| usize::try_from(emulator.accepted_connections()).unwrap()).unwrap_or(0);
    match row.trouble {
        Trouble::Fault(_) | Trouble::Proxy(_) => {
            assert_eq!(requests, attempts);
            // A whole answer gives its connection back before the wait, and the next attempt takes it.
            let is_whole = matches!(row.kind, Some(ErrorKind::Api | ErrorKind::Http | ErrorKind::Decode));
            assert!(!is_whole || connections == 1, "{connections} connections");
        }
        // The first request made the connection go stale.
        Trouble::Stale(_) => assert_eq!((requests, connections), (1 + attempts, 2)),
        Trouble::ResetBeforeRequest => assert_eq!(connections, attempts),
        Trouble::NobodyListens | Trouble::NobodyAccepts => assert!(requests <= 1),
        Trouble::UnknownHost => {}
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        Trouble::UntrustedCertificate => {}
    }
    let began = Instant::now();
    while world.emulator(|emulator| emulator.open_connections()).unwrap_or(0) > 0 {
        assert!(began.elapsed() < SOON, "a connection is left open");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn chat() -> ChatRequest {
    ChatRequest::new("scailabs/poolnoodle-omni").user("Hello")
}

/// A call of which nobody knows whether it may run twice.
struct Creating(ChatRequest);

impl Endpoint for Creating {
    type Reply = scaigrid::ChatCompletion;

    fn name(&self) -> &'static str {
        "creating"
    }

    fn method(&self) -> Method {
        self.0.method()
    }

    fn path(&self) -> Path {
        self.0.path()
    }

    fn body(&self) -> Result<Option<RequestBody>, InvalidRequest> {
        self.0.body()
    }

    fn replay_safety(&self) -> ReplaySafety {
        self.method().replay_safety()
    }

    fn decode(&self, body: ResponseBody<'_>) -> Result<Self::Reply, ReplyError> {
        self.0.decode(body)
    }
}
