//! Files both ways.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::overlay::Action;
use crate::app::model::screen::Purpose;
use crate::app::model::{EntryState, Model, Origin, Screen, Side, Source, Wish};
use crate::app::{view, words};

use super::menus::{item, item_if};

/// The screen shows: both lists are brought up to date.
pub(super) fn enter(model: &mut Model, fx: &mut Effects) {
    fx.push(Effect::ListFiles);
    if model.link.is_open() {
        list(model, fx);
    }
}

/// Asks for the list of the drop folder, unless that has been asked already.
pub(super) fn list(model: &mut Model, fx: &mut Effects) {
    if !super::request::is_asked(model, &Origin::Listing) {
        super::request::ask(model, Origin::Listing, Wish::List, fx);
    }
}

/// Writes the list of the drop folder down.
pub(super) fn save_remote(model: &Model, fx: &mut Effects) {
    fx.push(Effect::SaveRemote(
        model.files.listed_at.unwrap_or(0),
        model.files.remote.clone(),
    ));
}

/// The file under the focus.
fn focused(model: &Model) -> Option<String> {
    let Screen::Files(screen) = model.screen() else {
        return None;
    };
    match screen.side {
        Side::Laptop => {
            let before = view::files::downloads(model).count();
            let index = screen.remote.focus.checked_sub(before)?;
            model.files.remote.get(index).map(|f| f.name.clone())
        }
        Side::Card => model
            .files
            .local
            .get(screen.local.focus)
            .map(|f| f.name.clone()),
    }
}

/// Something was done on the files screen.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Files(screen) = model.screen_mut() else {
        return;
    };
    let side = screen.side;
    match act {
        Act::Previous | Act::Next => {
            screen.side = if act == Act::Next {
                Side::Card
            } else {
                Side::Laptop
            };
            model.files.selecting = false;
            model.files.selected.clear();
        }
        Act::Back if model.files.selecting => {
            model.files.selecting = false;
            model.files.selected.clear();
        }
        Act::Back => super::nav::back(model, fx),
        Act::Select => model.files.selecting = true,
        Act::More => more(model, side),
        Act::Confirm => confirm(model, side, fx),
        _ => {
            super::lists::moved(model, act);
        }
    }
}

fn confirm(model: &mut Model, side: Side, fx: &mut Effects) {
    let Some(name) = focused(model) else {
        // A download by the laptop has the focus: its state stands in the outbox.
        return super::nav::push(
            model,
            Screen::Outbox(crate::app::model::ListState::default()),
            fx,
        );
    };
    if model.files.selecting {
        if !model.files.selected.remove(&name) {
            model.files.selected.insert(name);
        }
        return;
    }
    match side {
        Side::Laptop => fetch(model, vec![name], fx),
        Side::Card => send(model, vec![name], fx),
    }
}

/// Fetches files to the card.
pub(super) fn fetch(model: &mut Model, names: Vec<String>, fx: &mut Effects) {
    let mut asked = 0u64;
    for name in names {
        let origin = Origin::Fetch(name.clone());
        if super::request::is_asked(model, &origin) {
            continue;
        }
        drop_failed(model, &origin, fx);
        if super::request::ask(model, origin, Wish::Get { name }, fx) {
            asked += 1;
        }
    }
    tell(model, asked, "fetching");
}

/// Sends files to the drop folder.
pub(super) fn send(model: &mut Model, names: Vec<String>, fx: &mut Effects) {
    if model.chosen.is_none() {
        return;
    }
    let mut asked = 0u64;
    for name in names {
        let origin = Origin::Send(name.clone());
        if super::request::is_asked(model, &origin) {
            continue;
        }
        drop_failed(model, &origin, fx);
        super::request::hash(model, Source::File(name), origin, fx);
        asked += 1;
    }
    tell(model, asked, "sending");
}

