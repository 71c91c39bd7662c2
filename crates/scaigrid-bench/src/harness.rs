//! One side, one load, measured.

use crate::load::Load;
use crate::measure::{Counter, Mark};
use crate::shape;
use crate::side::{Answer, Ask, AsyncSide, BlockingSide, USER};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Plain answers.
    Chat,
    /// Streams.
    Stream,
    /// Lists, page by page.
    List,
}

/// What a side has to do. Travels to the process that does it as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The server.
    pub base: String,
    /// The kind of work.
    pub kind: Kind,
    /// What the server sends, as text: see [`Load`].
    pub load: String,
    /// Tasks or threads.
    pub parallel: usize,
    /// Calls that are measured.
    pub total: usize,
    /// Calls before that, which are not.
    pub warm: usize,
    /// Bytes of the question; 0 for the usual one.
    pub ask_bytes: usize,
    /// Items of a list.
    pub items: usize,
    /// Whether clients that can do either call the route that wraps answers.
    pub enveloped: bool,
    /// The core to stay on. `None`: wherever the system puts it, and the async sides on one worker a core.
    pub core: Option<usize>,
}

/// What it took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Seconds by the clock.
    pub wall: f64,
    /// Seconds of the processor in the program.
    pub user: f64,
    /// Seconds of the processor in the kernel.
    pub system: f64,
    /// Memory before the measured calls, in KiB.
    pub begin_kib: u64,
    /// The most memory, in KiB.
    pub peak_kib: u64,
    /// Measured calls.
    pub requests: u64,
    /// Chunks with text, or items of lists.
    pub chunks: u64,
    /// Allocations; 0 unless the program counts them.
    pub allocations: u64,
    /// Bytes of them.
    pub allocated_bytes: u64,
}

/// A job that has been read.
struct Work {
    job: Job,
    ask: Ask,
    expected: Answer,
    counter: Option<Counter>,
}

impl Job {
    /// Calls one after another, with one before that is not measured.
    pub fn new(base: &str, core: Option<usize>, kind: Kind, load: Load, total: usize) -> Self {
        Self {
            base: base.to_owned(),
            kind,
            load: load.to_string(),
            parallel: 1,
            total,
            warm: 1,
            ask_bytes: 0,
            items: 0,
            enveloped: false,
            core,
        }
    }
}

impl Work {
    fn new(job: &Job, counter: Option<Counter>) -> Self {
        let load: Load = job.load.parse().unwrap();
        let expected = match job.kind {
            Kind::Chat => shape::completion(load.shape, load.reply_bytes, false).1,
            Kind::Stream => shape::Stream::new(load.shape).expected(load.chunks),
            Kind::List => Answer { chunks: job.items as u64, ..Answer::default() },
        };
        let user = match job.ask_bytes {
            0 => USER.to_owned(),
            bytes => USER.repeat(bytes / USER.len() + 1)[..bytes].to_owned(),
        };
        Self { job: job.clone(), ask: Ask { model: job.load.clone(), user }, expected, counter }
    }

    fn check(&self, answer: Answer) {
        assert_eq!(answer, self.expected, "the work of {:?}", self.job);
    }

    fn outcome(&self, begin: &Mark) -> Outcome {
        let used = begin.used(self.counter);
        let requests = self.job.total as u64;
        Outcome {
            wall: used.wall,
            user: used.user,
            system: used.system,
            begin_kib: used.begin_kib,
            peak_kib: used.peak_kib,
            requests,
            chunks: requests * if self.job.kind == Kind::Chat { 0 } else { self.expected.chunks },
            allocations: used.allocations,
            allocated_bytes: used.allocated_bytes,
        }
    }
}

/// Runs an async side.
///
/// # Panics
/// When an answer is not the expected one.
pub fn run_async<S: AsyncSide>(job: &Job, counter: Option<Counter>) -> Outcome {
    let work = Arc::new(Work::new(job, counter));
    // On one core, a scheduler of many threads would only be in the way.
    let mut runtime = match job.core {
        Some(_) => tokio::runtime::Builder::new_current_thread(),
        None => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().build().unwrap().block_on(async {
        let side = Arc::new(S::new(&job.base, job.enveloped));
        phase(&side, &work, job.warm).await;
        let begin = Mark::new(counter);
        phase(&side, &work, job.total).await;
        work.outcome(&begin)
    })
}

async fn phase<S: AsyncSide>(side: &Arc<S>, work: &Arc<Work>, calls: usize) {
    let begun = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..work.job.parallel)
        .map(|_| {
            let (side, work, begun) = (Arc::clone(side), Arc::clone(work), Arc::clone(&begun));
            tokio::spawn(async move {
                while begun.fetch_add(1, Relaxed) < calls {
                    let answer = match work.job.kind {
                        Kind::Chat => side.chat(&work.ask).await,
                        Kind::Stream => side.stream(&work.ask).await,
                        Kind::List => side.list(work.job.items).await,
                    };
                    work.check(answer);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the work of a task");
    }
}

/// Runs a blocking side.
///
/// # Panics
/// When an answer is not the expected one.
pub fn run_blocking<S: BlockingSide>(job: &Job, counter: Option<Counter>) -> Outcome {
    let work = Work::new(job, counter);
    let side = S::new(&job.base, job.enveloped);
    let (warmed, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (warm, measured) = (Barrier::new(job.parallel + 1), Barrier::new(job.parallel + 1));
    let one = || {
        work.check(match job.kind {
            Kind::Chat => side.chat(&work.ask),
            Kind::Stream => side.stream(&work.ask),
            Kind::List => side.list(job.items),
        });
    };
    std::thread::scope(|scope| {
        let thread = || {
            while warmed.fetch_add(1, Relaxed) < job.warm {
                one();
            }
            warm.wait();
            measured.wait();
            while begun.fetch_add(1, Relaxed) < job.total {
                one();
            }
        };
        let threads: Vec<_> = (0..job.parallel).map(|_| scope.spawn(thread)).collect();
        warm.wait();
        let begin = Mark::new(counter);
        measured.wait();
        for thread in threads {
            thread.join().expect("the work of a thread");
        }
        work.outcome(&begin)
    })
}
