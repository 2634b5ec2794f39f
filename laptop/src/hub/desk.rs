//! Questions to a person, and a running account of what happens.

use crate::ipc::CancelToken;
use crate::policy::{Consent, Prompt};
use shared_proto::opcode::Operation;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Events that a watcher may leave unread; one that falls further behind is let go.
const MAX_UNREAD: usize = 1024;

/// A question that waits for an answer. Every text is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Number to answer by.
    pub number: u64,
    /// The relationship that asks.
    pub relationship: i64,
    /// Name of the device.
    pub device: String,
    /// Number of the request.
    pub request: u64,
    /// What it would do.
    pub lines: Vec<String>,
    /// What it may cost.
    pub cost: String,
    /// The operations that it is about; none where it is about something else.
    pub operations: Vec<Operation>,
    /// When nobody is waited for any longer.
    pub expires_at: Instant,
}

/// A question to be put. Every text is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The relationship that asks.
    pub relationship: i64,
    /// Name of the device.
    pub device: String,
    /// Number of the request; zero where it is about none.
    pub request: u64,
    /// What it would do.
    pub lines: Vec<String>,
    /// What it may cost.
    pub cost: String,
    /// The operations that it is about; none where it is about something else.
    pub operations: Vec<Operation>,
}

/// Something that happened. Every text is safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A person is asked.
    Asked(Pending),
    /// The question was answered, or nobody did.
    Answered {
        /// Number of the question.
        number: u64,
        /// `yes`, `no`, `expired` or `withdrawn`.
        answer: &'static str,
    },
    /// A request was taken in.
    Taken {
        /// Name of the device.
        device: String,
        /// Number of the request.
        request: u64,
        /// What it does.
        lines: Vec<String>,
    },
    /// A request was refused before anything ran.
    Refused {
        /// Name of the device.
        device: String,
        /// Number of the request.
        request: u64,
        /// Why.
        reason: String,
    },
    /// A request ended.
    Ended {
        /// Name of the device.
        device: String,
        /// Number of the request.
        request: u64,
        /// `done`, or what went wrong.
        outcome: String,
    },
    /// A device linked or left.
    Link {
        /// Name of the device.
        device: String,
        /// Whether it is here now.
        linked: bool,
    },
}

/// How a question ended.
#[derive(Debug)]
pub(super) enum Answer {
    Yes(Consent),
    No,
    Expired,
    Withdrawn,
}

/// Why an answer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// No such question waits: it was answered, withdrawn, or has expired.
    NotPending,
}

impl std::fmt::Display for AnswerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no such question waits; it was answered, withdrawn, or has expired")
    }
}

impl std::error::Error for AnswerError {}

#[derive(Default)]
struct Inner {
    numbers: u64,
    pending: BTreeMap<u64, (Pending, Sender<bool>)>,
    watchers: Vec<SyncSender<Activity>>,
}

/// See the module.
#[derive(Default)]
pub struct Desk(Mutex<Inner>);

impl Desk {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Questions that wait, oldest first.
    pub fn pending(&self) -> Vec<Pending> {
        self.lock()
            .pending
            .values()
            .map(|(pending, _)| pending.clone())
            .collect()
    }

    /// Answers a question.
    ///
    /// # Errors
    /// [`AnswerError::NotPending`].
    pub fn answer(&self, number: u64, yes: bool) -> Result<(), AnswerError> {
        let (_, sender) = self
            .lock()
            .pending
            .remove(&number)
            .ok_or(AnswerError::NotPending)?;
        sender.send(yes).map_err(|_| AnswerError::NotPending)
    }

    /// Follows what happens from now on.
    pub fn watch(&self) -> Receiver<Activity> {
        let (sender, receiver) = sync_channel(MAX_UNREAD);
        self.lock().watchers.push(sender);
        receiver
    }

    /// Tells watchers.
    pub fn tell(&self, activity: &Activity) {
        self.lock().watchers.retain(|watcher| {
            !matches!(
                watcher.try_send(activity.clone()),
                Err(TrySendError::Disconnected(_) | TrySendError::Full(_))
            )
        });
    }

    /// Asks about a program and waits for the answer, `timeout` at the most or until `cancel`.
    pub(super) fn ask(
        &self,
        prompt: Prompt,
        device: &str,
        timeout: Duration,
        cancel: &CancelToken,
    ) -> Answer {
        let question = Question {
            relationship: prompt.relationship,
            device: device.to_owned(),
            request: prompt.request,
            lines: prompt.lines.clone(),
            cost: prompt.cost.clone(),
            operations: prompt.operations.clone(),
        };
        match self.put(question, timeout, cancel) {
            _ if cancel.is_cancelled() => Answer::Withdrawn,
            Some(true) => Answer::Yes(prompt.consent()),
            Some(false) => Answer::No,
            None => Answer::Expired,
        }
    }

    /// Puts a question and waits for the answer, `timeout` at the most or until `cancel`, which counts as no. `None`
    /// where nobody answered.
    pub fn put(&self, question: Question, timeout: Duration, cancel: &CancelToken) -> Option<bool> {
        let (sender, answers) = channel();
        let pending = {
            let mut inner = self.lock();
            inner.numbers += 1;
            let pending = Pending {
                number: inner.numbers,
                relationship: question.relationship,
                device: question.device,
                request: question.request,
                lines: question.lines,
                cost: question.cost,
                operations: question.operations,
                expires_at: Instant::now() + timeout,
            };
            inner
                .pending
                .insert(pending.number, (pending.clone(), sender.clone()));
            pending
        };
        let number = pending.number;
        self.tell(&Activity::Asked(pending));
        let _guard = cancel.on_cancel(move || {
            let _ = sender.send(false);
        });
        let mut answer = answers.recv_timeout(timeout).ok();
        let taken = self.lock().pending.remove(&number).is_none();
        if taken && answer.is_none() {
            // Somebody answered just as the time was up and was told that it counts: then it counts.
            answer = answers.recv().ok();
        }
        let word = match answer {
            // A withdrawal is told apart from a no by the token.
            _ if cancel.is_cancelled() => "withdrawn",
            Some(true) => "yes",
            Some(false) => "no",
            None => "expired",
        };
        self.tell(&Activity::Answered {
            number,
            answer: word,
        });
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_taken_counts_even_at_the_last_moment() {
        let desk = Desk::new();
        let seen = Mutex::new(desk.watch());
        let next = || seen.lock().unwrap().recv().unwrap();
        for _ in 0..500 {
            let question = Question {
                relationship: 1,
                device: "pocket".into(),
                request: 1,
                lines: Vec::new(),
                cost: String::new(),
                operations: Vec::new(),
            };
            let (answered, counted) = std::thread::scope(|scope| {
                let answering = scope.spawn(|| match next() {
                    Activity::Asked(pending) => desk.answer(pending.number, true).is_ok(),
                    other => panic!("{other:?}"),
                });
                let counted = desk.put(question, Duration::ZERO, &CancelToken::new());
                (answering.join().unwrap(), counted)
            });
            assert_eq!(counted, answered.then_some(true));
            assert!(matches!(next(), Activity::Answered { .. }));
        }
    }
}
