//! What changed between two frames, so that only that is uploaded.

use super::Canvas;
use crate::ui::rect::Rect;

/// Unchanged rows between two changed bands that are worth leaving out of an upload.
const BAND_GAP: i32 = 24;

impl Canvas {
    /// The changed areas since the call before (the whole panel the first time), no pixel twice, each as narrow as the
    /// change; of what was moved, whole rows. An unchanged frame gives none.
    pub fn damage(&mut self) -> Vec<Rect> {
        let painted = core::mem::take(&mut self.painted);
        let moved = core::mem::take(&mut self.moved);
        let loose = core::mem::take(&mut self.loose);
        if self.shown.len() != self.pixels.len() {
            self.shown = self.pixels.clone();
            return vec![self.area()];
        }
        let (width, whole) = (self.width as usize, self.area());
        if loose {
            return changes(width, &self.pixels, &mut self.shown, whole, edges);
        }
        // Where something was moved, nearly every row of text changed from its first letter to its last, which are not looked for.
        let all = |new: &[u16], _: &[u16]| (0, new.len() - 1);
        let mut areas = Vec::new();
        for area in moved {
            areas.extend(changes(width, &self.pixels, &mut self.shown, area, all));
        }
        for area in painted {
            areas.extend(changes(width, &self.pixels, &mut self.shown, area, edges));
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
        changes(self.width as usize, frame, &mut self.shown, area, edges)
    }

    /// The frame that [`Canvas::damage`] last told of; empty before the first.
    pub fn shown(&self) -> &[u16] {
        &self.shown
    }
}

/// Where two frames differ within `area`; the old one becomes the new one there. Of rows that differ, `edges` says the first and the last
/// pixel to take.
fn changes(
    width: usize,
    new: &[u16],
    old: &mut [u16],
    area: Rect,
    edges: impl Fn(&[u16], &[u16]) -> (usize, usize),
) -> Vec<Rect> {
    let mut bands: Vec<Rect> = Vec::new();
    for y in area.y..area.bottom() {
        let start = y as usize * width + area.x as usize;
        let row = start..start + area.w as usize;
        let (new, old) = (&new[row.clone()], &mut old[row]);
        if new == old {
            continue;
        }
        let (first, last) = edges(new, old);
        old[first..=last].copy_from_slice(&new[first..=last]);
        let row = Rect::new(area.x + first as i32, y, (last - first + 1) as i32, 1);
        match bands.last_mut() {
            Some(band) if row.y - band.bottom() < BAND_GAP => *band = band.union(&row),
            _ => bands.push(row),
        }
    }
    bands
}

/// The first and the last pixel in which two rows differ, which do. Most of a row is the same, and is looked at sixteen pixels at once.
fn edges(new: &[u16], old: &[u16]) -> (usize, usize) {
    const AT_ONCE: usize = 16;
    let ((a, a_rest), (b, b_rest)) = (new.as_chunks::<AT_ONCE>(), old.as_chunks::<AT_ONCE>());
    let differs = |(a, b): (&u16, &u16)| a != b;
    let whole = a.len() * AT_ONCE;
    let first = match a.iter().zip(b).position(|(a, b)| a != b) {
        Some(n) => {
            let within = a[n].iter().zip(&b[n]).position(differs);
            n * AT_ONCE + within.unwrap_or(0)
        }
        None => whole + a_rest.iter().zip(b_rest).position(differs).unwrap_or(0),
    };
    let last = match a_rest.iter().zip(b_rest).rposition(differs) {
        Some(n) => whole + n,
        None => {
            let n = a.iter().zip(b).rposition(|(a, b)| a != b).unwrap_or(0);
            let within = a.get(n).zip(b.get(n));
            let within = within.and_then(|(a, b)| a.iter().zip(b).rposition(differs));
            n * AT_ONCE + within.unwrap_or(0)
        }
    };
    (first, last)
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
    fn the_edges_of_a_change_are_found_wherever_they_lie() {
        for width in [1, 5, 16, 17, 40, 64] {
            let old = vec![0; width];
            for first in 0..width {
                for last in first..width {
                    let mut new = old.clone();
                    (new[first], new[last]) = (1, 1);
                    assert_eq!(edges(&new, &old), (first, last), "{width}");
                }
            }
        }
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
