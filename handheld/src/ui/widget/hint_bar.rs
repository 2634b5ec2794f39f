//! The hint bar: which buttons do what now.

use super::mark;
use crate::app::hints::Chip;
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};

/// Width of all hints with `gap` pixels between them.
pub fn width(c: &mut Canvas, t: &Theme, chips: &[Chip], gap: i32) -> i32 {
    let m = &t.m;
    let mut sum = 0;
    for chip in chips {
        sum += mark::glyph_width(c, t, &chip.buttons) + m.u * 3 / 4;
        sum += c.text.width(&chip.label, Face::Sans, m.caption.size);
    }
    sum + gap * (chips.len() as i32 - 1).max(0)
}

/// Draws the bar into `area` (5u high). Hints stand closer together before any would be left out; what still does not
/// fit is left out whole, from the right.
pub fn hint_bar(c: &mut Canvas, t: &Theme, area: Rect, chips: &[Chip]) {
    let m = &t.m;
    c.fill(area, t.color(Tone::Surface));
    let room = area.w - 2 * m.margin();
    let mut shown = chips;
    let gaps = [m.u * 5 / 2, m.u * 3 / 2, m.u];
    let gap = loop {
        match gaps.iter().find(|&&gap| width(c, t, shown, gap) <= room) {
            Some(&gap) => break gap,
            None if shown.is_empty() => break 0,
            None => shown = &shown[..shown.len() - 1],
        }
    };
    let mut x = area.x + m.margin();
    for chip in shown {
        let pill = mark::glyph(c, t, &chip.buttons, x, area.center_y());
        x = pill.right() + m.u * 3 / 4;
        let width = c.text.width(&chip.label, Face::Sans, m.caption.size);
        let place = Rect::new(x, area.y, width, area.h);
        c.tight_label(
            place,
            &chip.label,
            Face::Sans,
            m.caption.size,
            t.color(Tone::Text),
            Align::Left,
        );
        x += width + gap;
    }
}
