//! A column of lines of different heights that scrolls by whole lines: no line is ever cut by an edge.

use super::scroll_bar::scroll_bar;
use crate::app::model::{Extent, Scroll};
use crate::ui::canvas::Canvas;
use crate::ui::rect::Rect;
use crate::ui::theme::Theme;

/// Height of a line, and empty pixels above it unless it is the first that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Pixels.
    pub height: i32,
    /// Pixels.
    pub gap: i32,
}

/// Which lines show, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first line that shows.
    pub top: usize,
    /// Rows of the tops of the lines that show, from `top` on.
    pub rows: Vec<i32>,
    /// For the model: the page is what shows now, and the content so much that the last line can just be reached.
    pub extent: Extent,
}

/// Chooses the lines that show in `area`. At the end, the last line stands at the bottom.
pub fn window(steps: &[Step], area: Rect, scroll: Scroll) -> Window {
    let fits_from = |top: usize| {
        let mut y = 0;
        let mut count = 0;
        for (i, step) in steps[top..].iter().enumerate() {
            y += step.height + if i == 0 { 0 } else { step.gap };
            if y > area.h {
                break;
            }
            count = i + 1;
        }
        count
    };
    let last_top = (0..steps.len())
        .rev()
        .take_while(|&top| top + fits_from(top) >= steps.len())
        .last()
        .unwrap_or(0);
    let last_top = if steps.is_empty() {
        0
    } else {
        last_top.min(steps.len() - 1)
    };
    let top = match scroll {
        Scroll::Top(line) => (line as usize).min(last_top),
        Scroll::End => last_top,
    };
    let count = if steps.is_empty() {
        0
    } else {
        fits_from(top).max(1)
    };
    let mut rows = Vec::with_capacity(count);
    let mut y = area.y;
    for (i, step) in steps[top..top + count].iter().enumerate() {
        y += if i == 0 { 0 } else { step.gap };
        rows.push(y);
        y += step.height;
    }
    let at_end = top == last_top && last_top > 0;
    let free = area.bottom() - y;
    if at_end && free > 0 {
        rows.iter_mut().for_each(|row| *row += free);
    }
    let extent = Extent {
        content: (last_top + count) as u32,
        page: count as u32,
    };
    Window { top, rows, extent }
}

/// Draws the lines that show with `line(canvas, index, top row)`, and the scroll bar.
pub fn column(
    c: &mut Canvas,
    t: &Theme,
    area: Rect,
    steps: &[Step],
    scroll: Scroll,
    mut line: impl FnMut(&mut Canvas, usize, i32),
) -> Window {
    let shown = window(steps, area, scroll);
    c.clipped(
        Rect {
            x: 0,
            w: t.m.width,
            ..area
        },
        |c| {
            for (i, &row) in shown.rows.iter().enumerate() {
                line(c, shown.top + i, row);
            }
        },
    );
    let height = |steps: &[Step]| steps.iter().map(|s| s.height + s.gap).sum::<i32>();
    let page = height(&steps[shown.top..shown.top + shown.rows.len()]);
    scroll_bar(c, t, area, height(steps), page, height(&steps[..shown.top]));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AREA: Rect = Rect::new(0, 40, 600, 100);

    fn even(count: usize) -> Vec<Step> {
        vec![Step { height: 20, gap: 5 }; count]
    }

    #[test]
    fn a_short_text_stands_at_the_top_and_a_long_one_can_stand_at_the_bottom() {
        let short = window(&even(2), AREA, Scroll::End);
        assert_eq!((short.top, short.rows), (0, vec![40, 65]));
        let long = window(&even(10), AREA, Scroll::End);
        assert_eq!(long.top, 6);
        assert_eq!(long.rows.last(), Some(&120));
        assert_eq!(long.extent.last_top(), 6);
        assert_eq!(window(&even(10), AREA, Scroll::Top(0)).rows[0], 40);
    }

    #[test]
    fn a_line_taller_than_the_area_still_shows() {
        let tall = window(
            &[Step {
                height: 500,
                gap: 0,
            }],
            AREA,
            Scroll::End,
        );
        assert_eq!(tall.rows, [40]);
        assert_eq!(window(&[], AREA, Scroll::End).rows, [] as [i32; 0]);
    }

    proptest! {
        #[test]
        fn every_line_can_be_brought_into_view_whole(heights in proptest::collection::vec((5i32..100, 0i32..20), 1..40)) {
            let steps: Vec<Step> = heights.iter().map(|&(height, gap)| Step { height, gap }).collect();
            let mut seen = vec![false; steps.len()];
            for top in 0..steps.len() {
                let w = window(&steps, AREA, Scroll::Top(top as u32));
                prop_assert!(w.extent.page >= 1);
                for (i, &row) in w.rows.iter().enumerate() {
                    prop_assert!(row >= AREA.y && row + steps[w.top + i].height <= AREA.bottom());
                    seen[w.top + i] = true;
                }
            }
            prop_assert!(seen.iter().all(|&s| s));
        }
    }
}
