//! Ending blocking calls from another thread.

use crate::blocking::Control;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Ends blocking calls from another thread, wherever they are. Clones are the same handle.
///
/// A cancelled handle stays cancelled: calls that have it end, and later ones are not begun.
///
/// A [`Transport`](crate::blocking::Transport) finds the handle of a call in the request's
/// [extensions](http::Extensions) and [attaches](Self::attach) what can end the exchange. One that does not look is
/// cancelled between its exchanges only.
///
/// ```
/// use scaigrid_transport::blocking::CancelHandle;
/// use std::time::Duration;
///
/// let handle = CancelHandle::new();
/// let elsewhere = handle.clone();
/// std::thread::spawn(move || elsewhere.cancel());
/// assert!(handle.wait_timeout(Duration::from_secs(60)), "ends at once");
/// ```
#[derive(Clone, Default)]
pub struct CancelHandle(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    cancelled: Condvar,
}

#[derive(Default)]
struct State {
    is_cancelled: bool,
    next_id: u64,
    attached: Vec<(u64, Arc<dyn Control>)>,
}

impl CancelHandle {
    /// A handle that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends everything that has this handle, now and later.
    pub fn cancel(&self) {
        let mut state = self.state();
        state.is_cancelled = true;
        let attached = std::mem::take(&mut state.attached);
        drop(state);
        self.0.cancelled.notify_all();
        for (_, control) in attached {
            control.cancel();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.state().is_cancelled
    }

    /// Waits, and says whether it was cancelled in the meantime, or before.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let waits = |state: &mut State| !state.is_cancelled;
        let waited = self.0.cancelled.wait_timeout_while(self.state(), timeout, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_cancelled
    }

    /// Cancels `control` together with this handle, until the result is dropped. At once, if the handle is cancelled
    /// already.
    pub fn attach(&self, control: Arc<dyn Control>) -> Attached {
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        if state.is_cancelled {
            drop(state);
            control.cancel();
        } else {
            state.attached.push((id, control));
        }
        Attached { handle: self.clone(), id }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// Something that a [`CancelHandle`] cancels. Dropping it takes it off the handle.
#[derive(Debug)]
#[must_use = "dropping it detaches the control"]
pub struct Attached {
    handle: CancelHandle,
    id: u64,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.handle.state().attached.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Default)]
    struct Counting(AtomicU32);

    impl Control for Counting {
        fn cancel(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        fn end_within(&self, _: Duration) {}
    }

    #[test]
    fn what_is_attached_is_cancelled_once() {
        let handle = CancelHandle::new();
        let [detached, attached, late] = [(); 3].map(|()| Arc::new(Counting::default()));
        drop(handle.attach(detached.clone()));
        let _attached = handle.attach(attached.clone());
        assert!(!handle.wait_timeout(Duration::ZERO));
        handle.cancel();
        handle.cancel();
        let _late = handle.attach(late.clone());
        let counts = [detached, attached, late].map(|control| control.0.load(Ordering::SeqCst));
        assert_eq!(counts, [0, 1, 1]);
        assert!(handle.is_cancelled() && handle.wait_timeout(Duration::MAX));
    }

    #[test]
    fn finished_work_leaves_nothing_behind() {
        let handle = CancelHandle::new();
        for _ in 0..100 {
            let _attached = handle.attach(Arc::new(Counting::default()));
        }
        assert!(handle.state().attached.is_empty());
    }
}
