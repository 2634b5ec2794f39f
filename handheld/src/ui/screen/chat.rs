//! One conversation: questions with a bar, answers as documents, cards where an answer will be.

use super::column;
use crate::app::model::screen::ChatScreen;
use crate::app::model::{Chat, Extent, Model, Role, Scroll, TurnState};
use crate::app::view::chat::{TurnView, turn_view};
use crate::app::view::{Card, Mark};
use crate::ui::canvas::{Align, Canvas, Icon};
use crate::ui::markdown::{self, Document};
use crate::ui::metrics::Type;
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::column::{Step, column as scroll};
use crate::ui::widget::{card, list, mark};
use std::rc::Rc;

/// What a stretch of the column's lines shows.
enum Part {
    /// A question.
    Asked(Rc<Document>),
    /// What stands above an answer.
    Caption,
    /// An answer, and whether the caret stands behind it.
    Answer(Rc<Document>, bool),
    /// A caret where nothing has arrived yet.
    Caret,
    /// A card.
    Card(Box<card::Layout>),
}

/// The lines of a conversation. Only where a turn is still under way, or is seen, is more of it looked at than its lines.
#[derive(Default)]
struct Column {
    /// The first line of each part, whose turn it is of, and what it shows.
    parts: Vec<(usize, usize, Part)>,
    steps: Vec<Step>,
}

impl Column {
    fn add(&mut self, turn: usize, part: Part, gap: i32, steps: &[Step]) {
        self.parts.push((self.steps.len(), turn, part));
        let first = self.steps.len();
        self.steps.extend_from_slice(steps);
        if let Some(step) = self.steps.get_mut(first) {
            step.gap = gap;
        }
    }

    fn add_line(&mut self, turn: usize, part: Part, gap: i32, height: i32) {
        self.add(turn, part, gap, &[Step { height, gap }]);
    }

    /// The turn and the part of a line, and which of the part's lines it is.
    fn part(&self, line: usize) -> (usize, &Part, usize) {
        let at = self.parts.partition_point(|(first, ..)| *first <= line);
        let (first, turn, part) = &self.parts[at - 1];
        (*turn, part, line - first)
    }
}

/// Draws a conversation.
pub(super) fn chat(
    c: &mut Canvas,
    t: &Theme,
    area: Rect,
    model: &Model,
    screen: &ChatScreen,
) -> Extent {
    let m = &t.m;
    let place = column(t, area).inset(0, m.gap());
    let chat = model.chats.find(screen.chat);
    let Some(chat) = chat.filter(|chat| !chat.turns.is_empty()) else {
        list::empty(
            c,
            t,
            area,
            "Nothing has been said yet. A writes the first message.",
        );
        return Extent::default();
    };
    let mut lines = Column::default();
    for index in 0..chat.turns.len() {
        add_turn(c, t, place.w, model, chat, index, &mut lines);
    }
    let shown = scroll(c, t, place, &lines.steps, screen.scroll, |c, i, y| {
        let (turn, part, line) = lines.part(i);
        let view = || turn_view(model, chat, &chat.turns[turn]);
        draw_line(c, t, place, part, line, y, lines.steps[i], view);
    });
    let at_end =
        matches!(screen.scroll, Scroll::End) || shown.top as u32 >= shown.extent.last_top();
    if screen.below && !at_end {
        new_text(c, t, place);
    }
    shown.extent
}

fn add_turn(
    c: &mut Canvas,
    t: &Theme,
    width: i32,
    model: &Model,
    chat: &Chat,
    index: usize,
    lines: &mut Column,
) {
    let m = &t.m;
    let turn = &chat.turns[index];
    let key = u64::from(chat.id.0) << 32 | index as u64;
    let apart = if lines.steps.is_empty() { 0 } else { 2 * m.u };
    if turn.role == Role::Person {
        let width = width - 2 * m.u;
        let document = c.documents.plain(&mut c.text, key, &turn.text, width, m);
        let steps = document.clone();
        lines.add(index, Part::Asked(document), apart, steps.steps());
        return;
    }
    // A whole answer has a caption and nothing behind it; its words are looked up where they are seen.
    let view = (turn.state != TurnState::Done).then(|| turn_view(model, chat, turn));
    let mut gap = apart;
    if view.as_ref().is_none_or(|view| !view.caption.is_empty()) {
        lines.add_line(index, Part::Caption, gap, m.caption.line);
        gap = m.u / 4;
    }
    let caret = view.as_ref().is_some_and(|view| view.caret);
    if !turn.text.trim().is_empty() {
        let document = c.documents.get(&mut c.text, key, &turn.text, width, m);
        let steps = document.clone();
        lines.add(index, Part::Answer(document, caret), gap, steps.steps());
        gap = m.u;
    } else if caret {
        lines.add_line(index, Part::Caret, gap, m.body.line);
    }
    let card = view.and_then(|view| view.card);
    if let Some(said) = card.filter(|card: &Card| !card.lines.is_empty()) {
        let layout = card::layout(c, t, said, width);
        let height = layout.height;
        lines.add_line(index, Part::Card(Box::new(layout)), gap, height);
    }
}

