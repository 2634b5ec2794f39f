//! Lists: rows of one or two lines, with marks, values and meters.

use super::mark;
use super::scroll_bar::scroll_bar;
use super::tabs;
use crate::app::model::Extent;
use crate::app::view::{ListView, Mark, Row};
use crate::ui::canvas::{Align, Canvas, Icon};
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Line, Span, wrap::wrap};
use crate::ui::theme::{Theme, Tone};

/// Draws a list between header and hint bar. The extent counts rows.
pub fn list(c: &mut Canvas, t: &Theme, mut area: Rect, view: &ListView) -> Extent {
    let m = &t.m;
    area.take_top(m.u / 2);
    if !view.tabs.is_empty() {
        let bar = area.take_top(5 * m.u);
        tabs::tabs(c, t, bar, &view.tabs, view.tab);
        area.take_top(m.u / 2);
    }
    if !view.lead.is_empty() {
        sentence(c, t, &mut area, &view.lead, true);
    }
    if !view.footer.is_empty() {
        sentence(c, t, &mut area, &view.footer, false);
    }
    if view.rows.is_empty() {
        empty(c, t, area, &view.empty);
        return Extent::default();
    }
    let extent = rows(c, t, area, view);
    if !view.below.is_empty() && extent.page == extent.content {
        let tall = |row| height(c, t, view, row, area.w - 2 * m.margin());
        let used: i32 = view.rows.iter().map(tall).sum();
        area.take_top(used);
        empty(c, t, area, &view.below);
    }
    extent
}

/// A muted sentence on top or at the bottom, on as many lines as it needs.
fn sentence(c: &mut Canvas, t: &Theme, area: &mut Rect, text: &str, above: bool) {
    let m = &t.m;
    let span = [Span {
        text: text.into(),
        face: Face::Sans,
        size: m.caption.size,
        ink: Ink::of(Tone::Muted),
    }];
    let lines = wrap(&mut c.text, &span, area.w - 2 * m.margin());
    let height = lines.len() as i32 * m.caption.line + m.u / 2;
    let place = if above {
        area.take_top(height)
    } else {
        area.take_bottom(height)
    };
    for (i, line) in lines.iter().enumerate() {
        let top = place.y + i as i32 * m.caption.line + m.u / 4;
        c.line(place.x + m.margin(), top, m.caption, line, t, None);
    }
}

/// A sentence in the middle where rows would be.
pub fn empty(c: &mut Canvas, t: &Theme, area: Rect, text: &str) {
    let m = &t.m;
    let width = (area.w - 8 * m.u).min(56 * m.u);
    let span = [Span {
        text: text.into(),
        face: Face::Sans,
        size: m.body.size,
        ink: Ink::of(Tone::Muted),
    }];
    let lines = wrap(&mut c.text, &span, width);
    let height = lines.len() as i32 * m.body.line;
    let mut top = area.y + (area.h - height) * 2 / 5;
    for line in &lines {
        let x = area.x + (area.w - line.width as i32) / 2;
        c.line(x, top, m.body, line, t, None);
        top += m.body.line;
    }
}

/// Lines of a long remark that a row shows at most, in a list whose rows may differ.
const REMARK_LINES: usize = 2;

/// Height of a row in pixels, by what it shows.
fn height(c: &mut Canvas, t: &Theme, view: &ListView, row: &Row, width: i32) -> i32 {
    let m = &t.m;
    let two = view.tall || !row.second.is_empty() || row.meter.is_some();
    match (row.fixed, two) {
        (true, false) => 4 * m.u + if row.rule { m.u } else { 0 },
        (_, true) if !view.tall && row.meter.is_none() => {
            let lines = remark(c, t, &row.second, width)
                .len()
                .clamp(1, REMARK_LINES);
            m.row2() + (lines as i32 - 1) * m.caption.line
        }
        (_, true) => m.row2(),
        (false, false) => m.row(),
    }
}

/// The remark of a row, wrapped.
fn remark(c: &mut Canvas, t: &Theme, text: &str, width: i32) -> Vec<Line> {
    let span = [Span {
        text: text.into(),
        face: Face::Sans,
        size: t.m.caption.size,
        ink: Ink::of(Tone::Muted),
    }];
    wrap(&mut c.text, &span, width)
}

