//! Paragraphs broken into lines by the Unicode rules.

use super::font::Face;
use super::typeset::Typesetter;
use crate::ui::theme::Tone;
use std::ops::Range;
use unicode_linebreak::{BreakOpportunity, linebreaks};
use unicode_segmentation::UnicodeSegmentation;

/// How a stretch of text looks, apart from its face and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ink {
    /// Colour by meaning.
    pub tone: Tone,
    /// Stands on a raised plate, as code within a sentence does.
    pub plate: bool,
    /// Has a line through it.
    pub strike: bool,
}

impl Ink {
    /// Plain ink of a tone.
    pub const fn of(tone: Tone) -> Ink {
        Ink {
            tone,
            plate: false,
            strike: false,
        }
    }
}

/// A stretch of equally set text within a paragraph.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What it says. A line feed forces a new line.
    pub text: String,
    /// Its face.
    pub face: Face,
    /// Its size in pixels.
    pub size: u16,
    /// Its look.
    pub ink: Ink,
}

/// A stretch of equally set text within a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What it says.
    pub text: String,
    /// Its face.
    pub face: Face,
    /// Its size in pixels.
    pub size: u16,
    /// Its look.
    pub ink: Ink,
    /// Pixels from the start of the line.
    pub x: f32,
    /// Width in pixels.
    pub width: f32,
}

/// One line of a paragraph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// From left to right.
    pub runs: Vec<Run>,
    /// Width in pixels, without spaces at its end.
    pub width: f32,
    /// Bytes of the whole paragraph that it shows, with the spaces at its end.
    pub bytes: Range<usize>,
}

/// Breaks a paragraph into lines no wider than `width`. A word that is wider alone is broken between graphemes. An
/// empty paragraph is one empty line.
pub fn wrap(t: &mut Typesetter, spans: &[Span], width: i32) -> Vec<Line> {
    let text: String = spans.iter().map(|s| s.text.as_str()).collect();
    let edges = edges(t, spans, text.len());
    let room = width.max(1) as f32;
    let mut lines = Vec::new();
    let mut start = 0;
    let mut last = 0;
    for (at, opportunity) in linebreaks(&text) {
        let ink_end = start + inked(&text[start..at]).len();
        if edges[ink_end] - edges[start] > room && last > start {
            lines.push(start..last);
            start = last;
        }
        while edges[ink_end.max(start)] - edges[start] > room {
            let cut = grapheme_cut(&text, &edges, start, ink_end, room);
            if cut >= ink_end {
                break;
            }
            lines.push(start..cut);
            start = cut;
        }
        last = at;
        let forced = opportunity == BreakOpportunity::Mandatory && text[..at].ends_with('\n');
        if forced {
            lines.push(start..at);
            start = at;
        }
    }
    if start < text.len() || lines.is_empty() || text.ends_with('\n') {
        lines.push(start..text.len());
    }
    let begins = spans.iter().scan(0, |at, span| {
        let begin = *at;
        *at += span.text.len();
        Some(begin)
    });
    let begins: Vec<usize> = begins.collect();
    let paragraph = Paragraph {
        spans,
        begins,
        text: &text,
        edges: &edges,
    };
    lines
        .into_iter()
        .map(|bytes| paragraph.line(bytes))
        .collect()
}

/// Without the white space at the end.
fn inked(text: &str) -> &str {
    text.trim_end_matches([' ', '\n', '\t'])
}

/// Pen position before every byte of the paragraph (bytes within a character repeat its own).
fn edges(t: &mut Typesetter, spans: &[Span], len: usize) -> Vec<f32> {
    let mut edges = vec![0.0; len + 1];
    let (mut base, mut x) = (0, 0.0);
    for span in spans {
        let shaped = t.shape(&span.text, span.face, span.size);
        let mut glyphs = shaped.glyphs.iter().peekable();
        let mut here = 0.0;
        for i in 0..span.text.len() {
            while let Some(g) = glyphs.next_if(|g| g.at <= i) {
                here = g.x;
            }
            // A byte without a glyph of its own (a space's is there; a joiner's is not) ends where the next begins.
            let next = if span.text.is_char_boundary(i) {
                glyphs.peek()
            } else {
                None
            };
            let own = next.is_none_or(|g| g.at != i);
            edges[base + i] = x + if own {
                here
            } else {
                next.map_or(here, |g| g.x)
            };
        }
        base += span.text.len();
        x += shaped.width;
    }
    edges[len] = x;
    edges
}

