//! Answers set as documents: parsed while they stream, laid out once, drawn from a cache.

pub mod draw;
pub mod layout;
pub mod parse;
pub mod table;

use super::metrics::Metrics;
use super::text::wrap::{Broken, wrap};
use super::text::{Face, Ink, Span, Typesetter};
use super::theme::Tone;
use super::widget::column::Step;
use crate::app::words;
pub use layout::{Content, DocLine};
use std::collections::HashMap;
use std::rc::Rc;

/// A text that is laid out for a width, and can grow at its end.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// What is set: what was given, made safe to show.
    source: String,
    /// What was given, where that is something else.
    given: Option<String>,
    /// Words as they are, not Markdown.
    plain: bool,
    width: i32,
    body: u16,
    unit: i32,
    /// Byte where the last block begins: everything before it is settled.
    open: usize,
    /// Lines of settled blocks.
    settled: usize,
    lines: Vec<DocLine>,
    /// How the words of the last block were broken.
    growing: Broken,
    /// Heights and gaps of the lines.
    steps: Vec<Step>,
}

impl Document {
    /// Lays out a text of Markdown anew.
    pub fn new(t: &mut Typesetter, source: &str, width: i32, m: &Metrics) -> Document {
        Document::anew(t, source, width, m, false)
    }

    fn anew(t: &mut Typesetter, source: &str, width: i32, m: &Metrics, plain: bool) -> Document {
        let mut document = Document {
            width,
            body: m.body.size,
            unit: m.u,
            plain,
            ..Document::default()
        };
        document.extend(t, source, m);
        document
    }

    /// The lines from top to bottom.
    pub fn lines(&self) -> &[DocLine] {
        &self.lines
    }

    /// Heights of the lines, and the gaps above them; the first has none.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Brings the document up to `source`. If that only grew, nothing but the last block is read and laid out again.
    pub fn update(&mut self, t: &mut Typesetter, source: &str, width: i32, m: &Metrics) {
        let same_page = self.width == width && self.body == m.body.size && self.unit == m.u;
        let known = self.given.as_deref().unwrap_or(&self.source);
        match source.strip_prefix(known) {
            Some("") if same_page => {}
            Some(more) if same_page => self.extend(t, more, m),
            _ => *self = Document::anew(t, source, width, m, self.plain),
        }
    }

    /// Forgets what makes the next growth cheap: that one sets the last paragraph whole, and is as cheap as before behind it.
    fn rest(&mut self) {
        self.growing = Broken::default();
    }

    /// Takes in what follows. What makes it safe looks at single characters, so that pieces add up to the whole.
    fn extend(&mut self, t: &mut Typesetter, more: &str, m: &Metrics) {
        let safe = words::answer(more);
        if self.given.is_some() || safe != more {
            let source = &self.source;
            let given = self.given.get_or_insert_with(|| source.clone());
            given.push_str(more);
        }
        self.source.push_str(&safe);
        self.steps.truncate(self.settled);
        if self.plain {
            self.wrap(t, m);
        } else {
            self.set(t, m);
        }
        let rest = self.lines[self.steps.len()..].iter();
        self.steps.extend(rest.map(|line| Step {
            height: line.height,
            gap: line.gap,
        }));
    }

    fn wrap(&mut self, t: &mut Typesetter, m: &Metrics) {
        let span = Span {
            text: self.source.clone(),
            face: Face::Sans,
            size: m.body.size,
            ink: Ink::of(Tone::Text),
        };
        let lines = wrap(t, &[span], self.width).into_iter();
        self.lines = lines
            .map(|line| DocLine {
                content: Content::Words {
                    line,
                    kind: m.body,
                    marker: None,
                },
                x: 0,
                width: self.width,
                height: m.body.line,
                gap: 0,
                quotes: 0,
            })
            .collect();
    }

    fn set(&mut self, t: &mut Typesetter, m: &Metrics) {
        self.lines.truncate(self.settled);
        let blocks = parse::parse(&self.source[self.open..], self.open);
        let last = blocks.last().map_or(self.open, |b| b.start);
        let mut settled = false;
        for (n, block) in blocks.iter().enumerate() {
            if block.start == last && !settled {
                settled = true;
                // From the start of its line: leading spaces may make it code.
                self.open = self.source[..last].rfind('\n').map_or(0, |at| at + 1);
                self.settled = self.lines.len();
            }
            let first = self.lines.is_empty();
            let mut fresh = Broken::default();
            let known = if n + 1 == blocks.len() {
                &mut self.growing
            } else {
                &mut fresh
            };
            let lines = layout::layout(t, block, first, self.width, m, known);
            self.lines.extend(lines);
        }
    }
}

/// Documents kept laid out, however long they are.
const KEPT: usize = 48;

/// Documents kept at most. A conversation is drawn from its first turn to its last in every frame, so one with more answers than
/// are kept would find none of them.
const MAX_KEPT: usize = 1024;

