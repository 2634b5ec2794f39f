//! New settings for a running service: requests that come from now on go by them, what is being answered goes on.

use std::sync::{Arc, PoisonError, RwLock};

use crate::ipc::{
    CancelToken, EventSink, Failure, FailureCode, FinishReason, Handler, ServiceEvent,
    ServiceRequest,
};

/// Makes a handler of the settings as they are now.
type Make<H> = Box<dyn Fn() -> Result<H, String> + Send + Sync>;

/// A handler that is made anew where its settings are to be read again.
pub struct Reloading<H> {
    current: RwLock<Arc<H>>,
    make: Make<H>,
}

impl<H: Handler> Reloading<H> {
    /// The handler that `make` makes now.
    ///
    /// # Errors
    /// What `make` said.
    pub fn new(
        make: impl Fn() -> Result<H, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        Ok(Self {
            current: RwLock::new(Arc::new(make()?)),
            make: Box::new(make),
        })
    }

    fn now(&self) -> Arc<H> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<H: Handler> Handler for Reloading<H> {
    fn handle(
        &self,
        request: ServiceRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        if request != ServiceRequest::Reload {
            return self.now().handle(request, events, cancel);
        }
        let new = (self.make)().map_err(|words| {
            log::error!("{words}");
            log::error!("the settings of before stay in force");
            Failure::new(FailureCode::BadRequest, "", words)
        })?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        log::info!("the settings were read again");
        events.send(&ServiceEvent::Done(FinishReason::Complete))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{EVENT_CAP, read_frame};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Answers with its number, once it may.
    struct Numbered(u32, Mutex<Receiver<()>>);

    impl Handler for Numbered {
        fn handle(
            &self,
            _: ServiceRequest,
            events: &mut EventSink,
            _: &CancelToken,
        ) -> Result<(), Failure> {
            let _ = self.1.lock().unwrap().recv();
            events.send(&ServiceEvent::Text(self.0.to_string()))?;
            Ok(())
        }
    }

    fn ask(handler: &Reloading<Numbered>, request: ServiceRequest) -> Result<String, Failure> {
        let (mut sink, mut other) = EventSink::pair();
        handler.handle(request, &mut sink, &CancelToken::new())?;
        Ok(match read_frame(&mut other, EVENT_CAP).unwrap() {
            ServiceEvent::Text(text) => text,
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn what_is_being_answered_goes_on_by_the_settings_that_it_began_with() {
        let (number, gates) = (AtomicU32::new(0), Mutex::new(Vec::<Sender<()>>::new()));
        let (number, gates) = (Arc::new(number), Arc::new(gates));
        let (counted, opened) = (Arc::clone(&number), Arc::clone(&gates));
        let handler = Reloading::new(move || {
            let (sender, gate) = channel();
            opened.lock().unwrap().push(sender);
            match counted.fetch_add(1, Ordering::SeqCst) {
                2 => Err("services.toml:3: error: no".to_owned()),
                number => Ok(Numbered(number, Mutex::new(gate))),
            }
        });
        let handler = handler.unwrap();
        let open = |gate: usize| gates.lock().unwrap()[gate].send(()).unwrap();
        std::thread::scope(|scope| {
            let old = scope.spawn(|| ask(&handler, ServiceRequest::Models));
            // The first is taken in before the settings change, or it would answer as the second.
            while Arc::strong_count(&handler.now()) < 3 {
                std::thread::yield_now();
            }
            assert_eq!(
                ask(&handler, ServiceRequest::Reload).unwrap(),
                "Done(Complete)"
            );
            open(1);
            assert_eq!(ask(&handler, ServiceRequest::Models).unwrap(), "1");
            open(0);
            assert_eq!(old.join().unwrap().unwrap(), "0");
        });
        // Settings with a mistake leave everything as it is.
        let failure = ask(&handler, ServiceRequest::Reload).unwrap_err();
        assert!(failure.detail.contains("services.toml:3"));
        open(1);
        assert_eq!(ask(&handler, ServiceRequest::Models).unwrap(), "1");
    }
}
