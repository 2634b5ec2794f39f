use super::*;
use crate::link::radio::trouble::Switch;
use crate::link::radio::world::Socket;
use proptest::prelude::*;
use shared_proto::supplicant::parse;
use std::collections::BTreeMap;
use std::path::PathBuf;

const SSID: &str = "DIRECT-k3-Ada's ThinkPad";
const PASSPHRASE: &str = "m4xq-7tkp-w9hd";
const POCKET: &str = "02:00:00:00:0b:00";

fn identity() -> Identity {
    Identity {
        ssid: SSID.to_owned(),
        passphrase: PASSPHRASE.to_owned(),
        frequency: None,
    }
}

fn wanted() -> Wanted {
    Wanted {
        interface: None,
        name: "Ada's ThinkPad".to_owned(),
        frequency: None,
    }
}

/// A laptop with a supplicant that does as wpa_supplicant 2.10 does (`tests/radio/NOTES.md`), and the machine on it.
struct Laptop {
    group: Group,
    now: u64,
    generation: u64,
    sockets: Vec<String>,
    settings: BTreeMap<String, String>,
    blocks: BTreeMap<u32, (String, String)>,
    running: Option<(String, u16)>,
    station: Option<u16>,
    allowed: Vec<u16>,
    flags: &'static str,
    p2p: bool,
    /// Answers `P2P_GROUP_ADD` with `OK` and then nothing.
    stalls: bool,
    counter: u32,
    events: VecDeque<(String, String)>,
    /// What was asked, and what was done.
    asked: Vec<String>,
    done: Vec<Effect>,
}

impl Laptop {
    fn new() -> Self {
        Self {
            group: Group::new(wanted(), identity(), None),
            now: 1000,
            generation: 1,
            sockets: vec!["p2p-dev-wlan0".to_owned(), "wlan0".to_owned()],
            settings: BTreeMap::from([("p2p_intra_bss".to_owned(), "1".to_owned())]),
            blocks: BTreeMap::new(),
            running: None,
            station: None,
            allowed: vec![2412, 2437, 2462],
            flags: "AP\nP2P_CONCURRENT\nP2P_CAPABLE\n",
            p2p: true,
            stalls: false,
            counter: 0,
            events: VecDeque::new(),
            asked: Vec::new(),
            done: Vec::new(),
        }
    }

    fn world(&self) -> World {
        let names = self
            .sockets
            .iter()
            .cloned()
            .chain(self.running.iter().map(|(name, _)| name.clone()));
        World {
            interfaces: vec!["wlan0".to_owned()],
            sockets: names
                .map(|name| Socket {
                    path: PathBuf::from("/run/wpa_supplicant").join(&name),
                    name,
                    id: (self.generation, 0),
                    open: true,
                })
                .collect(),
            ..World::default()
        }
    }

    /// Shows the machine the laptop as it is, and lets both do what they have to.
    fn run(&mut self) {
        let world = self.world();
        self.group.world(world, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            while let Some(effect) = self.group.poll() {
                if let Effect::Ask(socket, command) = &effect {
                    self.asked.push(command.text());
                    let reply = self.answer(socket, &command.text());
                    self.group.reply(reply.as_deref(), self.now);
                } else {
                    self.done.push(effect);
                }
            }
            let Some((socket, event)) = self.events.pop_front() else {
                return;
            };
            self.group.line(&socket, &parse(event.as_bytes()), self.now);
        }
    }

    /// Lets time pass up to the machine's next deadline.
    fn wait(&mut self) {
        self.now = self.group.deadline().expect("a deadline").max(self.now);
        self.run();
    }

    fn say(&mut self, socket: &str, event: &str) {
        self.events.push_back((socket.to_owned(), event.to_owned()));
    }

