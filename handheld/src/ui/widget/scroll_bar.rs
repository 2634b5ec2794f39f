//! The scroll bar: how much there is, and where one is in it.

use crate::ui::canvas::Canvas;
use crate::ui::rect::Rect;
use crate::ui::theme::{Theme, Tone};

/// Draws a bar along the right edge of the panel beside `area`, if not everything shows. All three counts are in the
/// same unit.
pub fn scroll_bar(c: &mut Canvas, t: &Theme, area: Rect, all: i32, page: i32, top: i32) {
    if all <= page || all <= 0 {
        return;
    }
    let m = &t.m;
    let width = (m.u / 2).max(3);
    let track = Rect::new(
        m.width - m.u / 4 - width,
        area.y + m.u / 2,
        width,
        area.h - m.u,
    );
    let length = (track.h * page / all).max(3 * m.u).min(track.h);
    let way = track.h - length;
    let at = way * top.clamp(0, all - page) / (all - page);
    c.fill_round(track, width, t.color(Tone::Raised));
    let thumb = Rect::new(track.x, track.y + at, width, length);
    c.fill_round(thumb, width, t.color(Tone::Line));
}