fn grapheme_cut(text: &str, edges: &[f32], start: usize, end: usize, room: f32) -> usize {
    let mut cut = start;
    for (at, grapheme) in text[start..end].grapheme_indices(true) {
        let after = start + at + grapheme.len();
        if edges[after] - edges[start] > room && cut > start {
            break;
        }
        cut = after;
        if edges[after] - edges[start] > room {
            break;
        }
    }
    cut
}

/// A paragraph that is being cut into lines.
struct Paragraph<'a> {
    spans: &'a [Span],
    /// Byte of the paragraph at which each span begins.
    begins: Vec<usize>,
    text: &'a str,
    edges: &'a [f32],
}

impl Paragraph<'_> {
    fn line(&self, bytes: Range<usize>) -> Line {
        let shown = bytes.start..bytes.start + inked(&self.text[bytes.clone()]).len();
        let mut runs = Vec::new();
        // Only the spans that reach into this line are looked at: a long paragraph has as many of them as it has lines.
        let first = self.begins.partition_point(|at| *at <= shown.start);
        let first = first.saturating_sub(1);
        for (span, &base) in self.spans[first..].iter().zip(&self.begins[first..]) {
            if base >= shown.end {
                break;
            }
            let from = shown.start.max(base);
            let to = shown.end.min(base + span.text.len());
            if from < to {
                runs.push(Run {
                    text: self.text[from..to].to_owned(),
                    face: span.face,
                    size: span.size,
                    ink: span.ink,
                    x: self.edges[from] - self.edges[bytes.start],
                    width: self.edges[to] - self.edges[from],
                });
            }
        }
        Line {
            width: self.edges[shown.end] - self.edges[bytes.start],
            runs,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> Vec<Span> {
        vec![Span {
            text: text.into(),
            face: Face::Sans,
            size: 24,
            ink: Ink::of(Tone::Text),
        }]
    }

    fn shown(text: &str, width: i32) -> Vec<String> {
        let lines = wrap(&mut Typesetter::default(), &plain(text), width);
        lines
            .iter()
            .map(|l| l.runs.iter().map(|r| r.text.as_str()).collect())
            .collect()
    }

    #[test]
    fn prose_breaks_at_spaces_and_keeps_forced_lines() {
        assert_eq!(shown("one two three four", 130), ["one two", "three four"]);
        assert_eq!(shown("a\n\nb\n", 300), ["a", "", "b", ""]);
        assert_eq!(shown("", 300), [""]);
    }

    #[test]
    fn han_text_breaks_between_characters_but_not_before_a_full_stop() {
        for line in shown("今日は天気がいいです。散歩に行きましょう。", 120) {
            assert!(!line.starts_with('。'), "{line}");
        }
    }

    #[test]
    fn many_spans_come_out_in_order_and_empty_ones_change_nothing() {
        let words: Vec<Span> = (0..400)
            .flat_map(|n| [plain(&format!("w{n} ")), plain("")].concat())
            .collect();
        let lines = wrap(&mut Typesetter::default(), &words, 200);
        let said: Vec<String> = lines
            .iter()
            .map(|l| l.runs.iter().map(|r| r.text.as_str()).collect())
            .collect();
        let whole: String = words.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(said.join(" "), whole.trim_end());
        assert!(lines.iter().all(|l| l.runs[0].x == 0.0));
    }

    #[test]
    fn a_word_wider_than_the_line_is_broken_between_graphemes() {
        let lines = shown("Donaudampfschifffahrtsgesellschaft", 120);
        assert!(lines.len() > 2);
        assert_eq!(lines.concat(), "Donaudampfschifffahrtsgesellschaft");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_no_letter_is_lost(text in "[a-zA-Zäß漢字🚀 ,.\\-\n]{0,120}", width in 60i32..400) {
            let lines = wrap(&mut Typesetter::default(), &plain(&text), width);
            let mut at = 0;
            for line in &lines {
                prop_assert_eq!(line.bytes.start, at);
                at = line.bytes.end;
                prop_assert!(line.width <= width as f32 + 0.01, "{:?}", line);
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