    fn answer(&mut self, socket: &str, request: &str) -> Option<String> {
        if !self
            .world()
            .sockets
            .iter()
            .any(|known| known.name == socket)
        {
            return None;
        }
        let (word, rest) = request.split_once(' ').unwrap_or((request, ""));
        let ok = || Some("OK\n".to_owned());
        let fail = || Some("FAIL\n".to_owned());
        match word {
            "STATUS" => Some(self.status(socket)),
            "P2P_PEER" => fail(),
            "DRIVER_FLAGS" => Some(format!("E4000D31FB5BFBE0:\n{}", self.flags)),
            "GET_CAPABILITY" => {
                let rows = self.allowed.iter().map(|mhz| format!(" 1 = {mhz} MHz\n"));
                Some(format!("Mode[G] Channels:\n{} 13 = 2472 MHz (NO_IR)\n", rows.collect::<String>()))
            }
            "GET" => self.settings.get(rest).cloned().or_else(fail),
            "SET" => {
                let (name, value) = rest.split_once(' ')?;
                self.settings.insert(name.to_owned(), value.to_owned());
                ok()
            }
            "LIST_NETWORKS" => {
                let row = |(id, (ssid, _)): (&u32, &(String, String))| format!("{id}\t{ssid}\tany\t[DISABLED][P2P-PERSISTENT]\n");
                Some(format!("network id / ssid / bssid / flags\n{}", self.blocks.iter().map(row).collect::<String>()))
            }
            "ADD_NETWORK" => {
                let id = self.blocks.keys().max().map_or(0, |id| id + 1);
                self.blocks.insert(id, Default::default());
                Some(format!("{id}\n"))
            }
            "SET_NETWORK" => {
                let mut words = rest.splitn(3, ' ');
                let block = self.blocks.get_mut(&words.next()?.parse().ok()?)?;
                match (words.next()?, words.next()?) {
                    ("ssid", hex) => {
                        let octets = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
                        block.0 = String::from_utf8(octets.collect()).expect("text");
                    }
                    ("psk", quoted) => block.1 = quoted.trim_matches('"').to_owned(),
                    _ => {}
                }
                ok()
            }
            "REMOVE_NETWORK" => self.blocks.remove(&rest.parse().ok()?).map_or_else(fail, |_| ok()),
            "SCAN_RESULTS" => Some(
                "bssid / frequency / signal level / flags / ssid\n02:00:00:00:0c:00\t2412\t-40\t[ESS]\tx\n02:00:00:00:0d:00\t2437\t-80\t[ESS]\ty\n"
                    .to_owned(),
            ),
            "P2P_GROUP_ADD" => {
                let mut words = rest.split(' ').map(|word| word.split_once('=').expect("a value").1.parse::<u32>().expect("a number"));
                let (id, mhz) = (words.next()?, words.next()? as u16);
                let block = self.blocks.get(&id)?.clone();
                if !self.allowed.contains(&mhz) || self.station.is_some_and(|station| station != mhz) {
                    return fail();
                }
                if !self.stalls {
                    let name = format!("p2p-wlan0-{}", self.counter);
                    self.counter += 1;
                    self.say(
                        "p2p-dev-wlan0",
                        &format!("<3>P2P-GROUP-STARTED {name} GO ssid=\"{}\" freq={mhz} passphrase=\"{}\" go_dev_addr=02:00:00:00:0a:00 [PERSISTENT]", block.0, block.1),
                    );
                    self.running = Some((name, mhz));
                }
                ok()
            }
            "P2P_GROUP_REMOVE" => {
                let Some((name, _)) = self.running.take_if(|(name, _)| name == rest) else {
                    return fail();
                };
                self.say("p2p-dev-wlan0", &format!("<3>P2P-GROUP-REMOVED {name} GO reason=REQUESTED"));
                ok()
            }
            "P2P_GET_PASSPHRASE" => Some(PASSPHRASE.to_owned()),
            "WPS_PBC" | "WPS_CANCEL" => ok(),
            _ => Some("UNKNOWN COMMAND\n".to_owned()),
        }
    }

    fn status(&self, socket: &str) -> String {
        let device = if self.p2p {
            "p2p_device_address=02:00:00:00:0a:00\n"
        } else {
            ""
        };
        match (&self.running, self.station) {
            (Some((name, mhz)), _) if name == socket => format!(
                "bssid=06:00:00:00:0a:00\nfreq={mhz}\nssid={SSID}\nid=0\nmode=P2P GO\nwpa_state=COMPLETED\n{device}address=06:00:00:00:0a:00\n"
            ),
            (_, Some(mhz)) if socket == "wlan0" => {
                format!(
                    "bssid=02:00:00:00:0c:00\nfreq={mhz}\nssid=home\nid=0\nmode=station\nwpa_state=COMPLETED\n{device}"
                )
            }
            _ => format!("wpa_state=DISCONNECTED\n{device}address=02:00:00:00:0a:00\n"),
        }
    }

