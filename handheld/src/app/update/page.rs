//! Help and texts to read.

use crate::app::effect::Effects;
use crate::app::hints::Act;
use crate::app::model::proof::Proof;
use crate::app::model::screen::Page;
use crate::app::model::{Model, Screen, Scroll};
use crate::app::words::{self, help::TOPICS};

/// Shows a text.
pub(super) fn open(
    model: &mut Model,
    title: impl Into<String>,
    text: impl Into<String>,
    fx: &mut Effects,
) {
    let page = Page {
        title: title.into(),
        text: text.into(),
        scroll: Scroll::Top(0),
    };
    super::nav::push(model, Screen::Page(page), fx);
}

/// What holds of the air gap is known; shown where somebody still waits for it.
pub(super) fn proven(model: &mut Model, proof: &Proof) {
    if let Screen::Page(page) = model.screen_mut()
        && page.title == words::proof::TITLE
    {
        page.text = words::proof::page(proof);
    }
}

/// Something was done among the topics of help.
pub(super) fn help_act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Help(state) = model.screen() else {
        return;
    };
    match act {
        Act::Confirm => {
            if let Some(topic) = TOPICS.get(state.focus) {
                open(model, topic.title, topic.text, fx);
            }
        }
        Act::Back => super::nav::back(model, fx),
        _ => {
            super::lists::moved(model, act);
        }
    }
}

/// Something was done in a text.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let extent = model.extent;
    let Screen::Page(page) = model.screen_mut() else {
        return;
    };
    if act == Act::Back {
        return super::nav::back(model, fx);
    }
    super::lists::scrolled(&mut page.scroll, extent, act);
}
