//! Whole-pixel rectangles, the only geometry that layout knows.

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// A rectangle in panel pixels. `w` and `h` are never negative in a rectangle made by these methods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge, first pixel inside.
    pub x: i32,
    /// Top edge, first pixel inside.
    pub y: i32,
    /// Width in pixels.
    pub w: i32,
    /// Height in pixels.
    pub h: i32,
}

impl Rect {
    /// A rectangle from its left top corner and size.
    pub const fn new(x: i32, y: i32, w: i32, h: i32) -> Rect {
        Rect { x, y, w, h }
    }

    /// First column to the right of the rectangle.
    pub const fn right(&self) -> i32 {
        self.x + self.w
    }

    /// First row below the rectangle.
    pub const fn bottom(&self) -> i32 {
        self.y + self.h
    }

    /// Horizontal middle, rounded down.
    pub const fn center_x(&self) -> i32 {
        self.x + self.w / 2
    }

    /// Vertical middle, rounded down.
    pub const fn center_y(&self) -> i32 {
        self.y + self.h / 2
    }

    /// True when no pixel lies inside.
    pub const fn is_empty(&self) -> bool {
        self.w <= 0 || self.h <= 0
    }

    /// The common part of both, empty (zero sized) if there is none.
    pub fn intersect(&self, other: &Rect) -> Rect {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        let w = (self.right().min(other.right()) - x).max(0);
        let h = (self.bottom().min(other.bottom()) - y).max(0);
        Rect { x, y, w, h }
    }

    /// The smallest rectangle around both; an empty one adds nothing.
    pub fn union(&self, other: &Rect) -> Rect {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        let x = self.x.min(other.x);
        let y = self.y.min(other.y);
        Rect {
            x,
            y,
            w: self.right().max(other.right()) - x,
            h: self.bottom().max(other.bottom()) - y,
        }
    }

    /// True when every pixel of `other` is inside.
    pub fn contains(&self, other: &Rect) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }

    /// Moves all four edges inwards by `dx` and `dy` (outwards if negative).
    pub fn inset(&self, dx: i32, dy: i32) -> Rect {
        Rect {
            x: self.x + dx,
            y: self.y + dy,
            w: (self.w - 2 * dx).max(0),
            h: (self.h - 2 * dy).max(0),
        }
    }

    /// Takes `h` rows off the top and returns them; the rest stays in `self`.
    pub fn take_top(&mut self, h: i32) -> Rect {
        let h = h.min(self.h).max(0);
        let top = Rect { h, ..*self };
        self.y += h;
        self.h -= h;
        top
    }

    /// Takes `h` rows off the bottom and returns them; the rest stays in `self`.
    pub fn take_bottom(&mut self, h: i32) -> Rect {
        let h = h.min(self.h).max(0);
        self.h -= h;
        Rect {
            y: self.y + self.h,
            h,
            ..*self
        }
    }

    /// Takes `w` columns off the left and returns them; the rest stays in `self`.
    pub fn take_left(&mut self, w: i32) -> Rect {
        let w = w.min(self.w).max(0);
        let left = Rect { w, ..*self };
        self.x += w;
        self.w -= w;
        left
    }

    /// Takes `w` columns off the right and returns them; the rest stays in `self`.
    pub fn take_right(&mut self, w: i32) -> Rect {
        let w = w.min(self.w).max(0);
        self.w -= w;
        Rect {
            x: self.x + self.w,
            w,
            ..*self
        }
    }

    /// A rectangle of the given size in the middle of this one.
    pub fn centered(&self, w: i32, h: i32) -> Rect {
        Rect {
            x: self.x + (self.w - w) / 2,
            y: self.y + (self.h - h) / 2,
            w,
            h,
        }
    }
}

impl From<Rectangle> for Rect {
    fn from(r: Rectangle) -> Rect {
        Rect::new(
            r.top_left.x,
            r.top_left.y,
            r.size.width as i32,
            r.size.height as i32,
        )
    }
}

impl From<Rect> for Rectangle {
    fn from(r: Rect) -> Rectangle {
        Rectangle::new(
            Point::new(r.x, r.y),
            Size::new(r.w.max(0) as u32, r.h.max(0) as u32),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_edges_off_leaves_the_rest() {
        let mut r = Rect::new(0, 0, 100, 50);
        assert_eq!(r.take_top(10), Rect::new(0, 0, 100, 10));
        assert_eq!(r.take_bottom(10), Rect::new(0, 40, 100, 10));
        assert_eq!(r.take_left(30), Rect::new(0, 10, 30, 30));
        assert_eq!(r.take_right(500), Rect::new(30, 10, 70, 30));
        assert!(r.is_empty());
    }

    #[test]
    fn rectangles_apart_have_an_empty_common_part_and_a_spanning_union() {
        let a = Rect::new(0, 0, 10, 10);
        let b = Rect::new(20, 20, 5, 5);
        assert!(a.intersect(&b).is_empty());
        assert_eq!(a.union(&b), Rect::new(0, 0, 25, 25));
        assert_eq!(a.union(&Rect::default()), a);
        assert!(a.contains(&a) && !a.contains(&b));
    }
}
