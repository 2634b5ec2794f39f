//! One picture, edge to edge: zoom, pan, the next one.

use crate::app::effect::{Effect, Effects};
use crate::app::hints::Act;
use crate::app::model::screen::ViewerScreen;
use crate::app::model::{Model, PictureId, PictureState, Screen};

/// How long title and hints stay after a press.
const BAR_MS: u64 = 2000;

/// Steps of zoom in per cent of the picture's own pixels.
const ZOOMS: [u16; 8] = [25, 50, 75, 100, 150, 200, 300, 400];

/// Thousandths of the picture that one press pans.
const PAN: u16 = 80;

fn fresh(model: &Model, picture: PictureId) -> Screen {
    Screen::Viewer(ViewerScreen {
        picture,
        zoom: None,
        centre: (500, 500),
        bar_until: Some(model.now.plus(BAR_MS)),
    })
}

/// Shows a picture above the present screen.
pub(super) fn open(model: &mut Model, picture: PictureId, fx: &mut Effects) {
    let screen = fresh(model, picture);
    super::nav::push(model, screen, fx);
}

/// Shows a picture in place of the present screen.
pub(super) fn open_in_place(model: &mut Model, picture: PictureId, fx: &mut Effects) {
    let screen = fresh(model, picture);
    super::nav::replace(model, screen, fx);
}

/// The picture's pixels are needed.
pub(super) fn enter(model: &mut Model, fx: &mut Effects) {
    let until = model.now.plus(BAR_MS);
    let Screen::Viewer(viewer) = model.screen_mut() else {
        return;
    };
    viewer.bar_until = Some(until);
    let picture = viewer.picture;
    if model
        .pictures
        .find(picture)
        .is_some_and(|p| p.raster.is_none() && p.state == PictureState::Ready)
    {
        fx.push(Effect::LoadPicture { picture, fit: None });
    }
}

/// Something was done in the viewer.
pub(super) fn act(model: &mut Model, act: Act, fx: &mut Effects) {
    let until = model.now.plus(BAR_MS);
    let panel = (model.panel.width, model.panel.height);
    let Screen::Viewer(viewer) = model.screen() else {
        return;
    };
    let id = viewer.picture;
    let size = model
        .pictures
        .find(id)
        .and_then(|p| p.size)
        .unwrap_or(panel);
    match act {
        Act::Back => return super::nav::back(model, fx),
        Act::More => return super::picture::more(model, id),
        Act::Previous | Act::Next => return neighbour(model, id, act == Act::Next, fx),
        _ => {}
    }
    let Screen::Viewer(viewer) = model.screen_mut() else {
        return;
    };
    viewer.bar_until = Some(until);
    let fitted = fitted(size, panel);
    match act {
        Act::Confirm => {
            viewer.zoom = if viewer.zoom.is_some() {
                None
            } else {
                Some(100)
            };
            viewer.centre = (500, 500);
        }
        Act::ZoomIn => {
            let now = viewer.zoom.unwrap_or(fitted);
            viewer.zoom = Some(ZOOMS.into_iter().find(|z| *z > now).unwrap_or(400));
        }
        Act::ZoomOut => {
            let now = viewer.zoom.unwrap_or(fitted);
            viewer.zoom = ZOOMS.into_iter().rev().find(|z| *z < now && *z > fitted);
            if viewer.zoom.is_none() {
                viewer.centre = (500, 500);
            }
        }
        Act::Up => viewer.centre.1 = viewer.centre.1.saturating_sub(PAN),
        Act::Down => viewer.centre.1 = (viewer.centre.1 + PAN).min(1000),
        Act::Left => viewer.centre.0 = viewer.centre.0.saturating_sub(PAN),
        Act::Right => viewer.centre.0 = (viewer.centre.0 + PAN).min(1000),
        _ => {}
    }
}

/// Per cent of the picture's own pixels at which it fits the panel.
fn fitted((width, height): (u32, u32), panel: (u32, u32)) -> u16 {
    let percent = |room: u32, need: u32| room.saturating_mul(100).checked_div(need).unwrap_or(100);
    percent(panel.0, width)
        .min(percent(panel.1, height))
        .clamp(1, 400) as u16
}

fn neighbour(model: &mut Model, id: PictureId, next: bool, fx: &mut Effects) {
    let ready: Vec<PictureId> = model
        .pictures
        .list
        .iter()
        .filter(|p| p.state == PictureState::Ready || p.id == id)
        .map(|p| p.id)
        .collect();
    let Some(at) = ready.iter().position(|p| *p == id) else {
        return;
    };
    let to = if next { at + 1 } else { at + ready.len() - 1 };
    open_in_place(model, ready[to % ready.len()], fx);
}
