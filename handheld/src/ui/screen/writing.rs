//! A keyboard and a field.

use crate::app::model::screen::Writing;
use crate::entry::view::View;
use crate::entry::{Caps, Mode, Symbols, grid};
use crate::ui::canvas::Canvas;
use crate::ui::rect::Rect;
use crate::ui::theme::Theme;
use crate::ui::widget::keyboard;

/// Draws context, field, strip and keys.
pub(super) fn writing(c: &mut Canvas, t: &Theme, area: Rect, writing: &Writing) {
    let view = View {
        text: &writing.text,
        cursor: writing.caret,
        selection: None,
        mode: Mode::Grid,
        caps: Caps::Off,
        symbols: Symbols::Off,
        strip: Vec::new(),
        board: crate::entry::Board::Grid(grid::rows(
            grid::Focus::default(),
            Caps::Off,
            Symbols::Off,
        )),
        hints: &[],
    };
    keyboard::writing(c, t, area, &writing.context, &view);
}