    fn restart_supplicant(&mut self) {
        self.generation += 1;
        self.settings = BTreeMap::from([("p2p_intra_bss".to_owned(), "1".to_owned())]);
        self.blocks.clear();
        self.running = None;
    }

    fn take(&mut self) -> Vec<Effect> {
        self.asked.clear();
        std::mem::take(&mut self.done)
    }

    fn told(&self) -> Option<&Trouble> {
        self.done.iter().rev().find_map(|effect| match effect {
            Effect::Tell(trouble) => Some(trouble.as_ref()),
            _ => None,
        })?
    }
}

fn open(name: &str, mhz: u16) -> Effect {
    Effect::Open(name.to_owned(), mhz)
}

/// One that is up on `p2p-wlan0-0`.
fn up() -> Laptop {
    let mut laptop = Laptop::new();
    laptop.run();
    assert!(
        laptop.done.contains(&open("p2p-wlan0-0", 2462)),
        "{:?}",
        laptop.done
    );
    laptop.take();
    laptop
}

#[test]
fn a_group_comes_up_with_our_name_and_passphrase_on_a_quiet_channel() {
    let mut laptop = Laptop::new();
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
    assert_eq!(laptop.blocks[&0], (SSID.to_owned(), PASSPHRASE.to_owned()));
    assert_eq!(laptop.settings["device_name"], "Ada's ThinkPad");
    assert_eq!(laptop.settings["model_name"], "OfficeOS");
    assert_eq!(laptop.settings["p2p_intra_bss"], "0");
    let position = |text: &str| {
        laptop
            .asked
            .iter()
            .position(|asked| asked.starts_with(text))
            .expect(text)
    };
    assert!(position("SET p2p_intra_bss 0") < position("P2P_GROUP_ADD"));
    assert!(
        laptop
            .asked
            .contains(&"SET_NETWORK 0 bssid 02:00:00:00:0a:00".to_owned())
    );
}

#[test]
fn what_has_to_be_put_back_is_kept_before_it_is_changed() {
    let mut laptop = Laptop::new();
    laptop
        .settings
        .insert("device_name".to_owned(), "x1".to_owned());
    laptop.run();
    let kept = laptop.done.iter().find_map(|effect| match effect {
        Effect::Keep(Some(before)) => Some(before.clone()),
        _ => None,
    });
    let values = [
        ("device_name", "x1"),
        ("model_name", ""),
        ("config_methods", ""),
        ("p2p_intra_bss", "1"),
    ];
    assert_eq!(
        kept.expect("kept").values,
        values.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let (kept_at, set_at) = (
        laptop
            .done
            .iter()
            .position(|effect| matches!(effect, Effect::Keep(_))),
        laptop.asked.len(),
    );
    assert!(kept_at.is_some() && set_at > 0);
}

#[test]
fn stopping_puts_everything_back() {
    let mut laptop = Laptop::new();
    laptop
        .settings
        .insert("device_name".to_owned(), "x1".to_owned());
    laptop.run();
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.running, None);
    assert!(laptop.blocks.is_empty());
    assert_eq!(laptop.settings["device_name"], "x1");
    assert_eq!(laptop.settings["model_name"], "");
    assert_eq!(laptop.settings["p2p_intra_bss"], "1");
    let last = &laptop.done[laptop.done.len() - 4..];
    assert_eq!(
        last,
        [
            Effect::Close,
            Effect::Hear(Vec::new()),
            Effect::Keep(None),
            Effect::Done
        ]
    );
    assert_eq!(laptop.group.deadline(), None);
}

