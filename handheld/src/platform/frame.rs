//! The frame that waits to be shown: written by the runtime, read by whoever owns the panel. It never grows.

use super::{Area, PlatformError};

/// Dirty areas kept apart; more are joined into one.
const MAX_AREAS: usize = 16;

/// A whole panel of pixels and which of them changed since they were last read.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixels: Vec<u16>,
    pub(super) dirty: Vec<Area>,
}

impl Frame {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            pixels: vec![0; width as usize * height as usize],
            dirty: Vec::new(),
        }
    }

    /// Copies `dirty` parts of `pixels`, a whole frame, and notes them.
    pub(super) fn copy(&mut self, pixels: &[u16], dirty: &[Area]) -> Result<(), PlatformError> {
        if pixels.len() != self.pixels.len() {
            return Err(PlatformError::FrameSize {
                expected: self.pixels.len(),
                got: pixels.len(),
            });
        }
        for area in dirty {
            let area = area.on_panel(self.width, self.height);
            if area.is_empty() {
                continue;
            }
            for y in area.y..area.y + area.height {
                let start = y as usize * self.width as usize + area.x as usize;
                let row = start..start + area.width as usize;
                self.pixels[row.clone()].copy_from_slice(&pixels[row]);
            }
            self.note(area);
        }
        Ok(())
    }

    fn note(&mut self, area: Area) {
        self.dirty.push(area);
        if self.dirty.len() > MAX_AREAS {
            let right = self.dirty.iter().map(|a| a.x + a.width).max().unwrap_or(0);
            let bottom = self.dirty.iter().map(|a| a.y + a.height).max().unwrap_or(0);
            let x = self.dirty.iter().map(|a| a.x).min().unwrap_or(0);
            let y = self.dirty.iter().map(|a| a.y).min().unwrap_or(0);
            self.dirty = vec![Area {
                x,
                y,
                width: right - x,
                height: bottom - y,
            }];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dirty_pixels_are_copied() {
        let mut frame = Frame::new(4, 2);
        frame
            .copy(
                &[7; 8],
                &[Area {
                    x: 1,
                    y: 1,
                    width: 2,
                    height: 1,
                }],
            )
            .unwrap();
        assert_eq!(frame.pixels, [0, 0, 0, 0, 0, 7, 7, 0]);
        assert_eq!(frame.dirty.len(), 1);
    }

    #[test]
    fn areas_off_the_panel_are_cut_and_never_overflow() {
        let mut frame = Frame::new(4, 2);
        let far = Area {
            x: u32::MAX,
            y: 0,
            width: u32::MAX,
            height: 1,
        };
        frame
            .copy(
                &[7; 8],
                &[
                    far,
                    Area {
                        x: 3,
                        y: 0,
                        width: u32::MAX,
                        height: u32::MAX,
                    },
                ],
            )
            .unwrap();
        assert_eq!(frame.pixels, [0, 0, 0, 7, 0, 0, 0, 7]);
        assert_eq!(
            frame.dirty,
            [Area {
                x: 3,
                y: 0,
                width: 1,
                height: 2
            }]
        );
    }

    #[test]
    fn a_frame_of_another_size_is_refused() {
        let refused = Frame::new(4, 2).copy(&[0; 7], &[]);
        assert!(matches!(
            refused,
            Err(PlatformError::FrameSize {
                expected: 8,
                got: 7
            })
        ));
    }

    #[test]
    fn many_areas_become_one_that_covers_them() {
        let mut frame = Frame::new(100, 100);
        let pixels = vec![1; 10_000];
        for at in 0..=MAX_AREAS as u32 {
            frame
                .copy(
                    &pixels,
                    &[Area {
                        x: at + 1,
                        y: at,
                        width: 1,
                        height: 1,
                    }],
                )
                .unwrap();
        }
        assert_eq!(
            frame.dirty,
            [Area {
                x: 1,
                y: 0,
                width: 17,
                height: 17
            }]
        );
    }
}
