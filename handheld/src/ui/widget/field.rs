//! A text field: wrapped text, caret, selection.

use crate::ui::canvas::Canvas;
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Line, Span, wrap::wrap};
use crate::ui::theme::{Theme, Tone};
use std::ops::Range;

/// A field laid out for a width.
pub struct Field<'a> {
    text: &'a str,
    lines: Vec<Line>,
    /// The line that the caret stands in.
    caret_line: usize,
    cursor: usize,
}

fn inner_width(t: &Theme, width: i32) -> i32 {
    width - 3 * t.m.u
}

impl<'a> Field<'a> {
    /// Lays out a text with the caret before byte `cursor`.
    pub fn new(c: &mut Canvas, t: &Theme, text: &'a str, cursor: usize, width: i32) -> Field<'a> {
        let span = [Span {
            text: text.into(),
            face: Face::Sans,
            size: t.m.body.size,
            ink: Ink::of(Tone::Text),
        }];
        let lines = wrap(&mut c.text, &span, inner_width(t, width));
        let cursor = (0..=cursor.min(text.len()))
            .rev()
            .find(|&i| text.is_char_boundary(i))
            .unwrap_or(0);
        let caret_line = lines
            .iter()
            .rposition(|line| line.bytes.start <= cursor)
            .unwrap_or(0);
        Field {
            text,
            lines,
            caret_line,
            cursor,
        }
    }

    /// Lines of the whole text.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// Height of a field that shows `lines` lines.
    pub fn height(t: &Theme, lines: i32) -> i32 {
        lines * t.m.body.line + t.m.u * 3 / 2
    }

    /// Draws as many lines as fit, the caret's among them.
    pub fn draw(&self, c: &mut Canvas, t: &Theme, area: Rect, selection: Option<Range<usize>>) {
        let m = &t.m;
        c.card(
            area,
            m.radius_card(),
            m.outline,
            t.color(Tone::Surface),
            t.color(Tone::Line),
        );
        let left = area.x + m.u * 3 / 2;
        let fits = ((area.h - m.u) / m.body.line).max(1) as usize;
        let last_top = self.lines.len().saturating_sub(fits);
        let top = (self.caret_line + 1).saturating_sub(fits).min(last_top);
        let first_row = area.y + m.u * 3 / 4;
        for (i, line) in self.lines.iter().enumerate().skip(top).take(fits) {
            let y = first_row + (i - top) as i32 * m.body.line;
            c.line(left, y, m.body, line, t, None);
            if let Some(selection) = &selection {
                self.select(c, t, left, y, line, selection);
            }
            if i == self.caret_line {
                let x = self
                    .x_of(c, t, line, self.cursor)
                    .min((area.right() - left - m.u) as f32);
                let caret = Rect::new(
                    left + x.round() as i32,
                    y + m.u / 4,
                    (m.u / 4).max(2),
                    m.body.line - m.u / 2,
                );
                c.fill(caret, t.color(Tone::Accent));
            }
        }
    }

    fn select(
        &self,
        c: &mut Canvas,
        t: &Theme,
        left: i32,
        y: i32,
        line: &Line,
        selection: &Range<usize>,
    ) {
        let from = selection.start.max(line.bytes.start);
        let to = selection.end.min(line.bytes.end);
        if from >= to {
            return;
        }
        let (from, to) = (self.x_of(c, t, line, from), self.x_of(c, t, line, to));
        let place = Rect::new(
            left + from.floor() as i32,
            y,
            (to - from).ceil() as i32,
            t.m.body.line,
        );
        c.clipped(place, |c| {
            c.fill(place, t.color(Tone::Accent));
            c.unrecorded(|c| c.line(left, y, t.m.body, line, t, Some(Tone::On)));
        });
    }

    fn x_of(&self, c: &mut Canvas, t: &Theme, line: &Line, byte: usize) -> f32 {
        let before = self.text.get(line.bytes.start..byte).unwrap_or_default();
        c.text.shape(before, Face::Sans, t.m.body.size).width
    }
}