#[test]
fn stopping_waits_for_a_group_that_is_about_to_come_up() {
    let mut laptop = Laptop::new();
    laptop.stalls = true;
    laptop.run();
    laptop.take();
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert!(!laptop.done.contains(&Effect::Done));
    laptop.running = Some(("p2p-wlan0-0".to_owned(), 2462));
    laptop.say("p2p-dev-wlan0", &format!("<3>P2P-GROUP-STARTED p2p-wlan0-0 GO ssid=\"{SSID}\" freq=2462 go_dev_addr=02:00:00:00:0a:00"));
    laptop.run();
    assert_eq!(laptop.running, None);
    assert!(laptop.done.contains(&Effect::Done));
}

#[test]
fn stopping_ends_though_nobody_answers() {
    let mut laptop = up();
    laptop.sockets.clear();
    laptop.running = None;
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert!(laptop.done.contains(&Effect::Done));
}

#[test]
fn a_killed_process_leaves_a_group_that_the_next_takes_over() {
    let mut laptop = up();
    let before = laptop.group.before.clone();
    laptop.group = Group::new(wanted(), identity(), before);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.starts_with("P2P_GROUP"))
    );
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.starts_with("GET device_name")),
        "what we set is not what was before"
    );
    assert_eq!(laptop.blocks.len(), 1);
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.settings["p2p_intra_bss"], "1");
    assert!(laptop.blocks.is_empty() && laptop.running.is_none());
}

#[test]
fn a_group_with_another_passphrase_is_removed_first() {
    let mut laptop = up();
    let mut changed = identity();
    changed.passphrase = "another-one".to_owned();
    laptop.group = Group::new(wanted(), changed, None);
    laptop.run();
    assert!(
        laptop
            .asked
            .contains(&"P2P_GROUP_REMOVE p2p-wlan0-0".to_owned())
    );
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.blocks.values().next().expect("one").1, "another-one");
}

#[test]
fn blocks_of_an_earlier_process_are_removed() {
    let mut laptop = Laptop::new();
    laptop.blocks.insert(0, ("home".to_owned(), "x".to_owned()));
    laptop.blocks.insert(1, (SSID.to_owned(), "old".to_owned()));
    laptop.blocks.insert(2, (SSID.to_owned(), "old".to_owned()));
    laptop.run();
    let ids: Vec<_> = laptop
        .blocks
        .values()
        .map(|(ssid, _)| ssid.as_str())
        .collect();
    assert_eq!(ids, ["home", SSID]);
}

#[test]
fn beside_a_network_the_group_is_on_its_channel() {
    let mut laptop = Laptop::new();
    laptop.station = Some(2437);
    laptop.group.wanted.frequency = Some(2412);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2437)));
    assert_eq!(laptop.group.identity().frequency, Some(2437));
}

#[test]
fn without_a_network_settings_come_first_and_then_where_it_was() {
    let mut laptop = Laptop::new();
    laptop.group.wanted.frequency = Some(2437);
    laptop.group.identity.frequency = Some(2412);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2437)));
    let mut laptop = Laptop::new();
    laptop.group.identity.frequency = Some(2412);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2412)));
}

#[test]
fn a_frequency_that_is_refused_is_followed_by_the_next() {
    let mut laptop = Laptop::new();
    laptop.group.identity.frequency = Some(5180);
    laptop.run();
    assert!(
        laptop.done.contains(&open("p2p-wlan0-0", 2462)),
        "not allowed, so not even asked for"
    );
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.ends_with("freq=5180"))
    );
}

#[test]
fn a_network_where_no_group_may_be_is_named() {
    let mut laptop = Laptop::new();
    laptop.station = Some(5180);
    laptop.run();
    assert_eq!(
        laptop.told(),
        Some(&Trouble::Busy("wlan0".to_owned(), 5180))
    );
    laptop.take();
    // Leaving that network is what was waited for.
    laptop.station = None;
    laptop.say(
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:0c:00 reason=3 locally_generated=1",
    );
    laptop.run();
    assert!(laptop.done.contains(&Effect::Tell(None)));
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
}

#[test]
fn an_interface_that_cannot_is_named() {
    let mut laptop = Laptop::new();
    laptop.p2p = false;
    laptop.run();
    assert_eq!(
        laptop.told(),
        Some(&Trouble::NoP2pInDriver("wlan0".to_owned()))
    );
    let mut laptop = Laptop::new();
    laptop.flags = "AP\nP2P_CAPABLE\n";
    laptop.station = Some(2412);
    laptop.run();
    assert_eq!(laptop.told(), Some(&Trouble::Occupied("wlan0".to_owned())));
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.starts_with("P2P_GROUP_ADD")),
        "the person's network stays"
    );
}

