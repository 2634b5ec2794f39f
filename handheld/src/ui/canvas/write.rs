//! Text onto the canvas.

use super::Canvas;
use super::scene::Shape;
use crate::ui::color::Color;
use crate::ui::metrics::Type;
use crate::ui::rect::Rect;
use crate::ui::text::font::{ASCENT, CAP_HEIGHT, DESCENT, Face};
use crate::ui::text::glyph::SUBPIXELS;
use crate::ui::text::typeset::{Piece, Shaped, box_code, box_size};
use crate::ui::text::{Line, Run};
use crate::ui::theme::{Theme, Tone};

/// Where a text stands in its rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// From the left edge.
    Left,
    /// In the middle.
    Center,
    /// Up to the right edge.
    Right,
}

/// The place of one drawn text, collected for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextBox {
    /// From the tops of its capitals to the bottoms of its descenders.
    pub area: Rect,
    /// What drawing was limited to.
    pub clip: Rect,
    /// What was drawn, after shortening.
    pub text: String,
    /// True if the text was shortened.
    pub cut: bool,
    /// Font size in pixels.
    pub size: u16,
}

/// Row of the baseline of a text of `size` in the middle of a line box.
pub fn baseline(top: i32, height: i32, size: u16) -> i32 {
    let size = i32::from(size);
    let content = (ASCENT + DESCENT) * size;
    top + (height * 1000 - content + 2 * ASCENT * size + 1000) / 2000
}

/// Row of the baseline that puts capitals exactly in the middle of a box: pills, keys, badges.
pub fn capital_baseline(top: i32, height: i32, size: u16) -> i32 {
    top + (height * 1000 + CAP_HEIGHT * i32::from(size) + 1000) / 2000
}

impl Canvas {
    /// One line of text with its baseline at `y`, starting at `x`; nothing is shortened. Returns its width.
    pub fn text_at(
        &mut self,
        x: f32,
        y: i32,
        text: &str,
        face: Face,
        size: u16,
        color: Color,
    ) -> f32 {
        self.text_noted(x, y, text, face, size, color, false)
    }

    #[allow(clippy::too_many_arguments)] // A position, a text, how it looks, and whether it was shortened.
    fn text_noted(
        &mut self,
        x: f32,
        y: i32,
        text: &str,
        face: Face,
        size: u16,
        color: Color,
        cut: bool,
    ) -> f32 {
        let shaped = self.text.shape(text, face, size);
        let s = i32::from(size);
        let width = shaped.width;
        // Ink reaches past its advance, by less than the size.
        let ink = Rect::new(
            x.floor() as i32 - s,
            y - shaped.above,
            width.ceil() as i32 + 2 * s,
            shaped.above + shaped.below,
        );
        self.stroke(Shape::Text { shaped, size, x, y }, ink, color);
        let area = Rect::new(
            x.floor() as i32,
            y - s * 7 / 10,
            width.ceil() as i32,
            s * 9 / 10,
        );
        if !text.trim().is_empty() {
            self.note(|clip| TextBox {
                area,
                clip,
                text: text.to_owned(),
                cut,
                size,
            });
        }
        width
    }

    /// The glyphs of a shaped text.
    pub(super) fn paint_text(&mut self, shaped: &Shaped, size: u16, x: f32, y: i32, color: Color) {
        // Letters well outside of what is painted are not even looked up; none is as wide as four times its size.
        let (clip, far) = (self.clip(), 4.0 * f32::from(size));
        let seen = clip.x as f32 - far..clip.right() as f32 + far;
        for placed in &shaped.glyphs {
            let pen = x + placed.x;
            if !seen.contains(&pen) {
                continue;
            }
            match placed.piece {
                Piece::Glyph(face, glyph) => {
                    let steps = (pen * f32::from(SUBPIXELS)).round() as i32;
                    let (whole, step) = (
                        steps.div_euclid(i32::from(SUBPIXELS)),
                        steps.rem_euclid(i32::from(SUBPIXELS)),
                    );
                    let mask = self.text.mask(face, glyph, size, step as u8);
                    self.paint_mask(&mask, whole, y, color);
                }
                Piece::Unknown(code) => self.unknown(pen.round() as i32, y, code, size, color),
            }
        }
    }

    /// The box with a code point's number, for what no font can show.
    fn unknown(&mut self, x: i32, y: i32, code: u32, size: u16, color: Color) {
        let width = self.text.box_width(code, size) as i32;
        let height = i32::from(size);
        let area = Rect::new(x, y - height * 17 / 20, width, height);
        self.paint_outline(area, 2, 1, color);
        let small = box_size(size);
        let digits = box_code(code);
        let inner = self.text.shape(&digits, Face::Mono, small);
        let left = x as f32 + (width as f32 - inner.width) / 2.0;
        let base = capital_baseline(area.y, area.h, small);
        for placed in &inner.glyphs {
            if let Piece::Glyph(face, glyph) = placed.piece {
                let mask = self.text.mask(face, glyph, small, 0);
                self.paint_mask(&mask, (left + placed.x).round() as i32, base, color);
            }
        }
    }

