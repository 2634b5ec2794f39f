//! What lies above a screen: dialog, menu, toast.

use super::list::draw_row;
use super::mark;
use super::scroll_bar::scroll_bar;
use crate::app::model::overlay::{Dialog, Menu, Toast};
use crate::app::view::{Mark, Row};
use crate::input::button::Button;
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Line, Span, wrap::wrap};
use crate::ui::theme::{Theme, Tone};

/// How strongly what lies below steps back, of 255.
const VEIL: u8 = 160;

fn lift(c: &mut Canvas, t: &Theme, below: Rect, area: Rect, line: Tone) {
    c.cover(below);
    c.veil(below, t.color(Tone::Bg), VEIL);
    let m = &t.m;
    c.card(
        area,
        m.radius_dialog(),
        m.outline.max(2),
        t.color(Tone::Surface),
        t.color(line),
    );
}

/// Draws a dialog above `below`, the panel without its hint bar.
pub fn dialog(
    c: &mut Canvas,
    t: &Theme,
    below: Rect,
    dialog: &Dialog,
    confirm: Button,
    close: Button,
) {
    let m = &t.m;
    let width = (below.w - 8 * m.u).min(76 * m.u);
    let inner = width - 6 * m.u;
    let set = |c: &mut Canvas, text: &str, face, size, width| -> Vec<Line> {
        let (text, ink) = (text.to_owned(), Ink::of(Tone::Text));
        wrap(
            &mut c.text,
            &[Span {
                text,
                face,
                size,
                ink,
            }],
            width,
        )
    };
    let sign = if dialog.error { m.u * 9 / 2 } else { 0 };
    let title = set(c, &dialog.title, Face::SemiBold, m.title.size, inner - sign);
    let room = below.h - 2 * m.u;
    // An explanation that is too long for the panel is set smaller.
    let mut kind = m.body;
    let (body, height) = loop {
        let body: Vec<Vec<Line>> = dialog
            .body
            .iter()
            .map(|p| set(c, p, Face::Sans, kind.size, inner))
            .collect();
        let lines: i32 = body.iter().map(|p| p.len() as i32).sum();
        let words = title.len() as i32 * m.title.line + lines * kind.line;
        let height = words + body.len() as i32 * m.u + 11 * m.u;
        if height <= room || kind.size <= m.caption.size {
            break (body, height);
        }
        kind = m.caption;
    };
    let area = below.centered(width, height.min(below.h - 2 * m.u));
    lift(
        c,
        t,
        below,
        area,
        if dialog.error { Tone::Stop } else { Tone::Line },
    );
    let left = area.x + 3 * m.u;
    let mut y = area.y + 2 * m.u;
    if dialog.error {
        let place = Rect::new(left, y, 7 * m.u / 2, m.title.line);
        mark::mark(
            c,
            t,
            Mark::Failed,
            place,
            7 * m.u / 2,
            Tone::Stop,
            Tone::Surface,
        );
    }
    for line in &title {
        c.line(left + sign, y, m.title, line, t, None);
        y += m.title.line;
    }
    let end = area.bottom() - 8 * m.u;
    for paragraph in &body {
        y += m.u;
        for line in paragraph {
            if y + kind.line <= end {
                c.line(left, y, kind, line, t, None);
            }
            y += kind.line;
        }
    }
    buttons(c, t, area, dialog, confirm, close);
}

