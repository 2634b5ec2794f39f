//! Home: eight tiles.

use crate::app::model::Model;
use crate::app::model::screen::Tile;
use crate::app::view;
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};

/// Draws the tiles.
pub(super) fn home(c: &mut Canvas, t: &Theme, area: Rect, model: &Model, focus: Tile) {
    let m = &t.m;
    let board = area.inset(m.margin(), m.gap());
    let rows = Tile::ALL.len() as i32 / 2;
    let width = (board.w - m.gap()) / 2;
    let height = (board.h - m.gap() * (rows - 1)) / rows;
    for (i, &tile) in Tile::ALL.iter().enumerate() {
        let (column, row) = (i as i32 % 2, i as i32 / 2);
        let x = if column == 0 {
            board.x
        } else {
            board.right() - width
        };
        let place = Rect::new(x, board.y + row * (height + m.gap()), width, height);
        let (title, second) = view::home::tile(model, tile);
        draw_tile(c, t, place, title, &second, tile == focus);
    }
}

fn draw_tile(c: &mut Canvas, t: &Theme, place: Rect, title: &str, second: &str, focused: bool) {
    let m = &t.m;
    let (fill, ink, muted) = if focused {
        (Tone::Accent, Tone::On, Tone::On)
    } else {
        (Tone::Surface, Tone::Text, Tone::Muted)
    };
    c.fill_round(place, m.radius_card(), t.color(fill));
    let inner = place.inset(2 * m.u, 0);
    let block = inner.centered(inner.w, m.title.line + m.caption.line);
    let first = Rect {
        h: m.title.line,
        ..block
    };
    let below = Rect {
        y: first.bottom(),
        h: m.caption.line,
        ..block
    };
    c.label(
        first,
        title,
        Face::SemiBold,
        m.title.size,
        t.color(ink),
        Align::Left,
    );
    c.label(
        below,
        second,
        Face::Sans,
        m.caption.size,
        t.color(muted),
        Align::Left,
    );
}
