//! Tabs under the header, changed with L1 and R1.

use super::mark;
use crate::input::button::Button;
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};

/// Draws tabs into `area` (5u high).
pub fn tabs(c: &mut Canvas, t: &Theme, area: Rect, names: &[String], shown: usize) {
    let m = &t.m;
    let mut rest = area.inset(m.margin(), 0);
    let middle = area.center_y();
    let left = mark::glyph_width(c, t, &[Button::L1]);
    let place = rest.take_left(left);
    mark::glyph(c, t, &[Button::L1], place.x, middle);
    let right = mark::glyph_width(c, t, &[Button::R1]);
    let place = rest.take_right(right);
    mark::glyph(c, t, &[Button::R1], place.x, middle);
    let rest = rest.inset(m.u, 0);
    let count = names.len().max(1) as i32;
    let each = (rest.w - m.u * (count - 1)) / count;
    for (i, name) in names.iter().enumerate() {
        let tab = Rect::new(
            rest.x + i as i32 * (each + m.u),
            middle - 2 * m.u,
            each,
            4 * m.u,
        );
        let here = i == shown;
        if here {
            c.card(
                tab,
                4 * m.u,
                m.outline,
                t.color(Tone::Raised),
                t.color(Tone::Line),
            );
        }
        let (face, tone) = if here {
            (Face::SemiBold, Tone::Text)
        } else {
            (Face::Sans, Tone::Muted)
        };
        let inner = tab.inset(m.u, 0);
        c.tight_label(
            inner,
            name,
            face,
            m.caption.size,
            t.color(tone),
            Align::Center,
        );
    }
}
