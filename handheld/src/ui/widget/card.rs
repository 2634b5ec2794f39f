//! A card that stands where an answer will be, or would have been.

use super::mark;
use crate::app::view::Card;
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Line, Span, wrap::wrap};
use crate::ui::theme::{Theme, Tone};

/// A card laid out for a width.
#[derive(Clone, Debug)]
pub struct Layout {
    card: Card,
    paragraphs: Vec<Vec<Line>>,
    /// Height in pixels.
    pub height: i32,
}

/// Lays a card out.
pub fn layout(c: &mut Canvas, t: &Theme, card: Card, width: i32) -> Layout {
    let m = &t.m;
    let span = |text: &str| {
        [Span {
            text: text.into(),
            face: Face::Sans,
            size: m.body.size,
            ink: Ink::of(Tone::Text),
        }]
    };
    let inner = width - 4 * m.u;
    let paragraphs: Vec<_> = card
        .lines
        .iter()
        .map(|text| wrap(&mut c.text, &span(text), inner))
        .collect();
    let lines: i32 = paragraphs.iter().map(|p| p.len() as i32).sum();
    let between = (paragraphs.len() as i32 - 1).max(0) * m.u * 3 / 4;
    Layout {
        height: 4 * m.u + lines * m.body.line + between + m.u * 3 / 2,
        paragraphs,
        card,
    }
}

/// Draws a laid-out card with its left top corner at `x`, `y`.
pub fn draw(c: &mut Canvas, t: &Theme, x: i32, y: i32, width: i32, layout: &Layout) {
    let m = &t.m;
    let tone = mark::tone(layout.card.mark);
    let area = Rect::new(x, y, width, layout.height);
    c.card(
        area,
        m.radius_card(),
        m.outline.max(2),
        t.color(Tone::Surface),
        t.color(tone),
    );
    let mut inner = area.inset(2 * m.u, 0);
    let mut head = inner.take_top(4 * m.u + m.u / 2);
    let sign = head.take_left(m.u * 7 / 2);
    mark::mark(
        c,
        t,
        layout.card.mark,
        Rect {
            w: m.u * 5 / 2,
            ..sign
        },
        m.u * 5 / 2,
        tone,
        Tone::Surface,
    );
    let size = m.caption.size;
    if !layout.card.left.is_empty() {
        let text = format!("{} left", layout.card.left.trim_end_matches(" left"));
        let width = c.text.width(&text, Face::Sans, size);
        let place = head.take_right(width);
        c.label(
            place,
            &text,
            Face::Sans,
            size,
            t.color(Tone::Muted),
            Align::Right,
        );
    }
    c.label(
        head,
        &layout.card.state,
        Face::SemiBold,
        size,
        t.color(tone),
        Align::Left,
    );
    let mut top = inner.y - m.u / 2;
    for paragraph in &layout.paragraphs {
        for line in paragraph {
            c.line(inner.x, top, m.body, line, t, None);
            top += m.body.line;
        }
        top += m.u * 3 / 4;
    }
}
