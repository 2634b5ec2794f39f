//! Turns at a service: waits in line, regards what the laptop itself can bear, and says on the handheld what is waited for.

use super::gauge::Gauge;
use super::queue::{Queue, Ticket};
use super::record::Phase;
use super::work::Work;
use crate::executor::{Fault, Turn};
use crate::policy::{Manners, Ruling, Size, rule};
use shared_proto::error::ErrorCode;
use shared_proto::time::Millis;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long until busy processors are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How the hub shares its services out.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// Language operations at a time.
    pub language_at_once: usize,
    /// Picture operations at a time.
    pub pictures_at_once: usize,
    /// What is regarded of the laptop's state.
    pub manners: Manners,
    /// Longest time that work waits for busy processors; then it runs all the same.
    pub longest_wait: Duration,
    /// Where `/proc` and `/sys` are: `/`, but in tests.
    pub root: std::path::PathBuf,
}

impl Default for Sharing {
    fn default() -> Self {
        Self {
            language_at_once: 8,
            pictures_at_once: 1,
            manners: Manners::default(),
            longest_wait: Duration::from_secs(60),
            root: Path::new("/").to_owned(),
        }
    }
}

struct Line {
    queue: Mutex<Queue>,
    moved: Condvar,
    started: Instant,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn leave(&self, ticket: Ticket) {
        let now = self.now();
        let mut queue = self.lock();
        queue.leave(ticket, now);
        queue.advance(now);
        drop(queue);
        self.moved.notify_all();
    }
}

/// A ticket that is given back whatever happens.
struct Held {
    line: Arc<Line>,
    ticket: Ticket,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.line.leave(self.ticket);
    }
}

/// One service's line.
pub(super) struct Turns {
    line: Arc<Line>,
    gauge: Gauge,
    rules: RwLock<Rules>,
}

/// What may change while it runs.
#[derive(Debug, Clone, Copy)]
struct Rules {
    manners: Manners,
    longest_wait: Duration,
}

impl Rules {
    fn of(sharing: &Sharing) -> Self {
        Self {
            manners: sharing.manners,
            longest_wait: sharing.longest_wait,
        }
    }
}

impl Turns {
    pub(super) fn new(places: usize, sharing: &Sharing) -> Self {
        Self {
            line: Arc::new(Line {
                queue: Mutex::new(Queue::new(places)),
                moved: Condvar::new(),
                started: Instant::now(),
            }),
            gauge: Gauge::new(&sharing.root),
            rules: RwLock::new(Rules::of(sharing)),
        }
    }

    /// Goes by other numbers from now on. Who works goes on; who waits is looked at anew.
    pub(super) fn adjust(&self, places: usize, sharing: &Sharing) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Rules::of(sharing);
        let now = self.line.now();
        let mut queue = self.line.lock();
        queue.set_places(places);
        queue.advance(now);
        drop(queue);
        self.line.moved.notify_all();
    }

    /// How many work and how many wait.
    pub(super) fn counts(&self) -> (usize, usize) {
        let queue = self.line.lock();
        (queue.at_work(), queue.in_line())
    }

    /// Waits until `work` may start something of `size`; dropping the turn ends it.
    ///
    /// # Errors
    /// `Spared` where the laptop can bear no such work now, or that it was cancelled.
    pub(super) fn take(&self, work: &Work, size: Size) -> Result<Turn, Fault> {
        // Before the line: who would be refused at its end need not stand in it.
        self.bear(work, size, true)?;
        let ticket = self.line.lock().join(work.relationship, self.line.now());
        let held = Held {
            line: Arc::clone(&self.line),
            ticket,
        };
        self.stand(work, ticket)?;
        self.bear(work, size, false)?;
        work.set_phase(Phase::Running);
        Ok(Turn::new(held))
    }

    fn stand(&self, work: &Work, ticket: Ticket) -> Result<(), Fault> {
        let line = Arc::clone(&self.line);
        let _woken = work.cancel.on_cancel(move || {
            // Taken once, so that nobody is between looking and sleeping.
            drop(line.lock());
            line.moved.notify_all();
        });
        let mut told = None;
        loop {
            let ahead = {
                let mut queue = self.line.lock();
                loop {
                    if work.cancel.is_cancelled() {
                        return Err(Fault::cancelled());
                    }
                    let now = self.line.now();
                    if queue.advance(now) {
                        self.line.moved.notify_all();
                    }
                    if queue.runs(ticket) {
                        return Ok(());
                    }
                    let ahead = queue.ahead(ticket, now);
                    if told != Some(ahead) {
                        break ahead;
                    }
                    queue = self
                        .line
                        .moved
                        .wait(queue)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            };
            told = Some(ahead);
            let ahead = u16::try_from(ahead).unwrap_or(u16::MAX);
            work.set_phase(Phase::Queued { ahead, busy: 0 });
        }
    }

    /// Waits for the processors, unless `at_once`, and refuses what battery or heat forbid.
    fn bear(&self, work: &Work, size: Size, at_once: bool) -> Result<(), Fault> {
        let start = Instant::now();
        loop {
            let Rules {
                manners,
                longest_wait,
            } = *self.rules.read().unwrap_or_else(PoisonError::into_inner);
            let mut reading = self.gauge.read();
            let enough = at_once || start.elapsed() >= longest_wait;
            // Where another request of ours is at work, the load is ours: the line is what shares that.
            let ours = size != Size::Elsewhere && self.counts().0 <= 1;
            if manners.wait_when_busy && !enough && ours {
                reading.cpu = self.gauge.load();
            }
            match rule(&manners, &reading, size, enough) {
                Ruling::Go => return Ok(()),
                Ruling::Block(strain) => {
                    return Err(Fault::new(ErrorCode::Spared, strain.to_string()));
                }
                Ruling::Wait(busy) => work.set_phase(Phase::Queued { ahead: 0, busy }),
            }
            if !work.cancel.sleep(LOOK_AGAIN) {
                return Err(Fault::cancelled());
            }
        }
    }
}
