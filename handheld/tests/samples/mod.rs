//! Models to draw: every screen in every state that looks different.

mod answers;
mod keyboards;
mod overlays;
mod pictures;
mod talks;

use handheld::app::Model;
use handheld::app::model::laptop::{Attempt, Away, Ended, ModelInfo, Nearby, ServiceKind};
use handheld::app::model::proof::{Layer, Proof, Verdict as Found};
use handheld::app::model::radio::{Ability, Radio};
use handheld::app::model::screen::{
    FilesScreen, HomeScreen, Page, PairingScreen, PairingStage, PromptRow, PromptScreen,
    ServicesScreen, ServicesTab,
};
use handheld::app::model::services::{Health, Provider};
use handheld::app::model::{
    Battery, Call, Carrier, Clock, Entry, EntryState, Failure, Laptop, LaptopId, Link, ListState,
    LocalFile, Origin, Panel, Permission, RemoteFile, RequestId, Screen, Scroll, Services, Side,
    Signal, Verdict, Wish,
};
use handheld::app::msg::PairingFault;
use handheld::app::words::{self, help};
use handheld::time::Millis;

/// 14:02 at a laptop two hours east of UTC.
pub const NOON: u64 = 1_728_043_320;
/// The instant of every sample.
pub const NOW: Millis = Millis(10_000_000);

/// A handheld in use: paired, linked, with chats, pictures and files.
pub fn base(panel: Panel) -> Model {
    let mut model = Model::new(panel, 7);
    model.now = NOW;
    model.clock = Some(Clock {
        unix: NOON,
        at: NOW,
        offset_minutes: 120,
    });
    model.battery = Some(Battery {
        percent: 78,
        charging: false,
    });
    model.laptops = vec![laptop(1, "Ada's ThinkPad"), laptop(2, "Studio PC")];
    model.chosen = Some(LaptopId(1));
    model.link = Link::Linked {
        carrier: Carrier::WifiDirect,
        signal: Some(Signal {
            dbm: -52,
            rate_mbps: 65,
            frequency: 2437,
        }),
        failed: None,
    };
    talks::fill(&mut model);
    pictures::fill(&mut model);
    files(&mut model);
    model.services = Services {
        providers: vec![
            provider(ServiceKind::Language, "ollama", Health::Healthy, "3 models"),
            provider(
                ServiceKind::Image,
                "automatic1111",
                Health::Degraded,
                "answers slowly",
            ),
            provider(
                ServiceKind::Image,
                "openai",
                Health::Unhealthy,
                "no key is set",
            ),
            provider(ServiceKind::Language, "built-in", Health::Healthy, ""),
        ],
        facts: vec![("Free disk".into(), "212 GB".into())],
        told_at: Some(NOON - 60),
        ..Services::default()
    };
    model
}

fn laptop(id: u32, name: &str) -> Laptop {
    let permission = |service, operation: &str, verdict, left_today| Permission {
        service,
        operation: operation.into(),
        verdict,
        left_today,
    };
    let offer = |service, id: &str| ModelInfo {
        service,
        id: id.into(),
        label: String::new(),
    };
    Laptop {
        id: LaptopId(id),
        name: name.into(),
        carriers: vec![Carrier::WifiDirect],
        expires_at: NOON + 27 * 86_400 + 3600,
        permissions: vec![
            permission(ServiceKind::Language, "chat", Verdict::Allow, None),
            permission(ServiceKind::Image, "generate", Verdict::Ask, Some(14)),
            permission(ServiceKind::Files, "get", Verdict::Allow, Some(481_000_000)),
            permission(ServiceKind::System, "status", Verdict::Allow, None),
        ],
        models: vec![
            offer(ServiceKind::Language, "ollama/llama3.1:8b"),
            offer(ServiceKind::Language, "built-in/partner"),
            offer(ServiceKind::Image, "automatic1111/sdxl"),
        ],
        seen_at: NOON,
        ..Laptop::default()
    }
}

fn provider(service: ServiceKind, name: &str, health: Health, note: &str) -> Provider {
    Provider {
        service,
        name: name.into(),
        health,
        note: note.into(),
    }
}

