//! Markdown as language models write it, read into a flat list of blocks.

use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd};

/// How a stretch of words is stressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stress {
    /// `**strong**`
    pub strong: bool,
    /// `*emphasis*`
    pub italic: bool,
    /// `` `code` ``
    pub code: bool,
    /// `~~struck out~~`
    pub strike: bool,
    /// The words of a link; where it leads is not shown.
    pub link: bool,
}

/// Words of one stress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What they say; a line feed forces a new line.
    pub text: String,
    /// How.
    pub stress: Stress,
}

/// What stands before the first line of a list item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A point; the number is the depth of the list, from 1.
    Point(u8),
    /// A number.
    Number(u64),
    /// A box, ticked or not.
    Task(bool),
}

/// Where a block stands among lists and quotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Indent by lists, in units.
    pub indent: i32,
    /// Quotations around it.
    pub quotes: u8,
    /// What stands before it.
    pub marker: Option<Marker>,
    /// It follows its neighbour closely, as items of a list do.
    pub close: bool,
}

/// Alignment of a table column.
pub type Column = Alignment;

/// Rows of a table, of cells, of words.
pub type Rows = Vec<Vec<Vec<Words>>>;

/// One block.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph or, with a level, a heading.
    Text {
        /// Words.
        words: Vec<Words>,
        /// 1 to 6 for a heading.
        heading: Option<u8>,
    },
    /// Lines of code, without the last line feed.
    Code(String),
    /// A table.
    Table {
        /// Columns.
        columns: Vec<Column>,
        /// Cells by row; the first row is the head.
        rows: Rows,
    },
    /// A line across.
    Rule,
}

/// A block, its place, and where the top-level block that it belongs to begins in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// What.
    pub block: Block,
    /// Where among lists and quotations.
    pub place: Place,
    /// Byte of the source.
    pub start: usize,
}

/// Nesting that is still read. Deeper lists and quotations are drawn no further to the right.
const MAX_DEPTH: usize = 6;

#[derive(Default)]
struct Reader {
    out: Vec<Placed>,
    words: Vec<Words>,
    stress: Vec<Stress>,
    lists: Vec<Option<u64>>,
    quotes: u8,
    marker: Option<Marker>,
    close: bool,
    heading: Option<u8>,
    code: Option<String>,
    table: Option<(Vec<Column>, Rows)>,
    start: usize,
}

