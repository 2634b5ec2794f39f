//! Menus and dialogs.

use crate::app::effect::Effects;
use crate::app::hints::Act;
use crate::app::model::overlay::Action;
use crate::app::model::{Dialog, ListState, Menu, MenuItem, Model, Overlay};
use crate::app::view::Row;
use crate::app::words::failure::Explained;

/// Shows a menu; one without items is not shown.
pub(super) fn show(model: &mut Model, title: impl Into<String>, items: Vec<MenuItem>) {
    if items.is_empty() {
        return;
    }
    let focus = items
        .iter()
        .position(|i| i.current)
        .or_else(|| items.iter().position(|i| i.enabled))
        .unwrap_or(0);
    model.overlay = Some(Overlay::Menu(Menu {
        title: title.into(),
        items,
        list: ListState { focus, top: 0 },
    }));
}

/// A menu item.
pub(super) fn item(label: impl Into<String>, action: Action) -> MenuItem {
    MenuItem {
        label: label.into(),
        note: String::new(),
        enabled: true,
        current: false,
        action,
    }
}

/// A menu item that can be chosen only if `enabled`, else `why` stands beside it.
pub(super) fn item_if(enabled: bool, label: &str, why: &str, action: Action) -> MenuItem {
    MenuItem {
        label: label.into(),
        note: if enabled { String::new() } else { why.into() },
        enabled,
        current: false,
        action,
    }
}

/// Asks before doing something that cannot be undone.
pub(super) fn ask(
    model: &mut Model,
    title: impl Into<String>,
    body: &str,
    yes: &str,
    action: Action,
) {
    model.overlay = Some(Overlay::Dialog(Dialog {
        error: false,
        title: title.into(),
        body: vec![body.into()],
        yes: Some((yes.into(), action)),
        no: "Keep".into(),
    }));
}

/// Tells of an error, if nothing else is shown above the screen.
pub(super) fn tell(model: &mut Model, said: Explained, retry: Option<Action>) {
    if model.overlay.is_some() || model.lock.is_some() {
        return;
    }
    let yes = retry
        .filter(|_| said.again)
        .map(|action| ("Retry".to_string(), action));
    model.overlay = Some(Overlay::Dialog(Dialog {
        error: true,
        title: said.title,
        body: said.body,
        yes,
        no: "Close".into(),
    }));
}

/// Tells of an error in plain words.
pub(super) fn tell_plain(model: &mut Model, title: impl Into<String>, body: impl Into<String>) {
    let said = Explained {
        mark: crate::app::view::Mark::Failed,
        title: title.into(),
        body: vec![body.into()],
        again: false,
    };
    tell(model, said, None);
}

/// Something was done in a menu.
pub(super) fn menu(model: &mut Model, act: Act, fx: &mut Effects) {
    let page = model.panel.rows(6);
    let Some(Overlay::Menu(menu)) = &mut model.overlay else {
        return;
    };
    match act {
        Act::Confirm => {
            if let Some(item) = menu.items.get(menu.list.focus).filter(|i| i.enabled) {
                let action = item.action.clone();
                model.overlay = None;
                super::action::perform(model, action, fx);
            }
        }
        Act::Back => model.overlay = None,
        _ => {
            let rows = vec![Row::default(); menu.items.len()];
            super::lists::step(&mut menu.list, &rows, act, page);
        }
    }
}

/// Something was done in a dialog.
pub(super) fn dialog(model: &mut Model, act: Act, fx: &mut Effects) {
    let Some(Overlay::Dialog(dialog)) = model.overlay.take() else {
        return;
    };
    if let (Act::Confirm, Some((_, action))) = (act, dialog.yes) {
        super::action::perform(model, action, fx);
    }
}
