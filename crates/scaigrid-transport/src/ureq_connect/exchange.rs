//! What one exchange may take, and its end from another thread.

use super::lock;
use crate::timeouts::{ReadLimit, Timeouts};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;
use ureq::unversioned::transport::ShutdownHandle;

/// One request and its answer, from sending to the end of the body.
pub(crate) struct Exchange {
    pub(crate) limit: ReadLimit,
    cancelled: AtomicBool,
    /// What is sent next is the head of a request with a body in memory.
    pub(crate) body_follows: AtomicBool,
    /// The connection in use.
    pub(super) socket: Mutex<Option<Weak<dyn ShutdownHandle>>>,
}

thread_local! {
    /// ureq reads on the caller's thread, and offers no other way to tell a pooled connection whose turn it is.
    static CURRENT: RefCell<Option<Arc<Exchange>>> = const { RefCell::new(None) };
}

impl Exchange {
    pub(crate) fn new(timeouts: Timeouts, started: Instant) -> Arc<Self> {
        Arc::new(Self {
            limit: ReadLimit::new(timeouts, started),
            cancelled: AtomicBool::new(false),
            body_follows: AtomicBool::new(false),
            socket: Mutex::new(None),
        })
    }

    /// Runs a piece of the exchange on this thread.
    pub(crate) fn run<T>(self: &Arc<Self>, piece: impl FnOnce() -> T) -> T {
        /// Also when the piece panics.
        struct Restore(Option<Arc<Exchange>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(Arc::clone(self))));
        piece()
    }

    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Ends the exchange from another thread: a read that waits ends at once.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        // Under the lock, so that the connection cannot pass to another exchange in between.
        let socket = lock(&self.socket);
        if let Some(socket) = socket.as_ref().and_then(Weak::upgrade) {
            socket.shutdown();
        }
    }

    /// The connection is no longer this exchange's.
    pub(crate) fn release(&self) {
        *lock(&self.socket) = None;
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}
