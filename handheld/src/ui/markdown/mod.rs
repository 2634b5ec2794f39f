//! Answers set as documents: parsed while they stream, laid out once, drawn from a cache.

pub mod draw;
pub mod layout;
pub mod parse;
pub mod table;

use super::metrics::Metrics;
use super::text::Typesetter;
pub use layout::{Content, DocLine};
use std::rc::Rc;

/// A text that is laid out for a width, and can grow at its end.
#[derive(Clone, Debug, Default)]
pub struct Document {
    source: String,
    width: i32,
    body: u16,
    unit: i32,
    /// Byte where the last block begins: everything before it is settled.
    open: usize,
    /// Lines of settled blocks.
    settled: usize,
    lines: Vec<DocLine>,
}

impl Document {
    /// Lays out a text anew.
    pub fn new(t: &mut Typesetter, source: &str, width: i32, m: &Metrics) -> Document {
        let mut document = Document {
            width,
            body: m.body.size,
            unit: m.u,
            ..Document::default()
        };
        document.extend(t, source, m);
        document
    }

    /// The lines from top to bottom.
    pub fn lines(&self) -> &[DocLine] {
        &self.lines
    }

    /// Brings the document up to `source`. If that only grew, nothing but the last block is read and laid out again.
    pub fn update(&mut self, t: &mut Typesetter, source: &str, width: i32, m: &Metrics) {
        let same_page = self.width == width && self.body == m.body.size && self.unit == m.u;
        if !same_page || !source.starts_with(&self.source) {
            *self = Document::new(t, source, width, m);
        } else if source.len() > self.source.len() {
            let more = source[self.source.len()..].to_owned();
            self.extend(t, &more, m);
        }
    }

    fn extend(&mut self, t: &mut Typesetter, more: &str, m: &Metrics) {
        self.source.push_str(more);
        self.lines.truncate(self.settled);
        let blocks = parse::parse(&self.source[self.open..], self.open);
        let last = blocks.last().map_or(self.open, |b| b.start);
        let mut settled = false;
        for block in &blocks {
            if block.start == last && !settled {
                settled = true;
                // From the start of its line: leading spaces may make it code.
                self.open = self.source[..last].rfind('\n').map_or(0, |at| at + 1);
                self.settled = self.lines.len();
            }
            let first = self.lines.is_empty();
            self.lines
                .extend(layout::layout(t, block, first, self.width, m));
        }
    }
}

/// Documents kept laid out, however long they are.
const KEPT: usize = 48;

/// Documents kept at most. A conversation is drawn from its first turn to its last in every frame, so one with more answers than
/// are kept would find none of them.
const MAX_KEPT: usize = 1024;

/// Octets of text behind [`KEPT`] that are kept laid out, which takes some ten times as much memory.
const MAX_KEPT_LEN: usize = 2 << 20;

/// Laid-out documents by a key that the caller gives (a turn of a conversation), the last used kept.
#[derive(Default)]
pub struct Cache {
    kept: Vec<(u64, Rc<Document>)>,
}

impl Cache {
    /// The document under `key`, brought up to `source`.
    pub fn get(
        &mut self,
        t: &mut Typesetter,
        key: u64,
        source: &str,
        width: i32,
        m: &Metrics,
    ) -> Rc<Document> {
        let found = self.kept.iter().position(|(k, _)| *k == key);
        let mut document = match found {
            Some(at) => self.kept.remove(at).1,
            None => Rc::new(Document::new(t, "", width, m)),
        };
        Rc::make_mut(&mut document).update(t, source, width, m);
        let mut len: usize = self.kept.iter().map(|(_, d)| d.source.len()).sum();
        while self.kept.len() >= MAX_KEPT || (self.kept.len() >= KEPT && len > MAX_KEPT_LEN) {
            len -= self.kept.remove(0).1.source.len();
        }
        self.kept.push((key, document.clone()));
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::metrics::TextSize;
    use proptest::prelude::*;

    fn metrics() -> Metrics {
        Metrics::new(640, 480, TextSize::Normal)
    }

    const PIECES: &[&str] = &[
        "word ",
        "**bold** ",
        "*it",
        "alic* ",
        "`co",
        "de` ",
        "\n",
        "\n\n",
        "# head\n",
        "- item\n",
        "  - inner\n",
        "1. one\n",
        "> quote\n",
        "```\n",
        "let x;\n",
        "| a | b |\n",
        "|---|---|\n",
        "| 1 | 2 |\n",
        "---\n",
        "漢字",
        "🚀",
        "    ",
    ];

    proptest! {
        #[test]
        fn a_text_that_streams_in_ends_up_like_one_that_came_whole(picks in proptest::collection::vec(0..PIECES.len(), 0..40)) {
            let (m, mut t) = (metrics(), Typesetter::default());
            let mut source = String::new();
            let mut growing = Document::new(&mut t, "", 600, &m);
            for pick in picks {
                source.push_str(PIECES[pick]);
                growing.update(&mut t, &source, 600, &m);
                let whole = Document::new(&mut t, &source, 600, &m);
                prop_assert_eq!(growing.lines(), whole.lines(), "{:?}", source);
            }
        }
    }

    #[test]
    fn only_the_last_block_is_open() {
        let (m, mut t) = (metrics(), Typesetter::default());
        let document = Document::new(&mut t, "one\n\ntwo\n\nthree", 600, &m);
        assert_eq!(&document.source[document.open..], "three");
        assert_eq!(document.settled, 2);
    }

    #[test]
    fn another_text_or_width_is_laid_out_anew() {
        let (m, mut t) = (metrics(), Typesetter::default());
        let mut cache = Cache::default();
        let wide = cache
            .get(&mut t, 1, "one two three four five", 600, &m)
            .lines()
            .len();
        let narrow = cache
            .get(&mut t, 1, "one two three four five", 100, &m)
            .lines()
            .len();
        assert!(narrow > wide);
        assert_eq!(cache.get(&mut t, 1, "other", 100, &m).lines().len(), 1);
    }

    #[test]
    fn every_answer_of_a_long_conversation_is_found_again_and_memory_is_bounded() {
        let (m, mut t) = (metrics(), Typesetter::default());
        let mut cache = Cache::default();
        let first: Vec<_> = (0..200)
            .map(|key| cache.get(&mut t, key, "some words", 600, &m))
            .map(|document| Rc::as_ptr(&document))
            .collect();
        let again = (0..200).map(|key| cache.get(&mut t, key, "some words", 600, &m));
        assert!(again.map(|d| Rc::as_ptr(&d)).eq(first));
        for key in 0..2 * MAX_KEPT as u64 {
            cache.get(&mut t, key, "x", 600, &m);
        }
        assert_eq!(cache.kept.len(), MAX_KEPT);
        let long = "words\n\n".repeat(MAX_KEPT_LEN / 7 / KEPT * 3);
        for key in 0..KEPT as u64 + 4 {
            cache.get(&mut t, 1 << 32 | key, &long, 600, &m);
        }
        assert_eq!(cache.kept.len(), KEPT);
    }
}