fn tell(model: &mut Model, asked: u64, doing: &str) {
    let files = words::quantity::count(asked, "file", "files");
    match asked {
        0 => super::toast(model, "It is on its way already"),
        _ if model.link.is_open() => super::toast(model, format!("{files}: {doing}")),
        _ => super::toast(model, format!("{files} queued")),
    }
}

/// Asks for a file to be deleted on the laptop.
pub(super) fn delete_remote(model: &mut Model, names: Vec<String>, fx: &mut Effects) {
    for name in names {
        let origin = Origin::Remove(name.clone());
        if !super::request::is_asked(model, &origin) {
            drop_failed(model, &origin, fx);
            super::request::ask(model, origin, Wish::Delete { name }, fx);
        }
    }
}

/// Deletes files on the card.
pub(super) fn delete_local(model: &mut Model, names: Vec<String>, fx: &mut Effects) {
    for name in names {
        model.files.local.retain(|f| f.name != name);
        fx.push(Effect::DropFile(name));
    }
    fx.push(Effect::ListFiles);
}

/// Has the laptop download an address into its drop folder.
pub(super) fn download(model: &mut Model, url: String, fx: &mut Effects) {
    let name = name_of(&url);
    if super::request::ask(
        model,
        Origin::Download(url.clone()),
        Wish::Download { url, name },
        fx,
    ) {
        tell(model, 1, "downloading");
    }
}

/// A file name from the last part of an address.
fn name_of(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let last = path.split('/').skip(1).last().unwrap_or_default();
    let safe: String = last
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') {
                c
            } else {
                '_'
            }
        })
        .take(80)
        .collect();
    let safe = safe.trim_matches('.').to_string();
    if safe.is_empty() {
        "download".into()
    } else {
        safe
    }
}

/// A failed attempt gives way to a new one.
fn drop_failed(model: &mut Model, origin: &Origin, fx: &mut Effects) {
    let stale: Vec<_> = model
        .outbox
        .entries
        .iter()
        .filter(|e| e.origin == *origin && matches!(e.state, EntryState::Failed(_)))
        .map(|e| (e.laptop, e.id))
        .collect();
    for (laptop, id) in stale {
        super::request::forget_entry(model, laptop, id, fx);
    }
}

/// What else can be done: with the ticked files, else with the one under the focus.
fn more(model: &mut Model, side: Side) {
    let names: Vec<String> = if model.files.selecting {
        model.files.selected.iter().cloned().collect()
    } else {
        focused(model).into_iter().collect()
    };
    let some = !names.is_empty();
    let laptop = model.chosen.is_some();
    let why = if some { "no laptop" } else { "no file" };
    let title = match names.as_slice() {
        [] => "Files".to_string(),
        [one] => words::peer(one, 40),
        many => format!("{} files", many.len()),
    };
    let items = match side {
        Side::Laptop => vec![
            item_if(
                some && laptop,
                "Fetch to card",
                why,
                Action::FetchFiles(names.clone()),
            ),
            item_if(
                some && laptop,
                "Delete there",
                why,
                Action::AskDeleteRemote(names),
            ),
            item_if(
                laptop,
                "Download address",
                "no laptop",
                Action::Write(Purpose::Url),
            ),
            item_if(laptop, "List again", "no laptop", Action::Relist),
        ],
        Side::Card => vec![
            item_if(
                some && laptop,
                "Send to laptop",
                why,
                Action::SendFiles(names.clone()),
            ),
            item_if(
                some,
                "Delete here",
                "no file",
                Action::AskDeleteLocal(names),
            ),
            item("List again", Action::Relist),
        ],
    };
    super::menus::show(model, title, items);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_is_named_after_the_last_part_of_its_address() {
        assert_eq!(name_of("https://example.org/a/b.pdf?x=1"), "b.pdf");
        assert_eq!(name_of("https://example.org"), "download");
        assert_eq!(name_of("https://example.org/../..\u{202e}/"), "download");
        assert_eq!(name_of("http://h/a b:c"), "a_b_c");
    }
}
