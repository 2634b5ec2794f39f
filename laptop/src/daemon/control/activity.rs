//! What was asked for lately: from the ledger, with the time that it took from what was seen since the start.

use super::{Control, Method, ledger, read, value};
use crate::control::RpcError;
use crate::control::api::{Activity, ActivityRange, PastRequest, PastWant};
use crate::hub::{self, Hub};
use crate::ledger::{Event, Want};
use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Requests where no number is named.
const USUAL_LAST: usize = 50;
/// Most requests.
const MAX_LAST: usize = 200;
/// Entries of the ledger that are looked at for each request: it is taken in, a person answers, it ends, and there are
/// checkpoints and changes between.
const ENTRIES_PER_REQUEST: u64 = 6;
/// Requests whose time is remembered.
const MAX_TIMES: usize = 512;

pub(super) const METHODS: &[Method] = &[Method::read("activity", |control, params| {
    value(&control.activity(&read::<Option<ActivityRange>>(params)?.unwrap_or_default())?)
})];

impl Control {
    fn activity(&self, range: &ActivityRange) -> Result<Activity, RpcError> {
        let last = range.last.unwrap_or(USUAL_LAST).clamp(1, MAX_LAST);
        let now = self.hub.wall();
        let store = &self.hub.store;
        let names: BTreeMap<i64, String> = (store.relationships()?.into_iter())
            .chain(store.callers()?)
            .map(|one| (one.id, one.name))
            .collect();
        let looked = MAX_LAST as u64 * ENTRIES_PER_REQUEST;
        let mut requests = assemble(ledger::entries(&self.hub, looked)?, &names, now);
        let within = |span: i64| requests.iter().filter(|one| one.ago_s < span).count();
        let (last_minute, last_hour) = (within(60), within(3600));
        requests.truncate(last);
        let times = self.times.0.lock().unwrap_or_else(PoisonError::into_inner);
        for one in &mut requests {
            one.time = self
                .hub
                .store
                .local_time(now - one.ago_s)?
                .replace('.', ":");
            let key = (crate::sanitize::visible(&one.name), one.request);
            let took = times.took.iter().find(|(seen, _)| *seen == key);
            one.took_ms = took.map(|(_, took)| took.as_millis() as u64);
        }
        let mut sorted: Vec<u64> = times
            .took
            .iter()
            .map(|(_, took)| took.as_millis() as u64)
            .collect();
        sorted.sort_unstable();
        Ok(Activity {
            last_minute,
            last_hour,
            median_ms: part(&sorted, 50),
            p95_ms: part(&sorted, 95),
            requests,
        })
    }
}

