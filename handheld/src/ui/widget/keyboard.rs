//! The writing screen: what is answered, the field, suggestions, and a board of keys or petals.

use super::field::Field;
use super::mark;
use super::scroll_bar::scroll_bar;
use crate::entry::view::{Board, Face as KeyFace, Hint, Key, MenuItem, Petal, Slot, View};
use crate::ui::canvas::{Align, Canvas, Icon};
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Span};
use crate::ui::theme::{Theme, Tone};

/// Lines that a field has at least and at most.
const FIELD_LINES: (i32, i32) = (2, 4);

/// Draws the whole writing screen into `area`, the panel without its hint bar.
pub fn writing(c: &mut Canvas, t: &Theme, area: Rect, about: &str, view: &View<'_>) {
    let m = &t.m;
    let mut rest = area.inset(m.margin(), 0);
    rest.take_bottom(m.u);
    let board = rest.take_bottom(33 * m.u);
    rest.take_bottom(m.u);
    let row = rest.take_bottom(m.u * 9 / 2);
    rest.take_bottom(m.u);
    rest.take_top(m.u / 2);
    let field = Field::new(c, t, view.text, view.cursor, rest.w);
    let room = (rest.h - m.body.line - m.u * 3 / 2 - m.u / 2) / m.body.line;
    let most = FIELD_LINES.1.min(room.max(FIELD_LINES.0));
    let lines = (field.lines() as i32).clamp(FIELD_LINES.0, most);
    let place = rest.take_bottom(Field::height(t, lines).min(rest.h));
    field.draw(c, t, place, view.selection.clone());
    rest.take_bottom(m.u / 2);
    context(c, t, rest, about);
    strip(c, t, row, &view.strip);
    draw_board(c, t, board, view);
}

/// The end of what is being answered, on as many lines as there are.
fn context(c: &mut Canvas, t: &Theme, area: Rect, about: &str) {
    let m = &t.m;
    // Large text leaves no whole line beside the field: then a caption says it.
    let kind = if area.h >= m.body.line {
        m.body
    } else {
        m.caption
    };
    let fits = area.h / kind.line;
    if fits < 1 || about.is_empty() {
        return;
    }
    let fits = fits as usize;
    let span = Span {
        text: about.to_owned(),
        face: Face::Sans,
        size: kind.size,
        ink: Ink::of(Tone::Muted),
    };
    let lines = c.quoted.set(&mut c.text, span, area.w, fits);
    let top = area.bottom() - lines.len().min(fits) as i32 * kind.line;
    for (i, line) in lines.iter().take(fits).enumerate() {
        c.line(area.x, top + i as i32 * kind.line, kind, line, t, None);
    }
}

