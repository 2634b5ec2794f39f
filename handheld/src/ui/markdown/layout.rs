//! Blocks set into lines of a width.

use super::parse::{Block, Marker, Placed, Stress, Words};
use super::table::{self, TableRow};
use crate::ui::metrics::{Metrics, Type};
use crate::ui::text::wrap::{Broken, wrap};
use crate::ui::text::{Face, Ink, Line, Span, Typesetter};
use crate::ui::theme::Tone;

/// What a line of a document shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Words.
    Words {
        /// The line.
        line: Line,
        /// Its type.
        kind: Type,
        /// What stands before it.
        marker: Option<Marker>,
    },
    /// A line of code on its plate.
    Code {
        /// The line.
        line: Line,
        /// It opens the plate.
        first: bool,
        /// It closes the plate.
        last: bool,
    },
    /// A row of a table.
    Row(TableRow),
    /// A line across.
    Rule,
}

/// One line of a document: the unit that scrolling moves by.
#[derive(Clone, Debug, PartialEq)]
pub struct DocLine {
    /// What it shows.
    pub content: Content,
    /// Pixels from the left edge of the column.
    pub x: i32,
    /// Pixels from there to the right edge.
    pub width: i32,
    /// Height in pixels.
    pub height: i32,
    /// Empty pixels above it, unless it is the first that shows.
    pub gap: i32,
    /// Quotations around it.
    pub quotes: u8,
}

/// Type of code within and between words.
pub fn code_size(m: &Metrics) -> u16 {
    (m.body.size * 5 / 6).max(m.code.size)
}

/// The span for words of a stress.
pub fn span(words: &Words, size: u16, heading: bool, m: &Metrics) -> Span {
    let Stress {
        strong,
        italic,
        code,
        strike,
        link,
    } = words.stress;
    let face = match (code, strong || heading, italic) {
        (true, false, _) => Face::Mono,
        (true, true, _) => Face::MonoSemiBold,
        (false, true, true) => Face::BoldItalic,
        (false, true, false) if heading && !strong => Face::SemiBold,
        (false, true, false) => Face::Bold,
        (false, false, true) => Face::Italic,
        (false, false, false) => Face::Sans,
    };
    let size = if code && !heading {
        code_size(m).min(size)
    } else {
        size
    };
    let tone = if link { Tone::Accent } else { Tone::Text };
    Span {
        text: words.text.clone(),
        face,
        size,
        ink: Ink {
            tone,
            plate: code,
            strike,
        },
    }
}

/// Sets one block into lines of `width` pixels. `known` is how its words were broken before, if they were.
pub fn layout(
    t: &mut Typesetter,
    placed: &Placed,
    first: bool,
    width: i32,
    m: &Metrics,
    known: &mut Broken,
) -> Vec<DocLine> {
    let place = placed.place;
    let x = place.indent * m.u + i32::from(place.quotes) * 2 * m.u;
    let width = (width - x).max(8 * m.u);
    let gap = match (&placed.block, first) {
        (_, true) => 0,
        (
            Block::Text {
                heading: Some(_), ..
            },
            _,
        ) => 2 * m.u,
        _ if place.close => m.u / 4,
        _ => m.paragraph(),
    };
    let line = |content, height| DocLine {
        content,
        x,
        width,
        height,
        gap: 0,
        quotes: place.quotes,
    };
    let mut lines: Vec<DocLine> = match &placed.block {
        Block::Text { words, heading } => {
            let kind = match heading {
                Some(1 | 2) => m.title,
                _ => m.body,
            };
            let spans: Vec<Span> = words
                .iter()
                .map(|w| span(w, kind.size, heading.is_some(), m))
                .collect();
            known.wrap(t, &spans, width);
            let marked = known.lines().iter().cloned().enumerate();
            marked
                .map(|(i, l)| {
                    let marker = place.marker.filter(|_| i == 0);
                    line(
                        Content::Words {
                            line: l,
                            kind,
                            marker,
                        },
                        kind.line,
                    )
                })
                .collect()
        }
        Block::Code(code) => code_lines(t, code, width, m)
            .into_iter()
            .map(|(c, h)| line(c, h))
            .collect(),
        Block::Table { columns, rows } => {
            let rows = table::layout(t, columns, rows, width, m);
            rows.into_iter()
                .map(|row| (row.height, row))
                .map(|(h, row)| line(Content::Row(row), h))
                .collect()
        }
        Block::Rule => vec![line(Content::Rule, m.u)],
    };
    if let Some(line) = lines.first_mut() {
        line.gap = gap;
    }
    lines
}