/// The rows that show, from the one at `view.top` or further down or up, so that the focus shows whole.
fn window(heights: &[i32], view: &ListView, room: i32) -> (usize, usize) {
    let fits = |top: usize| {
        let mut sum = 0;
        heights[top..]
            .iter()
            .take_while(|&&h| {
                sum += h;
                sum <= room
            })
            .count()
    };
    let first_free = view.rows.iter().position(|r| !r.fixed);
    let focus = view.focus.unwrap_or(0).min(heights.len() - 1);
    let mut top = view.top.min(focus);
    if view.focus == first_free && focus < fits(0) {
        top = 0;
    }
    while top < focus && top + fits(top) <= focus {
        top += 1;
    }
    while top > 0 && top - 1 + fits(top - 1) >= heights.len() {
        top -= 1;
    }
    (top, fits(top).max(1))
}

fn rows(c: &mut Canvas, t: &Theme, area: Rect, view: &ListView) -> Extent {
    let m = &t.m;
    let text_width = area.w - 2 * m.margin();
    let tallness = |row| height(c, t, view, row, text_width);
    let heights: Vec<i32> = view.rows.iter().map(tallness).collect();
    let (top, count) = window(&heights, view, area.h);
    let marked = view.rows.iter().any(|row| row.mark != Mark::None);
    let mut y = area.y;
    for (i, (row, &tall)) in view
        .rows
        .iter()
        .zip(&heights)
        .enumerate()
        .skip(top)
        .take(count)
    {
        let place = Rect::new(area.x + m.u, y, area.w - 2 * m.u, tall);
        let focused = view.focus == Some(i);
        let after_focus = i > 0 && view.focus == Some(i - 1);
        let divides = if row.rule {
            true
        } else {
            !row.fixed && view.tall
        };
        if i > top && divides && !focused && !after_focus {
            // A rule stands off the row above it: letters reach down there.
            let (tone, off) = if row.rule {
                (Tone::Line, m.u / 2)
            } else {
                (Tone::Raised, 0)
            };
            let (x, w) = (area.x + m.margin(), area.w - 2 * m.margin());
            c.fill(Rect::new(x, y + off, w, m.outline), t.color(tone));
        }
        draw_row(c, t, place, row, focused, marked);
        y += tall;
    }
    let sum = |h: &[i32]| h.iter().sum::<i32>();
    scroll_bar(
        c,
        t,
        area,
        sum(&heights),
        sum(&heights[top..top + count]),
        sum(&heights[..top]),
    );
    Extent {
        content: heights.len() as u32,
        page: count as u32,
    }
}

