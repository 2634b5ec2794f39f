//! The table of each screen.

use super::{Act, Table};
use crate::app::model::picture::Picture;
use crate::app::model::screen::{
    ChatScreen, FilesScreen, LockScreen, Page, PairingScreen, PairingStage, PromptRow,
    PromptScreen, ServicesScreen, SetLockScreen, Tile, ViewerScreen,
};
use crate::app::model::{
    Call, Chat, Dialog, EntryState, Extent, Link, ListState, Menu, Model, PictureId, PictureState,
    Screen, Scroll, Side, TurnState,
};
use crate::app::view::{self, picture};
use crate::input::button::Button::{
    self, A, B, Down, L1, L2, Left, R1, R2, Right, Select, Start, Up, X, Y,
};

/// Shortest and longest button sequence of the lock.
pub const SEQUENCE_LEN: std::ops::RangeInclusive<usize> =
    crate::lock::MIN_PRESSES..=crate::lock::MAX_PRESSES;

pub(super) fn screen(model: &Model, t: &mut Table) {
    match model.screen() {
        Screen::Home(screen) => home(screen.focus, t),
        Screen::Chats(_) => chats(model, t),
        Screen::Chat(screen) => chat(model, screen, t),
        Screen::Writing(_) => writing(model, t),
        Screen::Prompt(screen) => prompt(model, screen, t),
        Screen::Progress(id) => progress(model, *id, t),
        Screen::Viewer(screen) => viewer(model, screen, t),
        Screen::Gallery(state) => gallery(model, *state, t),
        Screen::Files(screen) => files(model, screen, t),
        Screen::Outbox(state) => outbox(model, *state, t),
        Screen::Laptop(_) => laptop(model, t),
        Screen::Nearby(state) => nearby(model, *state, t),
        Screen::Pairing(screen) => pairing(screen, t),
        Screen::Services(screen) => services(model, screen, t),
        Screen::Settings(state) => settings(*state, t),
        Screen::Help(_) => {
            vertical(view::list(model).map_or(0, |l| l.rows.len()), t);
            t.chip(A, Act::Confirm, "Read").chip(B, Act::Back, "Back");
        }
        Screen::Page(page) => text(model.extent, page, t),
        Screen::SetLock(screen) => set_lock(screen, t),
    }
    if !matches!(
        model.screen(),
        Screen::Home(_) | Screen::Writing(_) | Screen::SetLock(_)
    ) {
        t.quiet(Button::Menu, Act::Home, "home");
    }
}

fn vertical(rows: usize, t: &mut Table) {
    if rows > 1 {
        t.quiet(Up, Act::Up, "up").quiet(Down, Act::Down, "down");
        t.quiet(L2, Act::PageUp, "page up")
            .quiet(R2, Act::PageDown, "page down");
    }
}

fn scrolling(scroll: Scroll, extent: Extent, t: &mut Table) {
    let top = scroll.top(extent);
    if top > 0 {
        t.quiet(Up, Act::Up, "line up")
            .quiet(L2, Act::PageUp, "page up");
    }
    if top < extent.last_top() {
        t.quiet(Down, Act::Down, "line down")
            .quiet(R2, Act::PageDown, "page down");
    }
}

fn home(focus: Tile, t: &mut Table) {
    t.chip(A, Act::Confirm, "Open")
        .chip(Start, Act::New, "New chat")
        .chip(Y, Act::Laptop, "Laptop");
    let at = Tile::ALL
        .iter()
        .position(|tile| *tile == focus)
        .unwrap_or(0);
    for (button, act, label, room) in [
        (Up, Act::Up, "up", at / 2 > 0),
        (Down, Act::Down, "down", at / 2 < 3),
        (Left, Act::Left, "left", at % 2 == 1),
        (Right, Act::Right, "right", at % 2 == 0),
    ] {
        if room {
            t.quiet(button, act, label);
        }
    }
}

fn chats(model: &Model, t: &mut Table) {
    let rows = model.chats.list.len();
    vertical(rows, t);
    if rows > 0 {
        t.chip(A, Act::Confirm, "Open");
    }
    t.chip(B, Act::Back, "Back");
    if rows > 0 {
        t.chip(X, Act::More, "More");
    }
    t.chip(Start, Act::New, "New chat")
        .chip(Y, Act::Choose, "One-off");
}

