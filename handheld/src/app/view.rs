//! What the screens say, ready to be drawn: rows, marks and sentences made from the model alone.

/// A mark beside a state; each has a shape and a word, never colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// None.
    #[default]
    None,
    /// ✓
    Done,
    /// ◷
    Wait,
    /// ▶
    Run,
    /// !
    Failed,
    /// ✕
    Refused,
    /// ● something new
    New,
    /// Ticked.
    Ticked,
    /// Could be ticked.
    Unticked,
}

/// One row of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Mark on the left.
    pub mark: Mark,
    /// First line.
    pub title: String,
    /// On the right of the first line, muted.
    pub right: String,
    /// Second line, muted; empty in rows of one line.
    pub second: String,
    /// A meter of 0 to 1000 on the second line.
    pub meter: Option<u16>,
    /// A value that ← and → change: drawn `◂ value ▸` on the right.
    pub value: Option<String>,
    /// A heading or fact: never focused.
    pub fixed: bool,
    /// A line above the row separates it from the one before.
    pub rule: bool,
    /// Shown muted, because it cannot be opened.
    pub disabled: bool,
}

/// A screen that is a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListView {
    /// Header title.
    pub title: String,
    /// Tabs with their buttons' sides (L1 left, R1 right), and which is shown; empty if there are none.
    pub tabs: Vec<String>,
    /// Index of the shown tab.
    pub tab: usize,
    /// A sentence above the rows, muted.
    pub lead: String,
    /// Rows.
    pub rows: Vec<Row>,
    /// Index of the focused row in `rows`, `None` if nothing can be focused.
    pub focus: Option<usize>,
    /// Index of the first row that shows.
    pub top: usize,
    /// All rows have two lines (8u) rather than one (6u).
    pub tall: bool,
    /// A sentence in place of the rows when there are none.
    pub empty: String,
    /// A sentence below the rows, muted.
    pub footer: String,
}