#[allow(clippy::too_many_arguments)] // A line of a part, and everything about the place that it stands in.
fn draw_line(
    c: &mut Canvas,
    t: &Theme,
    place: Rect,
    part: &Part,
    line: usize,
    y: i32,
    step: Step,
    view: impl FnOnce() -> TurnView,
) {
    let m = &t.m;
    match part {
        Part::Asked(document) => {
            let bar = Rect::new(place.x, y, m.u / 2, step.height);
            c.fill(bar, t.color(Tone::Accent));
            markdown::draw::line(c, t, place.x + 2 * m.u, y, &document.lines()[line]);
        }
        Part::Caption => {
            let view = view();
            // The card says it larger.
            let sign = if view.card.is_some() {
                Mark::None
            } else {
                view.mark
            };
            let mut row = Rect::new(place.x, y, place.w, step.height);
            if sign != Mark::None {
                let column = row.take_left(m.u * 3);
                let icon = Rect {
                    w: m.u * 9 / 4,
                    ..column
                };
                mark::mark(c, t, sign, icon, m.u * 9 / 4, mark::tone(sign), Tone::Bg);
            }
            c.label(
                row,
                &view.caption,
                Face::Sans,
                m.caption.size,
                t.color(Tone::Muted),
                Align::Left,
            );
        }
        Part::Answer(document, caret) => {
            let lines = document.lines();
            markdown::draw::line(c, t, place.x, y, &lines[line]);
            if *caret && line + 1 == lines.len() {
                caret_behind(c, t, place, &lines[line], y);
            }
        }
        Part::Caret => draw_caret(c, t, place.x, y, m.body),
        Part::Card(layout) => card::draw(c, t, place.x, y, place.w, layout),
    }
}

/// The sign that more is coming, behind the last word or below a table.
fn caret_behind(c: &mut Canvas, t: &Theme, place: Rect, line: &markdown::DocLine, y: i32) {
    let m = &t.m;
    let (right, kind) = match &line.content {
        markdown::Content::Words { line, kind, .. } => (line.width, *kind),
        markdown::Content::Code { line, .. } => (line.width + m.u as f32, m.code),
        _ => return,
    };
    let x = place.x + line.x + right.ceil() as i32 + m.u / 4;
    if x + m.u <= place.right() {
        draw_caret(c, t, x, y, kind);
    }
}

fn draw_caret(c: &mut Canvas, t: &Theme, x: i32, y: i32, kind: Type) {
    let base = crate::ui::canvas::write::baseline(y, kind.line, kind.size);
    let height = t.m.u / 2;
    c.fill(
        Rect::new(x, base - height / 2, t.m.u * 3 / 2, height),
        t.color(Tone::Accent),
    );
}

/// Tells of text below what shows.
fn new_text(c: &mut Canvas, t: &Theme, place: Rect) {
    let m = &t.m;
    let words = "new text";
    let width = c.text.width(words, Face::SemiBold, m.caption.size) + 6 * m.u;
    let pill = Rect::new(
        place.right() - width,
        place.bottom() - 4 * m.u,
        width,
        4 * m.u,
    );
    c.cover(pill);
    c.card(
        pill,
        pill.h,
        m.outline,
        t.color(Tone::Accent),
        t.color(Tone::Bg),
    );
    let mut inner = pill.inset(m.u * 3 / 2, 0);
    let icon = inner.take_left(m.u * 5 / 2);
    c.icon(Icon::ArrowDown, icon, m.u * 9 / 4, t.color(Tone::On));
    inner.take_left(m.u / 2);
    c.tight_label(
        inner,
        words,
        Face::SemiBold,
        m.caption.size,
        t.color(Tone::On),
        Align::Left,
    );
}