/// Draws one row into `place`, which is one unit wider than its text on either side.
pub fn draw_row(c: &mut Canvas, t: &Theme, place: Rect, row: &Row, focused: bool, marked: bool) {
    let m = &t.m;
    let ground = if focused { Tone::Accent } else { Tone::Bg };
    let ink = |tone: Tone| if focused { Tone::On } else { tone };
    if focused {
        c.fill_round(
            place.inset(0, m.outline),
            m.radius_card(),
            t.color(Tone::Accent),
        );
    }
    let two = !row.second.is_empty() || row.meter.is_some();
    let mut inner = place.inset(m.u, 0);
    if row.fixed && row.rule {
        inner.take_top(m.u);
    }
    if marked {
        let column = inner.take_left(m.u * 7 / 2);
        let line = if two {
            Rect {
                y: place.y + m.u / 4,
                h: 4 * m.u,
                ..column
            }
        } else {
            Rect {
                y: inner.y,
                h: inner.h,
                ..column
            }
        };
        let sign = Rect {
            w: m.u * 5 / 2,
            ..line
        };
        mark::mark(
            c,
            t,
            row.mark,
            sign,
            m.u * 5 / 2,
            ink(mark::tone(row.mark)),
            ground,
        );
    }
    let heading = row.fixed && row.rule && row.right.is_empty();
    let first = if two {
        Rect {
            y: place.y + m.u / 4,
            h: 4 * m.u,
            ..inner
        }
    } else {
        inner
    };
    let rest = right_side(c, t, first, row, focused);
    let size = if heading {
        m.caption.size
    } else {
        (3 * m.u) as u16
    };
    let face = if two && !row.fixed && row.value.is_none() {
        Face::SemiBold
    } else {
        Face::Sans
    };
    let tone = if row.disabled || heading {
        Tone::Muted
    } else {
        Tone::Text
    };
    c.label(
        rest,
        &row.title,
        face,
        size,
        t.color(ink(tone)),
        Align::Left,
    );
    if two {
        let mut second = Rect {
            y: first.bottom() - m.u / 4,
            h: m.caption.line,
            ..inner
        };
        if let Some(permille) = row.meter {
            let meter = second.take_left(20 * m.u).inset(0, m.u);
            let track = if focused { Tone::Accent } else { Tone::Raised };
            let shown = Rect {
                h: m.u * 3 / 2,
                ..meter
            };
            if focused {
                c.stroke_round(
                    shown.inset(-2, -2),
                    m.u / 4 + 2,
                    m.outline,
                    t.color(Tone::On),
                );
            }
            mark::blocks(c, t, shown, permille, ink(Tone::Accent), track);
            second.take_left(m.u * 3 / 2);
        }
        let color = t.color(ink(Tone::Muted));
        let lines = if place.h > m.row2() {
            remark(c, t, &row.second, second.w)
        } else {
            Vec::new()
        };
        for (i, line) in lines.iter().enumerate().take(REMARK_LINES - 1) {
            let top = second.y + i as i32 * m.caption.line;
            c.line(
                second.x,
                top,
                m.caption,
                line,
                t,
                focused.then_some(Tone::On),
            );
        }
        let from = lines
            .get(REMARK_LINES - 1)
            .map_or(0, |line| line.bytes.start);
        if !lines.is_empty() {
            second.y += (REMARK_LINES as i32 - 1) * m.caption.line;
        }
        c.label(
            second,
            &row.second[from..],
            Face::Sans,
            m.caption.size,
            color,
            Align::Left,
        );
    }
}

/// Draws value or remark on the right; gives what is left for the title.
fn right_side(c: &mut Canvas, t: &Theme, mut line: Rect, row: &Row, focused: bool) -> Rect {
    let m = &t.m;
    let ink = |tone: Tone| t.color(if focused { Tone::On } else { tone });
    let title = c.text.width(&row.title, Face::SemiBold, 3 * m.u as u16);
    let room = (line.w - title - 2 * m.u).max(line.w * 2 / 5);
    if let Some(value) = &row.value {
        let arrow = 2 * m.u;
        let right = line.take_right(arrow);
        c.icon(Icon::Right, right, arrow, ink(Tone::Muted));
        line.take_right(m.u / 2);
        let size = 3 * m.u as u16;
        let width = c
            .text
            .width(value, Face::Sans, size)
            .min(room - 2 * arrow - m.u);
        let place = line.take_right(width);
        c.label(
            place,
            value,
            Face::Sans,
            size,
            ink(Tone::Text),
            Align::Right,
        );
        line.take_right(m.u / 2);
        let left = line.take_right(arrow);
        c.icon(Icon::Left, left, arrow, ink(Tone::Muted));
        line.take_right(m.u);
    } else if !row.right.is_empty() {
        let size = m.caption.size;
        let width = c.text.width(&row.right, Face::Sans, size).min(room);
        let place = line.take_right(width);
        c.label(
            place,
            &row.right,
            Face::Sans,
            size,
            ink(Tone::Muted),
            Align::Right,
        );
        line.take_right(m.u * 3 / 2);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(count: usize, focus: usize, top: usize) -> ListView {
        ListView {
            rows: vec![Row::default(); count],
            focus: Some(focus),
            top,
            ..ListView::default()
        }
    }

    #[test]
    fn the_focus_is_always_inside_the_window() {
        for top in 0..20 {
            for focus in 0..20 {
                let (from, count) = window(&[48; 20], &view(20, focus, top), 400);
                assert!(from <= focus && focus < from + count, "{focus} from {top}");
                assert!(from + count <= 20 && count == 8);
            }
        }
    }

    #[test]
    fn facts_above_the_first_row_show_while_it_has_the_focus() {
        let mut v = view(9, 5, 4);
        v.rows[..5].iter_mut().for_each(|r| r.fixed = true);
        assert_eq!(window(&[32; 9], &v, 400).0, 0);
    }
}
