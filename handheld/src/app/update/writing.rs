//! Writing: the keyboard has the buttons; what comes of it goes where the text was meant for.

use crate::app::effect::{Effect, Effects};
use crate::app::model::screen::{Purpose, Writing};
use crate::app::model::settings::KeyboardKind;
use crate::app::model::{Call, Carrier, Model, Screen};
use crate::app::view;
use crate::entry::keyboard::{self, Action, Outcome};
use crate::entry::view::Mode;
use crate::input::button::Press;

/// Opens the keyboard for a purpose, with what was left unfinished or what is there already.
pub(super) fn open(model: &mut Model, purpose: Purpose, fx: &mut Effects) {
    let draft = model
        .drafts
        .iter()
        .find(|(p, _)| *p == purpose)
        .map(|(_, text)| text.clone());
    let text = draft.unwrap_or_else(|| present(model, &purpose));
    let field = match purpose {
        Purpose::Url | Purpose::Address | Purpose::Passphrase => keyboard::Purpose::Exact,
        _ => keyboard::Purpose::Prose,
    };
    model.keyboard.set_settings(settings(model));
    model.keyboard.set_offer_arc(!model.settings.arc_offered);
    model.keyboard.open(&text, field);
    let context = view::writing::context(model, &purpose);
    super::nav::push(
        model,
        Screen::Writing(Box::new(Writing { purpose, context })),
        fx,
    );
}

/// What the keyboard has to know of the settings.
fn settings(model: &Model) -> keyboard::Settings {
    let s = &model.settings;
    keyboard::Settings {
        mode: match s.keyboard {
            KeyboardKind::Grid => Mode::Grid,
            KeyboardKind::Arc => Mode::Arc,
        },
        suggestions: s.suggestions,
        swap_ab: s.swap_ab,
        ..keyboard::Settings::default()
    }
}

/// The text that is there already.
fn present(model: &Model, purpose: &Purpose) -> String {
    let chat = |id| model.chats.find(id);
    match purpose {
        Purpose::Title(id) => chat(*id).map(|c| c.title.clone()),
        Purpose::System(id) => chat(*id).map(|c| c.system.clone()),
        Purpose::Prompt => Some(model.pictures.recipe.prompt.clone()),
        Purpose::Negative => Some(model.pictures.recipe.negative.clone()),
        Purpose::Requeue(key) => model
            .outbox
            .find(key.laptop, key.id)
            .and_then(|e| view::writing::editable(&e.wish))
            .map(str::to_owned),
        Purpose::Url => Some("https://".into()),
        Purpose::Passphrase => match &model.radio.joining {
            Some(Call::Passphrase(_, written)) => Some(written.clone()),
            _ => None,
        },
        Purpose::Message(_) | Purpose::FirstMessage(_) | Purpose::Change(_) | Purpose::Address => {
            None
        }
    }
    .unwrap_or_default()
}

/// A button did something while writing.
pub(super) fn press(model: &mut Model, press: Press, fx: &mut Effects) {
    match model.keyboard.handle(press, model.now) {
        Outcome::None | Outcome::Shown => {}
        Outcome::Edited => {}
        Outcome::Send => {
            if model.keyboard.learns() {
                fx.push(Effect::SaveWords(model.keyboard.learned().export()));
            }
            send(model, fx);
        }
        Outcome::Leave => {
            keep_draft(model, fx);
            super::nav::back(model, fx);
        }
        Outcome::Action(Action::Switched(mode)) => {
            model.settings.keyboard = match mode {
                Mode::Grid => KeyboardKind::Grid,
                Mode::Arc => KeyboardKind::Arc,
            };
            model.settings.arc_offered = true;
            fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
        }
        Outcome::Action(Action::OfferArc) => {
            if !model.settings.arc_offered {
                model.settings.arc_offered = true;
                fx.push(Effect::SaveSettings(Box::new(model.settings.clone())));
                super::toast(model, "The arc needs half the presses: see Help");
            }
        }
    }
}