#[test]
fn a_channel_switch_is_told() {
    let mut laptop = up();
    laptop.say("p2p-wlan0-0", "<3>CTRL-EVENT-CHANNEL-SWITCH freq=2437 ht_enabled=1 ch_offset=0 ch_width=20 MHz cf1=2437 cf2=0");
    laptop.run();
    assert_eq!(laptop.done[0], Effect::Moved(2437));
    assert!(matches!(&laptop.done[1], Effect::Store(identity) if identity.frequency == Some(2437)));
}

#[test]
fn a_removed_group_is_made_again() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    );
    laptop.settle();
    assert_eq!(laptop.done, [Effect::Close]);
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.blocks.len(), 1);
}

#[test]
fn a_restarted_supplicant_gets_the_same_group_again() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=REQUESTED",
    );
    laptop.say("p2p-dev-wlan0", "<3>CTRL-EVENT-TERMINATING ");
    laptop.settle();
    laptop.wait();
    assert!(
        laptop.asked.is_empty(),
        "a supplicant that ends is not asked: {:?}",
        laptop.asked
    );
    laptop.restart_supplicant();
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.blocks[&0].1, PASSPHRASE);
}

#[test]
fn a_killed_supplicant_is_noticed_within_the_interval() {
    let mut laptop = up();
    laptop
        .sockets
        .retain(|name| name == "p2p-dev-wlan0" || name == "wlan0");
    let dead = laptop.world();
    laptop.running = None;
    laptop.now += LOOK_INTERVAL;
    // The files of its sockets stay behind.
    laptop.group.world(dead, laptop.now);
    laptop.settle();
    assert!(laptop.done.contains(&Effect::Close));
}

#[test]
fn a_driver_that_comes_back_gets_the_group_again() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    );
    laptop.sockets = vec!["wlan0".to_owned()];
    laptop.run();
    let mut gone = laptop.world();
    gone.interfaces.clear();
    laptop.group.world(gone, laptop.now);
    laptop.settle();
    assert_eq!(laptop.told(), Some(&Trouble::NoWifi));
    laptop.restart_supplicant();
    laptop.sockets = vec!["p2p-dev-wlan0".to_owned(), "wlan0".to_owned()];
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.told(), None);
}

#[test]
fn flight_mode_is_named_and_its_end_noticed() {
    let mut laptop = up();
    laptop.running = None;
    laptop.say(
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    );
    laptop.settle();
    let mut off = laptop.world();
    off.blocked = Some(Switch::Soft);
    laptop.group.world(off, laptop.now);
    laptop.settle();
    assert_eq!(laptop.told(), Some(&Trouble::Blocked(Switch::Soft)));
    laptop.run();
    assert_eq!(laptop.told(), None);
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
}

#[test]
fn attempts_are_made_further_and_further_apart() {
    let mut laptop = Laptop::new();
    laptop.p2p = false;
    laptop.run();
    let mut pauses = Vec::new();
    for _ in 0..10 {
        pauses.push(laptop.group.deadline().expect("a deadline") - laptop.now);
        laptop.wait();
    }
    assert!(
        pauses.is_sorted() && pauses[0] == FIRST_PAUSE && pauses[9] == LONGEST_PAUSE,
        "{pauses:?}"
    );
    let told = laptop
        .done
        .iter()
        .filter(|effect| matches!(effect, Effect::Tell(_)))
        .count();
    assert_eq!(told, 1, "said once");
}

#[test]
fn a_group_that_stands_forgets_failures() {
    let mut laptop = up();
    laptop.group.failures = 5;
    laptop.wait();
    assert_eq!(laptop.asked, ["STATUS"]);
    assert_eq!(laptop.group.failures, 0);
}

#[test]
fn a_start_that_is_never_reported_is_given_up() {
    let mut laptop = Laptop::new();
    laptop.stalls = true;
    laptop.run();
    laptop.wait();
    assert_eq!(laptop.told(), Some(&Trouble::Refused("wlan0".to_owned())));
    laptop.stalls = false;
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
}

