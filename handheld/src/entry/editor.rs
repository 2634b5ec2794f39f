//! One text field: a cursor that moves by graphemes, a selection, and changes that can be taken back.

use core::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::history::{Change, History};

/// Octets that a field holds at most: far more than anybody types, and well under what one request may carry.
pub const MAX_TEXT: usize = 16 * 1024;

/// A text with a cursor.
#[derive(Debug, Clone, Default)]
pub struct Editor {
    text: String,
    cursor: usize,
    anchor: Option<usize>,
    history: History,
    /// The grapheme column that up and down keep to.
    goal: Option<usize>,
}

impl Editor {
    /// A field that holds `text`, cut at a character border to [`MAX_TEXT`], with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = &text[..floor_boundary(text, MAX_TEXT)];
        Self {
            text: text.to_owned(),
            cursor: text.len(),
            ..Self::default()
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cursor, in octets; always on a grapheme border.
    #[must_use]
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// What stands after the cursor.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// The selected octets, if any.
    #[must_use]
    pub fn selection(&self) -> Option<Range<usize>> {
        let anchor = self.anchor?;
        (anchor != self.cursor).then(|| anchor.min(self.cursor)..anchor.max(self.cursor))
    }

    /// The selected text, if any.
    #[must_use]
    pub fn selected(&self) -> Option<&str> {
        self.selection().map(|range| &self.text[range])
    }

    /// Whether moving the cursor selects.
    #[must_use]
    pub const fn is_marking(&self) -> bool {
        self.anchor.is_some()
    }

    /// Sets the mark at the cursor, or lifts it.
    pub fn toggle_mark(&mut self) {
        self.anchor = if self.anchor.is_some() {
            None
        } else {
            Some(self.cursor)
        };
    }

    /// Replaces `range` by `insert` as one step of undo; the cursor follows the insertion. False if it would not fit.
    ///
    /// `range` must lie on character borders, as every range of this module does.
    pub fn replace(&mut self, range: Range<usize>, insert: &str) -> bool {
        self.history.new_group();
        self.change(range, insert)
    }

    /// Inserts `insert` over the selection, as a step of its own. False if it would not fit.
    pub fn insert(&mut self, insert: &str) -> bool {
        let range = self.selection().unwrap_or(self.cursor..self.cursor);
        self.replace(range, insert)
    }

    /// Inserts a typed character over the selection. Undo takes typed text back word by word.
    pub fn type_char(&mut self, c: char) -> bool {
        let range = self.selection().unwrap_or(self.cursor..self.cursor);
        let starts_word = !c.is_whitespace() && self.before().ends_with(char::is_whitespace);
        if !range.is_empty() || starts_word || !self.history.continues_typing(self.cursor) {
            self.history.new_group();
        }
        self.change(range, c.encode_utf8(&mut [0; 4]))
    }

    /// Deletes the selection, or the grapheme before the cursor. False if there was nothing.
    pub fn delete_back(&mut self) -> bool {
        if let Some(range) = self.selection() {
            return self.replace(range, "");
        }
        let start = self.grapheme_before(self.cursor);
        if start == self.cursor {
            return false;
        }
        if !self.history.continues_deleting(self.cursor) {
            self.history.new_group();
        }
        self.change(start..self.cursor, "")
    }

    /// Empties the field; undo brings the text back.
    pub fn clear(&mut self) -> bool {
        !self.text.is_empty() && self.replace(0..self.text.len(), "")
    }

    fn change(&mut self, range: Range<usize>, insert: &str) -> bool {
        if self.text.len() - range.len() + insert.len() > MAX_TEXT {
            return false;
        }
        let removed = self.text[range.clone()].to_owned();
        self.text.replace_range(range.clone(), insert);
        self.history
            .push(range.start, removed, insert.to_owned(), self.cursor);
        self.place(range.start + insert.len());
        true
    }

    fn place(&mut self, cursor: usize) {
        // An edit can leave the cursor inside a grapheme (a combining mark typed after a letter): go to its end.
        self.cursor = self.grapheme_border(cursor);
        self.anchor = None;
        self.goal = None;
    }

    /// Whether there is something to undo.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.history.can_undo()
    }

