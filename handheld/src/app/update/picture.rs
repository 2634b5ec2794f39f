//! Pictures: the prompt, the progress, the gallery.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::overlay::Action;
use crate::app::model::picture::{Made, Recipe, Size, Style};
use crate::app::model::screen::{PromptRow, PromptScreen, Purpose};
use crate::app::model::{Model, Origin, Picture, PictureId, PictureState, Screen};
use crate::app::{view, words};

use super::menus::{item, item_if};

/// Steps of a picture unless the person says otherwise.
pub(super) const DEFAULT_STEPS: u8 = 20;

/// Steps to choose from.
const STEPS: [u8; 8] = [4, 8, 12, 16, 20, 30, 40, 50];

/// Earlier prompts that are kept.
const MAX_EARLIER: usize = 20;

/// Something was done on the prompt screen.
pub(super) fn prompt_act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Prompt(screen) = model.screen_mut() else {
        return;
    };
    let row = screen.row;
    let at = PromptRow::ALL.iter().position(|r| *r == row).unwrap_or(0);
    let len = PromptRow::ALL.len();
    match act {
        Act::Up => screen.row = PromptRow::ALL[(at + len - 1) % len],
        Act::Down => screen.row = PromptRow::ALL[(at + 1) % len],
        Act::PageUp => screen.row = PromptRow::ALL[if at == 0 { len - 1 } else { 0 }],
        Act::PageDown => screen.row = PromptRow::ALL[if at == len - 1 { 0 } else { len - 1 }],
        Act::Back => super::nav::back(model, fx),
        Act::Send => paint(model, fx),
        Act::Earlier => earlier(model),
        Act::Confirm => match row {
            PromptRow::Prompt => super::writing::open(model, Purpose::Prompt, fx),
            PromptRow::Negative => super::writing::open(model, Purpose::Negative, fx),
            _ => change(model, row, true, fx),
        },
        Act::Left => change(model, row, false, fx),
        Act::Right => change(model, row, true, fx),
        _ => {}
    }
}

fn change(model: &mut Model, row: PromptRow, on: bool, fx: &mut Effects) {
    let models = view::picture::models(model);
    let recipe = &mut model.pictures.recipe;
    match row {
        PromptRow::Style => {
            let all = [
                Style::Free,
                Style::Oil,
                Style::Watercolour,
                Style::Photo,
                Style::Pencil,
                Style::Pixel,
                Style::Comic,
                Style::Woodcut,
            ];
            recipe.style = turn(&all, &recipe.style, on);
        }
        PromptRow::Size => {
            let all = [
                Size::Screen,
                Size::Square,
                Size::Portrait,
                Size::Landscape,
                Size::Large,
            ];
            recipe.size = turn(&all, &recipe.size, on);
        }
        PromptRow::Steps => recipe.steps = turn(&STEPS, &recipe.steps, on),
        PromptRow::Model => recipe.model = turn(&models, &recipe.model, on),
        PromptRow::Prompt | PromptRow::Negative => return,
    }
    save_recipe(model, fx);
}

/// The value after (or before) the present one, around the ends.
fn turn<T: Clone + PartialEq>(all: &[T], now: &T, on: bool) -> T {
    let at = all.iter().position(|v| v == now).unwrap_or(0);
    let to = if on { at + 1 } else { at + all.len() - 1 };
    all[to % all.len()].clone()
}

/// Writes recipe and earlier prompts down.
pub(super) fn save_recipe(model: &Model, fx: &mut Effects) {
    fx.push(Effect::SaveRecipe(
        Box::new(model.pictures.recipe.clone()),
        model.pictures.earlier.clone(),
    ));
}

fn earlier(model: &mut Model) {
    let items = model
        .pictures
        .earlier
        .iter()
        .map(|p| item(words::short(p, 48), Action::UsePrompt(p.clone())))
        .collect();
    super::menus::show(model, "Earlier prompts", items);
}

/// Asks for the picture of the recipe.
fn paint(model: &mut Model, fx: &mut Effects) {
    let recipe = model.pictures.recipe.clone();
    if recipe.prompt.trim().is_empty() || model.chosen.is_none() {
        return;
    }
    model.pictures.earlier.retain(|p| *p != recipe.prompt);
    model.pictures.earlier.insert(0, recipe.prompt.clone());
    model.pictures.earlier.truncate(MAX_EARLIER);
    save_recipe(model, fx);
    let id = add(model, recipe, Made::Painted, None, fx);
    super::nav::replace(model, Screen::Progress(id), fx);
}

/// A new picture, written down and asked for.
fn add(
    model: &mut Model,
    recipe: Recipe,
    made: Made,
    from: Option<PictureId>,
    fx: &mut Effects,
) -> PictureId {
    let id = PictureId(model.pictures.next);
    model.pictures.next += 1;
    let picture = Picture {
        id,
        recipe,
        made,
        from,
        at: model.wall(),
        request: None,
        state: PictureState::Open,
        size: None,
        thumb: None,
        raster: None,
    };
    fx.push(Effect::SavePicture(Box::new(picture.clone())));
    model.pictures.list.insert(0, picture);
    super::request::ask_picture(model, id, fx);
    id
}

/// Makes a picture from another one.
pub(super) fn derive(
    model: &mut Model,
    from: PictureId,
    made: Made,
    prompt: Option<String>,
    fx: &mut Effects,
) {
    if model.chosen.is_none() {
        return;
    }
    let Some(source) = model.pictures.find(from) else {
        return;
    };
    let mut recipe = source.recipe.clone();
    if let Some(prompt) = prompt {
        recipe.prompt = prompt;
    }
    let id = add(model, recipe, made, Some(from), fx);
    super::nav::push(model, Screen::Progress(id), fx);
}

