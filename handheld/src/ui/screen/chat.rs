//! One conversation: questions with a bar, answers as documents, cards where an answer will be.

use super::column;
use crate::app::model::screen::ChatScreen;
use crate::app::model::{Extent, Model, Role, Scroll};
use crate::app::view::chat::{TurnView, turns};
use crate::app::view::{Card, Mark};
use crate::ui::canvas::{Align, Canvas, Icon};
use crate::ui::markdown::{self, Document};
use crate::ui::metrics::Type;
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Line, Span, wrap::wrap};
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::column::{Step, column as scroll};
use crate::ui::widget::{card, list, mark};
use std::rc::Rc;

/// One line of the column.
enum Item {
    /// A line of a question; the number of pixels by which its bar reaches up.
    Asked(Line, i32),
    /// What stands above an answer.
    Caption(Mark, String),
    /// A line of an answer, and whether the caret stands behind it.
    Answer(Rc<Document>, usize, bool),
    /// A caret where nothing has arrived yet.
    Caret,
    /// A card.
    Card(Box<card::Layout>),
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
    let turns = turns(model);
    if turns.is_empty() {
        list::empty(
            c,
            t,
            area,
            "Nothing has been said yet. A writes the first message.",
        );
        return Extent::default();
    }
    let mut items = Vec::new();
    let mut steps = Vec::new();
    for (index, turn) in turns.into_iter().enumerate() {
        let key = u64::from(screen.chat.0) << 32 | index as u64;
        add_turn(c, t, place.w, key, turn, &mut items, &mut steps);
    }
    let shown = scroll(c, t, place, &steps, screen.scroll, |c, i, y| {
        draw_item(c, t, place, &items[i], y, steps[i])
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
    key: u64,
    turn: TurnView,
    items: &mut Vec<Item>,
    steps: &mut Vec<Step>,
) {
    let m = &t.m;
    let apart = if items.is_empty() { 0 } else { 2 * m.u };
    let mut add = |item: Item, height: i32, gap: i32| {
        items.push(item);
        steps.push(Step { height, gap });
    };
    if turn.role == Role::Person {
        let span = [Span {
            text: turn.text,
            face: Face::Sans,
            size: m.body.size,
            ink: Ink::of(Tone::Text),
        }];
        for (i, line) in wrap(&mut c.text, &span, width - 2 * m.u)
            .into_iter()
            .enumerate()
        {
            add(
                Item::Asked(line, 0),
                m.body.line,
                if i == 0 { apart } else { 0 },
            );
        }
        return;
    }
    let mut gap = apart;
    if !turn.caption.is_empty() {
        // The card says it larger.
        let mark = if turn.card.is_some() {
            Mark::None
        } else {
            turn.mark
        };
        add(Item::Caption(mark, turn.caption), m.caption.line, gap);
        gap = m.u / 4;
    }
    if !turn.text.trim().is_empty() {
        let document = c.documents.get(&mut c.text, key, &turn.text, width, m);
        let last = document.lines().len().saturating_sub(1);
        for (i, line) in document.lines().iter().enumerate() {
            let first = if i == 0 { gap } else { line.gap };
            add(
                Item::Answer(document.clone(), i, turn.caret && i == last),
                line.height,
                first,
            );
        }
        gap = m.u;
    } else if turn.caret {
        add(Item::Caret, m.body.line, gap);
    }
    if let Some(said) = turn.card.filter(|card: &Card| !card.lines.is_empty()) {
        let layout = card::layout(c, t, said, width);
        let height = layout.height;
        add(Item::Card(Box::new(layout)), height, gap);
    }
}

fn draw_item(c: &mut Canvas, t: &Theme, place: Rect, item: &Item, y: i32, step: Step) {
    let m = &t.m;
    match item {
        Item::Asked(line, up) => {
            let bar = Rect::new(place.x, y - up, m.u / 2, step.height + up);
            c.fill(bar, t.color(Tone::Accent));
            c.line(place.x + 2 * m.u, y, m.body, line, t, None);
        }
        Item::Caption(sign, text) => {
            let mut row = Rect::new(place.x, y, place.w, step.height);
            if *sign != Mark::None {
                let column = row.take_left(m.u * 3);
                let icon = Rect {
                    w: m.u * 9 / 4,
                    ..column
                };
                mark::mark(c, t, *sign, icon, m.u * 9 / 4, mark::tone(*sign), Tone::Bg);
            }
            c.label(
                row,
                text,
                Face::Sans,
                m.caption.size,
                t.color(Tone::Muted),
                Align::Left,
            );
        }
        Item::Answer(document, index, caret) => {
            let line = &document.lines()[*index];
            markdown::draw::line(c, t, place.x, y, line);
            if *caret {
                caret_behind(c, t, place, line, y);
            }
        }
        Item::Caret => draw_caret(c, t, place.x, y, m.body),
        Item::Card(layout) => card::draw(c, t, place.x, y, place.w, layout),
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