    /// Whether there is something to redo.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        self.history.can_redo()
    }

    /// Takes the last step back. False if there is none.
    pub fn undo(&mut self) -> bool {
        let mut any = false;
        while let Some(change) = self.history.undo(any) {
            self.reverse(&change);
            self.history.undone(change);
            any = true;
        }
        any
    }

    /// Makes the last undone step again. False if there is none.
    pub fn redo(&mut self) -> bool {
        let mut any = false;
        while let Some(change) = self.history.redo(any) {
            self.text.replace_range(
                change.at..change.at + change.removed.len(),
                &change.inserted,
            );
            self.place(change.at + change.inserted.len());
            self.history.redone(change);
            any = true;
        }
        any
    }

    /// A point to which [`Editor::rollback`] can return.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.history.next_number()
    }

    /// Reverses every change since `checkpoint` as if it had never been made: undo and redo do not see it.
    pub fn rollback(&mut self, checkpoint: u64) {
        while let Some(change) = self.history.pop_since(checkpoint) {
            self.reverse(&change);
        }
    }

    fn reverse(&mut self, change: &Change) {
        self.text.replace_range(
            change.at..change.at + change.inserted.len(),
            &change.removed,
        );
        self.place(change.cursor);
    }

    fn grapheme_border(&self, at: usize) -> usize {
        let mut cursor = GraphemeCursor::new(at, self.text.len(), true);
        match cursor.is_boundary(&self.text, 0) {
            Ok(true) | Err(_) => at,
            Ok(false) => self.grapheme_after(at),
        }
    }

    fn grapheme_before(&self, at: usize) -> usize {
        GraphemeCursor::new(at, self.text.len(), true)
            .prev_boundary(&self.text, 0)
            .ok()
            .flatten()
            .unwrap_or(0)
    }

    fn grapheme_after(&self, at: usize) -> usize {
        GraphemeCursor::new(at, self.text.len(), true)
            .next_boundary(&self.text, 0)
            .ok()
            .flatten()
            .unwrap_or(self.text.len())
    }

    fn go(&mut self, to: usize) -> bool {
        self.goal = None;
        let moved = to != self.cursor;
        self.cursor = to;
        self.history.interrupt();
        moved
    }

    /// One grapheme to the left.
    pub fn left(&mut self) -> bool {
        self.go(self.grapheme_before(self.cursor))
    }

    /// One grapheme to the right.
    pub fn right(&mut self) -> bool {
        self.go(self.grapheme_after(self.cursor))
    }

    /// To the start of the word to the left.
    pub fn word_left(&mut self) -> bool {
        let word = self
            .text
            .unicode_word_indices()
            .map(|(at, _)| at)
            .take_while(|&at| at < self.cursor)
            .last();
        self.go(word.unwrap_or(0))
    }

    /// To the end of the word to the right.
    pub fn word_right(&mut self) -> bool {
        let word = self
            .text
            .unicode_word_indices()
            .map(|(at, word)| at + word.len())
            .find(|&end| end > self.cursor);
        self.go(word.unwrap_or(self.text.len()))
    }

    /// To the start of the text.
    pub fn start(&mut self) -> bool {
        self.go(0)
    }

    /// To the end of the text.
    pub fn end(&mut self) -> bool {
        self.go(self.text.len())
    }

    /// One line up, where lines wrap at `columns` graphemes; to the start from the first line.
    pub fn up(&mut self, columns: usize) -> bool {
        self.vertical(columns, false)
    }

    /// One line down; to the end from the last line.
    pub fn down(&mut self, columns: usize) -> bool {
        self.vertical(columns, true)
    }

    fn vertical(&mut self, columns: usize, down: bool) -> bool {
        let lines = self.lines(columns);
        let here = lines
            .iter()
            .rposition(|line| line.start <= self.cursor)
            .unwrap_or(0);
        let column = self.text[lines[here].start..self.cursor]
            .graphemes(true)
            .count();
        let goal = self.goal.unwrap_or(column);
        let target = if down {
            lines.get(here + 1)
        } else {
            here.checked_sub(1).map(|row| &lines[row])
        };
        let Some(line) = target.cloned() else {
            return self.go(if down { self.text.len() } else { 0 });
        };
        // The end of a wrapped line is also the start of the next one: stop before its last grapheme.
        let wrapped = lines
            .iter()
            .any(|next| next.start == line.end && !next.is_empty());
        let end = if wrapped {
            self.grapheme_before(line.end)
        } else {
            line.end
        };
        let column = self.text[line.clone()]
            .grapheme_indices(true)
            .nth(goal)
            .map_or(end, |(at, _)| line.start + at);
        let to = self.grapheme_border(column);
        let moved = self.go(to);
        self.goal = Some(goal);
        moved
    }

    /// The lines of the text, wrapped after spaces at `columns` graphemes; at least one, without their line breaks.
    fn lines(&self, columns: usize) -> Vec<Range<usize>> {
        let columns = columns.max(1);
        let mut lines = Vec::new();
        let mut base = 0;
        for hard in self.text.split('\n') {
            let (mut start, mut count, mut space) = (0, 0, None);
            for (at, grapheme) in hard.grapheme_indices(true) {
                if count == columns {
                    let end = space.take().filter(|&space| space > start).unwrap_or(at);
                    lines.push(base + start..base + end);
                    count = hard[end..at].graphemes(true).count();
                    start = end;
                }
                count += 1;
                if grapheme == " " {
                    space = Some(at + 1);
                }
            }
            lines.push(base + start..base + hard.len());
            base += hard.len() + 1;
        }
        lines
    }
}

