//! Scenarios: key strings in, facts of the model and effects out.

mod chats;
mod device;
mod files;
mod laptops;
mod mash;
mod outbox;
mod pictures;
mod radio;
mod rest;

use shared_proto::error::ErrorCode;

use super::effect::{Effect, Effects};
use super::model::laptop::{
    Carrier, Laptop, LaptopId, ModelInfo, Permission, ServiceKind, Verdict,
};
use super::model::{Chat, Clock, EntryState, Failure, Model, Panel, RequestId, RequestKey, Screen};
use super::msg::{CardEvent, LinkEvent, Msg, Stored, Trouble, Welcome};
use super::script::Player;
use crate::time::Millis;

/// The laptop of all scenarios.
const ADA: LaptopId = LaptopId(1);

/// 3 May 2026, 14:02 by the laptop's clock.
const NOON: u64 = 1_777_816_920;

/// An app that has read its card, with one paired laptop that is away.
fn away() -> Player {
    let mut player = Player::new(Model::new(Panel::VGA, 7));
    let laptop = Laptop {
        id: ADA,
        name: "Ada's ThinkPad".into(),
        carriers: vec![Carrier::Tcp("127.0.0.1:8144".into())],
        seen_at: NOON - 3600,
        ..Laptop::default()
    };
    player.send(Msg::Card(CardEvent::Loaded(Box::new(Stored {
        laptops: vec![laptop],
        ..Stored::default()
    }))));
    player
}

/// The same, linked.
fn linked() -> Player {
    let mut player = away();
    link(&mut player);
    player
}

/// The laptop greets.
fn link(player: &mut Player) -> Effects {
    player.send(Msg::Link(LinkEvent::Welcome(Box::new(welcome(player.now)))))
}

fn welcome(now: Millis) -> Welcome {
    let permission = |service, operation: &str, verdict| Permission {
        service,
        operation: operation.into(),
        verdict,
        left_today: None,
    };
    Welcome {
        carrier: Some(Carrier::Tcp("127.0.0.1:8144".into())),
        name: "Ada's ThinkPad".into(),
        clock: Some(Clock {
            unix: NOON,
            at: now,
            offset_minutes: 0,
        }),
        floor: RequestId(1),
        expires_in_s: 27 * 86_400 + 60,
        permissions: vec![
            permission(ServiceKind::Language, "chat", Verdict::Allow),
            permission(ServiceKind::Image, "generate", Verdict::Ask),
            permission(ServiceKind::Files, "list", Verdict::Ask),
        ],
        models: vec![
            ModelInfo {
                service: ServiceKind::Language,
                id: "ollama/llama3.1:8b".into(),
                label: "llama3.1:8b, Ollama".into(),
            },
            ModelInfo {
                service: ServiceKind::Image,
                id: "built-in/painter".into(),
                label: "painter (built-in)".into(),
            },
        ],
        ..Welcome::default()
    }
}

/// The link breaks.
fn lose(player: &mut Player) -> Effects {
    player.send(Msg::Link(LinkEvent::Lost {
        attempts: Vec::new(),
        next_try: None,
    }))
}

/// Plays a script that is known to be right.
fn play(player: &mut Player, script: &str) -> Effects {
    player.play(script).unwrap()
}

/// Gives every request that waits for one the next number; returns the effects of that.
fn number(player: &mut Player) -> Effects {
    let mut effects = Effects::new();
    while let Some((ticket, _)) = player.model.outbox.unnumbered.first().cloned() {
        let used = player
            .effects
            .iter()
            .filter(|e| matches!(e, Effect::NewRequest { .. }))
            .count() as u64;
        let waiting = player.model.outbox.unnumbered.len() as u64;
        let id = RequestId(100 + used - waiting);
        effects.extend(player.send(Msg::Card(CardEvent::Numbered { ticket, id })));
    }
    effects
}

/// Requests that an effect list submits.
fn submitted(effects: &Effects) -> Vec<RequestId> {
    effects
        .iter()
        .filter_map(|e| {
            if let Effect::Submit { id, .. } = e {
                Some(*id)
            } else {
                None
            }
        })
        .collect()
}

/// A request at the laptop of all scenarios.
fn key(id: RequestId) -> RequestKey {
    RequestKey { laptop: ADA, id }
}

/// The last submission.
fn last_submit(effects: &Effects) -> RequestId {
    *submitted(effects).last().expect("something was submitted")
}

fn data(id: RequestId, slot: u8, offset: u64, text: &str, fin: bool) -> Msg {
    Msg::Link(LinkEvent::Data {
        id,
        slot,
        offset,
        bytes: text.as_bytes().to_vec(),
        fin,
    })
}

fn failed(id: RequestId, code: ErrorCode, detail: &str) -> Msg {
    Msg::Link(LinkEvent::Failed {
        id,
        failure: Failure {
            code: code as u16,
            op: 0,
            detail: detail.into(),
        },
    })
}

/// Asks a question from the home screen and returns its number, submitted or not.
fn ask(player: &mut Player, text: &str) -> RequestId {
    play(player, &format!("Start \"{text}\" Start"));
    number(player);
    player
        .model
        .outbox
        .entries
        .last()
        .expect("it stands in the outbox")
        .id
}

/// The conversation on the screen.
fn chat(player: &Player) -> &Chat {
    let Screen::Chat(screen) = player.model.screen() else {
        panic!("no chat shows: {:?}", player.model.screen())
    };
    player.model.chats.find(screen.chat).expect("it exists")
}

fn state(player: &Player, id: RequestId) -> Option<EntryState> {
    player.model.outbox.find(ADA, id).map(|e| e.state.clone())
}

/// Labels of the hint bar with their buttons, as a person reads them.
fn bar(player: &Player) -> String {
    let chips = super::hints::bar(&player.model);
    let chip = |c: &super::hints::Chip| {
        format!(
            "{} {}",
            c.buttons
                .iter()
                .map(|b| b.label())
                .collect::<Vec<_>>()
                .join(""),
            c.label
        )
    };
    chips.iter().map(chip).collect::<Vec<_>>().join("  ")
}