/// Octets of text behind [`KEPT`] that are kept laid out, which takes some ten times as much memory, and twenty where it is one paragraph.
const MAX_KEPT_LEN: usize = 2 << 20;

/// Laid-out documents by a key that the caller gives (a turn of a conversation), the last used kept.
#[derive(Default)]
pub struct Cache {
    kept: HashMap<u64, Kept>,
    /// Octets of text in all of them.
    len: usize,
    /// The one that grew last, and keeps how its last paragraph was broken.
    grows: Option<u64>,
    /// Counts the calls.
    now: u64,
}

struct Kept {
    document: Rc<Document>,
    used: u64,
}

impl Kept {
    /// Changes the document, unless a frame still holds it.
    fn document_mut(&mut self, change: impl FnOnce(&mut Document)) {
        if let Some(document) = Rc::get_mut(&mut self.document) {
            change(document);
        }
    }
}

impl Cache {
    /// The document of Markdown under `key`, brought up to `source`.
    pub fn get(
        &mut self,
        t: &mut Typesetter,
        key: u64,
        source: &str,
        width: i32,
        m: &Metrics,
    ) -> Rc<Document> {
        self.find(t, key, source, width, m, false)
    }

    /// The document of plain words under `key`, brought up to `source`.
    pub fn plain(
        &mut self,
        t: &mut Typesetter,
        key: u64,
        source: &str,
        width: i32,
        m: &Metrics,
    ) -> Rc<Document> {
        self.find(t, key, source, width, m, true)
    }

    fn find(
        &mut self,
        t: &mut Typesetter,
        key: u64,
        source: &str,
        width: i32,
        m: &Metrics,
        plain: bool,
    ) -> Rc<Document> {
        self.now += 1;
        let anew = |t: &mut Typesetter| Rc::new(Document::anew(t, "", width, m, plain));
        let kept = self.kept.entry(key).or_insert_with(|| Kept {
            document: anew(t),
            used: 0,
        });
        kept.used = self.now;
        if kept.document.plain != plain {
            self.len -= kept.document.source.len();
            kept.document = anew(t);
        }
        let before = kept.document.source.len();
        Rc::make_mut(&mut kept.document).update(t, source, width, m);
        let after = kept.document.source.len();
        self.len = self.len - before + after;
        if before == 0 {
            // Most never grow again.
            kept.document_mut(Document::rest);
        }
        let document = kept.document.clone();
        if before != 0 && before != after {
            let other = self.grows.replace(key).filter(|other| *other != key);
            if let Some(other) = other.and_then(|other| self.kept.get_mut(&other)) {
                other.document_mut(Document::rest);
            }
        }
        while self.kept.len() > MAX_KEPT || (self.kept.len() > KEPT && self.len > MAX_KEPT_LEN) {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
            let Some((&oldest, _)) = oldest else { break };
            if let Some(gone) = self.kept.remove(&oldest) {
                self.len -= gone.document.source.len();
            }
        }
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

    #[test]
    fn only_the_document_that_grew_last_keeps_how_it_was_broken() {
        let mut t = Typesetter::default();
        let m = metrics();
        let mut cache = Cache::default();
        let keeps = |cache: &Cache, key: u64| !cache.kept[&key].document.growing.lines().is_empty();
        for key in [1, 2] {
            cache.get(&mut t, key, "one two", 600, &m);
            assert!(!keeps(&cache, key));
        }
        cache.get(&mut t, 1, "one two three", 600, &m);
        assert!(keeps(&cache, 1));
        let whole = cache.get(&mut t, 1, "one two three four", 600, &m);
        assert_eq!(
            whole.lines(),
            Document::new(&mut t, "one two three four", 600, &m).lines()
        );
        drop(whole);
        cache.get(&mut t, 1, "one two three four", 600, &m);
        assert!(keeps(&cache, 1), "one that stays as it is goes on later");
        cache.get(&mut t, 2, "one two three", 600, &m);
        assert_eq!((keeps(&cache, 1), keeps(&cache, 2)), (false, true));
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
                prop_assert_eq!(growing.steps(), whole.steps());
            }
        }
    }

    #[test]
    fn what_may_not_act_is_made_safe_whether_it_comes_whole_or_in_pieces() {
        let (m, mut t) = (metrics(), Typesetter::default());
        let text = "a\u{202e}b\r\nc\u{1b}[2J";
        let whole = Document::new(&mut t, text, 600, &m);
        assert_eq!(whole.source, words::answer(text));
        let mut growing = Document::new(&mut t, "", 600, &m);
        for end in (0..=text.len()).filter(|&i| text.is_char_boundary(i)) {
            growing.update(&mut t, &text[..end], 600, &m);
        }
        assert_eq!(
            (growing.lines(), growing.given.clone()),
            (whole.lines(), whole.given.clone())
        );
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
