//! What changed between two frames, so that only that is uploaded.

use super::Canvas;
use crate::ui::rect::Rect;

/// Unchanged rows between two changed bands that are worth leaving out of an upload.
const BAND_GAP: usize = 24;

impl Canvas {
    /// The changed areas since the call before (the whole panel the first time), top to bottom, each as narrow as the
    /// change. An unchanged frame gives none.
    pub fn damage(&mut self) -> Vec<Rect> {
        let w = self.width as usize;
        if self.shown.len() != self.pixels.len() {
            self.shown = self.pixels.clone();
            return vec![self.area()];
        }
        let mut bands: Vec<Rect> = Vec::new();
        for (y, (new, old)) in self
            .pixels
            .chunks_exact(w)
            .zip(self.shown.chunks_exact(w))
            .enumerate()
        {
            if new == old {
                continue;
            }
            let differs = |(a, b): (&u16, &u16)| a != b;
            let first = new.iter().zip(old).position(differs).unwrap_or(0);
            let last = new.iter().zip(old).rposition(differs).unwrap_or(w - 1);
            let row = Rect::new(first as i32, y as i32, (last - first + 1) as i32, 1);
            match bands.last_mut() {
                Some(band) if y as i32 - band.bottom() < BAND_GAP as i32 => {
                    *band = band.union(&row)
                }
                _ => bands.push(row),
            }
        }
        for band in &bands {
            for y in band.y..band.bottom() {
                let row = (y * self.width) as usize..((y + 1) * self.width) as usize;
                self.shown[row.clone()].copy_from_slice(&self.pixels[row]);
            }
        }
        bands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::color::Color;

    #[test]
    fn a_frame_is_uploaded_whole_once_and_then_only_where_it_changed() {
        let mut c = Canvas::new(100, 100);
        assert_eq!(c.damage(), vec![Rect::new(0, 0, 100, 100)]);
        assert!(c.damage().is_empty());
        c.fill(Rect::new(10, 5, 3, 2), Color(7));
        c.fill(Rect::new(50, 90, 1, 1), Color(7));
        assert_eq!(
            c.damage(),
            vec![Rect::new(10, 5, 3, 2), Rect::new(50, 90, 1, 1)]
        );
        assert!(c.damage().is_empty());
    }

    #[test]
    fn drawing_the_same_again_changes_nothing() {
        let mut c = Canvas::new(10, 10);
        c.damage();
        c.fill(Rect::new(0, 0, 10, 10), Color(9));
        c.damage();
        c.fill(Rect::new(0, 0, 10, 10), Color(0));
        c.fill(Rect::new(0, 0, 10, 10), Color(9));
        assert!(c.damage().is_empty());
    }
}