#[test]
fn a_socket_that_cannot_be_opened_is_tried_again() {
    let mut laptop = up();
    let trouble = Trouble::NoPort(8144, "in use".to_owned());
    laptop.group.unopened(trouble.clone());
    laptop.settle();
    assert_eq!(laptop.told(), Some(&trouble));
    laptop.take();
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
}

fn push(laptop: &mut Laptop) {
    laptop.say(
        "p2p-dev-wlan0",
        &format!("<3>P2P-PROV-DISC-PBC-REQ {POCKET} p2p_dev_addr={POCKET} pri_dev_type=0-00000000-0 name='pocket' config_methods=0x4288 dev_capab=0x25 group_capab=0x0 group=p2p-wlan0-0"),
    );
    laptop.settle();
}

#[test]
fn a_push_counts_only_while_the_window_is_open() {
    let mut laptop = up();
    push(&mut laptop);
    assert!(laptop.asked.is_empty());
    laptop.now += PUSH_AGE;
    laptop.group.window(Some(laptop.now + 120_000), laptop.now);
    laptop.settle();
    assert!(
        !laptop.asked.iter().any(|asked| asked.starts_with("WPS")),
        "an old push"
    );
    push(&mut laptop);
    assert!(
        laptop
            .asked
            .contains(&format!("WPS_PBC p2p_dev_addr={POCKET}"))
    );
    laptop.take();
    laptop.group.window(None, laptop.now);
    laptop.settle();
    assert_eq!(laptop.asked, ["WPS_CANCEL"]);
    push(&mut laptop);
    assert_eq!(laptop.asked, ["WPS_CANCEL"]);
}

#[test]
fn a_push_just_before_the_window_opens_counts() {
    let mut laptop = up();
    push(&mut laptop);
    laptop.now += 5_000;
    laptop.group.window(Some(laptop.now + 120_000), laptop.now);
    laptop.settle();
    assert_eq!(laptop.asked, [format!("WPS_PBC p2p_dev_addr={POCKET}")]);
}

#[test]
fn the_window_closes_by_itself() {
    let mut laptop = up();
    laptop.group.window(Some(laptop.now + 3_000), laptop.now);
    push(&mut laptop);
    laptop.wait();
    assert_eq!(laptop.asked.last().map(String::as_str), Some("WPS_CANCEL"));
}

#[test]
fn of_two_interfaces_the_one_with_a_device_of_its_own_goes_first() {
    let mut laptop = Laptop::new();
    laptop.sockets.insert(0, "eth9".to_owned());
    let mut world = laptop.world();
    world.interfaces = vec!["eth9".to_owned(), "wlan0".to_owned()];
    laptop.group.world(world, laptop.now);
    laptop.settle();
    assert!(laptop.done.contains(&Effect::Hear(vec![
        "p2p-dev-wlan0".to_owned(),
        "wlan0".to_owned()
    ])));
}

/// Everything that can happen to the machine, for any order of it.
#[derive(Debug, Clone)]
enum Happening {
    Line(usize),
    Reply(usize),
    Tick(u64),
    World(usize),
    Window(Option<u64>),
    Deaf,
    Unopened,
    Stop,
}

const LINES: &[(&str, &str)] = &[
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-STARTED p2p-wlan0-0 GO ssid=\"DIRECT-k3-Ada's ThinkPad\" freq=2412 go_dev_addr=02:00:00:00:0a:00 [PERSISTENT]",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-STARTED p2p-wlan0-1 client ssid=\"DIRECT-zz\" freq=2412 go_dev_addr=02:00:00:00:0a:00",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=UNAVAILABLE",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-GROUP-REMOVED p2p-wlan0-0 GO reason=REQUESTED",
    ),
    ("p2p-dev-wlan0", "<3>P2P-GROUP-FORMATION-FAILURE "),
    ("p2p-dev-wlan0", "<3>CTRL-EVENT-TERMINATING "),
    ("p2p-wlan0-0", "<3>CTRL-EVENT-TERMINATING "),
    ("p2p-wlan0-0", "<3>AP-DISABLED "),
    ("p2p-wlan0-0", "<3>CTRL-EVENT-CHANNEL-SWITCH freq=2437"),
    (
        "wlan0",
        "<3>CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:0c:00 reason=3",
    ),
    (
        "p2p-dev-wlan0",
        "<3>P2P-PROV-DISC-PBC-REQ 02:00:00:00:0b:00 p2p_dev_addr=02:00:00:00:0b:00 name='p' group=p2p-wlan0-0",
    ),
];

