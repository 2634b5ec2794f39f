//! The machine against what an unmodified wpa_supplicant was recorded to say (`tests/radio/transcripts`).

use super::fake::{identity, wanted};
use crate::link::radio::group::{Effect, Group};
use crate::link::radio::world::{Socket, World};
use serde::Deserialize;
use shared_proto::supplicant::{Event, parse};
use std::path::{Path, PathBuf};

#[derive(Debug, Deserialize)]
struct Entry {
    ms: u64,
    who: String,
    socket: String,
    request: Option<String>,
    reply: Option<String>,
    event: Option<String>,
}

/// A recorded supplicant: gives the answers that it gave, and says what it said.
struct Recording {
    entries: Vec<Entry>,
    at: usize,
    /// The sockets that it has now.
    sockets: Vec<String>,
    /// A supplicant that starts anew has new ones.
    generation: u64,
    group: Group,
    asked: Vec<String>,
    done: Vec<Effect>,
}

impl Recording {
    fn load(name: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../tests/radio/transcripts/{name}.jsonl"));
        let text = std::fs::read_to_string(&file).expect("a transcript");
        let entries: Vec<Entry> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("an entry"))
            .collect();
        let laptop: Vec<_> = entries
            .into_iter()
            .filter(|entry| entry.who == "laptop")
            .collect();
        let mut sockets = vec!["wlan0".to_owned()];
        if laptop.iter().any(|entry| entry.socket == "p2p-dev-wlan0") {
            sockets.insert(0, "p2p-dev-wlan0".to_owned());
        }
        Self {
            entries: laptop,
            at: 0,
            sockets,
            generation: 1,
            group: Group::new(wanted(), identity(), None),
            asked: Vec::new(),
            done: Vec::new(),
        }
    }

    fn world(&self) -> World {
        let socket = |name: &String| Socket {
            name: name.clone(),
            path: PathBuf::from("/run/wpa_supplicant").join(name),
            id: (self.generation, 0),
            open: true,
        };
        World {
            interfaces: vec!["wlan0".to_owned()],
            sockets: self.sockets.iter().map(socket).collect(),
            ..World::default()
        }
    }

    /// The recorded answer to this request: the next one after where the recording is, else the first.
    fn answer(&self, socket: &str, request: &str) -> Option<String> {
        if !self.sockets.iter().any(|known| known == socket) {
            return None;
        }
        let is_it = |index: &usize| {
            self.entries[*index].request.as_deref() == Some(request)
                && self.entries[*index].socket == socket
        };
        let asked = (self.at..self.entries.len())
            .find(is_it)
            .or_else(|| (0..self.entries.len()).find(is_it));
        let recorded = asked.and_then(|index| {
            let after = self.entries[index..]
                .iter()
                .find(|entry| entry.socket == socket && entry.reply.is_some());
            after.and_then(|entry| entry.reply.clone())
        });
        // What was not asked in that talk is answered as everywhere in the recordings.
        recorded.or_else(|| match request.split(' ').next()? {
            "SCAN_RESULTS" => Some("bssid / frequency / signal level / flags / ssid\n".to_owned()),
            "LIST_NETWORKS" => Some("network id / ssid / bssid / flags\n".to_owned()),
            "STATUS" => {
                Some("wpa_state=DISCONNECTED\np2p_device_address=02:00:00:00:0a:00\n".to_owned())
            }
            "ADD_NETWORK" => Some("0\n".to_owned()),
            "DRIVER_FLAGS" => Some("UNKNOWN COMMAND\n".to_owned()),
            "GET" | "GET_CAPABILITY" | "P2P_PEER" => Some("FAIL\n".to_owned()),
            _ => Some("OK\n".to_owned()),
        })
    }

    fn settle(&mut self, now: u64) {
        let mut steps = 0;
        while let Some(effect) = self.group.poll() {
            steps += 1;
            assert!(
                steps < 1000,
                "the machine runs in circles: {:?}",
                self.asked
            );
            let Effect::Ask(socket, command) = &effect else {
                self.done.push(effect);
                continue;
            };
            let text = command.text();
            let reply = self.answer(socket, &text);
            if text.starts_with("P2P_GROUP_ADD") {
                // From here on the talk goes as it went.
                let next = self.entries[self.at..]
                    .iter()
                    .position(|entry| entry.request.as_deref() == Some(&text));
                self.at += next.map_or(0, |next| next + 1);
            }
            self.asked.push(text);
            self.group.reply(reply.as_deref(), now);
        }
    }

    /// Plays it to its end, and lets the machine do as it wants from its first group on.
    fn play(&mut self, window: bool) {
        self.group.world(self.world(), 0);
        self.settle(0);
        if window {
            self.group.window(Some(1_000_000), 0);
        }
        while self.at < self.entries.len() {
            let entry = &self.entries[self.at];
            self.at += 1;
            let (now, socket) = (entry.ms, entry.socket.clone());
            let Some(event) = &entry.event else {
                continue;
            };
            let line = parse(event.as_bytes());
            match &line.event {
                Event::GroupStarted(group) if !self.sockets.contains(&group.interface) => {
                    self.sockets.push(group.interface.clone())
                }
                Event::GroupRemoved { interface, .. } => {
                    self.sockets.retain(|name| name != interface)
                }
                Event::Terminating => self.generation += 1,
                _ => {}
            }
            self.group.line(&socket, &line, now);
            self.settle(now);
            self.group.world(self.world(), now);
            self.settle(now);
            assert!(self.group.deadline().is_some(), "wedged after {line:?}");
        }
    }

    fn opened(&self) -> Vec<(&str, u16)> {
        let opened = self.done.iter().filter_map(|effect| match effect {
            Effect::Open(interface, mhz) => Some((interface.as_str(), *mhz)),
            _ => None,
        });
        opened.collect()
    }
}