/// Reads a text. Block starts are shifted by `base`, the place of `text` in the whole source.
pub fn parse(text: &str, base: usize) -> Vec<Placed> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut reader = Reader::default();
    let mut depth = 0usize;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        if depth == 0 {
            reader.start = base + range.start;
        }
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        reader.event(event);
    }
    reader.flush();
    reader.out
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.shut(tag),
            Event::Text(text) => self.say(&text),
            Event::Code(text) => {
                let stress = Stress {
                    code: true,
                    ..self.now()
                };
                self.words.push(Words {
                    text: text.into_string(),
                    stress,
                });
            }
            Event::SoftBreak => self.say(" "),
            Event::HardBreak => self.say("\n"),
            Event::Rule => {
                self.flush();
                self.push(Block::Rule);
            }
            Event::TaskListMarker(done) => self.marker = Some(Marker::Task(done)),
            Event::InlineHtml(html) if html.starts_with("<br") => self.say("\n"),
            // Anything else is shown as it was written: it is text from elsewhere and must not vanish.
            Event::Html(text) | Event::InlineHtml(text) => self.say(&text),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.say(&text)
            }
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(level as u8);
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes = (self.quotes + 1).min(MAX_DEPTH as u8);
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                self.close = !self.lists.is_empty();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                let depth = self.lists.len().min(MAX_DEPTH) as u8;
                self.marker = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        Marker::Number(*number - 1)
                    }
                    _ => Marker::Point(depth),
                });
            }
            Tag::Table(columns) => {
                self.flush();
                self.table = Some((columns, Vec::new()));
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some((_, rows)) = &mut self.table {
                    rows.push(Vec::new());
                }
            }
            Tag::Emphasis => self.stress.push(Stress {
                italic: true,
                ..self.now()
            }),
            Tag::Strong => self.stress.push(Stress {
                strong: true,
                ..self.now()
            }),
            Tag::Strikethrough => self.stress.push(Stress {
                strike: true,
                ..self.now()
            }),
            Tag::Link { .. } | Tag::Image { .. } => self.stress.push(Stress {
                link: true,
                ..self.now()
            }),
            Tag::Paragraph | Tag::HtmlBlock => self.flush(),
            _ => {}
        }
    }

    fn shut(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            TagEnd::Heading(_) => {
                self.flush();
                self.heading = None;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                if let Some(mut code) = self.code.take() {
                    if code.ends_with('\n') {
                        code.pop();
                    }
                    self.push(Block::Code(code));
                }
            }
            TagEnd::Item => {
                self.flush();
                if self.marker.is_some() {
                    self.push(Block::Text {
                        words: Vec::new(),
                        heading: None,
                    });
                }
                self.close = true;
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                self.close = !self.lists.is_empty();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.words);
                if let Some(row) = self.table.as_mut().and_then(|t| t.1.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                if let Some((columns, rows)) = self.table.take() {
                    self.push(Block::Table { columns, rows });
                }
            }
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image => {
                self.stress.pop();
            }
            _ => {}
        }
    }

    fn now(&self) -> Stress {
        self.stress.last().copied().unwrap_or_default()
    }

    fn say(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        let stress = self.now();
        match self.words.last_mut() {
            Some(last) if last.stress == stress => last.text.push_str(text),
            _ => self.words.push(Words {
                text: text.to_owned(),
                stress,
            }),
        }
    }

    fn flush(&mut self) {
        if self.table.is_some() || self.words.is_empty() {
            return;
        }
        let words = std::mem::take(&mut self.words);
        self.push(Block::Text {
            words,
            heading: self.heading,
        });
    }

    fn push(&mut self, block: Block) {
        let indent = self
            .lists
            .iter()
            .take(MAX_DEPTH)
            .map(|l| if l.is_some() { 4 } else { 3 })
            .sum();
        let marker = self.marker.take();
        let place = Place {
            indent,
            quotes: self.quotes,
            marker,
            close: self.close,
        };
        self.close = false;
        self.out.push(Placed {
            block,
            place,
            start: self.start,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<(String, Place)> {
        parse(source, 0)
            .into_iter()
            .map(|p| match p.block {
                Block::Text { words, .. } => (words.into_iter().map(|w| w.text).collect(), p.place),
                Block::Code(code) => (code, p.place),
                Block::Table { rows, .. } => (format!("{} rows", rows.len()), p.place),
                Block::Rule => ("rule".into(), p.place),
            })
            .collect()
    }

    #[test]
    fn stress_is_read_and_nests() {
        let blocks = parse("a **b *c*** `d` ~~e~~ [f](http://x)", 0);
        let Block::Text {
            words,
            heading: None,
        } = &blocks[0].block
        else {
            panic!("{blocks:?}")
        };
        let find = |t: &str| words.iter().find(|w| w.text == t).unwrap().stress;
        assert!(find("b ").strong && !find("b ").italic);
        assert!(find("c").strong && find("c").italic);
        assert!(find("d").code && find("e").strike && find("f").link);
    }

    #[test]
    fn nested_lists_keep_their_depth_and_numbers() {
        let list = texts("3. three\n   - point\n     - deeper\n4. four\n\n- [x] done\n");
        let markers: Vec<_> = list
            .iter()
            .map(|l| (l.0.as_str(), l.1.indent, l.1.marker))
            .collect();
        assert_eq!(
            markers,
            [
                ("three", 4, Some(Marker::Number(3))),
                ("point", 7, Some(Marker::Point(2))),
                ("deeper", 10, Some(Marker::Point(3))),
                ("four", 4, Some(Marker::Number(4))),
                ("done", 3, Some(Marker::Task(true))),
            ]
        );
        assert!(list[1].1.close && !list[4].1.close);
    }

    #[test]
    fn code_quotes_tables_and_rules_become_blocks() {
        let all = texts(
            "> quoted\n\n```rust\nfn a() {}\n\n  b\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n---\n",
        );
        assert_eq!(all[0].1.quotes, 1);
        assert_eq!(all[1].0, "fn a() {}\n\n  b");
        assert_eq!(all[2].0, "2 rows");
        assert_eq!(all[3].0, "rule");
    }

    #[test]
    fn raw_markup_is_shown_and_never_swallowed() {
        assert_eq!(texts("a <b>c</b><br>d")[0].0, "a <b>c</b>\nd");
        assert!(texts("<script>alert(1)</script>")[0].0.contains("alert"));
    }

    #[test]
    fn an_open_fence_is_code_until_it_closes() {
        assert_eq!(texts("```\nlet a")[0].0, "let a");
    }
}