    /// One line of text in the middle of `area`'s height, shortened with an ellipsis to its width. Returns the area used.
    pub fn label(
        &mut self,
        area: Rect,
        text: &str,
        face: Face,
        size: u16,
        color: Color,
        align: Align,
    ) -> Rect {
        let y = baseline(area.y, area.h, size);
        self.label_at(area, y, text, face, size, color, align)
    }

    /// As [`Canvas::label`], with capitals in the exact middle: for pills, keys and other tight boxes.
    pub fn tight_label(
        &mut self,
        area: Rect,
        text: &str,
        face: Face,
        size: u16,
        color: Color,
        align: Align,
    ) -> Rect {
        let y = capital_baseline(area.y, area.h, size);
        self.label_at(area, y, text, face, size, color, align)
    }

    #[allow(clippy::too_many_arguments)] // A box, a baseline, a text and how it looks.
    fn label_at(
        &mut self,
        area: Rect,
        y: i32,
        text: &str,
        face: Face,
        size: u16,
        color: Color,
        align: Align,
    ) -> Rect {
        let shown = self.text.fit(text, face, size, area.w);
        let cut = shown.len() != text.len() || shown != text;
        let shown = shown.into_owned();
        let width = self.text.shape(&shown, face, size).width;
        let x = match align {
            Align::Left => area.x as f32,
            Align::Center => area.x as f32 + ((area.w as f32 - width) / 2.0).round(),
            Align::Right => area.right() as f32 - width.ceil(),
        };
        self.text_noted(x, y, &shown, face, size, color, cut);
        Rect::new(x.floor() as i32, area.y, width.ceil() as i32, area.h)
    }

    /// One wrapped line in a line box from `top`, its runs on one baseline; `over` replaces all tones but plates.
    pub fn line(
        &mut self,
        x: i32,
        top: i32,
        kind: Type,
        line: &Line,
        theme: &Theme,
        over: Option<Tone>,
    ) {
        let y = baseline(top, kind.line, kind.size);
        for run in &line.runs {
            self.run(x, y, top, kind, run, theme, over);
        }
    }

    #[allow(clippy::too_many_arguments)] // One run and everything about the line that it stands in.
    fn run(
        &mut self,
        x: i32,
        y: i32,
        top: i32,
        kind: Type,
        run: &Run,
        theme: &Theme,
        over: Option<Tone>,
    ) {
        let left = x as f32 + run.x;
        let color = theme.color(over.unwrap_or(run.ink.tone));
        if run.ink.plate {
            let pad = theme.m.u / 4;
            let plate = Rect::new(
                left as i32 - pad,
                top + pad,
                run.width.ceil() as i32 + 2 * pad,
                kind.line - 2 * pad,
            );
            self.fill_round(plate, theme.m.u / 2, theme.color(Tone::Raised));
        }
        self.text_at(left, y, &run.text, run.face, run.size, color);
        if run.ink.strike {
            let row = y - i32::from(run.size) / 4;
            self.fill(
                Rect::new(left as i32, row, run.width.ceil() as i32, theme.m.outline),
                color,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_stand_in_the_middle_of_a_pill() {
        let mut c = Canvas::new(200, 40);
        c.tight_label(
            Rect::new(0, 0, 200, 40),
            "HHH",
            Face::SemiBold,
            20,
            Color(0xffff),
            Align::Center,
        );
        let inked = |y: i32| (0..200).any(|x| c.pixel(x, y) != Some(Color(0)));
        let first = (0..40).find(|&y| inked(y)).unwrap();
        let last = (0..40).rev().find(|&y| inked(y)).unwrap();
        assert!(
            (first - (39 - last)).abs() <= 1,
            "{first} above, {} below",
            39 - last
        );
    }

    #[test]
    fn a_label_keeps_to_its_box_and_says_when_it_was_shortened() {
        let mut c = Canvas::new(300, 40);
        c.record_text();
        let area = Rect::new(10, 0, 120, 40);
        c.label(
            area,
            "A calm harbour at dusk",
            Face::Sans,
            24,
            Color(0xffff),
            Align::Left,
        );
        c.label(area, "Files", Face::Sans, 24, Color(0xffff), Align::Right);
        assert!(c.recorded()[0].cut && c.recorded()[0].text.ends_with('…'));
        assert!(!c.recorded()[1].cut);
        for noted in c.recorded() {
            assert!(area.x <= noted.area.x && noted.area.right() <= area.right());
        }
        assert_eq!(c.recorded()[1].area.right(), area.right());
    }

    #[test]
    fn an_unknown_character_leaves_a_visible_box() {
        let mut c = Canvas::new(200, 40);
        c.text_at(10.0, 30, "\u{10fff0}", Face::Sans, 24, Color(0xffff));
        assert!(c.pixels().iter().filter(|&&p| p != 0).count() > 200);
    }

    #[test]
    fn drawing_a_text_twice_gives_the_same_pixels() {
        let draw = || {
            let mut c = Canvas::new(300, 40);
            c.text_at(3.3, 30, "Grüße, 漢字 🚀", Face::Sans, 24, Color(0xffff));
            c.pixels().to_vec()
        };
        assert_eq!(draw(), draw());
    }
}
