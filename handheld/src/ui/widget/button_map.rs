//! The button map: every button of the screen below, shown while Select is held.

use super::mark;
use crate::app::hints::Hint;
use crate::input::button::Button;
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};

/// Left half of the device, from the top.
const LEFT: [Button; 7] = [
    Button::L2,
    Button::L1,
    Button::Up,
    Button::Down,
    Button::Left,
    Button::Right,
    Button::Select,
];
/// Right half of the device, from the top.
const RIGHT: [Button; 7] = [
    Button::R2,
    Button::R1,
    Button::X,
    Button::Y,
    Button::A,
    Button::B,
    Button::Start,
];

/// Draws the map over the whole panel.
pub fn button_map(c: &mut Canvas, t: &Theme, panel: Rect, title: &str, hints: &[Hint]) {
    let m = &t.m;
    c.cover(panel);
    c.fill(panel, t.color(Tone::Bg));
    let mut area = panel;
    let head = area.take_top(m.bar()).inset(m.margin(), 0);
    c.tight_label(
        head,
        title,
        Face::SemiBold,
        3 * m.u as u16,
        t.color(Tone::Text),
        Align::Left,
    );
    let foot = area.take_bottom(m.bar());
    c.fill(foot, t.color(Tone::Surface));
    let line = "Let go of Select to close. Start and Select together quit.";
    c.tight_label(
        foot.inset(m.margin(), 0),
        line,
        Face::Sans,
        m.caption.size,
        t.color(Tone::Text),
        Align::Left,
    );
    let board = area.inset(m.margin(), m.u);
    let half = (board.w - 2 * m.u) / 2;
    let left = Rect { w: half, ..board };
    let right = Rect {
        x: board.right() - half,
        w: half,
        ..board
    };
    side(c, t, left, &LEFT, hints);
    side(c, t, right, &RIGHT, hints);
}

/// One half: a card with a row for each button, the unused ones muted.
fn side(c: &mut Canvas, t: &Theme, area: Rect, buttons: &[Button; 7], hints: &[Hint]) {
    let m = &t.m;
    c.fill_round(area, m.radius_card(), t.color(Tone::Surface));
    let inner = area.inset(2 * m.u, m.u);
    let each = inner.h / buttons.len() as i32;
    let column = mark::glyph_width(c, t, &[Button::Select]) + m.u * 3 / 2;
    for (i, &button) in buttons.iter().enumerate() {
        let row = Rect::new(inner.x, inner.y + i as i32 * each, inner.w, each);
        let hint = hints.iter().find(|hint| hint.button == button);
        let label = hint.map_or("–", |hint| {
            // What the whole app does with it stands in the last line.
            hint.label.split("; ").next().unwrap_or_default()
        });
        let tone = if hint.is_some() {
            Tone::Text
        } else {
            Tone::Muted
        };
        mark::glyph(c, t, &[button], row.x, row.center_y());
        let words = Rect {
            x: row.x + column,
            w: row.w - column,
            ..row
        };
        c.tight_label(
            words,
            label,
            Face::Sans,
            m.caption.size,
            t.color(tone),
            Align::Left,
        );
    }
}
