//! Every fault, with every kind of call, in both colours, against the emulator over real sockets. Waits are recorded
//! and not waited.
#![cfg(all(feature = "async", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "closing sockets and ending threads take real time")]

mod cell;
mod server;
mod table;

use cell::{Cell, Times};
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use table::{CALLS, COLOURS, MODES, is_offered, rows};

/// All that is offered.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for row in 0..rows().len() {
        for (mode, call) in MODES.into_iter().flat_map(|mode| CALLS.map(|call| (mode, call))) {
            if is_offered(mode, call) {
                cells.extend(COLOURS.map(|colour| Cell { row, mode, call, colour }));
            }
        }
    }
    cells
}

#[test]
fn the_table_is_complete() {
    let rows = rows();
    let names: HashSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "a name of its own for each row");
    // Two of the six kinds of call are no streams; the other four are there for every fault and colour.
    assert_eq!(cells().len(), rows.len() * (MODES.len() * CALLS.len() - 2) * COLOURS.len());
    assert!(cells().len() >= 200, "{}", cells().len());
}

/// Threads of this process, where the system tells.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[test]
fn every_cell() {
    let before = threads();
    let rows = rows();
    let queue = Mutex::new(cells().into_iter());
    let broken: Mutex<Vec<String>> = Mutex::default();
    let run = Mutex::new(0);
    let work = || {
        loop {
            let Some(cell) = queue.lock().unwrap().next() else { return };
            for times in [Times::Once, Times::Always] {
                let row = &rows[cell.row];
                let checked = std::panic::catch_unwind(|| cell.check(row, times));
                *run.lock().unwrap() += usize::from(times == Times::Once);
                if checked.is_err() {
                    broken.lock().unwrap().push(format!("{} ({times:?}): {cell:?}", row.name));
                }
            }
        }
    };
    std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(work))));
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "{} cells are broken:\n{}", broken.len(), broken.join("\n"));
    assert_eq!(run.into_inner().unwrap(), cells().len(), "none was skipped");
    // The other test's thread may have come or gone.
    let began = Instant::now();
    while threads() > before.map(|before| before + 1) {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?} threads before, {:?} now", before, threads());
        std::thread::sleep(Duration::from_millis(20));
    }
}
