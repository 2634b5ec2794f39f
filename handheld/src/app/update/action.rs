//! What menus and dialogs do.

use crate::app::effect::{Effect, Effects};
use crate::app::model::overlay::Action;
use crate::app::model::picture::Made;
use crate::app::model::screen::{Purpose, SetLockScreen};
use crate::app::model::{Call, Model, Screen};
use crate::app::{view, words};

/// Does it.
pub(super) fn perform(model: &mut Model, action: Action, fx: &mut Effects) {
    match action {
        Action::Close => {}
        Action::NewChat(kind) => super::writing::open(model, Purpose::FirstMessage(kind), fx),
        Action::OpenChat(id) => super::chat::open(model, id, fx),
        Action::Write(purpose) => super::writing::open(model, purpose, fx),
        Action::RetryChat(id) => super::retry::retry_chat(model, id, fx),
        Action::CopyAnswer(id) => super::chat::copy(model, id),
        Action::SaveChat(id) => super::chat::save(model, id, fx),
        Action::SummarizeChat(id) => super::chat::summarize(model, id, fx),
        Action::AskDeleteChat(id) => {
            let title = format!("Delete “{}”", view::chat::title(model, id));
            super::menus::ask(
                model,
                title,
                "What was said in it is gone then, here and on the laptop.",
                "Delete",
                Action::DeleteChat(id),
            );
        }
        Action::DeleteChat(id) => super::chat::delete(model, id, fx),
        Action::ChooseChatModel(id) => super::chat::choose_model(model, id),
        Action::SetChatModel(id, name) => super::chat::set_model(model, id, name, fx),
        Action::UsePrompt(prompt) => {
            model.pictures.recipe.prompt = prompt;
            super::picture::save_recipe(model, fx);
        }
        Action::ReusePicture(id) => super::picture::reuse(model, id, fx),
        Action::UpscalePicture(id) => super::picture::derive(model, id, Made::Upscaled, None, fx),
        Action::VaryPicture(id) => super::picture::derive(model, id, Made::Varied, None, fx),
        Action::ExportPicture(id) => {
            let name = super::chat::file_name(&view::picture::title(model, id));
            fx.push(Effect::ExportPicture { picture: id, name });
        }
        Action::RetryPicture(id) => super::retry::retry_picture(model, id, fx),
        Action::AskDeletePicture(id) => {
            let title = format!("Delete “{}”", view::picture::title(model, id));
            super::menus::ask(
                model,
                title,
                "The picture on this card is gone then.",
                "Delete",
                Action::DeletePicture(id),
            );
        }
        Action::DeletePicture(id) => super::picture::delete(model, id, fx),
        Action::SetPictureModel(name) => {
            model.pictures.recipe.model = name;
            super::picture::save_recipe(model, fx);
        }
        Action::FetchFiles(names) => {
            end_selecting(model);
            super::files::fetch(model, names, fx);
        }
        Action::SendFiles(names) => {
            end_selecting(model);
            super::files::send(model, names, fx);
        }
        Action::AskDeleteRemote(names) => {
            let title = format!("Delete {} on the laptop", which(&names));
            super::menus::ask(
                model,
                title,
                "It is gone from the drop folder then. What is on this card stays.",
                "Delete",
                Action::DeleteRemote(names),
            );
        }
        Action::DeleteRemote(names) => {
            end_selecting(model);
            super::files::delete_remote(model, names, fx);
        }
        Action::AskDeleteLocal(names) => {
            let title = format!("Delete {} on this card", which(&names));
            super::menus::ask(
                model,
                title,
                "It is gone from this card then. What is on the laptop stays.",
                "Delete",
                Action::DeleteLocal(names),
            );
        }
        Action::DeleteLocal(names) => {
            end_selecting(model);
            super::files::delete_local(model, names, fx);
        }
        Action::Relist => {
            fx.push(Effect::ListFiles);
            super::files::list(model, fx);
            let text = if model.link.is_open() {
                "Listing again"
            } else {
                "Listed again once the laptop is back"
            };
            super::toast(model, text);
        }
        Action::SelectFiles => model.files.selecting = true,
        Action::OpenEntry(key) => super::outbox::open(model, key, fx),
        Action::EntryEarlier(key) => super::outbox::swap(model, key, false, fx),
        Action::EntryLater(key) => super::outbox::swap(model, key, true, fx),
        Action::HoldEntry(key) => super::outbox::hold(model, key, fx),
        Action::RetryEntry(key) => super::retry::retry_entry(model, key.laptop, key.id, fx),
        Action::AskDeleteEntry(key) => {
            super::menus::ask(
                model,
                "Take this request back",
                "What runs is stopped. What had arrived stays.",
                "Take back",
                Action::DeleteEntry(key),
            );
        }
        Action::DeleteEntry(key) => super::outbox::delete(model, key, fx),
        Action::ChooseLaptop(id) => super::laptop::choose(model, id, fx),
        Action::AskForget(id) => {
            let name = model
                .laptops
                .iter()
                .find(|l| l.id == id)
                .map_or("this laptop".to_string(), |l| {
                    words::peer(&l.name, words::PEER_NAME_LEN)
                });
            let title = format!("Forget {name}");
            super::menus::ask(
                model,
                title,
                "Its keys are erased here, and only pairing again brings it back. Your chats and pictures stay.",
                "Forget",
                Action::Forget(id),
            );
        }
        Action::Forget(id) => super::laptop::forget(model, id, fx),
        Action::PairBy(carrier) => super::pairing::call(model, Call::Carrier(carrier), fx),
        Action::LookNearby => super::radio::open(model, fx),
        Action::Reconnect => super::laptop::reconnect(model, fx),
        Action::ForgetWords => {
            model.keyboard.learned_mut().clear();
            fx.push(Effect::SaveWords(String::new()));
            super::toast(model, "Learned words forgotten");
        }
        Action::SetUpButtons => super::setup::open(model, fx),
        Action::UndoButtons => super::setup::undo(model, fx),
        Action::ShowKeys => super::page::open(model, "Buttons", words::help::buttons(), fx),
        Action::SetLock(true) => {
            super::nav::push(model, Screen::SetLock(SetLockScreen::default()), fx)
        }
        Action::SetLock(false) => fx.push(Effect::SetLock(None)),
        Action::Quit => super::quit(model, fx),
    }
}

fn end_selecting(model: &mut Model) {
    model.files.selecting = false;
    model.files.selected.clear();
}

/// The files in a question.
fn which(names: &[String]) -> String {
    match names {
        [one] => format!("“{}”", words::peer(one, 32)),
        many => format!("{} files", many.len()),
    }
}
