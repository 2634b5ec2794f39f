//! Tables: columns as wide as they need, wrapped when the column of text is narrower, records when it is far narrower.

use super::layout::span;
use super::parse::{Column, Words};
use crate::ui::metrics::Metrics;
use crate::ui::text::{Line, Span, Typesetter, wrap::wrap};
use pulldown_cmark::Alignment;

/// A cell: its wrapped lines and where they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Lines.
    pub lines: Vec<Line>,
    /// Pixels from the left edge of the table.
    pub x: i32,
    /// Width in pixels.
    pub width: i32,
    /// Alignment.
    pub align: Column,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// From left to right.
    pub cells: Vec<Cell>,
    /// Height in pixels.
    pub height: i32,
    /// Width of the whole table in pixels.
    pub width: i32,
    /// It is the head.
    pub head: bool,
    /// Nothing follows.
    pub last: bool,
}

/// Sets the rows of a table.
pub fn layout(
    t: &mut Typesetter,
    columns: &[Column],
    rows: &[Vec<Vec<Words>>],
    width: i32,
    m: &Metrics,
) -> Vec<TableRow> {
    let count = columns.len().max(1);
    let pad = m.u;
    let room = width - pad * 2 * count as i32;
    if room / (count as i32) < 7 * m.u {
        return records(t, rows, width, m);
    }
    let set = |words: &[Words], head: bool| -> Vec<Span> {
        words
            .iter()
            .map(|w| span(w, m.body.size, head, m))
            .collect()
    };
    let mut wanted = vec![0i32; count];
    for (r, row) in rows.iter().enumerate() {
        for (c, cell) in row.iter().enumerate().take(count) {
            let natural = wrap(t, &set(cell, r == 0), i32::MAX / 2);
            let widest = natural
                .iter()
                .map(|l| l.width.ceil() as i32)
                .max()
                .unwrap_or(0);
            wanted[c] = wanted[c].max(widest);
        }
    }
    let widths = share(&wanted, room);
    let total = widths.iter().sum::<i32>() + pad * 2 * count as i32;
    let last = rows.len().saturating_sub(1);
    rows.iter()
        .enumerate()
        .map(|(r, row)| {
            let mut x = pad;
            let mut cells = Vec::with_capacity(count);
            for (c, &w) in widths.iter().enumerate() {
                let words = row.get(c).map_or(&[][..], Vec::as_slice);
                let lines = wrap(t, &set(words, r == 0), w);
                cells.push(Cell {
                    lines,
                    x,
                    width: w,
                    align: columns.get(c).copied().unwrap_or(Alignment::None),
                });
                x += w + 2 * pad;
            }
            let tallest = cells
                .iter()
                .map(|c| c.lines.len() as i32)
                .max()
                .unwrap_or(1);
            TableRow {
                cells,
                height: tallest * m.body.line + pad,
                width: total,
                head: r == 0,
                last: r == last,
            }
        })
        .collect()
}

/// Gives every column what it wants; what does not fit is taken from the widest.
fn share(wanted: &[i32], room: i32) -> Vec<i32> {
    let mut limit = room;
    // Lowering the widest columns to a common limit until the sum fits: at most as many rounds as columns.
    for _ in 0..=wanted.len() {
        let sum: i32 = wanted.iter().map(|&w| w.min(limit)).sum();
        let wide = wanted.iter().filter(|&&w| w >= limit).count() as i32;
        if sum <= room || wide == 0 {
            if sum <= room {
                break;
            }
            limit = wanted.iter().copied().max().unwrap_or(limit);
            continue;
        }
        let narrow: i32 = wanted.iter().filter(|&&w| w < limit).sum();
        limit = ((room - narrow) / wide).max(1);
    }
    wanted.iter().map(|&w| w.min(limit)).collect()
}

/// Too many columns for the width: every row becomes a record of `head: value` lines.
fn records(t: &mut Typesetter, rows: &[Vec<Vec<Words>>], width: i32, m: &Metrics) -> Vec<TableRow> {
    let Some((head, body)) = rows.split_first() else {
        return Vec::new();
    };
    let last = body.len().saturating_sub(1);
    let record = |(r, row): (usize, &Vec<Vec<Words>>)| {
        let mut lines = Vec::new();
        for (c, cell) in row.iter().enumerate() {
            let mut spans: Vec<Span> = head
                .get(c)
                .into_iter()
                .flatten()
                .map(|w| span(w, m.body.size, true, m))
                .collect();
            if let Some(label) = spans.last_mut() {
                label.text.push_str(": ");
            }
            spans.extend(cell.iter().map(|w| span(w, m.body.size, false, m)));
            lines.extend(wrap(t, &spans, width - 2 * m.u));
        }
        let height = lines.len() as i32 * m.body.line + m.u;
        let cell = Cell {
            lines,
            x: m.u,
            width: width - 2 * m.u,
            align: Alignment::None,
        };
        TableRow {
            cells: vec![cell],
            height,
            width,
            head: false,
            last: r == last,
        }
    };
    body.iter().enumerate().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::super::parse::{Block, parse};
    use super::*;
    use crate::ui::metrics::TextSize;

    fn table(source: &str, width: i32) -> Vec<TableRow> {
        let m = Metrics::new(640, 480, TextSize::Normal);
        let placed = parse(source, 0);
        let Block::Table { columns, rows } = &placed[0].block else {
            panic!("{placed:?}")
        };
        layout(&mut Typesetter::default(), columns, rows, width, &m)
    }

    #[test]
    fn a_narrow_table_is_as_wide_as_it_needs_and_a_wide_one_wraps() {
        let small = table("| a | b |\n|---|---|\n| 1 | 2 |\n", 608);
        assert!(small[0].width < 200 && small[0].head && small[1].last);
        let long = "| thing | note |\n|---|---|\n| board | a very long remark that cannot possibly stand on one line of this panel |\n";
        let wide = table(long, 608);
        assert!(wide[1].width <= 608);
        assert!(wide[1].cells[1].lines.len() > 1);
        assert_eq!(wide[1].cells[0].lines.len(), 1);
    }

    #[test]
    fn many_columns_become_records() {
        let rows = table(
            "| a | b | c | d | e | f | g | h |\n|-|-|-|-|-|-|-|-|\n| 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |\n",
            300,
        );
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].cells[0].lines.len(), 8);
    }

    #[test]
    fn shared_room_is_never_exceeded() {
        for wanted in [
            vec![10, 20],
            vec![500, 10],
            vec![400, 400, 400],
            vec![1000, 90, 90, 1000],
        ] {
            let got = share(&wanted, 500);
            assert!(got.iter().sum::<i32>() <= 500, "{wanted:?} {got:?}");
            assert!(got.iter().zip(&wanted).all(|(g, w)| g <= w && *g > 0));
        }
    }
}