/// Something was done while a picture is in the making.
pub(super) fn progress_act(model: &mut Model, act: Act, fx: &mut Effects) {
    let Screen::Progress(id) = model.screen() else {
        return;
    };
    let id = *id;
    match act {
        Act::Stop => stop(model, id, fx),
        Act::Retry => super::retry::retry_picture(model, id, fx),
        Act::Confirm => super::viewer::open_in_place(model, id, fx),
        Act::More => more(model, id),
        Act::New => prompt(model, fx),
        Act::Back => super::nav::back(model, fx),
        _ => {}
    }
}

fn stop(model: &mut Model, id: PictureId, fx: &mut Effects) {
    model
        .hashing
        .retain(|(_, origin)| *origin != Origin::Picture(id));
    super::request::stop(model, &Origin::Picture(id), fx);
    if let Some(picture) = model.pictures.find_mut(id) {
        picture.state = PictureState::Stopped;
        fx.push(Effect::SavePicture(Box::new(picture.clone())));
    }
}

/// Shows the prompt screen.
pub(super) fn prompt(model: &mut Model, fx: &mut Effects) {
    if model.pictures.recipe.steps == 0 {
        model.pictures.recipe.steps = DEFAULT_STEPS;
    }
    super::nav::push(model, Screen::Prompt(PromptScreen::default()), fx);
}

/// Something was done in the gallery.
pub(super) fn gallery_act(model: &mut Model, act: Act, fx: &mut Effects) {
    let page = super::lists::gallery_rows(model.panel) * view::picture::COLUMNS;
    let last = model.pictures.list.len().saturating_sub(1);
    let Screen::Gallery(state) = model.screen_mut() else {
        return;
    };
    let columns = view::picture::COLUMNS;
    let focus = state.focus;
    match act {
        Act::Up => state.focus = focus.saturating_sub(columns),
        Act::Down => state.focus = (focus + columns).min(last),
        Act::Left => state.focus = focus.saturating_sub(1),
        Act::Right => state.focus = (focus + 1).min(last),
        Act::PageUp => state.focus = focus.saturating_sub(page),
        Act::PageDown => state.focus = (focus + page).min(last),
        Act::Confirm => {
            if let Some(picture) = model.pictures.list.get(focus) {
                let (id, ready) = (picture.id, picture.state == PictureState::Ready);
                if ready {
                    super::viewer::open(model, id, fx);
                } else {
                    super::nav::push(model, Screen::Progress(id), fx);
                }
            }
            return;
        }
        Act::More => {
            if let Some(id) = model.pictures.list.get(focus).map(|p| p.id) {
                more(model, id);
            }
            return;
        }
        Act::New => return prompt(model, fx),
        Act::Back => return super::nav::back(model, fx),
        _ => return,
    }
    load_thumbs(model, fx);
}

/// What else can be done with a picture.
pub(super) fn more(model: &mut Model, id: PictureId) {
    let Some(picture) = model.pictures.find(id) else {
        return;
    };
    let ready = picture.state == PictureState::Ready;
    let open = picture.state == PictureState::Open;
    let can = ready && model.chosen.is_some();
    let why = if ready { "no laptop" } else { "not ready" };
    let items = vec![
        item_if(can, "Change it", why, Action::Write(Purpose::Change(id))),
        item_if(can, "Make larger", why, Action::UpscalePicture(id)),
        item_if(can, "Make one like it", why, Action::VaryPicture(id)),
        item("Use its prompt", Action::ReusePicture(id)),
        item_if(
            !ready && !open,
            "Ask again",
            if ready { "it is here" } else { "on its way" },
            Action::RetryPicture(id),
        ),
        item_if(
            ready,
            "Save to files",
            "not ready",
            Action::ExportPicture(id),
        ),
        item("Delete", Action::AskDeletePicture(id)),
    ];
    let title = view::picture::title(model, id);
    super::menus::show(model, title, items);
}

/// Begins a new picture from the recipe of another.
pub(super) fn reuse(model: &mut Model, id: PictureId, fx: &mut Effects) {
    let Some(picture) = model.pictures.find(id) else {
        return;
    };
    model.pictures.recipe = picture.recipe.clone();
    save_recipe(model, fx);
    prompt(model, fx);
}

/// Deletes a picture, stopping it if it is in the making.
pub(super) fn delete(model: &mut Model, id: PictureId, fx: &mut Effects) {
    stop(model, id, fx);
    model.pictures.list.retain(|p| p.id != id);
    fx.push(Effect::DropPicture(id));
}

/// Loads the small pictures around the focus and lets go of those far away.
pub(super) fn load_thumbs(model: &mut Model, fx: &mut Effects) {
    let page = super::lists::gallery_rows(model.panel) * view::picture::COLUMNS;
    let Screen::Gallery(state) = model.screen() else {
        return;
    };
    let near = state.focus.saturating_sub(page)..=state.focus + page;
    let fit = (model.panel.width / 3, model.panel.width / 4);
    for (index, picture) in model.pictures.list.iter_mut().enumerate() {
        if !near.contains(&index) {
            picture.thumb = None;
        } else if picture.thumb.is_none() && picture.state == PictureState::Ready {
            fx.push(Effect::LoadPicture {
                picture: picture.id,
                fit: Some(fit),
            });
        }
    }
}
