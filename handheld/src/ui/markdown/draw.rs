//! A document's lines onto the canvas.

use super::layout::{Content, DocLine};
use super::parse::Marker;
use super::table::TableRow;
use crate::ui::canvas::{Canvas, Icon};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};
use pulldown_cmark::Alignment;

/// Draws one line with its top at `y` in a column from `x`.
pub fn line(c: &mut Canvas, theme: &Theme, x: i32, y: i32, line: &DocLine) {
    let m = &theme.m;
    for quote in 0..i32::from(line.quotes) {
        let bar = Rect::new(
            x + quote * 2 * m.u,
            y - line.gap.min(m.u / 4),
            m.u / 2 - 1,
            line.height + line.gap.min(m.u / 4),
        );
        c.fill(bar, theme.color(Tone::Line));
    }
    let left = x + line.x;
    match &line.content {
        Content::Words {
            line: words,
            kind,
            marker,
        } => {
            if let Some(marker) = marker {
                draw_marker(c, theme, *marker, left, y, line.height);
            }
            c.line(left, y, *kind, words, theme, None);
        }
        Content::Code {
            line: code,
            first,
            last,
        } => {
            let plate = Rect::new(left, y, line.width, line.height);
            draw_plate(c, theme, plate, *first, *last);
            let top = y + if *first { m.u } else { 0 };
            let kind = crate::ui::metrics::Type {
                size: super::layout::code_size(m),
                line: m.code.line,
            };
            c.line(left + m.u, top, kind, code, theme, None);
        }
        Content::Row(row) => draw_row(c, theme, left, y, row),
        Content::Rule => {
            let middle = Rect::new(left, y + line.height / 2, line.width, m.outline);
            c.fill(middle, theme.color(Tone::Line));
        }
    }
}

fn draw_plate(c: &mut Canvas, theme: &Theme, plate: Rect, first: bool, last: bool) {
    let radius = theme.m.radius_key();
    // A plate goes on above and below: its round corners lie outside of the part that shows.
    let above = if first { 0 } else { 2 * radius };
    let below = if last { 0 } else { 2 * radius };
    let whole = Rect::new(plate.x, plate.y - above, plate.w, plate.h + above + below);
    c.clipped(plate, |c| {
        c.fill_round(whole, radius, theme.color(Tone::Surface))
    });
}

fn draw_marker(c: &mut Canvas, theme: &Theme, marker: Marker, text_x: i32, y: i32, height: i32) {
    let m = &theme.m;
    let color = theme.color(Tone::Muted);
    match marker {
        Marker::Point(depth) => {
            let size = if depth <= 1 { m.u * 3 / 4 } else { m.u * 5 / 8 };
            let dot = Rect::new(text_x - 2 * m.u, y, m.u, height + m.u / 4).centered(size, size);
            if depth == 2 {
                c.stroke_round(dot.inset(-1, -1), size, m.outline.max(2), color);
            } else {
                c.fill_round(dot, size, color);
            }
        }
        Marker::Number(n) => {
            let text = format!("{n}.");
            let width = c.text.width(&text, Face::Sans, m.body.size);
            let base = crate::ui::canvas::write::baseline(y, height, m.body.size);
            let x = text_x - m.u - width;
            c.text_at(x as f32, base, &text, Face::Sans, m.body.size, color);
        }
        Marker::Task(done) => {
            let side = 2 * m.u;
            let square =
                Rect::new(text_x - 3 * m.u + m.u / 4, y, side, height).centered(side, side);
            c.stroke_round(square, m.u / 4, m.outline.max(2), color);
            if done {
                c.icon(Icon::Check, square, side, theme.color(Tone::Accent));
            }
        }
    }
}

fn draw_row(c: &mut Canvas, theme: &Theme, x: i32, y: i32, row: &TableRow) {
    let m = &theme.m;
    for cell in &row.cells {
        for (i, line) in cell.lines.iter().enumerate() {
            let free = (cell.width as f32 - line.width).max(0.0) as i32;
            let shift = match cell.align {
                Alignment::Right => free,
                Alignment::Center => free / 2,
                Alignment::None | Alignment::Left => 0,
            };
            let top = y + m.u / 2 + i as i32 * m.body.line;
            c.line(x + cell.x + shift, top, m.body, line, theme, None);
        }
    }
    let rule = Rect::new(x, y + row.height - m.outline, row.width, m.outline);
    if row.head {
        c.fill(rule, theme.color(Tone::Line));
    } else if !row.last {
        c.fill(rule, theme.color(Tone::Raised));
    }
}
