//! What changed between two frames, so that only that is uploaded.

use super::Canvas;
use crate::ui::rect::Rect;

/// Unchanged rows between two changed bands that are worth leaving out of an upload.
const BAND_GAP: i32 = 24;

impl Canvas {
    /// The changed areas since the call before (the whole panel the first time), top to bottom, each as narrow as the
    /// change. An unchanged frame gives none.
    pub fn damage(&mut self) -> Vec<Rect> {
        let painted = core::mem::take(&mut self.painted);
        let loose = core::mem::take(&mut self.loose);
        if self.shown.len() != self.pixels.len() {
            self.shown = self.pixels.clone();
            return vec![self.area()];
        }
        let (width, whole) = (self.width as usize, self.area());
        if loose {
            return changes(width, &self.pixels, &mut self.shown, whole);
        }
        let mut areas = Vec::new();
        for area in painted {
            areas.extend(changes(width, &self.pixels, &mut self.shown, area));
        }
        areas
    }

    /// As [`Canvas::damage`], for another frame of the same size that is shown instead of the one drawn.
    pub fn damage_by(&mut self, frame: &[u16]) -> Vec<Rect> {
        if self.shown.len() != frame.len() || self.pixels.len() != frame.len() {
            self.shown = frame.to_vec();
            return vec![self.area()];
        }
        // What is shown is not what is drawn from here on.
        self.loose = true;
        let area = Rect::new(0, 0, self.width, self.height);
        changes(self.width as usize, frame, &mut self.shown, area)
    }

    /// The frame that [`Canvas::damage`] last told of; empty before the first.
    pub fn shown(&self) -> &[u16] {
        &self.shown
    }
}

/// Where two frames differ within `area`; the old one becomes the new one there.
fn changes(width: usize, new: &[u16], old: &mut [u16], area: Rect) -> Vec<Rect> {
    let mut bands: Vec<Rect> = Vec::new();
    for y in area.y..area.bottom() {
        let start = y as usize * width + area.x as usize;
        let row = start..start + area.w as usize;
        let (new, old) = (&new[row.clone()], &mut old[row]);
        if new == old {
            continue;
        }
        let differs = |(a, b): (&u16, &u16)| a != b;
        let first = new.iter().zip(&*old).position(differs).unwrap_or(0);
        let last = new
            .iter()
            .zip(&*old)
            .rposition(differs)
            .unwrap_or(new.len() - 1);
        old.copy_from_slice(new);
        let row = Rect::new(area.x + first as i32, y, (last - first + 1) as i32, 1);
        match bands.last_mut() {
            Some(band) if row.y - band.bottom() < BAND_GAP => *band = band.union(&row),
            _ => bands.push(row),
        }
    }
    bands
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
