//! The interface's own shapes: marks, arrows, badges. Paths on a 24×24 grid, never glyphs.

use super::Canvas;
use crate::ui::color::Color;
use crate::ui::rect::Rect;
use crate::ui::text::Mask;
use zeno::{Cap, Command, Fill, Join, PathData, Stroke, Transform};

macro_rules! icons {
    ($($(#[$doc:meta])* $name:ident $kind:ident $path:literal,)*) => {
        /// One of the interface's shapes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Icon { $($(#[$doc])* $name,)* }
        /// Every shape.
        pub const ICONS: &[Icon] = &[$(Icon::$name),*];
        impl Icon {
            fn path(self) -> (Kind, &'static str) {
                match self { $(Icon::$name => (Kind::$kind, $path),)* }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fill,
    Line,
    Bold,
}

icons! {
    /// Done, linked, allowed.
    Check Bold "M4.5,12.8 L10,18.2 L19.5,6.4",
    /// Waiting: a clock.
    Clock Line "M12,3 A9,9 0 1 1 11.99,3 Z M12,7.2 L12,12 L15.6,14.2",
    /// Running.
    Play Fill "M7,4.5 C7,3.6 8,3.1 8.7,3.6 L18.8,11.1 C19.5,11.6 19.5,12.4 18.8,12.9 L8.7,20.4 C8,20.9 7,20.4 7,19.5 Z",
    /// Failed.
    Bang Bold "M12,4.5 L12,13.5 M12,18.9 L12,19.1",
    /// Refused.
    Cross Bold "M6,6 L18,18 M18,6 L6,18",
    /// A state without more to say.
    Dot Fill "M12,6.5 A5.5,5.5 0 1 1 11.99,6.5 Z",
    /// Less, to the left.
    Left Fill "M15.5,5.2 L15.5,18.8 C15.5,19.7 14.6,20 14,19.5 L6.3,12.7 C5.9,12.3 5.9,11.7 6.3,11.3 L14,4.5 C14.6,4 15.5,4.3 15.5,5.2 Z",
    /// More, to the right.
    Right Fill "M8.5,5.2 L8.5,18.8 C8.5,19.7 9.4,20 10,19.5 L17.7,12.7 C18.1,12.3 18.1,11.7 17.7,11.3 L10,4.5 C9.4,4 8.5,4.3 8.5,5.2 Z",
    /// Upwards.
    Up Fill "M5.2,15.5 L18.8,15.5 C19.7,15.5 20,14.6 19.5,14 L12.7,6.3 C12.3,5.9 11.7,5.9 11.3,6.3 L4.5,14 C4,14.6 4.3,15.5 5.2,15.5 Z",
    /// Downwards.
    Down Fill "M5.2,8.5 L18.8,8.5 C19.7,8.5 20,9.4 19.5,10 L12.7,17.7 C12.3,18.1 11.7,18.1 11.3,17.7 L4.5,10 C4,9.4 4.3,8.5 5.2,8.5 Z",
    /// New text below.
    ArrowDown Bold "M12,4.5 L12,19 M5.5,12.8 L12,19.3 L18.5,12.8",
    /// A new line.
    Return Line "M19.5,5 L19.5,13.5 L5,13.5 M10,8.2 L4.7,13.5 L10,18.8",
    /// Deletes the letter before the caret.
    Delete Line "M8.5,5.5 L20.5,5.5 L20.5,18.5 L8.5,18.5 L2.8,12 Z M11.5,9.3 L17,14.8 M17,9.3 L11.5,14.8",
    /// More choices.
    More Fill "M5,9.8 A2.2,2.2 0 1 1 4.99,9.8 Z M12,9.8 A2.2,2.2 0 1 1 11.99,9.8 Z M19,9.8 A2.2,2.2 0 1 1 18.99,9.8 Z",
    /// A capital.
    Shift Line "M12,4 L20,12.5 L15.5,12.5 L15.5,19.5 L8.5,19.5 L8.5,12.5 L4,12.5 Z",
    /// The space bar.
    Space Line "M4,11 L4,16 L20,16 L20,11",
    /// Locked.
    Lock Line "M5.5,11 L18.5,11 L18.5,20 L5.5,20 Z M8.3,11 L8.3,7.5 C8.3,2.6 15.7,2.6 15.7,7.5 L15.7,11",
    /// A file.
    File Line "M6,3.5 L14,3.5 L18.5,8 L18.5,20.5 L6,20.5 Z M14,3.5 L14,8 L18.5,8",
    /// A picture.
    Image Line "M3.5,5 L20.5,5 L20.5,19 L3.5,19 Z M3.5,16 L9,10.5 L13.5,15 L16,12.5 L20.5,17",
    /// A weak signal: one bar of three.
    Signal1 Fill "M3,14.5 L7.6,14.5 L7.6,20 L3,20 Z M9.7,9.5 L14.3,9.5 L14.3,20 L9.7,20 Z M11.3,11.1 L11.3,18.4 L12.7,18.4 L12.7,11.1 Z M16.4,4 L21,4 L21,20 L16.4,20 Z M18,5.6 L18,18.4 L19.4,18.4 L19.4,5.6 Z",
    /// A good signal: two bars of three.
    Signal2 Fill "M3,14.5 L7.6,14.5 L7.6,20 L3,20 Z M9.7,9.5 L14.3,9.5 L14.3,20 L9.7,20 Z M16.4,4 L21,4 L21,20 L16.4,20 Z M18,5.6 L18,18.4 L19.4,18.4 L19.4,5.6 Z",
    /// A strong signal: three bars.
    Signal3 Fill "M3,14.5 L7.6,14.5 L7.6,20 L3,20 Z M9.7,9.5 L14.3,9.5 L14.3,20 L9.7,20 Z M16.4,4 L21,4 L21,20 L16.4,20 Z",
    /// Asleep: a crescent moon.
    Moon Fill "M14.2,3.2 A9.3,9.3 0 1 0 21,15.6 A7.6,7.6 0 0 1 14.2,3.2 Z",
    /// The direction pad.
    Pad Fill "M9,3.5 L15,3.5 L15,9 L20.5,9 L20.5,15 L15,15 L15,20.5 L9,20.5 L9,15 L3.5,15 L3.5,9 L9,9 Z",
}

impl Icon {
    /// The coverage mask at a size in pixels, with its pen position at the left top corner of the square.
    fn rasterise(self, size: u16) -> Mask {
        let (kind, path) = self.path();
        let scale = f32::from(size) / 24.0;
        let transform = Transform::scale(scale, scale);
        let path: Vec<Command> = path.commands().map(|c| c.transform(&transform)).collect();
        let stroke = |width: f32| {
            let mut stroke = Stroke::new((width * scale).max(1.6));
            stroke.cap(Cap::Round).join(Join::Round);
            stroke
        };
        match kind {
            Kind::Fill => Mask::of_path(&path, Fill::NonZero),
            Kind::Line => Mask::of_path(&path, stroke(2.0)),
            Kind::Bold => Mask::of_path(&path, stroke(3.2)),
        }
    }
}

impl Canvas {
    /// A shape of `size` pixels in the middle of `area`.
    pub fn icon(&mut self, icon: Icon, area: Rect, size: i32, color: Color) {
        let size = size.clamp(4, 512);
        let mask = self
            .text
            .icon(icon as u16, size as u16, || icon.rasterise(size as u16));
        let at = area.centered(size, size);
        self.mask(mask, at.x, at.y, color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_draws_something_and_stays_in_its_square() {
        for &icon in ICONS {
            for size in [12u16, 16, 20, 24, 48] {
                let mask = icon.rasterise(size);
                let (s, slack) = (i32::from(size), 1);
                assert!(
                    mask.coverage.iter().any(|&a| a > 128),
                    "{icon:?} at {size} is empty"
                );
                assert!(
                    mask.left >= -slack && mask.top >= -slack,
                    "{icon:?} at {size}"
                );
                assert!(
                    mask.left + mask.w <= s + slack && mask.top + mask.h <= s + slack,
                    "{icon:?} at {size}"
                );
            }
        }
    }
}