fn chat(model: &Model, screen: &ChatScreen, t: &mut Table) {
    scrolling(screen.scroll, model.extent, t);
    let Some(chat) = model.chats.find(screen.chat) else {
        t.chip(B, Act::Back, "Back");
        return;
    };
    if let Some(turn) = view::chat::open_turn(chat) {
        let state = view::chat::entry(model, chat.id, turn.request).map(|e| &e.state);
        let running = matches!(state, Some(EntryState::Running | EntryState::Accepted))
            || !turn.text.is_empty();
        t.chip(Y, Act::Stop, if running { "Stop" } else { "Withdraw" });
        t.chip(A, Act::Write, "Write")
            .chip(B, Act::Back, "Leave, it goes on")
            .quiet(X, Act::More, "more");
    } else if let Some(again) = again(chat) {
        t.chip(X, Act::Retry, again)
            .chip(A, Act::Write, "Write")
            .chip(B, Act::Back, "Back");
        t.chip(Y, Act::Choose, "Model")
            .chip(Select, Act::More, "More");
    } else {
        t.chip(A, Act::Write, "Write")
            .chip(B, Act::Back, "Back")
            .chip(X, Act::More, "More");
        if model.chats.list.len() > 1 {
            t.pair(
                (L1, Act::Previous, "previous chat"),
                (R1, Act::Next, "next chat"),
                "Chats",
            );
        }
        t.chip(Y, Act::Choose, "Model");
    }
    if model.chats.list.len() > 1
        && (view::chat::open_turn(chat).is_some() || again(chat).is_some())
    {
        t.quiet(L1, Act::Previous, "previous chat")
            .quiet(R1, Act::Next, "next chat");
    }
    t.quiet(Start, Act::New, "new chat");
}

/// The word for asking again, if the last answer did not come whole.
fn again(chat: &Chat) -> Option<&'static str> {
    match chat.turns.last().map(|t| &t.state) {
        Some(TurnState::Broken(failure)) if (20..=25).contains(&failure.code) => Some("Ask again"),
        Some(TurnState::Broken(_)) => Some("Retry"),
        Some(TurnState::Stopped) => Some("Ask again"),
        _ => None,
    }
}

fn prompt(model: &Model, screen: &PromptScreen, t: &mut Table) {
    vertical(PromptRow::ALL.len(), t);
    match screen.row {
        PromptRow::Prompt | PromptRow::Negative => {
            t.chip(A, Act::Confirm, "Write");
        }
        PromptRow::Model if picture::models(model).len() < 2 => {}
        _ => {
            t.chip(A, Act::Confirm, "Change")
                .quiet(Left, Act::Left, "value before")
                .quiet(Right, Act::Right, "value after");
        }
    }
    t.chip(B, Act::Back, "Back");
    if !model.pictures.recipe.prompt.trim().is_empty() && model.chosen.is_some() {
        t.chip(
            Start,
            Act::Send,
            if model.link.is_open() {
                "Paint"
            } else {
                "Queue"
            },
        );
    }
    if !model.pictures.earlier.is_empty() {
        t.chip(X, Act::Earlier, "Earlier");
    }
}

fn progress(model: &Model, id: PictureId, t: &mut Table) {
    match model.pictures.find(id) {
        Some(Picture {
            state: PictureState::Open,
            ..
        }) => {
            t.chip(Y, Act::Stop, "Stop")
                .chip(B, Act::Back, "Leave, it goes on");
        }
        Some(Picture {
            state: PictureState::Broken(_) | PictureState::Stopped,
            ..
        }) => {
            t.chip(A, Act::Retry, "Retry")
                .chip(B, Act::Back, "Back")
                .chip(X, Act::More, "More");
        }
        Some(_) => {
            t.chip(A, Act::Confirm, "View").chip(B, Act::Back, "Back");
        }
        None => {
            t.chip(B, Act::Back, "Back");
        }
    }
    t.chip(Start, Act::New, "New");
}

fn viewer(model: &Model, screen: &ViewerScreen, t: &mut Table) {
    match screen.zoom {
        None => t.chip(R2, Act::ZoomIn, "Zoom"),
        Some(400..) => t.chip(L2, Act::ZoomOut, "Zoom"),
        Some(_) => t.pair(
            (L2, Act::ZoomOut, "smaller"),
            (R2, Act::ZoomIn, "larger"),
            "Zoom",
        ),
    };
    if model
        .pictures
        .list
        .iter()
        .filter(|p| p.state == PictureState::Ready)
        .count()
        > 1
    {
        t.pair(
            (L1, Act::Previous, "previous picture"),
            (R1, Act::Next, "next picture"),
            "Next",
        );
    }
    t.chip(X, Act::More, "More").chip(B, Act::Back, "Back");
    t.chip(
        A,
        Act::Confirm,
        if screen.zoom.is_none() { "1:1" } else { "Fit" },
    );
    if screen.zoom.is_some() {
        let (x, y) = screen.centre;
        for (button, act, label, room) in [
            (Up, Act::Up, "up", y > 0),
            (Down, Act::Down, "down", y < 1000),
            (Left, Act::Left, "left", x > 0),
            (Right, Act::Right, "right", x < 1000),
        ] {
            if room {
                t.quiet(button, act, label);
            }
        }
    }
}

