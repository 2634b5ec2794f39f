//! Rounded rectangles with smooth edges: cards, pills, outlines, carets.

use super::Canvas;
use super::scene::Shape;
use crate::ui::color::Color;
use crate::ui::rect::Rect;
use std::rc::Rc;

/// Coverage of the pixel `dx`, `dy` inside a corner of radius `r` (0, 0 is the outermost pixel), 0 to 255.
fn corner(r: f32, dx: i32, dy: i32) -> u8 {
    let x = r - dx as f32 - 0.5;
    let y = r - dy as f32 - 0.5;
    if x <= 0.0 || y <= 0.0 {
        return 255;
    }
    let inside = (r - (x * x + y * y).sqrt() + 0.5).clamp(0.0, 1.0);
    (inside * 255.0).round() as u8
}

/// Radii whose corners are remembered; those of the interface are a dozen.
const MAX_RADII: usize = 64;

/// Corners that were worked out, by radius: row by row, `radius * radius` coverages.
#[derive(Default)]
pub(super) struct Corners(Vec<(i32, Rc<[u8]>)>);

impl Corners {
    fn of(&mut self, radius: i32) -> Rc<[u8]> {
        if let Some((_, known)) = self.0.iter().find(|(r, _)| *r == radius) {
            return known.clone();
        }
        let row = |dy| (0..radius).map(move |dx| corner(radius as f32, dx, dy));
        let made: Rc<[u8]> = (0..radius).flat_map(row).collect();
        if self.0.len() >= MAX_RADII {
            self.0.clear();
        }
        self.0.push((radius, made.clone()));
        made
    }
}

/// One row of a corner; empty below it.
fn row(corners: &[u8], radius: i32, dy: i32) -> &[u8] {
    let start = (dy.max(0) * radius) as usize;
    corners.get(start..start + radius as usize).unwrap_or(&[])
}

/// A row of a rounded rectangle, or of the hole in one: what its left end covers, outermost pixel first. The right end
/// mirrors it.
#[derive(Clone, Copy)]
struct End<'c> {
    /// Pixels left of the shape.
    before: i32,
    corner: &'c [u8],
}

impl End<'_> {
    /// Coverage of the pixel `dx` from the outer edge.
    fn at(&self, dx: i32) -> u8 {
        match dx - self.before {
            i32::MIN..0 => 0,
            inside => self.corner.get(inside as usize).copied().unwrap_or(255),
        }
    }
}

impl Canvas {
    /// A filled rounded rectangle; the radius is cut to half of the shorter side, so a large one makes a pill.
    pub fn fill_round(&mut self, area: Rect, radius: i32, color: Color) {
        self.stroke(Shape::Round { radius }, area, color);
    }

    pub(super) fn paint_round(&mut self, area: Rect, radius: i32, color: Color) {
        if area.is_empty() {
            return;
        }
        let radius = radius.min(area.w / 2).min(area.h / 2).max(0);
        let straight = Rect::new(area.x, area.y + radius, area.w, area.h - 2 * radius);
        self.paint_fill(straight, color);
        let corners = self.corners.of(radius);
        let seen = area.intersect(&self.clip());
        for dy in 0..radius {
            let end = row(&corners, radius, dy);
            let solid = end.iter().position(|&c| c == 255).unwrap_or(end.len());
            for y in [area.y + dy, area.bottom() - 1 - dy] {
                if y < seen.y || y >= seen.bottom() {
                    continue;
                }
                let inset = solid as i32;
                self.paint_fill(Rect::new(area.x + inset, y, area.w - 2 * inset, 1), color);
                for (dx, &alpha) in end[..solid].iter().enumerate() {
                    self.blend(area.x + dx as i32, y, color, alpha);
                    self.blend(area.right() - 1 - dx as i32, y, color, alpha);
                }
            }
        }
    }

    /// The outline of a rounded rectangle, `width` pixels thick, inside `area`.
    pub fn stroke_round(&mut self, area: Rect, radius: i32, width: i32, color: Color) {
        self.stroke(Shape::Stroke { radius, width }, area, color);
    }

