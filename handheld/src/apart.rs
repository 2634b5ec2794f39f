//! Work that would hold up its caller, on a thread that ends with it.
//!
//! The pool of threads that smol offers for this (`blocking` 1.6) keeps its first thread for good and wakes it twice a
//! second, whether there is work or not. A handheld at rest is to wake nobody.
//!
//! For the same reason threads wait in `smol::future::block_on`, never in `smol::block_on`: while any thread is in the
//! latter, the reactor's own thread (`async-io` 2.6, `driver::main_loop`) looks up to ten times behind each event.

use std::thread;

use smol::channel::bounded;

/// Runs `work` on a thread of its own and waits for it; `None` where there is no thread to be had, or it panicked.
pub async fn apart<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = bounded(1);
    go(name, move || {
        // Whoever asked may have gone on.
        let _ = tell.try_send(work());
    });
    told.recv().await.ok()
}

/// Runs `work` on a thread of its own.
pub fn go(name: &str, work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.into()).spawn(work);
    if let Err(error) = thread {
        log::error!("no thread for {name}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_elsewhere_and_its_result_comes_back() {
        let here = thread::current().id();
        let there = smol::block_on(apart("test", || thread::current().id())).unwrap();
        assert_ne!(here, there);
    }
}