fn gallery(model: &Model, state: ListState, t: &mut Table) {
    let count = model.pictures.list.len();
    if count > 0 {
        t.chip(A, Act::Confirm, "View");
    }
    t.chip(B, Act::Back, "Back");
    if count > 0 {
        t.chip(X, Act::More, "More");
    }
    t.chip(Start, Act::New, "New");
    let (row, column) = (
        state.focus / picture::COLUMNS,
        state.focus % picture::COLUMNS,
    );
    let rows = count.div_ceil(picture::COLUMNS);
    if row > 0 {
        t.quiet(Up, Act::Up, "up").quiet(L1, Act::PageUp, "page up");
    }
    if row + 1 < rows {
        t.quiet(Down, Act::Down, "down")
            .quiet(R1, Act::PageDown, "page down");
    }
    if column > 0 || row > 0 {
        t.quiet(Left, Act::Left, "left");
    }
    if state.focus + 1 < count {
        t.quiet(Right, Act::Right, "right");
    }
}

fn files(model: &Model, screen: &FilesScreen, t: &mut Table) {
    let rows = view::files::list(model, screen).rows.len();
    vertical(rows, t);
    let selecting = model.files.selecting;
    if rows > 0 {
        let label = match screen.side {
            _ if selecting => "Tick",
            Side::Laptop => "Fetch",
            Side::Card => "Send",
        };
        let known = screen.side == Side::Laptop || model.chosen.is_some();
        if known {
            t.chip(A, Act::Confirm, label);
        }
    }
    if selecting {
        t.chip(B, Act::Back, "Done")
            .chip(X, Act::More, "With ticked");
        return;
    }
    t.chip(B, Act::Back, "Back").chip(X, Act::More, "More");
    if rows > 0 {
        t.chip(Y, Act::Select, "Select many");
    }
    match screen.side {
        Side::Laptop => t.quiet(R1, Act::Next, "on this card"),
        Side::Card => t.quiet(L1, Act::Previous, "on the laptop"),
    };
}

fn outbox(model: &Model, state: ListState, t: &mut Table) {
    let rows = view::outbox::listed(model).count();
    vertical(rows, t);
    let entry = view::outbox::listed(model).nth(state.focus);
    if let Some(entry) = entry {
        t.chip(A, Act::Confirm, "Open");
        t.chip(B, Act::Back, "Back").chip(X, Act::Delete, "Delete");
        let unsent = matches!(entry.state, EntryState::Draft | EntryState::Waiting);
        if unsent && entry.program.is_none() && view::writing::editable(&entry.wish).is_some() {
            t.chip(Y, Act::Edit, "Edit");
        }
        t.chip(Start, Act::More, "More");
    } else {
        t.chip(B, Act::Back, "Back");
    }
}

fn laptop(model: &Model, t: &mut Table) {
    let items = view::laptop::items(model);
    vertical(items.iter().filter(|(_, row)| !row.fixed).count(), t);
    t.chip(A, Act::Confirm, "Open").chip(B, Act::Back, "Back");
    if model.link.is_open() {
        t.chip(X, Act::Renew, "Renew");
    }
    let ended = crate::app::words::ended(model).is_some();
    if model.chosen.is_some() && !matches!(model.link, Link::Unpaired) && !ended {
        t.chip(Y, Act::Reconnect, "Reconnect");
    }
}

fn nearby(model: &Model, state: ListState, t: &mut Table) {
    use view::nearby::Item;
    let items = view::nearby::items(model);
    vertical(items.len(), t);
    let item = items.get(state.focus).map(|(item, _)| item);
    t.chip(
        A,
        Act::Confirm,
        if matches!(item, Some(Item::Address)) {
            "Open"
        } else {
            "Pair"
        },
    );
    t.chip(B, Act::Back, "Back");
    if let Some(Item::Laptop(laptop)) = item {
        t.chip(X, Act::Write, "Address");
        if laptop.push {
            t.chip(Y, Act::Choose, "Passphrase");
        }
    } else {
        t.quiet(X, Act::Write, "address");
    }
}

