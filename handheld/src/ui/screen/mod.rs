//! The screens: the model onto the canvas.

mod chat;
mod gallery;
mod home;
mod lock;
mod page;
mod pairing;
mod progress;
mod setup;
mod viewer;
mod writing;

use super::canvas::Canvas;
use super::metrics::{Metrics, TextSize};
use super::rect::Rect;
use super::theme::{Theme, Tone};
use super::widget::{button_map, dialog, header, hint_bar, list};
use crate::app::hints;
use crate::app::model::settings;
use crate::app::model::{Extent, Model, Overlay, Screen};
use crate::app::view;
use crate::input::button::Button;

/// The theme that the model's settings and panel ask for.
pub fn theme(model: &Model) -> Theme {
    let text = match model.settings.text_size {
        settings::TextSize::Small => TextSize::Small,
        settings::TextSize::Normal => TextSize::Normal,
        settings::TextSize::Large => TextSize::Large,
    };
    let light = model.settings.theme == settings::Theme::Light;
    let (width, height) = (model.panel.width as i32, model.panel.height as i32);
    Theme::new(light, Metrics::new(width, height, text))
}

/// Draws the whole panel. Returns what was measured of the content of the top screen, for the model to scroll by.
pub fn draw(model: &Model, theme: &Theme, canvas: &mut Canvas) -> Extent {
    canvas.scene(|canvas| panel(model, theme, canvas))
}

fn panel(model: &Model, t: &Theme, canvas: &mut Canvas) -> Extent {
    let panel = canvas.area();
    canvas.fill(panel, t.color(Tone::Bg));
    if let Some(setup) = &model.pads.setup {
        setup::setup(canvas, t, panel, model, setup);
        return Extent::default();
    }
    if let Some(lock) = &model.lock {
        lock::lock(canvas, t, panel, model, lock);
        return Extent::default();
    }
    let extent = screen(model, t, canvas);
    let mut below = panel;
    below.take_bottom(t.m.bar());
    match &model.overlay {
        Some(Overlay::Dialog(d)) => {
            let confirm = if model.settings.swap_ab {
                Button::B
            } else {
                Button::A
            };
            let close = if model.settings.swap_ab {
                Button::A
            } else {
                Button::B
            };
            dialog::dialog(canvas, t, below, d, confirm, close);
        }
        Some(Overlay::Menu(m)) => dialog::menu(canvas, t, below, m),
        Some(Overlay::ButtonMap) => {
            let title = format!("Buttons: {}", view::title(model));
            button_map::button_map(canvas, t, panel, &title, &hints::map(model));
        }
        None => {}
    }
    if let Some(toast) = model.toasts.front() {
        dialog::toast(canvas, t, panel, toast);
    }
    extent
}

/// The top screen with its header and hint bar.
fn screen(model: &Model, t: &Theme, c: &mut Canvas) -> Extent {
    let panel = c.area();
    if let Screen::Viewer(screen) = model.screen() {
        return viewer::viewer(c, t, panel, model, screen);
    }
    let mut area = panel;
    let foot = area.take_bottom(t.m.bar());
    hint_bar::hint_bar(c, t, foot, &hints::bar(model));
    if let Screen::Writing(writing) = model.screen() {
        writing::writing(c, t, area, model, writing);
        return Extent::default();
    }
    let head = area.take_top(t.m.bar());
    header::header(c, t, head, &view::header(model), model.battery);
    if let Some(view) = view::list(model) {
        return list::list(c, t, area, &view);
    }
    match model.screen() {
        Screen::Home(screen) => home::home(c, t, area, model, screen.focus),
        Screen::Chat(screen) => return chat::chat(c, t, area, model, screen),
        Screen::Progress(id) => progress::progress(c, t, area, model, *id),
        Screen::Gallery(state) => return gallery::gallery(c, t, area, model, *state),
        Screen::Pairing(screen) => pairing::pairing(c, t, area, model, screen),
        Screen::Page(screen) => return page::page(c, t, area, screen),
        Screen::SetLock(screen) => lock::set_lock(c, t, area, screen),
        // Drawn above: the lists, the viewer and the keyboard.
        _ => {}
    }
    Extent::default()
}

/// The middle column for running text: as wide as about 66 characters.
fn column(t: &Theme, area: Rect) -> Rect {
    let width = t.m.column();
    Rect {
        x: area.x + (area.w - width) / 2,
        w: width,
        ..area
    }
}
