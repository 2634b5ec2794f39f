//! A picture in the making.

use super::column;
use crate::app::model::{Model, PictureId};
use crate::app::view;
use crate::ui::canvas::{Align, Canvas, Icon, Picture, View};
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Span, wrap::wrap};
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::{card, mark};

/// Draws the screen: preview, meter, words.
pub(super) fn progress(c: &mut Canvas, t: &Theme, area: Rect, model: &Model, id: PictureId) {
    let m = &t.m;
    let said = view::picture::progress(model, id);
    let mut rest = column(t, area).inset(0, m.gap());
    let picture = model.pictures.find(id);
    let sized = picture.map_or((4, 3), |p| {
        view::picture::pixels(p.recipe.size, model.panel)
    });
    if let Some(said) = said.card {
        let layout = card::layout(c, t, said, rest.w);
        let place = rest.take_bottom(layout.height);
        card::draw(c, t, place.x, place.y, place.w, &layout);
        rest.take_bottom(m.gap());
        preview(c, t, rest, model, id, sized);
        return;
    }
    let span = [Span {
        text: said.note.clone(),
        face: Face::Sans,
        size: m.caption.size,
        ink: Ink::of(Tone::Muted),
    }];
    let note = if said.note.is_empty() {
        Vec::new()
    } else {
        wrap(&mut c.text, &span, rest.w - 8 * m.u)
    };
    let foot = rest.take_bottom(note.len() as i32 * m.caption.line);
    for (i, line) in note.iter().enumerate() {
        let x = foot.x + (foot.w - line.width as i32) / 2;
        c.line(
            x,
            foot.y + i as i32 * m.caption.line,
            m.caption,
            line,
            t,
            None,
        );
    }
    let words = rest.take_bottom(m.body.line + m.u / 2);
    c.label(
        words,
        &said.line,
        Face::Sans,
        m.body.size,
        t.color(Tone::Text),
        Align::Center,
    );
    let meter = rest.take_bottom(3 * m.u);
    rest.take_bottom(m.u / 2);
    if let Some(permille) = said.meter {
        let width = frame(rest, sized).w.max(32 * m.u).min(meter.w);
        let bar = meter.centered(width, m.u * 3 / 2);
        mark::blocks(c, t, bar, permille, Tone::Accent, Tone::Raised);
    }
    preview(c, t, rest, model, id, sized);
}

/// The largest frame of the picture's shape.
fn frame(area: Rect, sized: (u16, u16)) -> Rect {
    let (w, h) = (i32::from(sized.0).max(1), i32::from(sized.1).max(1));
    if area.h * w / h <= area.w {
        area.centered(area.h * w / h, area.h)
    } else {
        area.centered(area.w, area.w * h / w)
    }
}

/// The preview if one has arrived, else an empty frame in the shape of what is coming.
fn preview(c: &mut Canvas, t: &Theme, area: Rect, model: &Model, id: PictureId, sized: (u16, u16)) {
    let m = &t.m;
    let frame = frame(area, sized);
    let raster = model.pictures.find(id).and_then(|p| p.raster.as_ref());
    let picture = raster.and_then(Picture::new);
    match picture {
        Some(picture) => {
            let (w, h) = picture.size();
            c.picture(&picture, frame, View::cover(w, h, frame));
            c.round_corners(frame, m.radius_card(), t.color(Tone::Bg));
        }
        None => {
            c.fill_round(frame, m.radius_card(), t.color(Tone::Surface));
            c.icon(Icon::Image, frame, 8 * m.u, t.color(Tone::Line));
        }
    }
    c.stroke_round(frame, m.radius_card(), m.outline, t.color(Tone::Line));
}
