//! The eight tiles.

use crate::app::model::screen::Tile;
use crate::app::model::{Chat, EntryState, Link, Model, PictureState, TurnState};
use crate::app::words::{self, quantity};

/// Title and second line of a tile.
pub fn tile(model: &Model, tile: Tile) -> (&'static str, String) {
    match tile {
        Tile::Chat => ("Chat", chat(model)),
        Tile::Pictures => ("Pictures", pictures(model)),
        Tile::Files => ("Files", files(model)),
        Tile::Services => ("Services", services(model)),
        Tile::Outbox => ("Outbox", outbox(model)),
        Tile::Laptop => ("Laptop", laptop(model)),
        Tile::Settings => (
            "Settings",
            format!(
                "{}, {}",
                words::theme(model.settings.theme),
                words::keyboard(model.settings.keyboard).to_lowercase()
            ),
        ),
        Tile::Help => ("Help", "first steps".into()),
    }
}

fn chat(model: &Model) -> String {
    let unread = model.chats.list.iter().filter(|c| c.unread).count() as u64;
    let broken = |c: &&Chat| {
        c.unread
            && c.turns
                .last()
                .is_some_and(|t| matches!(t.state, TurnState::Broken(_)))
    };
    let failed = model.chats.list.iter().filter(broken).count();
    match model.chats.list.first() {
        Some(_) if failed > 0 => format!("{failed} not answered"),
        Some(_) if unread > 0 => quantity::count(unread, "new answer", "new answers"),
        Some(chat) => super::chat::title(model, chat.id),
        None => "ask something".into(),
    }
}

fn pictures(model: &Model) -> String {
    let open: Vec<_> = model
        .pictures
        .list
        .iter()
        .filter(|p| p.state == PictureState::Open)
        .collect();
    match open.first() {
        Some(picture) => {
            let permille = super::picture::entry(model, picture).map_or(0, |e| e.permille);
            format!("{} painting, {} %", open.len(), permille / 10)
        }
        None => match model.pictures.list.len() as u64 {
            0 => "paint something".into(),
            n => quantity::count(n, "picture", "pictures"),
        },
    }
}

fn files(model: &Model) -> String {
    match model.files.remote.iter().filter(|f| f.new).count() {
        0 => match model.files.local.len() as u64 {
            0 => "to and from the laptop".into(),
            n => format!("{} on this card", quantity::count(n, "file", "files")),
        },
        n => format!("{n} new from laptop"),
    }
}

fn services(model: &Model) -> String {
    use crate::app::model::services::Health;
    let bad = model
        .services
        .providers
        .iter()
        .filter(|p| p.health == Health::Unhealthy)
        .count() as u64;
    match (model.services.told_at, bad) {
        (None, _) => "health, models, jobs".into(),
        (Some(_), 0) => "all healthy".into(),
        (Some(_), n) => quantity::count(n, "service is down", "services are down"),
    }
}

fn outbox(model: &Model) -> String {
    let listed = || model.outbox.entries.iter().filter(|e| e.is_listed());
    let failed = listed()
        .filter(|e| matches!(e.state, EntryState::Failed(_)))
        .count() as u64;
    let all = listed().count() as u64 + model.outbox.unnumbered.len() as u64;
    match (all, failed) {
        (0, _) => "empty".into(),
        (_, 0) => quantity::count(all, "request", "requests"),
        (_, n) => format!("{n} failed, {} in all", all),
    }
}

fn laptop(model: &Model) -> String {
    let Some(laptop) = model.laptop() else {
        return "pair one".into();
    };
    let name = words::peer(&laptop.name, words::PEER_NAME_LEN);
    match super::laptop::days_left(model) {
        Some(days) if days <= 5 => format!("{name}, {} left", quantity::count(days, "day", "days")),
        _ => match model.link {
            Link::Linked { .. } => format!("{name}, linked"),
            Link::Connecting { .. } => format!("{name}, connecting"),
            _ if words::ended(model).is_some() => format!("{name}, ended"),
            Link::Asleep { .. } => format!("{name}, asleep"),
            Link::Away(_) | Link::Unpaired => format!("{name}, away"),
        },
    }
}
