//! All pictures, three to a row.

use crate::app::model::{Extent, ListState, Model};
use crate::app::view::picture::{COLUMNS, Cell, gallery as cells, gallery_caption};
use crate::ui::canvas::{Align, Canvas, Icon, Picture, View};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::scroll_bar::scroll_bar;
use crate::ui::widget::{list, mark};

/// Draws the gallery. The extent counts rows of pictures.
pub(super) fn gallery(
    c: &mut Canvas,
    t: &Theme,
    mut area: Rect,
    model: &Model,
    state: ListState,
) -> Extent {
    let m = &t.m;
    let cells = cells(model);
    let caption = gallery_caption(model, state);
    if cells.is_empty() {
        list::empty(c, t, area, &caption);
        return Extent::default();
    }
    let foot = area.take_bottom(4 * m.u).inset(m.margin(), 0);
    c.label(
        foot,
        &caption,
        Face::Sans,
        m.caption.size,
        t.color(Tone::Muted),
        Align::Left,
    );
    let board = area.inset(m.margin(), m.u / 2);
    let width = (board.w - m.gap() * (COLUMNS as i32 - 1)) / COLUMNS as i32;
    let fitting = ((board.h + m.gap()) * 100 / ((width * 62 / 100 + m.gap()) * 100 - 2000)).max(1);
    let height = (board.h - m.gap() * (fitting - 1)) / fitting;
    let rows = cells.len().div_ceil(COLUMNS);
    let focus = state.focus.min(cells.len() - 1);
    let focus_row = focus / COLUMNS;
    let page = fitting as usize;
    let wanted = (state.top / COLUMNS)
        .min(focus_row)
        .max((focus_row + 1).saturating_sub(page));
    let top = wanted.min(rows.saturating_sub(page));
    for (i, cell) in cells
        .iter()
        .enumerate()
        .skip(top * COLUMNS)
        .take(page * COLUMNS)
    {
        let (column, row) = ((i % COLUMNS) as i32, (i / COLUMNS - top) as i32);
        let x = board.x + column * (width + m.gap());
        let place = Rect::new(x, board.y + row * (height + m.gap()), width, height);
        draw_cell(c, t, place, model, cell, i == focus);
    }
    scroll_bar(c, t, area, rows as i32, page as i32, top as i32);
    Extent {
        content: rows as u32,
        page: page as u32,
    }
}

fn draw_cell(c: &mut Canvas, t: &Theme, place: Rect, model: &Model, cell: &Cell, focused: bool) {
    let m = &t.m;
    let frame = m.u / 2 + m.u / 4;
    if focused {
        c.fill_round(place, m.radius_card(), t.color(Tone::Accent));
    }
    let inner = if focused {
        place.inset(frame, frame)
    } else {
        place
    };
    let radius = if focused {
        m.radius_card() - frame / 2
    } else {
        m.radius_card()
    };
    let around = t.color(if focused { Tone::Accent } else { Tone::Bg });
    let raster = model
        .pictures
        .find(cell.picture)
        .and_then(|p| p.thumb.as_ref());
    let picture = raster.and_then(Picture::new);
    if let Some(picture) = picture {
        let (w, h) = picture.size();
        c.picture(&picture, inner, View::cover(w, h, inner));
        c.round_corners(inner, radius, around);
        return;
    }
    c.fill_round(inner, radius, t.color(Tone::Surface));
    if cell.label.is_empty() {
        c.icon(Icon::Image, inner, 6 * m.u, t.color(Tone::Line));
        return;
    }
    let meter = if cell.meter.is_some() { 3 * m.u } else { 0 };
    let mut block = inner.centered(inner.w - 2 * m.u, 4 * m.u + m.caption.line + meter);
    let sign = block.take_top(4 * m.u);
    mark::mark(
        c,
        t,
        cell.mark,
        sign,
        3 * m.u,
        mark::tone(cell.mark),
        Tone::Surface,
    );
    let words = block.take_top(m.caption.line);
    c.label(
        words,
        &cell.label,
        Face::Sans,
        m.caption.size,
        t.color(Tone::Muted),
        Align::Center,
    );
    if let Some(permille) = cell.meter {
        let bar = block.centered(block.w * 4 / 5, m.u);
        mark::blocks(c, t, bar, permille, Tone::Accent, Tone::Raised);
    }
}