const REPLIES: &[Option<&str>] = &[
    None,
    Some("OK\n"),
    Some("FAIL\n"),
    Some("UNKNOWN COMMAND\n"),
    Some("0\n"),
    Some(""),
    Some("network id / ssid / bssid / flags\n0\tDIRECT-k3-Ada's ThinkPad\tany\t[DISABLED]\n"),
    Some(
        "wpa_state=COMPLETED\nmode=P2P GO\nfreq=2412\nssid=DIRECT-k3-Ada's ThinkPad\np2p_device_address=02:00:00:00:0a:00\n",
    ),
    Some(
        "wpa_state=COMPLETED\nmode=station\nfreq=5180\nssid=home\np2p_device_address=02:00:00:00:0a:00\n",
    ),
    Some("m4xq-7tkp-w9hd"),
];

fn worlds() -> [World; 4] {
    let full = Laptop::new();
    let mut running = Laptop::new();
    running.running = Some(("p2p-wlan0-0".to_owned(), 2412));
    let mut again = Laptop::new();
    again.generation = 2;
    [
        World::default(),
        full.world(),
        running.world(),
        again.world(),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..LINES.len()).prop_map(Happening::Line),
        12 => (0..REPLIES.len()).prop_map(Happening::Reply),
        3 => (0..40_000u64).prop_map(Happening::Tick),
        3 => (0..4usize).prop_map(Happening::World),
        1 => proptest::option::of(0..100_000u64).prop_map(Happening::Window),
        1 => Just(Happening::Deaf),
        1 => Just(Happening::Unopened),
        1 => Just(Happening::Stop),
    ]
}

proptest! {
    /// Whatever comes in whatever order: there is always something to wait for, a group is opened and closed by turns,
    /// none is asked for while one stands, and nothing follows the end.
    #[test]
    fn nothing_wedges_it(happenings in proptest::collection::vec(happening(), 1..120)) {
        let mut group = Group::new(wanted(), identity(), None);
        let worlds = worlds();
        let (mut now, mut is_open, mut is_done) = (0, false, false);
        group.world(worlds[1].clone(), now);
        for happening in happenings {
            // Asked and not answered yet.
            let mut waits = false;
            while let Some(effect) = group.poll() {
                prop_assert!(!is_done, "{effect:?} after the end");
                match effect {
                    Effect::Ask(_, command) => {
                        waits = true;
                        let text = command.text();
                        prop_assert!(!(is_open && text.starts_with("P2P_GROUP_ADD")), "{text}");
                    }
                    Effect::Open(..) => is_open = true,
                    Effect::Close => {
                        prop_assert!(is_open, "closed twice");
                        is_open = false;
                    }
                    Effect::Moved(_) => prop_assert!(is_open),
                    Effect::Done => is_done = true,
                    _ => {}
                }
            }
            prop_assert!(waits || is_done || group.deadline().is_some(), "wedged: {group:?}");
            if waits {
                let reply = match happening {
                    Happening::Reply(index) => REPLIES[index],
                    _ => None,
                };
                group.reply(reply, now);
            }
            match happening {
                Happening::Line(index) => {
                    let (socket, line) = LINES[index];
                    group.line(socket, &parse(line.as_bytes()), now);
                }
                Happening::Reply(_) => {}
                Happening::Tick(by) => {
                    now += by;
                    group.tick(now);
                }
                Happening::World(index) => group.world(worlds[index].clone(), now),
                Happening::Window(until) => group.window(until, now),
                Happening::Deaf => group.deaf("p2p-dev-wlan0", now),
                Happening::Unopened => group.unopened(Trouble::NoIpv6),
                Happening::Stop => group.stop(now),
            }
        }
    }
}