#[test]
fn a_group_comes_up_in_every_recording() {
    for name in [
        "airplane-mode",
        "driver-reload",
        "group-start",
        "group-start-one-interface",
        "push-button-join",
        "quick-join",
        "range-loss",
        "station-join",
        "supplicant-restart",
        "two-guests",
        "without-p2p",
    ] {
        let mut recording = Recording::load(name);
        recording.play(false);
        assert_eq!(
            recording.opened().first(),
            Some(&("p2p-wlan0-0", 2412)),
            "{name}: {:?}",
            recording.asked
        );
        assert!(
            !recording.asked.iter().any(|asked| asked.starts_with("WPS")),
            "{name}: nobody opened a window"
        );
        let closed = recording
            .done
            .iter()
            .filter(|effect| **effect == Effect::Close)
            .count();
        assert!(recording.opened().len() - closed <= 1, "{name}");
    }
}

#[test]
fn recorded_losses_are_noticed() {
    for name in ["airplane-mode", "driver-reload", "supplicant-restart"] {
        let mut recording = Recording::load(name);
        recording.play(false);
        assert!(recording.done.contains(&Effect::Close), "{name}");
    }
    // A guest out of range is no loss of the group.
    let mut recording = Recording::load("range-loss");
    recording.play(false);
    assert!(!recording.done.contains(&Effect::Close));
}

#[test]
fn a_recorded_push_is_answered_for_that_handheld_alone() {
    for name in ["push-button-join", "quick-join"] {
        let mut recording = Recording::load(name);
        recording.play(true);
        let pushes: Vec<_> = recording
            .asked
            .iter()
            .filter(|asked| asked.starts_with("WPS_PBC"))
            .collect();
        assert!(!pushes.is_empty(), "{name}");
        assert!(
            pushes
                .iter()
                .all(|push| *push == "WPS_PBC p2p_dev_addr=02:00:00:00:0b:00"),
            "{name}: {pushes:?}"
        );
    }
}

#[test]
fn a_stop_at_any_point_of_a_recording_ends_it() {
    for name in ["group-start", "airplane-mode", "supplicant-restart"] {
        let len = Recording::load(name).entries.len();
        for stop_at in (0..len).step_by(7) {
            let mut recording = Recording::load(name);
            recording.entries.truncate(stop_at);
            recording.play(false);
            let now = 1_000_000;
            recording.group.stop(now);
            recording.settle(now);
            // A group that was agreed to may still come; it is not waited for for ever.
            if let Some(until) = recording.group.deadline() {
                recording.group.tick(until);
                recording.settle(until);
            }
            assert!(
                recording.done.contains(&Effect::Done),
                "{name} after {stop_at}"
            );
        }
    }
}
