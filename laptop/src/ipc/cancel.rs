//! Cancellation that reaches a thread blocked in a socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    cancelled: bool,
    next: u64,
    hooks: BTreeMap<u64, Hook>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says "stop" to everything that works for one request. Clones share one state.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Shared>);

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels: runs every registered hook once, in this thread, and wakes every [`CancelToken::sleep`].
    pub fn cancel(&self) {
        let hooks = {
            let mut state = self.0.lock();
            state.cancelled = true;
            std::mem::take(&mut state.hooks)
        };
        self.0.changed.notify_all();
        for hook in hooks.into_values() {
            hook();
        }
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().cancelled
    }

    /// Runs `hook` when cancelled, at once if that has happened already. Dropping the guard takes the hook back.
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) -> CancelGuard {
        let mut state = self.0.lock();
        let id = state.next;
        state.next += 1;
        if state.cancelled {
            drop(state);
            hook();
        } else {
            state.hooks.insert(id, Box::new(hook));
        }
        CancelGuard {
            token: self.clone(),
            id,
        }
    }

    /// Sleeps for `time` unless cancelled earlier. Returns whether it slept to the end.
    pub fn sleep(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut state = self.0.lock();
        loop {
            let now = Instant::now();
            if state.cancelled {
                return false;
            }
            if now >= end {
                return true;
            }
            state = self
                .0
                .changed
                .wait_timeout(state, end - now)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// Keeps a hook of [`CancelToken::on_cancel`] registered.
pub struct CancelGuard {
    token: CancelToken,
    id: u64,
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        let hook = self.token.0.lock().hooks.remove(&self.id);
        drop(hook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn hooks_run_once_on_cancel_and_not_after_their_guard_is_gone() {
        let (token, runs) = (CancelToken::new(), Arc::new(AtomicUsize::new(0)));
        let count = |runs: &Arc<AtomicUsize>| {
            let runs = Arc::clone(runs);
            move || {
                runs.fetch_add(1, Ordering::SeqCst);
            }
        };
        let kept = token.on_cancel(count(&runs));
        drop(token.on_cancel(count(&runs)));
        token.cancel();
        token.cancel();
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        drop(kept);
        let _late = token.on_cancel(count(&runs));
        assert_eq!(
            runs.load(Ordering::SeqCst),
            2,
            "a hook registered after the cancel runs at once"
        );
    }

    #[test]
    fn a_sleeper_wakes_when_cancelled() {
        let token = CancelToken::new();
        let sleeper = std::thread::spawn({
            let token = token.clone();
            move || token.sleep(Duration::from_secs(3600))
        });
        token.cancel();
        assert!(!sleeper.join().unwrap());
        assert!(CancelToken::new().sleep(Duration::ZERO));
    }
}
