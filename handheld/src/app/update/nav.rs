//! Moving between screens, and the home screen.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::chat::ChatKind;
use crate::app::model::screen::{FilesScreen, Purpose, ServicesScreen, Tile};
use crate::app::model::{Extent, ListState, Model, Screen};

/// Shows a screen above the present one. A screen of the same kind below is left for it, so that the way back stays short.
pub(super) fn push(model: &mut Model, screen: Screen, fx: &mut Effects) {
    let same = |s: &Screen| std::mem::discriminant(s) == std::mem::discriminant(&screen);
    if let Some(index) = model.screens.iter().position(same) {
        model.screens.truncate(index);
    }
    model.screens.push(screen);
    enter(model, fx);
}

/// Shows a screen in place of the present one.
pub(super) fn replace(model: &mut Model, screen: Screen, fx: &mut Effects) {
    leave(model);
    if model.screens.len() > 1 {
        model.screens.pop();
    }
    push(model, screen, fx);
}

/// Goes back one screen.
pub(super) fn back(model: &mut Model, fx: &mut Effects) {
    leave(model);
    if model.screens.len() > 1 {
        model.screens.pop();
    }
    enter(model, fx);
}

/// Goes to the home screen.
pub(super) fn home(model: &mut Model, fx: &mut Effects) {
    if matches!(model.screen(), Screen::Pairing(_)) {
        fx.push(Effect::PairCancel);
    }
    leave(model);
    model.screens.truncate(1);
    enter(model, fx);
}

/// Lets go of what only the screen that is left needs.
fn leave(model: &mut Model) {
    if let Screen::Viewer(viewer) = model.screen() {
        let id = viewer.picture;
        if let Some(picture) = model.pictures.find_mut(id) {
            picture.raster = None;
        }
    }
    if matches!(model.screen(), Screen::Files(_)) {
        model.files.selecting = false;
        model.files.selected.clear();
        model.files.remote.iter_mut().for_each(|f| f.new = false);
    }
}

/// Begins what the screen that shows now needs.
fn enter(model: &mut Model, fx: &mut Effects) {
    model.extent = Extent::default();
    match model.screen() {
        Screen::Chat(screen) => {
            let id = screen.chat;
            if let Some(chat) = model.chats.find_mut(id)
                && std::mem::take(&mut chat.unread)
            {
                fx.push(Effect::SaveChat(Box::new(chat.clone())));
            }
        }
        Screen::Files(_) => super::files::enter(model, fx),
        Screen::Services(_) => super::services::enter(model, fx),
        Screen::Gallery(_) => super::picture::load_thumbs(model, fx),
        Screen::Viewer(_) => super::viewer::enter(model, fx),
        _ => {}
    }
}

/// Something was done on the home screen.
pub(super) fn home_act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Home(home) = model.screen_mut() else {
        return;
    };
    let index = Tile::ALL.iter().position(|t| *t == home.focus).unwrap_or(0);
    let (row, column) = (index / 2, index % 2);
    match act {
        Act::Up => home.focus = Tile::ALL[row.saturating_sub(1) * 2 + column],
        Act::Down => home.focus = Tile::ALL[(row + 1).min(3) * 2 + column],
        Act::Left => home.focus = Tile::ALL[row * 2],
        Act::Right => home.focus = Tile::ALL[row * 2 + 1],
        Act::Confirm => {
            let tile = home.focus;
            open(model, tile, fx);
        }
        Act::New => super::writing::open(model, Purpose::FirstMessage(ChatKind::Chat), fx),
        Act::Laptop => open(model, Tile::Laptop, fx),
        _ => {}
    }
}

fn open(model: &mut Model, tile: Tile, fx: &mut Effects) {
    let list = ListState::default();
    let screen = match tile {
        Tile::Chat => Screen::Chats(list),
        Tile::Pictures => Screen::Gallery(list),
        Tile::Files => Screen::Files(FilesScreen::default()),
        Tile::Services => Screen::Services(ServicesScreen::default()),
        Tile::Outbox => Screen::Outbox(list),
        Tile::Laptop => Screen::Laptop(list),
        Tile::Settings => Screen::Settings(list),
        Tile::Help => Screen::Help(list),
    };
    push(model, screen, fx);
}