fn files(model: &mut Model) {
    let remote = |name: &str, len, new| RemoteFile {
        name: name.into(),
        len,
        modified: NOON - 720,
        new,
    };
    let local = |name: &str, len| LocalFile {
        name: name.into(),
        len,
        modified: NOON - 9000,
    };
    model.files.remote = vec![
        remote("report.pdf", 1_400_000, true),
        remote("budget.csv", 12_000, false),
        remote("walk.jpg", 820_000, true),
        remote(
            "a rather long name of a file that nobody would type by hand.markdown",
            4_100,
            true,
        ),
    ];
    model.files.local = vec![local("budget.csv", 12_000), local("notes.txt", 2_300)];
    model.files.listed_at = Some(NOON - 30);
    model.files.quota = Some((31_000_000, 512_000_000));
    model.files.card_free = Some(6_200_000_000);
}

/// The laptop went away two minutes after two.
pub fn away(model: &mut Model) {
    model.link = Link::Away(Away {
        since: NOON - 120,
        attempts: vec![
            Attempt {
                carrier: Carrier::WifiDirect,
                why: "The laptop's network was not heard on its channel nor on any other. It may be out of range, or switched off.".into(),
            },
            Attempt {
                carrier: Carrier::Tcp("192.168.1.20:8144".into()),
                why: "Nothing answered there.".into(),
            },
        ],
        next_try: Some(NOW.plus(20_000)),
        idle: false,
    });
}

/// A request on its way.
pub fn entry(
    id: u64,
    origin: Origin,
    wish: Wish,
    state: EntryState,
    permille: u16,
    eta_s: Option<u32>,
) -> Entry {
    Entry {
        id: RequestId(id),
        state,
        permille,
        eta_s,
        ..Entry::new(LaptopId(1), origin, wish, NOON)
    }
}

