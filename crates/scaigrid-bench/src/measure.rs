//! Processor time, memory, cores, and limits of this process.

use std::time::Instant;

/// How many allocations there have been, and how many bytes they were.
pub type Counter = fn() -> (u64, u64);

/// What the process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    at: Instant,
    user: f64,
    system: f64,
    allocated: (u64, u64),
    resident_kib: u64,
}

/// What was used between two moments.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// Seconds by the clock.
    pub wall: f64,
    /// Seconds of the processor in the program.
    pub user: f64,
    /// Seconds of the processor in the kernel.
    pub system: f64,
    /// Allocations; 0 without a counter.
    pub allocations: u64,
    /// Bytes of them.
    pub allocated_bytes: u64,
    /// Memory at the first moment, in KiB.
    pub begin_kib: u64,
    /// The most memory that the process ever had, in KiB.
    pub peak_kib: u64,
}

impl Mark {
    /// Now.
    pub fn new(counter: Option<Counter>) -> Self {
        let (user, system) = processor();
        let allocated = counter.map_or((0, 0), |counter| counter());
        Self { at: Instant::now(), user, system, allocated, resident_kib: memory("VmRSS:") }
    }

    /// Since then.
    pub fn used(&self, counter: Option<Counter>) -> Used {
        let wall = self.at.elapsed().as_secs_f64();
        let now = Mark::new(counter);
        Used {
            wall,
            user: now.user - self.user,
            system: now.system - self.system,
            allocations: now.allocated.0 - self.allocated.0,
            allocated_bytes: now.allocated.1 - self.allocated.1,
            begin_kib: self.resident_kib,
            peak_kib: memory("VmHWM:"),
        }
    }
}

/// A line of the process's status, in KiB. 0 where the system has none.
fn memory(name: &str) -> u64 {
    // Not `ru_maxrss`: it is inherited from the process that started this one.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn processor_of(who: nix::sys::resource::UsageWho) -> (f64, f64) {
    let usage = nix::sys::resource::getrusage(who).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    (seconds(usage.user_time()), seconds(usage.system_time()))
}

#[cfg(target_os = "linux")]
fn processor() -> (f64, f64) {
    processor_of(nix::sys::resource::UsageWho::RUSAGE_SELF)
}

/// Seconds of the processor of all processes that this one has started and that have ended.
#[cfg(target_os = "linux")]
pub fn children() -> f64 {
    let (user, system) = processor_of(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    user + system
}

/// Not known on this system.
#[cfg(not(target_os = "linux"))]
fn processor() -> (f64, f64) {
    (0.0, 0.0)
}

/// Not known on this system.
#[cfg(not(target_os = "linux"))]
pub fn children() -> f64 {
    0.0
}

/// Keeps this thread, and those that it starts, on one core. Says whether that worked.
#[cfg(target_os = "linux")]
pub fn pin(core: usize) -> bool {
    let mut cores = nix::sched::CpuSet::new();
    cores.set(core).is_ok() && nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &cores).is_ok()
}

/// Not on this system.
#[cfg(not(target_os = "linux"))]
pub fn pin(_core: usize) -> bool {
    false
}

/// Allows as many open sockets as the system lets it. The usual 1,024 are too few for 1,000 streams.
#[cfg(target_os = "linux")]
pub fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
    }
}

/// Not on this system.
#[cfg(not(target_os = "linux"))]
pub fn raise_open_files() {}

/// The figures of a counting allocator. To grow a block counts as one, with the bytes that it grew by.
pub fn counted(stats: stats_alloc::Stats) -> (u64, u64) {
    ((stats.allocations + stats.reallocations) as u64, stats.bytes_allocated as u64)
}
