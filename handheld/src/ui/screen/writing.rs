//! A keyboard and a field.

use crate::app::model::Model;
use crate::app::model::screen::Writing;
use crate::ui::canvas::Canvas;
use crate::ui::rect::Rect;
use crate::ui::theme::Theme;
use crate::ui::widget::keyboard;

/// Draws context, field, strip and keys.
pub(super) fn writing(c: &mut Canvas, t: &Theme, area: Rect, model: &Model, writing: &Writing) {
    keyboard::writing(c, t, area, &writing.context, &model.keyboard.view());
}
