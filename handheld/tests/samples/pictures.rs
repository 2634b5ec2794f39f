//! Pictures in all stages.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to the lint.

use super::{Book, NOON, NOW, away, entry, failure};
use handheld::app::Model;
use handheld::app::model::picture::{Made, Raster, Recipe, Size, Style};
use handheld::app::model::screen::ViewerScreen;
use handheld::app::model::{
    EntryState, ListState, Origin, Picture, PictureId, PictureState, Screen, Wish,
};
use shared_proto::error::ErrorCode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A harbour in flat colours, so that a picture of a screen stays small.
fn harbour(width: u32, height: u32, hue: u32) -> Arc<Raster> {
    static PAINTED: Mutex<BTreeMap<(u32, u32, u32), Arc<Raster>>> = Mutex::new(BTreeMap::new());
    let mut painted = PAINTED.lock().expect("no test panics while it paints");
    painted
        .entry((width, height, hue))
        .or_insert_with(|| paint(width, height, hue))
        .clone()
}

fn paint(width: u32, height: u32, hue: u32) -> Arc<Raster> {
    const SKY: [[u8; 3]; 5] = [
        [41, 48, 90],
        [90, 65, 115],
        [173, 85, 115],
        [231, 125, 99],
        [247, 190, 82],
    ];
    const SEA: [[u8; 3]; 3] = [[33, 73, 99], [24, 56, 82], [16, 40, 66]];
    let mut rgb = Vec::with_capacity((width * height * 3) as usize);
    let horizon = height * 3 / 5;
    let (sun_x, radius) = ((width / 3 + hue * width / 9) as i32, height as i32 / 9);
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (x as i32 - sun_x, y as i32 - horizon as i32);
            let sun = dx * dx + dy * dy < radius * radius && y < horizon;
            let glint = y > horizon
                && dx.abs() < radius * 2 / 3
                && ((y - horizon) / (height / 40 + 1)).is_multiple_of(2);
            let boat_x = width as i32 * 2 / 3;
            let sail_y = y as i32 - height as i32 * 2 / 5;
            let sail = sail_y > 0
                && y < horizon + height / 12
                && (x as i32 - boat_x).abs() * 3 < sail_y
                && x as i32 > boat_x - 4;
            let hull = y >= horizon + height / 12
                && y < horizon + height / 7
                && (x as i32 - boat_x).abs() < width as i32 / 8;
            let color = match (hull, sail, sun, y < horizon, glint) {
                (true, ..) => [82, 40, 33],
                (_, true, ..) => [247, 243, 231],
                (_, _, true, ..) => [255, 239, 173],
                (.., true, _) => SKY[((y * 5 / horizon + hue) % 5) as usize],
                (.., true) => [247, 190, 82],
                _ => SEA[((y - horizon) * 3 / (height - horizon)) as usize],
            };
            rgb.extend_from_slice(&color);
        }
    }
    Arc::new(Raster { width, height, rgb })
}

fn picture(id: u32, prompt: &str, state: PictureState) -> Picture {
    let ready = state == PictureState::Ready;
    Picture {
        id: PictureId(id),
        recipe: Recipe {
            prompt: prompt.into(),
            style: Style::Oil,
            size: Size::Screen,
            steps: 20,
            model: "automatic1111/sdxl".into(),
            negative: String::new(),
        },
        made: Made::Painted,
        from: None,
        at: NOON - 120,
        request: None,
        state,
        size: ready.then_some((640, 480)),
        thumb: ready.then(|| harbour(320, 240, id % 3)),
        raster: None,
    }
}

/// Puts pictures into the base.
pub fn fill(model: &mut Model) {
    model.pictures.list = vec![
        picture(
            1,
            "A calm harbour at dusk, oil on canvas, boats in the foreground",
            PictureState::Ready,
        ),
        picture(2, "The same from the other side", PictureState::Ready),
        picture(3, "A lighthouse", PictureState::Ready),
        picture(4, "Fog", PictureState::Open),
        picture(5, "Gulls", PictureState::Open),
        picture(
            6,
            "A fisherman",
            PictureState::Broken(failure(ErrorCode::ProviderBroke, "automatic1111")),
        ),
        picture(7, "Nets", PictureState::Ready),
        picture(
            8,
            "Ropes",
            PictureState::Broken(failure(ErrorCode::AskRefused, "")),
        ),
    ];
    model.pictures.next = 9;
    model.outbox.entries = vec![
        entry(
            1,
            Origin::Picture(PictureId(4)),
            Wish::Paint,
            EntryState::Running,
            400,
            Some(24),
        ),
        entry(
            2,
            Origin::Picture(PictureId(5)),
            Wish::Paint,
            EntryState::Waiting,
            0,
            None,
        ),
    ];
    model.pictures.recipe = Recipe {
        prompt: "A calm harbour at dusk, oil on canvas, boats in the foreground".into(),
        negative: String::new(),
        style: Style::Oil,
        size: Size::Screen,
        steps: 20,
        model: "automatic1111/sdxl".into(),
    };
}

/// Samples of pictures.
pub fn samples(book: &mut Book) {
    let gallery = |focus| Screen::Gallery(ListState { focus, top: 0 });
    book.add("gallery", gallery(0), |_| {});
    book.add("gallery-failed", gallery(5), away);
    book.add("gallery-empty", gallery(0), |m| m.pictures.list.clear());
    let four = || Screen::Progress(PictureId(4));
    book.add("progress", four(), |_| {});
    book.add("progress-preview", four(), |m| {
        m.pictures.list[3].raster = Some(harbour(80, 60, 0))
    });
    book.add("progress-away", four(), away);
    book.add("progress-failed", Screen::Progress(PictureId(6)), |_| {});
    let viewer = |zoom, bar| {
        Screen::Viewer(ViewerScreen {
            picture: PictureId(1),
            zoom,
            centre: (500, 500),
            bar_until: if bar { Some(NOW.plus(1000)) } else { None },
        })
    };
    let load = |m: &mut Model| m.pictures.list[0].raster = Some(harbour(640, 480, 1));
    book.add("viewer", viewer(None, true), load);
    book.add("viewer-zoomed", viewer(Some(150), false), load);
}