/// Builds models, each from the base.
pub struct Book {
    panel: Panel,
    samples: Vec<(&'static str, Model)>,
}

impl Book {
    /// Adds a sample: the base with another top screen, changed by `change`.
    pub fn add(&mut self, name: &'static str, screen: Screen, change: impl FnOnce(&mut Model)) {
        let mut model = base(self.panel);
        model.screens.push(screen);
        change(&mut model);
        self.samples.push((name, model));
    }
}

/// All samples for a panel.
pub fn all(panel: Panel) -> Vec<(&'static str, Model)> {
    let mut book = Book {
        panel,
        samples: Vec::new(),
    };
    let as_it_is = |_: &mut Model| {};
    let home = || Screen::Home(HomeScreen::default());
    book.add("home", home(), as_it_is);
    book.add("home-away", home(), away);
    book.add("home-asleep", home(), |m| {
        m.link = Link::Asleep { since: NOON - 120 }
    });
    book.add("home-first-start", home(), |m| {
        *m = Model {
            screens: m.screens.clone(),
            battery: m.battery,
            ..Model::new(m.panel, 1)
        }
    });
    talks::samples(&mut book);
    keyboards::samples(&mut book);
    pictures::samples(&mut book);
    lists(&mut book);
    nearby(&mut book);
    pairing(&mut book);
    overlays::samples(&mut book);
    book.samples
}

fn lists(book: &mut Book) {
    let as_it_is = |_: &mut Model| {};
    let at = |focus: usize| ListState { focus, top: 0 };
    let on = |side| {
        Screen::Files(FilesScreen {
            side,
            remote: at(0),
            local: at(0),
        })
    };
    book.add("files", on(Side::Laptop), |m| {
        let get = Wish::Get {
            name: "walk.jpg".into(),
        };
        m.outbox.entries.push(entry(
            9,
            Origin::Fetch("walk.jpg".into()),
            get,
            EntryState::Running,
            600,
            Some(3),
        ));
    });
    book.add("files-card", on(Side::Card), as_it_is);
    book.add("files-away", on(Side::Laptop), away);
    book.add("files-empty", on(Side::Laptop), |m| m.files.remote.clear());
    book.add("files-select", on(Side::Laptop), |m| {
        m.files.selecting = true;
        m.files.selected.insert("report.pdf".into());
    });
    book.add("outbox", Screen::Outbox(at(0)), |m| {
        away(m);
        talks::queue(m);
    });
    book.add("outbox-empty", Screen::Outbox(at(0)), |m| {
        m.outbox.entries.clear()
    });
    book.add("laptop", Screen::Laptop(at(9)), as_it_is);
    book.add("laptop-away", Screen::Laptop(at(0)), away);
    book.add("laptop-asleep", Screen::Laptop(at(0)), |m| {
        m.link = Link::Asleep { since: NOON - 120 }
    });
    book.add("laptop-ended", Screen::Laptop(at(0)), |m| {
        away(m);
        m.laptops[0].ended = Some(Ended::Revoked);
    });
    book.add("laptop-weak", Screen::Laptop(at(0)), |m| {
        m.link = Link::Linked {
            carrier: Carrier::Station,
            signal: Some(Signal {
                dbm: -81,
                rate_mbps: 6,
                frequency: 2437,
            }),
            failed: Some(Attempt {
                carrier: Carrier::Station,
                why: "The laptop went out of range.".into(),
            }),
        };
    });
    book.add("laptop-none", Screen::Laptop(at(0)), |m| {
        m.laptops.clear();
        m.chosen = None;
        m.link = Link::Unpaired;
    });
    let services = |tab| Screen::Services(ServicesScreen { tab, list: at(0) });
    book.add("services", services(ServicesTab::Health), as_it_is);
    book.add("services-models", services(ServicesTab::Models), as_it_is);
    book.add("services-jobs", services(ServicesTab::Jobs), as_it_is);
    book.add("settings", Screen::Settings(at(1)), as_it_is);
    book.add("settings-radio", Screen::Settings(at(8)), as_it_is);
    book.add("settings-end", Screen::Settings(at(12)), as_it_is);
    book.add("help", Screen::Help(at(0)), as_it_is);
    let page = Page {
        title: help::TOPICS[0].title.into(),
        text: help::TOPICS[0].text.into(),
        scroll: Scroll::Top(0),
    };
    book.add("help-page", Screen::Page(page), as_it_is);
    for (name, broken) in [("airgap-holds", false), ("airgap-broken", true)] {
        let page = Page {
            title: words::proof::TITLE.into(),
            text: words::proof::page(&proof(broken)),
            scroll: Scroll::Top(0),
        };
        book.add(name, Screen::Page(page), as_it_is);
    }
    let row = |row| Screen::Prompt(PromptScreen { row });
    book.add("prompt", row(PromptRow::Style), as_it_is);
    book.add("prompt-away", row(PromptRow::Prompt), away);
}

/// What holds on our own image, or on old firmware whose filter is not in place.
fn proof(broken: bool) -> Proof {
    use Found::{Broken, Holds, Lacking, Said};
    let mut proof = Proof::default();
    proof.note(
        Layer::Rights,
        Holds,
        "None of its 7 threads has a capability, even if it was started as root.",
    );
    match broken {
        false => proof.note(
            Layer::Calls,
            Holds,
            "A filter of system calls is on all 7 threads.",
        ),
        true => proof.note(Layer::Calls, Broken, "Not refused: open an IPv4 socket."),
    }
    match broken {
        false => proof.note(
            Layer::Disk,
            Holds,
            "Only its own folder can be written, not /etc, /usr/bin, /root or others.",
        ),
        true => proof.note(
            Layer::Disk,
            Lacking,
            "Writing is not confined: this kernel has no Landlock.",
        ),
    }
    let refused = "Asked for the internet (203.0.113.77:8144): refused.";
    proof.note(Layer::Broker, Holds, refused);
    proof.note(
        Layer::Device,
        Said,
        "The device has no route to anywhere beyond its links.",
    );
    proof
}

fn nearby(book: &mut Book) {
    let laptop = |name: &str, n: u8, signal_dbm, push| Nearby {
        name: name.into(),
        ssid: format!("DIRECT-k{n}-{name}").into_bytes(),
        bssid: [2, 0, 0, 0, 0, n],
        device: None,
        frequency: 2437,
        signal_dbm,
        push,
    };
    let heard = || {
        vec![
            laptop("Ada's ThinkPad", 1, -52, true),
            laptop(
                "Studio PC with a name that is far longer than its row",
                2,
                -68,
                true,
            ),
            laptop("Ada's ThinkPad", 3, -83, true),
        ]
    };
    let screen = |focus| Screen::Nearby(ListState { focus, top: 0 });
    let alone = |m: &mut Model, radio: Radio| {
        m.laptops.clear();
        m.chosen = None;
        m.link = Link::Unpaired;
        m.radio = radio;
    };
    let able = |p2p, station, why: &str| {
        Some(Ability {
            station,
            p2p,
            why: why.into(),
        })
    };
    let since = |ms: u64| Some(Millis(NOW.0 - ms));
    book.add("nearby", screen(0), |m| {
        let radio = Radio {
            ability: able(true, true, ""),
            nearby: heard(),
            looking: since(3000),
            ..Radio::default()
        };
        alone(m, radio);
    });
    book.add("nearby-passphrase", screen(0), |m| {
        let nearby = heard().into_iter().take(2);
        let radio = Radio {
            ability: able(false, true, ""),
            nearby: nearby.map(|n| Nearby { push: false, ..n }).collect(),
            looking: since(3000),
            ..Radio::default()
        };
        alone(m, radio);
    });
    for (name, ms) in [("nearby-looking", 1000), ("nearby-none", 15_000)] {
        book.add(name, screen(0), |m| {
            let radio = Radio {
                ability: able(true, true, ""),
                looking: since(ms),
                ..Radio::default()
            };
            alone(m, radio);
        });
    }
    book.add("nearby-no-radio", screen(0), |m| {
        let why =
            "The radio is switched off by rfkill. Switch Wi-Fi on in the firmware's settings.";
        let radio = Radio {
            ability: able(false, false, why),
            looking: since(1000),
            ..Radio::default()
        };
        alone(m, radio);
    });
}

fn pairing(book: &mut Book) {
    let digits = [4, 8, 2, 9, 1, 3];
    let screen = |stage, left: Option<u64>| {
        Screen::Pairing(PairingScreen {
            stage,
            call: Call::Carrier(Carrier::WifiDirect),
            until: left.map(|ms| NOW.plus(ms)),
        })
    };
    let unlinked = |m: &mut Model| m.link = Link::Unpaired;
    let laptop = || "Ada's ThinkPad".to_string();
    book.add(
        "pairing-calling",
        screen(PairingStage::Calling, None),
        unlinked,
    );
    let ada = Nearby {
        name: "Ada's ThinkPad".into(),
        ssid: b"DIRECT-k7-Ada's ThinkPad".to_vec(),
        bssid: [2; 6],
        device: None,
        frequency: 2437,
        signal_dbm: -52,
        push: true,
    };
    let by_radio = |stage| {
        Screen::Pairing(PairingScreen {
            stage,
            call: Call::Push(ada.clone()),
            until: None,
        })
    };
    book.add("pairing-joining", by_radio(PairingStage::Calling), unlinked);
    let why =
        "Nobody pressed the button on the laptop in time. Open pairing there, then try again."
            .to_string();
    let (title, body) =
        words::pairing::fault(&PairingFault::Unreachable(why), &Call::Push(ada.clone()));
    book.add(
        "pairing-not-joined",
        by_radio(PairingStage::Failed { title, body }),
        unlinked,
    );
    book.add(
        "pairing-digits",
        screen(PairingStage::Digits(digits), Some(102_000)),
        unlinked,
    );
    book.add(
        "pairing-confirm",
        screen(
            PairingStage::Confirm {
                digits,
                laptop: laptop(),
            },
            Some(60_000),
        ),
        unlinked,
    );
    book.add(
        "pairing-keeping",
        screen(PairingStage::Keeping { laptop: laptop() }, None),
        unlinked,
    );
    let failed = PairingStage::Failed {
        title: "The laptop got a wrong number".into(),
        body: "Start again on both devices.".into(),
    };
    book.add("pairing-failed", screen(failed, None), unlinked);
}

/// A failure with the wire's number.
pub fn failure(code: shared_proto::error::ErrorCode, detail: &str) -> Failure {
    Failure {
        code: code as u16,
        op: 0,
        detail: detail.into(),
    }
}