/// Code keeps its own lines; one that is too wide goes on below, two characters further in.
fn code_lines(t: &mut Typesetter, code: &str, width: i32, m: &Metrics) -> Vec<(Content, i32)> {
    let size = code_size(m);
    let advance = t.shape("00", Face::Mono, size).width;
    let room = width - 2 * m.u;
    let mut lines = Vec::new();
    for source in code.split('\n') {
        let text = source.replace('\t', "    ");
        let span = |text: &str| {
            [Span {
                text: text.into(),
                face: Face::Mono,
                size,
                ink: Ink::of(Tone::Text),
            }]
        };
        let whole = wrap(t, &span(&text), i32::MAX / 2);
        if whole[0].width <= room as f32 {
            lines.push(whole.into_iter().next().unwrap_or_default());
            continue;
        }
        for (i, mut line) in wrap(t, &span(&text), room - advance as i32)
            .into_iter()
            .enumerate()
        {
            if i > 0 {
                line.runs.iter_mut().for_each(|run| run.x += advance);
            }
            lines.push(line);
        }
    }
    let last = lines.len() - 1;
    let pad = m.u;
    let each = lines.into_iter().enumerate().map(|(i, line)| {
        let height = m.code.line + if i == 0 { pad } else { 0 } + if i == last { pad } else { 0 };
        (
            Content::Code {
                line,
                first: i == 0,
                last: i == last,
            },
            height,
        )
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;
    use crate::ui::metrics::TextSize;

    fn set(source: &str, width: i32) -> Vec<DocLine> {
        let m = Metrics::new(640, 480, TextSize::Normal);
        let mut t = Typesetter::default();
        parse(source, 0)
            .iter()
            .enumerate()
            .flat_map(|(i, p)| layout(&mut t, p, i == 0, width, &m, &mut Broken::default()))
            .collect()
    }

    #[test]
    fn nothing_is_wider_than_the_column() {
        let source = "# A heading that is long enough to need a second line on this panel\n\nWords `code_that_is_long_and_has_no_spaces_at_all()` more.\n\n\
                      1. one\n   - two two two two two two two two two two two two two\n\n> quoted quoted quoted quoted quoted quoted\n\n\
                      ```\nlet a_long_line = of_code(that, does, not, fit, into, the, width, of, the, column);\n```\n";
        for width in [300, 608] {
            for line in set(source, width) {
                let inner = match &line.content {
                    Content::Words { line, .. } | Content::Code { line, .. } => {
                        line.runs.iter().map(|r| r.x + r.width).fold(0.0, f32::max)
                    }
                    _ => 0.0,
                };
                assert!(line.x as f32 + inner <= width as f32 + 0.5, "{line:?}");
            }
        }
    }

    #[test]
    fn paragraphs_stand_apart_and_list_items_close() {
        let lines = set("one\n\ntwo\n\n- a\n- b\n", 608);
        let gaps: Vec<i32> = lines.iter().map(|l| l.gap).collect();
        assert_eq!(gaps, [0, 12, 12, 2]);
    }

    #[test]
    fn code_keeps_its_lines_and_their_indent() {
        let lines = set("```\na\n    b\n\nc\n```\n", 608);
        assert_eq!(lines.len(), 4);
        let Content::Code { line, .. } = &lines[1].content else {
            panic!()
        };
        assert_eq!(line.runs[0].text, "    b");
    }
}