fn pairing(screen: &PairingScreen, t: &mut Table) {
    match screen.stage {
        PairingStage::Calling | PairingStage::Digits(_) => t.chip(B, Act::Back, "Cancel"),
        PairingStage::Confirm { .. } => {
            t.chip(A, Act::Confirm, "Yes, pair")
                .chip(B, Act::Back, "No")
        }
        PairingStage::Keeping { .. } => t.chip(B, Act::Back, "Back"),
        PairingStage::Failed { .. } => {
            let label = if matches!(screen.call, Call::Passphrase(..)) {
                "Type again"
            } else {
                "Start again"
            };
            t.chip(A, Act::Retry, label).chip(B, Act::Back, "Back")
        }
    };
}

fn services(model: &Model, screen: &ServicesScreen, t: &mut Table) {
    let rows = view::services::list(model, screen).rows.len();
    vertical(rows, t);
    if rows > 0 {
        t.chip(A, Act::Confirm, "Open");
    }
    t.chip(B, Act::Back, "Back");
    if model.chosen.is_some() && screen.tab == crate::app::model::screen::ServicesTab::Health {
        t.chip(Y, Act::Retry, "Ask again");
    }
    t.pair(
        (L1, Act::Previous, "tab before"),
        (R1, Act::Next, "tab after"),
        "Tabs",
    );
}

fn settings(state: ListState, t: &mut Table) {
    use view::settings::Item;
    vertical(Item::ALL.len(), t);
    if Item::ALL.get(state.focus).is_some_and(|i| i.has_value()) {
        t.pair(
            (Left, Act::Left, "value before"),
            (Right, Act::Right, "value after"),
            "Change",
        );
        t.chip(B, Act::Back, "Back")
            .chip(A, Act::Confirm, "Next value");
    } else {
        t.chip(B, Act::Back, "Back").chip(A, Act::Confirm, "Open");
    }
}

fn text(extent: Extent, page: &Page, t: &mut Table) {
    scrolling(page.scroll, extent, t);
    t.chip(B, Act::Back, "Back");
}

/// Buttons of which a sequence may consist: all but those that clear, finish, quit and go home.
pub const SEQUENCE_BUTTONS: [Button; 11] = [Up, Down, Left, Right, A, X, Y, L1, R1, L2, R2];

fn set_lock(screen: &SetLockScreen, t: &mut Table) {
    let len = screen.entered.len();
    if SEQUENCE_LEN.contains(&len) {
        t.chip(
            Start,
            Act::Send,
            if screen.first.is_none() {
                "Done"
            } else {
                "Lock"
            },
        );
    }
    t.chip(B, Act::Back, if len == 0 { "Back" } else { "Clear" });
    if len < *SEQUENCE_LEN.end() {
        for button in SEQUENCE_BUTTONS {
            t.quiet(button, Act::Sequence, "press");
        }
    }
}

pub(super) fn lock(model: &Model, screen: &LockScreen, t: &mut Table) {
    if screen.checking || screen.wait_until.is_some_and(|until| until > model.now) {
        return;
    }
    let len = screen.entered.len();
    if SEQUENCE_LEN.contains(&len) {
        t.chip(Start, Act::Send, "Unlock");
    }
    if len > 0 {
        t.chip(B, Act::Back, "Clear");
    }
    if len < *SEQUENCE_LEN.end() {
        for button in SEQUENCE_BUTTONS {
            t.quiet(button, Act::Sequence, "press");
        }
    }
}

pub(super) fn menu(menu: &Menu, t: &mut Table) {
    vertical(menu.items.len(), t);
    if menu.items.get(menu.list.focus).is_some_and(|i| i.enabled) {
        t.chip(A, Act::Confirm, "Choose");
    }
    t.chip(B, Act::Back, "Close");
}

pub(super) fn dialog(dialog: &Dialog, t: &mut Table) {
    if let Some((label, _)) = &dialog.yes {
        t.chip(A, Act::Confirm, label.clone());
    }
    t.chip(B, Act::Back, dialog.no.clone());
}

fn writing(model: &Model, t: &mut Table) {
    let Screen::Writing(writing) = model.screen() else {
        return;
    };
    let send = view::writing::send_label(model, &writing.purpose);
    for hint in model.keyboard.view().hints {
        let label = if hint.buttons == [Start] {
            send
        } else {
            hint.label
        };
        t.group(hint.buttons, Act::Key, label);
    }
    t.rest(Act::Key, "keyboard");
}