/// The button map is about to take the buttons: what is down is let go of, and does nothing.
pub(super) fn let_go(model: &mut Model) {
    model.keyboard.let_go();
}

/// Keeps what is unfinished, if the top screen is for writing.
pub(super) fn keep_draft(model: &mut Model, fx: &mut Effects) {
    let Screen::Writing(writing) = model.screen() else {
        return;
    };
    let purpose = writing.purpose.clone();
    if purpose == Purpose::Passphrase {
        // It opens the laptop's network to whoever reads the card.
        return;
    }
    let text = model.keyboard.text().to_string();
    let kept = if text.trim().is_empty() || text == present(model, &purpose) {
        String::new()
    } else {
        text
    };
    set_draft(model, purpose, kept, fx);
}

fn set_draft(model: &mut Model, purpose: Purpose, text: String, fx: &mut Effects) {
    let known = model.drafts.iter().position(|(p, _)| *p == purpose);
    match (known, text.is_empty()) {
        (None, true) => return,
        (Some(index), true) => {
            model.drafts.remove(index);
        }
        (Some(index), false) => model.drafts[index].1.clone_from(&text),
        (None, false) => model.drafts.push((purpose.clone(), text.clone())),
    }
    fx.push(Effect::SaveDraft(purpose, text));
}

/// The text is finished.
fn send(model: &mut Model, fx: &mut Effects) {
    let Screen::Writing(writing) = model.screen() else {
        return;
    };
    let purpose = writing.purpose.clone();
    let text = model.keyboard.text().trim().to_string();
    let may_be_empty = matches!(
        purpose,
        Purpose::System(_) | Purpose::Negative | Purpose::Prompt
    );
    if text.is_empty() && !may_be_empty {
        // Nothing to send: the field stays, so that an accidental Start costs nothing.
        return;
    }
    if purpose == Purpose::Passphrase {
        return super::radio::join(model, &text, fx);
    }
    model.keyboard.take();
    let draft = purpose.clone();
    match purpose {
        Purpose::Message(id) => {
            super::nav::back(model, fx);
            super::chat::say(model, id, text, fx);
            super::chat::open(model, id, fx);
        }
        Purpose::FirstMessage(kind) => {
            super::nav::back(model, fx);
            let id = super::chat::start(model, kind, None, text, fx);
            super::chat::open(model, id, fx);
        }
        Purpose::Title(id) => {
            super::nav::back(model, fx);
            change_chat(model, id, fx, |chat| {
                chat.title = text;
                chat.named = true;
            });
        }
        Purpose::System(id) => {
            super::nav::back(model, fx);
            change_chat(model, id, fx, |chat| chat.system = text);
        }
        Purpose::Prompt | Purpose::Negative => {
            super::nav::back(model, fx);
            if purpose == Purpose::Prompt {
                model.pictures.recipe.prompt = text;
            } else {
                model.pictures.recipe.negative = text;
            }
            super::picture::save_recipe(model, fx);
        }
        Purpose::Change(id) => {
            super::nav::back(model, fx);
            super::picture::derive(
                model,
                id,
                crate::app::model::picture::Made::Edited,
                Some(text),
                fx,
            );
        }
        Purpose::Url => {
            super::nav::back(model, fx);
            super::files::download(model, text, fx);
        }
        Purpose::Address => {
            super::nav::back(model, fx);
            super::pairing::call(model, Call::Carrier(Carrier::Tcp(text)), fx);
        }
        // Sent above.
        Purpose::Passphrase => {}
        Purpose::Requeue(key) => {
            super::nav::back(model, fx);
            super::outbox::rewrite(model, key, text, fx);
        }
    }
    // Behind what the text has become: a power cut between the two leaves it twice rather than not at all.
    set_draft(model, draft, String::new(), fx);
}

fn change_chat(
    model: &mut Model,
    id: crate::app::model::ChatId,
    fx: &mut Effects,
    change: impl FnOnce(&mut crate::app::model::Chat),
) {
    if let Some(chat) = model.chats.find_mut(id) {
        change(chat);
        fx.push(Effect::SaveChat(Box::new(chat.clone())));
    }
}
