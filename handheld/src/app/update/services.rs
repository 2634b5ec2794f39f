//! Health, models, jobs.

use crate::app::effect::Effects;
use crate::app::hints::Act;
use crate::app::model::screen::ServicesTab;
use crate::app::model::{ListState, Model, Origin, Screen, Wish};
use crate::app::view;

/// The screen shows: the laptop is asked, if it can be.
pub(super) fn enter(model: &mut Model, fx: &mut Effects) {
    if model.link.is_open() {
        ask(model, fx);
    }
}

fn ask(model: &mut Model, fx: &mut Effects) {
    model.services.trouble = None;
    if !super::request::is_asked(model, &Origin::Services) {
        super::request::ask(model, Origin::Services, Wish::Survey, fx);
    }
}

/// Something was done on the services screen.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Services(screen) = model.screen_mut() else {
        return;
    };
    const TABS: [ServicesTab; 3] = [ServicesTab::Health, ServicesTab::Models, ServicesTab::Jobs];
    let at = TABS.iter().position(|t| *t == screen.tab).unwrap_or(0);
    match act {
        Act::Previous | Act::Next => {
            screen.tab = TABS[if act == Act::Next {
                (at + 1) % 3
            } else {
                (at + 2) % 3
            }];
            screen.list = ListState::default();
        }
        Act::Back => super::nav::back(model, fx),
        Act::Retry => {
            ask(model, fx);
            let text = if model.link.is_open() {
                "Asked the laptop"
            } else {
                "The laptop is asked once it is back"
            };
            super::toast(model, text);
        }
        Act::Confirm => open(model, fx),
        _ => {
            super::lists::moved(model, act);
        }
    }
}

/// Everything that is known of the focused row, unshortened.
fn open(model: &mut Model, fx: &mut Effects) {
    let Some(list) = view::list(model) else {
        return;
    };
    let Some(row) = list.focus.and_then(|i| list.rows.get(i)) else {
        return;
    };
    let Screen::Services(screen) = model.screen() else {
        return;
    };
    let (title, text) = match screen.tab {
        ServicesTab::Health => {
            let note = model
                .services
                .providers
                .get(screen.list.focus)
                .map(|p| crate::app::words::peer(&p.note, 500))
                .unwrap_or_default();
            (
                row.title.clone(),
                format!("**{}**\n\n{}\n\n{note}", row.right, row.second),
            )
        }
        ServicesTab::Models | ServicesTab::Jobs => {
            let id = model
                .laptop()
                .and_then(|l| l.models.get(screen.list.focus))
                .map(|m| crate::app::words::peer(&m.id, 128))
                .unwrap_or_default();
            (
                row.title.clone(),
                format!(
                    "**{}**\n\nFull name: `{id}`\n\nChoose it in a chat or on the picture prompt.",
                    row.right
                ),
            )
        }
    };
    super::page::open(model, title, text, fx);
}