    pub(super) fn paint_outline(&mut self, area: Rect, radius: i32, width: i32, color: Color) {
        if area.is_empty() {
            return;
        }
        let radius = radius.min(area.w / 2).min(area.h / 2).max(0);
        let inner = area.inset(width, width);
        let inner_radius = (radius - width).max(0);
        let edge = radius.max(width).min((area.w + 1) / 2);
        let (outside, inside) = (self.corners.of(radius), self.corners.of(inner_radius));
        // Between the corners the sides are as thick as the outline, and nothing else.
        let (side, high) = (width.min(area.w), area.h - 2 * edge);
        self.paint_fill(Rect::new(area.x, area.y + edge, side, high), color);
        let right = area.right() - side;
        self.paint_fill(Rect::new(right, area.y + edge, side, high), color);
        let seen = area.intersect(&self.clip());
        for y in seen.y..seen.bottom() {
            let dy = (y - area.y).min(area.bottom() - 1 - y);
            if dy >= edge {
                continue;
            }
            let out = End {
                before: 0,
                corner: row(&outside, radius, dy),
            };
            let hole = (y >= inner.y && y < inner.bottom()).then(|| End {
                before: width,
                corner: row(&inside, inner_radius, dy - width),
            });
            for dx in 0..edge {
                let alpha = out
                    .at(dx)
                    .saturating_sub(hole.map_or(0, |hole| hole.at(dx)));
                self.blend(area.x + dx, y, color, alpha);
                self.blend(area.right() - 1 - dx, y, color, alpha);
            }
            if dy < width {
                self.paint_fill(Rect::new(area.x + edge, y, area.w - 2 * edge, 1), color);
            }
        }
    }

    /// Paints the corners outside of a rounded rectangle: what a picture in it leaves over.
    pub fn round_corners(&mut self, area: Rect, radius: i32, around: Color) {
        self.stroke(Shape::Corners { radius }, area, around);
    }

    pub(super) fn paint_corners(&mut self, area: Rect, radius: i32, around: Color) {
        let radius = radius.min(area.w / 2).min(area.h / 2).max(0);
        let corners = self.corners.of(radius);
        for dy in 0..radius {
            for dx in 0..radius {
                let alpha = 255 - corners[(dy * radius + dx) as usize];
                for y in [area.y + dy, area.bottom() - 1 - dy] {
                    self.blend(area.x + dx, y, around, alpha);
                    self.blend(area.right() - 1 - dx, y, around, alpha);
                }
            }
        }
    }

    /// A card: filled, with an outline.
    pub fn card(&mut self, area: Rect, radius: i32, width: i32, fill: Color, line: Color) {
        self.fill_round(area, radius, fill);
        self.stroke_round(area, radius, width, line);
    }

    /// Darkens or lightens everything in `area` towards `color`: what lies under a dialog.
    pub fn veil(&mut self, area: Rect, color: Color, alpha: u8) {
        self.stroke(Shape::Veil { alpha }, area, color);
    }

    pub(super) fn paint_veil(&mut self, area: Rect, color: Color, alpha: u8) {
        let r = area.intersect(&self.clip());
        for y in r.y..r.bottom() {
            for x in r.x..r.right() {
                self.blend(x, y, color, alpha);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Color = Color(0xffff);

    #[test]
    fn a_rounded_rectangle_is_symmetric_and_stays_inside() {
        let mut c = Canvas::new(40, 30);
        c.fill_round(Rect::new(4, 5, 32, 20), 8, INK);
        for y in 0..30 {
            for x in 0..40 {
                assert_eq!(c.pixel(x, y), c.pixel(39 - x, y));
                assert_eq!(c.pixel(x, y), c.pixel(x, 29 - y));
            }
        }
        assert_eq!(c.pixel(4, 5), Some(Color(0)));
        assert_eq!(c.pixel(4, 15), Some(INK));
        assert_eq!(c.pixel(3, 15), Some(Color(0)));
    }

    #[test]
    fn corners_are_smooth() {
        let mut c = Canvas::new(40, 40);
        c.fill_round(Rect::new(0, 0, 40, 40), 12, INK);
        assert!(c.pixels().iter().any(|&p| p != 0 && p != 0xffff));
    }

    #[test]
    fn an_outline_leaves_the_inside_free() {
        let mut c = Canvas::new(40, 30);
        c.stroke_round(Rect::new(0, 0, 40, 30), 6, 2, INK);
        assert_eq!(c.pixel(20, 0), Some(INK));
        assert_eq!(c.pixel(20, 1), Some(INK));
        assert_eq!(c.pixel(20, 2), Some(Color(0)));
        assert_eq!(c.pixel(0, 15), Some(INK));
        assert_eq!(c.pixel(20, 15), Some(Color(0)));
    }

    #[test]
    fn an_outline_thicker_than_its_area_stays_within_it() {
        let mut c = Canvas::new(12, 12);
        c.stroke_round(Rect::new(5, 4, 1, 5), 0, 2, INK);
        assert_eq!(c.pixels().iter().filter(|&&p| p != 0).count(), 5);
    }

    #[test]
    fn a_radius_beyond_the_half_makes_a_pill() {
        let mut c = Canvas::new(40, 10);
        c.fill_round(Rect::new(0, 0, 40, 10), 500, INK);
        assert_eq!(c.pixel(0, 0), Some(Color(0)));
        assert_eq!(c.pixel(20, 0), Some(INK));
    }
}
