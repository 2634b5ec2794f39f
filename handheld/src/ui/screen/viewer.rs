//! One picture, edge to edge.

use crate::app::hints;
use crate::app::model::screen::ViewerScreen;
use crate::app::model::{Extent, Model};
use crate::app::view;
use crate::ui::canvas::{Align, Canvas, Picture, View};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::{header, hint_bar, list};

/// Draws a picture, and for a while its title and hints.
pub(super) fn viewer(
    c: &mut Canvas,
    t: &Theme,
    panel: Rect,
    model: &Model,
    screen: &ViewerScreen,
) -> Extent {
    let m = &t.m;
    let raster = model
        .pictures
        .find(screen.picture)
        .and_then(|p| p.raster.as_ref());
    let picture = raster.and_then(Picture::new);
    let mut scale = 0.0;
    match &picture {
        Some(picture) => {
            let (w, h) = picture.size();
            let mut shown = View::fit(w, h, panel);
            if let Some(zoom) = screen.zoom {
                let at = |thousandth: u16, size: u32| f32::from(thousandth) / 1000.0 * size as f32;
                let center = (at(screen.centre.0, w), at(screen.centre.1, h));
                shown = View {
                    scale: f32::from(zoom) / 100.0,
                    center,
                };
            }
            scale = shown.scale;
            c.picture(picture, panel, shown);
        }
        None => list::empty(c, t, panel, "Opening the picture."),
    }
    let bars = picture.is_none() || screen.bar_until.is_some_and(|until| until > model.now);
    if bars {
        let mut area = panel;
        let head = area.take_top(m.bar());
        let foot = area.take_bottom(m.bar());
        c.cover(head);
        c.cover(foot);
        header::header(c, t, head, &view::header(model), model.battery);
        hint_bar::hint_bar(c, t, foot, &hints::bar(model));
        if scale > 0.0 {
            zoom_chip(c, t, area, &format!("{:.0} %", scale * 100.0));
        }
    }
    Extent::default()
}

fn zoom_chip(c: &mut Canvas, t: &Theme, area: Rect, text: &str) {
    let m = &t.m;
    let width = c.text.width(text, Face::SemiBold, m.caption.size) + 3 * m.u;
    let pill = Rect::new(
        area.right() - m.margin() - width,
        area.bottom() - m.u - 4 * m.u,
        width,
        4 * m.u,
    );
    c.card(
        pill,
        pill.h,
        m.outline,
        t.color(Tone::Surface),
        t.color(Tone::Line),
    );
    c.tight_label(
        pill,
        text,
        Face::SemiBold,
        m.caption.size,
        t.color(Tone::Text),
        Align::Center,
    );
}