fn buttons(c: &mut Canvas, t: &Theme, area: Rect, dialog: &Dialog, confirm: Button, close: Button) {
    let m = &t.m;
    let row = Rect::new(
        area.x + 3 * m.u,
        area.bottom() - 7 * m.u,
        area.w - 6 * m.u,
        5 * m.u,
    );
    let yes = dialog
        .yes
        .as_ref()
        .map(|(label, _)| (confirm, label.as_str(), true));
    let all = yes.into_iter().chain([(close, dialog.no.as_str(), false)]);
    let mut x = row.x;
    for (button, label, first) in all {
        let glyph = mark::glyph_width(c, t, &[button]);
        let width = glyph + m.u + c.text.width(label, Face::SemiBold, m.caption.size) + 3 * m.u;
        let pill = Rect::new(x, row.y, width.min(row.right() - x), row.h);
        let (fill, line, ink) = if first {
            (Tone::Accent, Tone::Accent, Tone::On)
        } else {
            (Tone::Surface, Tone::Line, Tone::Text)
        };
        c.card(pill, row.h, m.outline, t.color(fill), t.color(line));
        let place = mark::glyph(c, t, &[button], pill.x + m.u, pill.center_y());
        let text = Rect::new(
            place.right() + m.u,
            pill.y,
            pill.right() - place.right() - 2 * m.u,
            pill.h,
        );
        c.tight_label(
            text,
            label,
            Face::SemiBold,
            m.caption.size,
            t.color(ink),
            Align::Left,
        );
        x = pill.right() + 2 * m.u;
    }
}

/// Draws a menu that rises from the hint bar.
pub fn menu(c: &mut Canvas, t: &Theme, below: Rect, menu: &Menu) {
    let m = &t.m;
    let width = (below.w - 8 * m.u).min(80 * m.u);
    let room = below.h - 8 * m.u - 2 * m.u;
    let count = (menu.items.len() as i32).min(room / m.row()).max(1);
    let height = 6 * m.u + count * m.row() + m.u;
    let area = Rect::new(
        below.x + (below.w - width) / 2,
        below.bottom() - height - 2 * m.u,
        width,
        height,
    );
    lift(c, t, below, area, Tone::Line);
    let mut inner = area.inset(m.u, m.u / 2);
    let head = inner.take_top(5 * m.u + m.u / 2).inset(m.u, 0);
    c.label(
        head,
        &menu.title,
        Face::SemiBold,
        m.caption.size,
        t.color(Tone::Muted),
        Align::Left,
    );
    let marked = menu.items.iter().any(|item| item.current);
    let focus = menu.list.focus;
    let last = menu.items.len() as i32 - count;
    let top = (menu.list.top as i32)
        .min(focus as i32)
        .max(focus as i32 - count + 1)
        .clamp(0, last.max(0));
    for i in 0..count {
        let index = (top + i) as usize;
        let Some(item) = menu.items.get(index) else {
            break;
        };
        let row = Row {
            mark: if item.current { Mark::Done } else { Mark::None },
            title: item.label.clone(),
            right: item.note.clone(),
            disabled: !item.enabled,
            ..Row::default()
        };
        let place = Rect::new(inner.x, inner.y + i * m.row(), inner.w, m.row());
        draw_row(c, t, place, &row, index == focus, marked);
    }
    if last > 0 {
        let track = Rect::new(inner.x, inner.y, inner.w, count * m.row());
        scroll_bar(c, t, track, menu.items.len() as i32, count, top);
    }
}

/// Draws a toast over the header.
pub fn toast(c: &mut Canvas, t: &Theme, panel: Rect, toast: &Toast) {
    let m = &t.m;
    let (sign_mark, tone) = if toast.warns {
        (Mark::Failed, Tone::Wait)
    } else {
        (Mark::Done, Tone::Accent)
    };
    let area = Rect::new(panel.x + m.u, panel.y + m.u / 2, panel.w - 2 * m.u, 5 * m.u);
    c.fill(
        Rect {
            h: m.bar() + m.u,
            ..panel
        },
        t.color(Tone::Bg),
    );
    c.cover(Rect {
        h: m.bar(),
        ..panel
    });
    c.card(
        area,
        m.radius_card(),
        m.outline.max(2),
        t.color(Tone::Raised),
        t.color(tone),
    );
    let mut inner = area.inset(2 * m.u, 0);
    let sign = inner.take_left(m.u * 5 / 2);
    mark::mark(c, t, sign_mark, sign, m.u * 5 / 2, tone, Tone::Raised);
    inner.take_left(m.u);
    c.tight_label(
        inner,
        &toast.text,
        Face::Sans,
        m.caption.size,
        t.color(Tone::Text),
        Align::Left,
    );
}
