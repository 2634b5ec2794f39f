//! A text to read: help, licences, the air-gap proof.

use super::column;
use crate::app::model::Extent;
use crate::app::model::screen::Page;
use crate::ui::canvas::Canvas;
use crate::ui::markdown;
use crate::ui::rect::Rect;
use crate::ui::theme::Theme;
use crate::ui::widget::column::{Step, column as scroll};

/// Pages share one place in the document cache: only one is open at a time. No conversation has this key.
const KEY: u64 = u64::MAX;

/// Draws a page.
pub(super) fn page(c: &mut Canvas, t: &Theme, area: Rect, page: &Page) -> Extent {
    let place = column(t, area).inset(0, t.m.gap());
    let document = c.documents.get(&mut c.text, KEY, &page.text, place.w, &t.m);
    let lines = document.lines();
    let steps: Vec<Step> = lines
        .iter()
        .map(|l| Step {
            height: l.height,
            gap: l.gap,
        })
        .collect();
    let shown = scroll(c, t, place, &steps, page.scroll, |c, i, y| {
        markdown::draw::line(c, t, place.x, y, &lines[i])
    });
    shown.extent
}