/// The suggestions.
fn strip(c: &mut Canvas, t: &Theme, area: Rect, slots: &[Slot<'_>]) {
    let m = &t.m;
    let count = slots.len() as i32;
    if count == 0 {
        return;
    }
    let width = (area.w - m.gap() * (count - 1)) / count;
    for (i, slot) in slots.iter().enumerate() {
        let pill = Rect::new(area.x + i as i32 * (width + m.gap()), area.y, width, area.h);
        if slot.word.is_empty() {
            c.stroke_round(pill, pill.h, m.outline, t.color(Tone::Raised));
            continue;
        }
        let (fill, line, ink) = if slot.focused {
            (Tone::Accent, Tone::Accent, Tone::On)
        } else {
            (Tone::Surface, Tone::Line, Tone::Text)
        };
        c.card(pill, pill.h, m.outline, t.color(fill), t.color(line));
        let glyph = mark::glyph(c, t, &[slot.button], pill.x + m.u * 3 / 4, pill.center_y());
        let left = glyph.right() + m.u;
        let words = Rect::new(left, pill.y, pill.right() - left - m.u * 3 / 2, pill.h);
        c.tight_label(
            words,
            slot.word,
            Face::SemiBold,
            3 * m.u as u16,
            t.color(ink),
            Align::Left,
        );
    }
}

fn draw_board(c: &mut Canvas, t: &Theme, area: Rect, view: &View<'_>) {
    match &view.board {
        Board::Grid(rows) => grid(c, t, area, rows),
        Board::Arc(petals) => petals
            .iter()
            .for_each(|petal| draw_petal(c, t, area, petal)),
        Board::Accents {
            options,
            columns,
            focus,
        } => {
            let texts: Vec<String> = options.iter().map(char::to_string).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            choices(c, t, area, &texts, *columns, *focus, t.m.key);
        }
        Board::Emoji {
            items,
            columns,
            focus,
        } => choices(c, t, area, items, *columns, *focus, (4 * t.m.u) as u16),
        Board::Edit { marking } => edit(c, t, area, *marking, view.edit_keys),
        Board::Menu {
            items,
            columns,
            focus,
        } => menu(c, t, area, items, *columns, *focus),
    }
}

/// Whole columns of a board: left edge of column `at` of `count` with `gap` between, and the width of `span` of them.
fn cell(area: Rect, count: i32, gap: i32, at: i32, span: i32) -> (i32, i32) {
    let edge = |i: i32| area.x + i * (area.w + gap) / count;
    (edge(at), edge(at + span) - gap - edge(at))
}

fn grid(c: &mut Canvas, t: &Theme, area: Rect, rows: &[Vec<Key>]) {
    let m = &t.m;
    let gap = m.u / 2;
    let (height, pitch) = (6 * m.u, m.u * 27 / 4);
    for (r, row) in rows.iter().enumerate() {
        for key in row {
            let (x, w) = cell(
                area,
                i32::from(crate::entry::grid::COLUMNS),
                gap,
                i32::from(key.column),
                i32::from(key.span),
            );
            let place = Rect::new(x, area.y + r as i32 * pitch, w, height);
            draw_key(c, t, place, key);
        }
    }
}

fn draw_key(c: &mut Canvas, t: &Theme, place: Rect, key: &Key) {
    let m = &t.m;
    let function = !matches!(key.face, KeyFace::Char(_));
    let (fill, line, ink) = match (key.focused, key.lit, function) {
        (true, _, _) => (Tone::Accent, Tone::Accent, Tone::On),
        (false, true, _) => (Tone::Raised, Tone::Accent, Tone::Accent),
        (false, false, true) => (Tone::Raised, Tone::Raised, Tone::Text),
        (false, false, false) => (Tone::Surface, Tone::Surface, Tone::Text),
    };
    c.card(
        place,
        m.radius_key(),
        m.outline,
        t.color(fill),
        t.color(line),
    );
    face(
        c,
        t,
        place,
        key.face,
        ink,
        if function { m.caption.size } else { m.key },
    );
}

/// What stands on a key: a letter, a word or a shape.
fn face(c: &mut Canvas, t: &Theme, place: Rect, face: KeyFace, ink: Tone, size: u16) {
    let m = &t.m;
    let color = t.color(ink);
    let icon = match face {
        KeyFace::CursorLeft => Some(Icon::Left),
        KeyFace::CursorRight => Some(Icon::Right),
        KeyFace::Newline => Some(Icon::Return),
        KeyFace::EditMenu => Some(Icon::More),
        _ => None,
    };
    match (icon, face) {
        (Some(icon), _) => c.icon(icon, place, m.u * 5 / 2, color),
        (None, KeyFace::Char(letter)) => letter_at(c, place, letter, size, ink, t),
        (None, other) => {
            c.tight_label(
                place,
                other.label(),
                Face::SemiBold,
                m.caption.size,
                color,
                Align::Center,
            );
        }
    }
}

/// A letter on the middle of a key: on one line with its neighbours, so by the height of capitals.
fn letter_at(c: &mut Canvas, place: Rect, letter: char, size: u16, ink: Tone, t: &Theme) {
    let mut buffer = [0; 4];
    let text = letter.encode_utf8(&mut buffer);
    c.tight_label(
        place,
        text,
        Face::SemiBold,
        size,
        t.color(ink),
        Align::Center,
    );
}

/// A petal: four letters placed like the face buttons.
fn draw_petal(c: &mut Canvas, t: &Theme, area: Rect, petal: &Petal) {
    let m = &t.m;
    let gap = m.u;
    let (x, w) = cell(area, 3, gap, i32::from(petal.column), 1);
    let height = m.u * 21 / 2;
    let place = Rect::new(x, area.y + i32::from(petal.row) * (m.u * 45 / 4), w, height);
    let (fill, line, ink) = match (petal.held, petal.muted) {
        (true, _) => (Tone::Accent, Tone::Accent, Tone::On),
        (false, true) => (Tone::Bg, Tone::Line, Tone::Muted),
        (false, false) => (Tone::Surface, Tone::Line, Tone::Text),
    };
    c.card(
        place,
        m.radius_card(),
        m.outline,
        t.color(fill),
        t.color(line),
    );
    let side = m.u * 23 / 4;
    // Baselines above, in and below the middle, in units: X top, A right, B bottom, Y left.
    let places = [
        (0, -2 * m.u),
        (side, m.u * 9 / 8),
        (0, m.u * 33 / 8),
        (-side, m.u * 9 / 8),
    ];
    for (key, (dx, dy)) in petal.faces.iter().zip(places) {
        let (text, face, size, tone) = match key {
            KeyFace::Char(letter) => (letter.to_string(), Face::SemiBold, m.key, ink),
            other => {
                let tone = if petal.held || petal.muted {
                    ink
                } else {
                    Tone::Muted
                };
                (other.label().to_owned(), Face::Sans, m.caption.size, tone)
            }
        };
        if text == "\0" {
            continue;
        }
        let width = c.text.shape(&text, face, size).width;
        let x = (place.center_x() + dx) as f32 - width / 2.0;
        c.text_at(
            x.round(),
            place.center_y() + dy,
            &text,
            face,
            size,
            t.color(tone),
        );
    }
}

/// Rows of things to pick from that show at once.
const CHOICE_ROWS: usize = 5;

/// Things to pick from, in rows; the rows around the focus show.
fn choices(
    c: &mut Canvas,
    t: &Theme,
    area: Rect,
    items: &[&str],
    columns: usize,
    focus: usize,
    size: u16,
) {
    let m = &t.m;
    let (columns, rows) = (columns.max(1), CHOICE_ROWS);
    let gap = m.u / 2;
    let height = (area.h - gap * (rows as i32 - 1)) / rows as i32;
    let all = items.len().div_ceil(columns);
    let top = (focus / columns + 1)
        .saturating_sub(rows)
        .min(all.saturating_sub(rows));
    scroll_bar(c, t, area, all as i32, rows as i32, top as i32);
    for (i, item) in items
        .iter()
        .enumerate()
        .skip(top * columns)
        .take(rows * columns)
    {
        let (x, w) = cell(area, columns as i32, gap, (i % columns) as i32, 1);
        let y = area.y + (i / columns - top) as i32 * (height + gap);
        let place = Rect::new(x, y, w, height);
        let (fill, ink) = if i == focus {
            (Tone::Accent, Tone::On)
        } else {
            (Tone::Surface, Tone::Text)
        };
        c.fill_round(place, m.radius_key(), t.color(fill));
        c.tight_label(
            place,
            item,
            Face::SemiBold,
            size,
            t.color(ink),
            Align::Center,
        );
    }
}

/// What the buttons do while the text is edited.
fn edit(c: &mut Canvas, t: &Theme, area: Rect, marking: bool, keys: &[Hint]) {
    let m = &t.m;
    c.fill_round(area, m.radius_card(), t.color(Tone::Surface));
    let mut inner = area.inset(2 * m.u, m.u);
    let head = inner.take_top(5 * m.u);
    let title = if marking {
        "Marking: move to choose"
    } else {
        "Editing"
    };
    let tone = if marking { Tone::Accent } else { Tone::Text };
    c.label(
        head,
        title,
        Face::SemiBold,
        3 * m.u as u16,
        t.color(tone),
        Align::Left,
    );
    let rows = keys.len().div_ceil(2) as i32;
    let height = inner.h / rows;
    for (i, hint) in keys.iter().enumerate() {
        let (column, row) = (i as i32 / rows, i as i32 % rows);
        let (x, w) = cell(inner, 2, m.gap(), column, 1);
        let place = Rect::new(x, inner.y + row * height, w, height);
        let pill = mark::glyph(c, t, hint.buttons, place.x, place.center_y());
        let left = pill.right() + m.u;
        let words = Rect::new(left, place.y, place.right() - left, place.h);
        c.tight_label(
            words,
            hint.label,
            Face::Sans,
            m.caption.size,
            t.color(Tone::Text),
            Align::Left,
        );
    }
}

/// The edit menu.
fn menu(c: &mut Canvas, t: &Theme, area: Rect, items: &[MenuItem], columns: usize, focus: usize) {
    let m = &t.m;
    let columns = columns.max(1);
    let rows = items.len().div_ceil(columns) as i32;
    let height = (area.h - m.gap() * (rows - 1)) / rows;
    for (i, item) in items.iter().enumerate() {
        let (x, w) = cell(area, columns as i32, m.gap(), (i % columns) as i32, 1);
        let place = Rect::new(
            x,
            area.y + (i / columns) as i32 * (height + m.gap()),
            w,
            height,
        );
        let (fill, line, ink) = match (i == focus, item.enabled) {
            (true, true) => (Tone::Accent, Tone::Accent, Tone::On),
            (true, false) => (Tone::Surface, Tone::Accent, Tone::Muted),
            (false, true) => (Tone::Surface, Tone::Line, Tone::Text),
            (false, false) => (Tone::Bg, Tone::Raised, Tone::Muted),
        };
        c.card(
            place,
            m.radius_card(),
            m.outline,
            t.color(fill),
            t.color(line),
        );
        let inner = place.inset(m.u, 0);
        c.tight_label(
            inner,
            item.label,
            Face::SemiBold,
            3 * m.u as u16,
            t.color(ink),
            Align::Center,
        );
    }
}