/// The value that `percent` of `sorted` do not exceed.
fn part(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// Requests from entries, newest first.
fn assemble(
    entries: Vec<(i64, Event)>,
    names: &BTreeMap<i64, String>,
    now: i64,
) -> Vec<PastRequest> {
    let wants = |wants: Vec<Want>| {
        wants
            .into_iter()
            .map(|want| PastWant {
                operation: want.operation,
                target: want.target,
            })
            .collect()
    };
    let begun =
        |at: i64, device: i64, request: u64, wanted: Vec<Want>, verdict: String| PastRequest {
            device,
            name: names.get(&device).cloned().unwrap_or_default(),
            request,
            time: String::new(),
            ago_s: (now - at).max(0),
            wants: wants(wanted),
            verdict,
            answer: None,
            outcome: None,
            took_ms: None,
            tokens: 0,
            pictures: 0,
            bytes: 0,
        };
    let mut requests: Vec<PastRequest> = Vec::new();
    for (at, event) in entries {
        let found = |requests: &mut Vec<PastRequest>, device, request| {
            requests
                .iter()
                .rposition(|one: &PastRequest| one.device == device && one.request == request)
        };
        match event {
            Event::Taken {
                device,
                request,
                wants,
                verdict,
                ..
            }
            | Event::Called {
                device,
                request,
                wants,
                verdict,
                ..
            } => requests.push(begun(at, device, request, wants, verdict)),
            Event::Refused {
                device,
                request,
                wants,
                reason,
                ..
            } => {
                let mut one = begun(at, device, request, wants, "deny".into());
                one.outcome = Some(reason);
                requests.push(one);
            }
            Event::Answered {
                device,
                request,
                answer,
            } => {
                if let Some(at) = found(&mut requests, device, request) {
                    requests[at].answer = Some(answer);
                }
            }
            Event::Ended {
                device,
                request,
                outcome,
                used,
            } => {
                if let Some(at) = found(&mut requests, device, request) {
                    let one = &mut requests[at];
                    one.outcome = Some(outcome);
                    (one.tokens, one.pictures, one.bytes) =
                        (used.tokens, used.pictures, used.bytes);
                }
            }
            _ => {}
        }
    }
    requests.reverse();
    requests
}

/// Name of a device, escaped, and number of a request.
type Key = (String, u64);

/// When requests began, and how long those took that ended.
#[derive(Default)]
struct Seen {
    begun: BTreeMap<Key, Instant>,
    asked: BTreeMap<u64, Key>,
    took: VecDeque<(Key, Duration)>,
}

impl Seen {
    fn note(&mut self, activity: hub::Activity, now: Instant) {
        match activity {
            hub::Activity::Taken {
                device, request, ..
            } => {
                self.begun.insert((device, request), now);
            }
            hub::Activity::Asked(asked) => {
                self.asked
                    .insert(asked.number, (asked.device, asked.request));
            }
            hub::Activity::Answered { number, .. } => {
                // The time that a person took is not the laptop's.
                if let Some(begun) = self
                    .asked
                    .remove(&number)
                    .and_then(|key| self.begun.get_mut(&key))
                {
                    *begun = now;
                }
            }
            hub::Activity::Ended {
                device,
                request,
                outcome,
            } => {
                let key = (device, request);
                let begun = self.begun.remove(&key);
                if let Some(begun) = begun.filter(|_| outcome == "done") {
                    self.took
                        .push_back((key, now.saturating_duration_since(begun)));
                    if self.took.len() > MAX_TIMES {
                        self.took.pop_front();
                    }
                }
            }
            hub::Activity::Refused { .. } | hub::Activity::Link { .. } => {}
        }
    }
}

/// Follows what happens, in a thread of its own.
pub(super) struct Times(Arc<Mutex<Seen>>);

impl Times {
    /// Begins to follow `hub`.
    pub(super) fn follow(hub: &Hub) -> Self {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (kept, activities) = (Arc::clone(&seen), hub.desk.watch());
        let spawned = std::thread::Builder::new()
            .name("times".into())
            .spawn(move || follow(&kept, &activities));
        if let Err(error) = spawned {
            log::warn!("how long requests take is not measured: {error}");
        }
        Self(seen)
    }
}

fn follow(seen: &Mutex<Seen>, activities: &Receiver<hub::Activity>) {
    for activity in activities {
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(activity, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Amounts, Hex};

    fn taken(device: i64, request: u64, verdict: &str) -> Event {
        Event::Taken {
            device,
            request,
            digest: Hex([0; 32]),
            exporter: Hex([0; 32]),
            key: Hex([0; 32]),
            signature: Hex([0; 64]),
            wants: vec![Want {
                operation: "chat".into(),
                target: "built-in/partner".into(),
            }],
            bound: Amounts::default(),
            verdict: verdict.into(),
        }
    }

    #[test]
    fn entries_of_one_request_come_together_newest_first() {
        let names = BTreeMap::from([(1, "Pocket".to_owned())]);
        let ended = |request| Event::Ended {
            device: 1,
            request,
            outcome: "done".into(),
            used: Amounts {
                tokens: 7,
                pictures: 0,
                bytes: 0,
                ..Amounts::default()
            },
        };
        let entries = vec![
            (90, ended(1)),
            (100, taken(1, 2, "ask")),
            (101, taken(2, 2, "allow")),
            (
                102,
                Event::Answered {
                    device: 1,
                    request: 2,
                    answer: "yes".into(),
                },
            ),
            (104, ended(2)),
            (
                105,
                Event::Refused {
                    device: 1,
                    request: 3,
                    digest: Hex([0; 32]),
                    wants: Vec::new(),
                    reason: "denied".into(),
                },
            ),
        ];
        let seen = assemble(entries, &names, 110);
        let plain: Vec<_> = seen
            .iter()
            .map(|one| {
                (
                    one.device,
                    one.request,
                    one.verdict.as_str(),
                    one.answer.as_deref(),
                    one.outcome.as_deref(),
                    one.tokens,
                    one.ago_s,
                )
            })
            .collect();
        assert_eq!(
            plain,
            [
                (1, 3, "deny", None, Some("denied"), 0, 5),
                (2, 2, "allow", None, None, 0, 9),
                (1, 2, "ask", Some("yes"), Some("done"), 7, 10),
            ]
        );
        assert_eq!(seen[2].name, "Pocket");
        assert_eq!(seen[2].wants[0].operation, "chat");
    }

    #[test]
    fn the_time_of_a_person_does_not_count() {
        let mut seen = Seen::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let key = ("Pocket".to_owned(), 4);
        seen.note(
            hub::Activity::Taken {
                device: key.0.clone(),
                request: 4,
                lines: Vec::new(),
            },
            at(0),
        );
        seen.note(
            hub::Activity::Asked(hub::Pending {
                number: 9,
                relationship: 1,
                device: key.0.clone(),
                request: 4,
                lines: Vec::new(),
                cost: String::new(),
                operations: Vec::new(),
                expires_at: start,
            }),
            at(1),
        );
        seen.note(
            hub::Activity::Answered {
                number: 9,
                answer: "yes",
            },
            at(5_000),
        );
        seen.note(
            hub::Activity::Ended {
                device: key.0.clone(),
                request: 4,
                outcome: "done".into(),
            },
            at(5_040),
        );
        assert_eq!(seen.took, [(key, Duration::from_millis(40))]);
        assert!(seen.begun.is_empty() && seen.asked.is_empty());
    }

    #[test]
    fn parts_are_ranks() {
        assert_eq!(part(&[], 50), None);
        assert_eq!(part(&[4], 95), Some(4));
        assert_eq!(part(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(part(&(1..=100).collect::<Vec<_>>(), 95), Some(95));
    }
}
