//! The header: where one is, how the link is, how much battery is left, what time it is.

use super::mark;
use crate::app::model::Battery;
use crate::app::view::{Header, Mark};
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};

/// Draws the header into `area` (5u high).
pub fn header(c: &mut Canvas, t: &Theme, area: Rect, header: &Header, battery: Option<Battery>) {
    let m = &t.m;
    c.fill(area, t.color(Tone::Bg));
    let size = m.caption.size;
    let mut rest = area.inset(m.margin(), 0);
    let middle = area.center_y();
    let mut put = |c: &mut Canvas, text: &str, tone: Tone| {
        let width = c.text.width(text, Face::Sans, size);
        let place = rest.take_right(width);
        c.tight_label(place, text, Face::Sans, size, t.color(tone), Align::Right);
        rest.take_right(m.u * 3 / 2);
        place.x
    };
    if !header.clock.is_empty() {
        put(c, &header.clock, Tone::Muted);
    }
    if let Some(b) = battery {
        put(
            c,
            &header.battery,
            if b.percent <= 15 && !b.charging {
                Tone::Stop
            } else {
                Tone::Muted
            },
        );
        let place = rest.take_right(m.u * 3 - m.u / 2);
        mark::battery(c, t, place.x - m.u / 2, middle, b.percent, b.charging);
        rest.take_right(m.u * 2);
    }
    let tone = match header.mark {
        Mark::Wait => Tone::Wait,
        Mark::Refused => Tone::Stop,
        _ => Tone::Muted,
    };
    let width = c.text.width(&header.link, Face::Sans, size);
    let place = rest.take_right(width);
    c.tight_label(
        place,
        &header.link,
        Face::Sans,
        size,
        t.color(tone),
        Align::Right,
    );
    let sign = rest.take_right(m.u * 3);
    let ink = mark::tone(header.mark);
    mark::mark(c, t, header.mark, sign, m.u * 9 / 4, ink, Tone::Bg);
    rest.take_right(m.u);
    let title = 3 * m.u as u16;
    c.tight_label(
        rest,
        &header.title,
        Face::SemiBold,
        title,
        t.color(Tone::Text),
        Align::Left,
    );
}