/// The largest character border of `text` that is not above `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(text: &str) -> Editor {
        let mut editor = Editor::new("");
        for c in text.chars() {
            assert!(editor.type_char(c));
        }
        editor
    }

    #[test]
    fn the_cursor_moves_and_deletes_by_graphemes() {
        let mut editor = Editor::new("ae\u{301}👩\u{200d}🚀");
        assert!(editor.left());
        assert_eq!(editor.after(), "👩\u{200d}🚀");
        assert!(editor.delete_back());
        assert_eq!(editor.text(), "a👩\u{200d}🚀");
        assert!(editor.left() && !editor.left());
    }

    #[test]
    fn a_combining_mark_leaves_the_cursor_behind_its_letter() {
        let mut editor = Editor::new("e");
        editor.left();
        editor.type_char('x');
        editor.end();
        editor.type_char('\u{301}');
        assert_eq!(editor.cursor(), editor.text().len());
        editor.delete_back();
        assert_eq!(editor.text(), "x");
    }

    #[test]
    fn undo_takes_typing_back_word_by_word_and_redo_brings_it_again() {
        let mut editor = typed("one two three");
        assert!(editor.undo());
        assert_eq!(editor.text(), "one two ");
        assert!(editor.undo());
        assert_eq!(editor.text(), "one ");
        assert!(editor.redo() && editor.redo() && !editor.redo());
        assert_eq!(editor.text(), "one two three");
        editor.undo();
        editor.type_char('x');
        assert!(!editor.can_redo());
    }

    #[test]
    fn typing_elsewhere_is_a_step_of_its_own() {
        let mut editor = typed("ab");
        editor.start();
        editor.type_char('x');
        editor.undo();
        assert_eq!((editor.text(), editor.cursor()), ("ab", 0));
    }

    #[test]
    fn typing_replaces_the_selection_and_undo_restores_it() {
        let mut editor = Editor::new("keep this");
        editor.toggle_mark();
        editor.word_left();
        assert_eq!(editor.selected(), Some("this"));
        editor.type_char('x');
        assert_eq!((editor.text(), editor.selected()), ("keep x", None));
        editor.undo();
        assert_eq!(editor.text(), "keep this");
    }

    #[test]
    fn clearing_can_be_undone() {
        let mut editor = Editor::new("draft");
        assert!(editor.clear() && !editor.clear());
        assert!(editor.undo());
        assert_eq!(editor.text(), "draft");
    }

    #[test]
    fn a_rolled_back_change_is_neither_undone_nor_redone() {
        let mut editor = typed("a");
        let mark = editor.checkpoint();
        editor.type_char('b');
        editor.replace(0..2, "xyz");
        editor.rollback(mark);
        assert_eq!(
            (editor.text(), editor.cursor(), editor.can_redo()),
            ("a", 1, false)
        );
        editor.undo();
        assert_eq!(editor.text(), "");
    }

    #[test]
    fn a_full_field_refuses_more_and_stays_as_it_was() {
        let mut editor = Editor::new(&"x".repeat(MAX_TEXT + 5));
        assert_eq!(editor.text().len(), MAX_TEXT);
        assert!(!editor.type_char('y'));
        assert!(!editor.insert("long"));
        assert_eq!(editor.text().len(), MAX_TEXT);
        assert_eq!(Editor::new(&"é".repeat(MAX_TEXT)).text().len(), MAX_TEXT);
    }

    #[test]
    fn up_and_down_follow_wrapped_lines_and_keep_their_column() {
        let mut editor = Editor::new("alpha beta gamma\nx\nlast line");
        // At ten columns: "alpha ", "beta gamma", "x", "last line".
        assert!(editor.up(10));
        assert_eq!(editor.after(), "\nlast line");
        assert!(editor.up(10));
        assert_eq!(editor.after(), "a\nx\nlast line");
        assert!(editor.up(10));
        assert_eq!(editor.before(), "alpha");
        assert!(editor.up(10));
        assert_eq!(editor.cursor(), 0);
        assert!(editor.down(10));
        assert_eq!(editor.before(), "alpha ");
    }

    #[test]
    fn words_are_jumped_over_whole() {
        let mut editor = Editor::new("don't stop, please");
        editor.start();
        editor.word_right();
        assert_eq!(editor.before(), "don't");
        editor.word_right();
        assert_eq!(editor.before(), "don't stop");
        editor.word_left();
        assert_eq!(editor.before(), "don't ");
    }

    proptest! {
        #[test]
        fn any_mixture_of_edits_stays_on_borders_and_undoes_to_the_start(ops in prop::collection::vec((0u8..12, any::<char>()), 0..120)) {
            let mut editor = Editor::new("Start héllo\n👩\u{200d}🚀");
            let first = editor.text().to_owned();
            for (op, c) in ops {
                match op {
                    0..=3 => drop(editor.type_char(c)),
                    4 => drop(editor.delete_back()),
                    5 => drop(editor.left()),
                    6 => drop(editor.word_left()),
                    7 => editor.toggle_mark(),
                    8 => drop(editor.up(7)),
                    9 => drop(editor.down(7)),
                    10 => drop(editor.undo()),
                    _ => drop(editor.redo()),
                }
                prop_assert_eq!(editor.cursor(), editor.grapheme_border(editor.cursor()));
                if let Some(range) = editor.selection() {
                    prop_assert!(editor.text().is_char_boundary(range.start) && editor.text().is_char_boundary(range.end));
                }
            }
            while editor.undo() {}
            prop_assert_eq!(editor.text(), first);
        }
    }
}
