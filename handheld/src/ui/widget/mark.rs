//! Small signs: state marks, button glyphs, progress blocks, batteries.

use crate::app::view::Mark;
use crate::input::button::Button;
use crate::ui::canvas::{Align, Canvas, Icon};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};

/// The colour that goes with a mark.
pub fn tone(mark: Mark) -> Tone {
    match mark {
        Mark::None | Mark::Unticked | Mark::Asleep => Tone::Muted,
        Mark::Signal(0 | 1) => Tone::Wait,
        Mark::Signal(_) => Tone::Accent,
        Mark::Done | Mark::Run | Mark::New | Mark::Ticked => Tone::Accent,
        Mark::Wait => Tone::Wait,
        Mark::Failed | Mark::Refused => Tone::Stop,
    }
}

/// Draws a mark of `size` pixels in the middle of `area`: `ink` on `ground`. Failures and refusals are filled badges, so
/// that they stand out in greyscale too.
pub fn mark(c: &mut Canvas, t: &Theme, mark: Mark, area: Rect, size: i32, ink: Tone, ground: Tone) {
    let (ink, ground) = (t.color(ink), t.color(ground));
    let badge = area.centered(size, size);
    match mark {
        Mark::None => {}
        Mark::Done => c.icon(Icon::Check, area, size, ink),
        Mark::Wait => c.icon(Icon::Clock, area, size, ink),
        Mark::Run => c.icon(Icon::Play, area, size, ink),
        Mark::New => c.icon(Icon::Dot, area, size, ink),
        Mark::Failed => {
            c.fill_round(badge, size, ink);
            c.icon(Icon::Bang, badge, size * 4 / 5, ground);
        }
        Mark::Refused => {
            c.fill_round(badge, size, ink);
            c.icon(Icon::Cross, badge, size * 7 / 10, ground);
        }
        Mark::Ticked => {
            c.fill_round(badge, size / 5, ink);
            c.icon(Icon::Check, badge, size * 17 / 20, ground);
        }
        Mark::Signal(level) => {
            let icon = match level {
                0 | 1 => Icon::Signal1,
                2 => Icon::Signal2,
                _ => Icon::Signal3,
            };
            c.icon(icon, area, size, ink);
        }
        Mark::Asleep => c.icon(Icon::Moon, area, size, ink),
        Mark::Unticked => c.stroke_round(badge, size / 5, t.m.outline.max(2), ink),
    }
}

/// What is printed on a button, or the shape that stands for it.
enum Print {
    Words(&'static str),
    Shape(Icon),
}

fn print(button: Button) -> Print {
    match button {
        Button::A => Print::Words("A"),
        Button::B => Print::Words("B"),
        Button::X => Print::Words("X"),
        Button::Y => Print::Words("Y"),
        Button::L1 => Print::Words("L1"),
        Button::R1 => Print::Words("R1"),
        Button::L2 => Print::Words("L2"),
        Button::R2 => Print::Words("R2"),
        Button::Start => Print::Words("Start"),
        Button::Select => Print::Words("Select"),
        Button::Menu => Print::Words("Menu"),
        Button::Up => Print::Shape(Icon::Up),
        Button::Down => Print::Shape(Icon::Down),
        Button::Left => Print::Shape(Icon::Left),
        Button::Right => Print::Shape(Icon::Right),
    }
}

/// Width of the glyph of one or more buttons sharing a pill.
pub fn glyph_width(c: &mut Canvas, t: &Theme, buttons: &[Button]) -> i32 {
    let m = &t.m;
    let size = m.caption.size;
    let mut width = 0;
    for (i, &button) in buttons.iter().enumerate() {
        width += match print(button) {
            Print::Words(words) => c.text.width(words, Face::SemiBold, size),
            Print::Shape(_) => 2 * m.u,
        };
        if i > 0 {
            width += m.u / 2;
        }
    }
    (width + m.u * 3 / 2).max(m.pill())
}

/// Draws the glyph of one or more buttons: a pill on `surface` with an outline. Returns its area.
pub fn glyph(c: &mut Canvas, t: &Theme, buttons: &[Button], x: i32, middle: i32) -> Rect {
    let m = &t.m;
    let width = glyph_width(c, t, buttons);
    let pill = Rect::new(x, middle - m.pill() / 2, width, m.pill());
    c.card(
        pill,
        m.pill(),
        m.outline,
        t.color(Tone::Raised),
        t.color(Tone::Line),
    );
    let size = m.caption.size;
    let color = t.color(Tone::Text);
    let mut inside = 0;
    let mut parts = Vec::with_capacity(buttons.len());
    for &button in buttons {
        let part = match print(button) {
            Print::Words(words) => c.text.width(words, Face::SemiBold, size),
            Print::Shape(_) => 2 * m.u,
        };
        parts.push((button, part));
        inside += part;
    }
    inside += (buttons.len() as i32 - 1).max(0) * (m.u / 2);
    let mut left = pill.x + (pill.w - inside) / 2;
    for (button, part) in parts {
        let place = Rect::new(left, pill.y, part, pill.h);
        match print(button) {
            Print::Words(words) => {
                c.tight_label(place, words, Face::SemiBold, size, color, Align::Left);
            }
            Print::Shape(icon) => c.icon(icon, place, 2 * m.u, color),
        }
        left += part + m.u / 2;
    }
    pill
}

/// Progress as blocks: `permille` of them filled, the one that is under way partly.
pub fn blocks(c: &mut Canvas, t: &Theme, area: Rect, permille: u16, ink: Tone, track: Tone) {
    let m = &t.m;
    let gap = (m.u / 4).max(2);
    let wanted = (area.w / (2 * m.u)).clamp(5, 20);
    let radius = (m.u / 4).max(2);
    let filled = i32::from(permille.min(1000)) * wanted;
    for i in 0..wanted {
        // What the division leaves over is spread, so that the last one ends with the area.
        let left = |i: i32| area.x + i * (area.w + gap) / wanted;
        let block = Rect::new(left(i), area.y, left(i + 1) - gap - left(i), area.h);
        c.fill_round(block, radius, t.color(track));
        let part = (filled - i * 1000).clamp(0, 1000);
        if part > 0 {
            let shown = Rect {
                w: (block.w * part / 1000).max(1),
                ..block
            };
            c.clipped(shown, |c| c.fill_round(block, radius, t.color(ink)));
        }
    }
}

/// A battery with its charge, `percent` of 100.
pub fn battery(
    c: &mut Canvas,
    t: &Theme,
    x: i32,
    middle: i32,
    percent: u8,
    charging: bool,
) -> Rect {
    let m = &t.m;
    let (w, h) = (m.u * 3, m.u * 3 / 2);
    let body = Rect::new(x, middle - h / 2, w, h);
    let low = percent <= 15 && !charging;
    let color = t.color(if low { Tone::Stop } else { Tone::Muted });
    let radius = m.u / 4;
    c.stroke_round(body, radius + 1, m.outline.max(2), color);
    let nub = Rect::new(
        body.right() + 1,
        middle - m.u / 4,
        (m.u / 4).max(2),
        m.u / 2,
    );
    c.fill_round(nub, 1, color);
    let inner = body.inset(m.u / 2 - 1, m.u / 2 - 1);
    let charge = Rect {
        w: inner.w * i32::from(percent.min(100)) / 100,
        ..inner
    };
    c.fill(charge, color);
    Rect {
        w: w + m.u / 2,
        ..body
    }
}
