//! Paragraphs broken into lines by the Unicode rules.

use super::font::Face;
use super::typeset::{Typesetter, goes_on};
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
    let mut broken = Broken::default();
    broken.wrap(t, spans, width);
    broken.lines
}

/// A paragraph in lines, which may grow at its end: an answer that streams in gains a word at a time, and its first lines stay.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    width: i32,
    spans: Vec<Span>,
    /// Byte of the paragraph at which each span begins.
    begins: Vec<usize>,
    /// Where the last span stands if all were on one line.
    last_x: f32,
    text: String,
    /// Pen position before every byte of the paragraph, and after it.
    edges: Vec<f32>,
    lines: Vec<Line>,
}

impl Broken {
    /// The lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// As [`wrap`]; where `spans` are those of the time before, the last one with more of it, nothing but the last lines is broken again.
    pub fn wrap(&mut self, t: &mut Typesetter, spans: &[Span], width: i32) {
        if !self.goes_on(spans, width) {
            *self = Broken {
                width,
                edges: vec![0.0],
                ..Broken::default()
            };
        }
        for (n, span) in spans.iter().enumerate().skip(self.spans.len().max(1) - 1) {
            self.measure(t, n, span);
        }
        // What follows the old end may draw nearer to it, by kerning, so that a last word which did not fit does now, and moves up. Where the
        // last line has more than one word, it began with another.
        let last = self.lines.last();
        let words = last.is_some_and(|line| has_words(&self.text[line.bytes.clone()]));
        let wanted = if words { 1 } else { 2 };
        let mut start = 0;
        let mut safe = 0;
        while let Some(line) = self.lines.pop() {
            start = line.bytes.start;
            safe += usize::from(self.is_safe(start));
            if safe == wanted {
                break;
            }
        }
        self.break_from(start);
    }

    /// True if a line that begins here begins as a paragraph does: what may be broken after it does not depend on what is before. Spaces
    /// after spaces do, as those after a bracket.
    fn is_safe(&self, start: usize) -> bool {
        let (before, after) = self.text.split_at(start);
        before.ends_with('\n') || before.ends_with(' ') && !after.starts_with(' ')
    }

    /// True if `spans` begin with the known ones, of which the last may have gained text.
    fn goes_on(&self, spans: &[Span], width: i32) -> bool {
        let Some((last, others)) = self.spans.split_last() else {
            return false;
        };
        let (Some(before), Some(now)) = (spans.get(..others.len()), spans.get(others.len())) else {
            return false;
        };
        let kind = |span: &Span| (span.face, span.size, span.ink);
        let text = goes_on(&last.text, &now.text);
        text && self.width == width && others == before && kind(last) == kind(now)
    }

    /// Takes in a span, or what it has gained.
    fn measure(&mut self, t: &mut Typesetter, n: usize, span: &Span) {
        let shaped = t.shape(&span.text, span.face, span.size);
        let known = match self.spans.get_mut(n) {
            Some(last) => {
                let known = last.text.len();
                last.text.push_str(&span.text[known..]);
                known
            }
            None => {
                self.last_x = self.edges.last().copied().unwrap_or_default();
                self.begins.push(self.text.len());
                self.spans.push(span.clone());
                0
            }
        };
        self.text.push_str(&span.text[known..]);
        // The end of all before is where this begins.
        self.edges.pop();
        let first = shaped.glyphs.partition_point(|g| g.at < known);
        let mut glyphs = shaped.glyphs[first..].iter().peekable();
        let mut here = first
            .checked_sub(1)
            .map_or(0.0, |before| shaped.glyphs[before].x);
        for at in known..span.text.len() {
            while let Some(glyph) = glyphs.next_if(|g| g.at <= at) {
                here = glyph.x;
            }
            self.edges.push(self.last_x + here);
        }
        self.edges.push(self.last_x + shaped.width);
    }

    /// Breaks what follows `from`, where a line begins.
    fn break_from(&mut self, from: usize) {
        let (text, edges, room) = (&self.text, &self.edges, self.width.max(1) as f32);
        let mut lines = Vec::new();
        let mut start = from;
        let mut last = from;
        for (at, opportunity) in linebreaks(&text[from..]) {
            let at = from + at;
            let ink_end = start + inked(&text[start..at]).len();
            if edges[ink_end] - edges[start] > room && last > start {
                lines.push(start..last);
                start = last;
            }
            while edges[ink_end.max(start)] - edges[start] > room {
                let cut = grapheme_cut(text, edges, start, ink_end, room);
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
        let empty = lines.is_empty() && self.lines.is_empty();
        if start < text.len() || empty || text.ends_with('\n') {
            lines.push(start..text.len());
        }
        for bytes in lines {
            let line = self.line(bytes);
            self.lines.push(line);
        }
    }

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

/// True if there is a space between letters, where a line may always be broken.
fn has_words(line: &str) -> bool {
    let letter = |c: u8| c.is_ascii_alphanumeric();
    let mut threes = line.as_bytes().windows(3);
    threes.any(|three| letter(three[0]) && three[1] == b' ' && letter(three[2]))
}

/// Without the white space at the end.
fn inked(text: &str) -> &str {
    text.trim_end_matches([' ', '\n', '\t'])
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
    fn a_word_that_fits_once_it_goes_on_moves_up() {
        let mut t = Typesetter::default();
        let cases = [
            // The letter after it stands nearer to a dash than to the end.
            ("foo bar-", "foo bar-T", "foo bar-"),
            ("foo bar", "foo bar\nx", "foo bar"),
            ("(            ab", "(            abcd", "(    "),
        ];
        for (before, after, wide) in cases {
            let width = t.width(wide, Face::Sans, 24) - 1;
            let mut growing = Broken::default();
            for text in [before, after] {
                growing.wrap(&mut t, &plain(text), width);
                let whole = wrap(&mut Typesetter::default(), &plain(text), width);
                assert_eq!(growing.lines(), whole, "{text:?}");
            }
        }
    }

    #[test]
    fn a_line_feed_and_a_tab_begin_where_the_letter_before_them_ends() {
        let mut t = Typesetter::default();
        for text in ["foo bar\nx", "foo bar\tx"] {
            let width = t.width("foo bar", Face::Sans, 24);
            let line = &wrap(&mut t, &plain(text), 600)[0];
            let ends = if text.contains('\n') {
                line.width
            } else {
                line.runs[0].width
            };
            assert!(ends.ceil() as i32 >= width, "{text:?}");
        }
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
        fn a_paragraph_that_grows_is_broken_as_if_it_had_come_whole(
            pieces in proptest::collection::vec(
                (0..4u8, "[a-z]{1,7}|[ ]{1,3}|[-–—/]T|\n|[a-zA-Z0-9 \"(){}%$.,!?/\\-\n\t\u{ad}\u{a0}\u{200b}\u{200d}\u{301}\u{fe0f}\u{5d0}ä☀漢。「」🇩🇪👩]{0,9}"),
                1..40,
            ),
            width in 40i32..300,
        ) {
            let mut t = Typesetter::default();
            let mut growing = Broken::default();
            let mut spans: Vec<Span> = Vec::new();
            for (kind, piece) in pieces {
                // Mostly more of the last span, sometimes another one.
                match spans.last_mut().filter(|_| kind > 0) {
                    Some(last) => last.text.push_str(&piece),
                    None => spans.extend(plain(&piece)),
                }
                growing.wrap(&mut t, &spans, width);
                let whole = wrap(&mut Typesetter::default(), &spans, width);
                prop_assert_eq!(growing.lines(), &whole[..], "{:?}", spans);
            }
        }

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
