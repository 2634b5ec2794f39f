//! A column that scrolled is moved instead of painted.
//!
//! Where a frame's texts stand some rows above or below those of the frame before, its pixels are moved by as many rows, and the
//! frames are compared as if the old one had been drawn there. What lies over or under the column and is not the same all over
//! it is painted anew, where it was, where it was moved to, and where it is.

use std::rc::Rc;

use super::scene::{Shape, Stroke, add, difference};
use crate::ui::rect::Rect;

/// Texts that must have moved by the same rows.
const VOTES: usize = 3;

/// Where less than this share of the panel changed, nothing large has scrolled: an eighth.
const LARGE: i32 = 8;

/// Painting less than this share of the column is not worth moving it: a half.
const WORTH: i32 = 2;

/// What is moved.
pub(super) struct Moved {
    /// Within it.
    pub(super) area: Rect,
    /// Rows downwards.
    pub(super) rows: i32,
}

/// The part of an area that still shows what it showed, after a move by `rows`.
pub(super) fn kept(area: Rect, rows: i32) -> Rect {
    area.intersect(&down(area, rows))
}

fn down(area: Rect, rows: i32) -> Rect {
    Rect {
        y: area.y + rows,
        ..area
    }
}

/// What to move between two frames, and the areas to paint afterwards; `None` where painting `changed` costs no more.
pub(super) fn scrolled(
    old: &[Stroke],
    new: &[Stroke],
    changed: &[Rect],
) -> Option<(Moved, Vec<Rect>)> {
    let size = |areas: &[Rect]| areas.iter().map(|r| r.w * r.h).sum::<i32>();
    let panel = new.first()?.bounds();
    if size(changed) * LARGE < panel.w * panel.h {
        return None;
    }
    let (area, rows) = movement(old, new)?;
    if size(changed) * WORTH < area.w * area.h {
        return None;
    }
    let mut areas = Vec::new();
    let moved: Vec<Stroke> = old
        .iter()
        .map(|stroke| moved(stroke, area, rows, &mut areas))
        .collect();
    for place in difference(&moved, new) {
        add(&mut areas, place);
    }
    // Rows that came in.
    let kept = kept(area, rows);
    let above = Rect::new(area.x, area.y, area.w, kept.y - area.y);
    let below = Rect::new(area.x, kept.bottom(), area.w, area.bottom() - kept.bottom());
    for strip in [above, below] {
        add(&mut areas, strip);
    }
    (size(&areas) * WORTH < size(changed)).then_some((Moved { area, rows }, areas))
}

/// A clip whose texts have moved, and by how many rows.
fn movement(old: &[Stroke], new: &[Stroke]) -> Option<(Rect, i32)> {
    let mut votes: Vec<(Rect, i32, usize)> = Vec::new();
    for stroke in new {
        let Shape::Text { shaped, y, .. } = &stroke.shape else {
            continue;
        };
        let from = old.iter().find_map(|other| match &other.shape {
            Shape::Text {
                shaped: s, y: b, ..
            } if other.clip == stroke.clip
                && other.area.x == stroke.area.x
                && Rc::ptr_eq(s, shaped) =>
            {
                Some(*b)
            }
            _ => None,
        });
        let Some(rows) = from.map(|b| y - b) else {
            continue;
        };
        if rows == 0 || rows.abs() >= stroke.clip.h {
            continue;
        }
        let vote = votes
            .iter_mut()
            .find(|(clip, by, _)| (*clip, *by) == (stroke.clip, rows));
        match vote {
            Some((clip, by, count)) => {
                *count += 1;
                if *count >= VOTES {
                    return Some((*clip, *by));
                }
            }
            None => votes.push((stroke.clip, rows, 1)),
        }
    }
    None
}

/// The stroke as if it had been drawn after the move. What does not move as the column does is to be painted: told in `areas`.
fn moved(stroke: &Stroke, area: Rect, rows: i32, areas: &mut Vec<Rect>) -> Stroke {
    let mut stroke = stroke.clone();
    if stroke.clip.intersect(&area) == stroke.clip {
        if stroke.clip != area {
            stroke.clip = down(stroke.clip, rows).intersect(&area);
        }
        stroke.area = down(stroke.area, rows);
        match &mut stroke.shape {
            Shape::Mask { y, .. } | Shape::Text { y, .. } => *y += rows,
            // Its pattern of dots stands still.
            Shape::Picture { .. } => add(areas, stroke.bounds()),
            Shape::Fill
            | Shape::Round { .. }
            | Shape::Stroke { .. }
            | Shape::Corners { .. }
            | Shape::Veil { .. } => {}
        }
        return stroke;
    }
    let bounds = stroke.bounds();
    let even = matches!(stroke.shape, Shape::Fill | Shape::Veil { .. });
    if !(even && bounds.intersect(&area) == area) {
        let within = bounds.intersect(&area);
        add(areas, within);
        add(areas, down(within, rows).intersect(&area));
    }
    stroke
}
