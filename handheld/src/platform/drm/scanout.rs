//! From a frame to the memory that the panel reads: where it stands, how it is turned, in which format. Pure.

use crate::platform::Area;

/// Panels that the interface is drawn for, in pixels.
pub const DESIGNS: [(u32, u32); 5] = [(640, 480), (720, 480), (720, 720), (960, 544), (1920, 1152)];

/// Smallest panel that the interface fits on, in pixels.
pub const SMALLEST: (u32, u32) = (320, 240);

/// How the frame is turned on the panel, because the panel is mounted turned in its case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// As it is.
    #[default]
    None,
    /// A quarter, clockwise.
    Clockwise,
    /// Half.
    Half,
    /// A quarter, counter-clockwise.
    CounterClockwise,
}

impl Turn {
    /// The turn by these degrees, clockwise; `None` for what is no quarter.
    #[must_use]
    pub const fn from_degrees(degrees: u32) -> Option<Self> {
        match degrees {
            0 => Some(Self::None),
            90 => Some(Self::Clockwise),
            180 => Some(Self::Half),
            270 => Some(Self::CounterClockwise),
            _ => None,
        }
    }

    /// The turn that a connector's `panel orientation` asks for. The names are those of the kernel's documentation of
    /// standard connector properties and tell which side of the panel is at the top of the case.
    #[must_use]
    pub fn from_orientation(name: &str) -> Option<Self> {
        match name {
            "Normal" => Some(Self::None),
            "Upside Down" => Some(Self::Half),
            "Left Side Up" => Some(Self::CounterClockwise),
            "Right Side Up" => Some(Self::Clockwise),
            _ => None,
        }
    }

    /// Width and height as the person sees them, of a panel of this size.
    #[must_use]
    pub const fn seen(self, panel: (u32, u32)) -> (u32, u32) {
        match self {
            Self::None | Self::Half => panel,
            Self::Clockwise | Self::CounterClockwise => (panel.1, panel.0),
        }
    }
}

/// How the octets of a pixel lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As in a frame: two octets, little-endian.
    Rgb565,
    /// Blue, green, red and an unused octet.
    Xrgb8888,
}

impl Format {
    /// Octets of a pixel.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::Rgb565 => 2,
            Self::Xrgb8888 => 4,
        }
    }

    fn put(self, pixel: u16, out: &mut [u8]) {
        match self {
            Self::Rgb565 => out.copy_from_slice(&pixel.to_le_bytes()),
            Self::Xrgb8888 => {
                // A channel is widened by repeating its upper bits, so that white stays white.
                let (r, g, b) = (pixel >> 11, pixel >> 5 & 0x3F, pixel & 0x1F);
                let (r, g, b) = (r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2);
                out.copy_from_slice(&[b as u8, g as u8, r as u8, 0xFF]);
            }
        }
    }
}

/// Where the frame stands on the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The panel in pixels, as its memory lies.
    pub panel: (u32, u32),
    /// How the frame is turned.
    pub turn: Turn,
    /// Width and height of the frame.
    pub frame: (u32, u32),
    /// Panel pixels for each pixel of the frame, each way.
    pub scale: u32,
    /// Left edge and top of the frame on the panel as the person sees it.
    pub at: (u32, u32),
}

impl Placement {
    /// The frame for a panel: the panel's own size where the interface is drawn for it, else the one of [`DESIGNS`] that
    /// covers most of it at a whole multiple, centred. A panel below all of them gets a frame of its own size.
    #[must_use]
    pub fn new(panel: (u32, u32), turn: Turn) -> Self {
        let seen = turn.seen(panel);
        let fits = |design: &(u32, u32)| (seen.0 / design.0).min(seen.1 / design.1);
        let covered = |design: &&(u32, u32)| {
            let scale = u64::from(fits(design));
            scale * scale * u64::from(design.0) * u64::from(design.1)
        };
        let (frame, scale) = if DESIGNS.contains(&seen) {
            (seen, 1)
        } else {
            match DESIGNS.iter().filter(|d| fits(d) > 0).max_by_key(covered) {
                Some(design) => (*design, fits(design)),
                None => (seen, 1),
            }
        };
        let at = (
            (seen.0 - frame.0 * scale) / 2,
            (seen.1 - frame.1 * scale) / 2,
        );
        Self {
            panel,
            turn,
            frame,
            scale,
            at,
        }
    }

    /// The part of the panel's memory that an area of the frame takes.
    #[must_use]
    pub fn on_panel(&self, area: Area) -> Area {
        let area = area.on_panel(self.frame.0, self.frame.1);
        let (left, top) = (
            self.at.0 + area.x * self.scale,
            self.at.1 + area.y * self.scale,
        );
        let (width, height) = (area.width * self.scale, area.height * self.scale);
        match self.turn {
            Turn::None => Area {
                x: left,
                y: top,
                width,
                height,
            },
            Turn::Half => Area {
                x: self.panel.0 - left - width,
                y: self.panel.1 - top - height,
                width,
                height,
            },
            Turn::CounterClockwise => Area {
                x: top,
                y: self.panel.1 - left - width,
                width: height,
                height: width,
            },
            Turn::Clockwise => Area {
                x: self.panel.0 - top - height,
                y: left,
                width: height,
                height: width,
            },
        }
    }

    /// The pixel of the frame that is shown at this place of the panel's memory, which must be inside the frame.
    const fn source(&self, x: u32, y: u32) -> usize {
        let (sx, sy) = match self.turn {
            Turn::None => (x, y),
            Turn::Half => (self.panel.0 - 1 - x, self.panel.1 - 1 - y),
            Turn::CounterClockwise => (self.panel.1 - 1 - y, x),
            Turn::Clockwise => (y, self.panel.0 - 1 - x),
        };
        let (fx, fy) = ((sx - self.at.0) / self.scale, (sy - self.at.1) / self.scale);
        fy as usize * self.frame.0 as usize + fx as usize
    }

    /// Writes an area of a whole frame of RGB565 `pixels` into the panel's memory, whose rows are `pitch` octets apart,
    /// and tells which part of the panel that is. Memory that is too short is left alone where it ends.
    pub fn paint(
        &self,
        memory: &mut [u8],
        pitch: usize,
        format: Format,
        pixels: &[u16],
        area: Area,
    ) -> Area {
        let target = self.on_panel(area);
        if target.is_empty() {
            return target;
        }
        let (first, len) = (target.x as usize * format.len(), format.len());
        for y in target.y..target.y + target.height {
            let start = y as usize * pitch + first;
            let end = start + target.width as usize * len;
            let Some(row) = memory.get_mut(start..end) else {
                break;
            };
            if self.turn == Turn::None && self.scale == 1 {
                let from = self.source(target.x, y);
                let frame = &pixels[from..from + target.width as usize];
                for (out, &pixel) in row.chunks_exact_mut(len).zip(frame) {
                    format.put(pixel, out);
                }
                continue;
            }
            for (out, x) in row.chunks_exact_mut(len).zip(target.x..) {
                format.put(pixels[self.source(x, y)], out);
            }
        }
        target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of 3×2 pixels, numbered from 1 row by row, on a panel that has just room for it.
    fn painted(turn: Turn, scale: u32, format: Format) -> (Vec<u8>, u32) {
        let frame = (3, 2);
        let panel = turn.seen((3 * scale, 2 * scale));
        let placement = Placement {
            panel,
            turn,
            frame,
            scale,
            at: (0, 0),
        };
        let pitch = panel.0 as usize * format.len();
        let mut memory = vec![0; pitch * panel.1 as usize];
        let all = placement.paint(
            &mut memory,
            pitch,
            format,
            &[1, 2, 3, 4, 5, 6],
            Area::whole(3, 2),
        );
        assert_eq!(all, Area::whole(panel.0, panel.1));
        (memory, panel.0)
    }

    fn numbers(turn: Turn, scale: u32) -> Vec<Vec<u16>> {
        let (memory, width) = painted(turn, scale, Format::Rgb565);
        let pixels: Vec<u16> = memory
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect();
        pixels.chunks(width as usize).map(<[u16]>::to_vec).collect()
    }

    #[test]
    fn each_turn_puts_the_top_of_the_frame_where_it_says() {
        assert_eq!(numbers(Turn::None, 1), [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(numbers(Turn::Clockwise, 1), [[4, 1], [5, 2], [6, 3]]);
        assert_eq!(numbers(Turn::Half, 1), [[6, 5, 4], [3, 2, 1]]);
        assert_eq!(numbers(Turn::CounterClockwise, 1), [[3, 6], [2, 5], [1, 4]]);
        assert_eq!(numbers(Turn::None, 2)[1], [1, 1, 2, 2, 3, 3]);
        assert_eq!(numbers(Turn::None, 2)[2], [4, 4, 5, 5, 6, 6]);
    }

    #[test]
    fn an_orientation_turns_the_frame_so_that_it_stands_upright() {
        // The left side of the panel is at the top of the case, so the frame's first row lies along it.
        let turn = Turn::from_orientation("Left Side Up").unwrap();
        let left: Vec<u16> = numbers(turn, 1).iter().rev().map(|row| row[0]).collect();
        assert_eq!(left, [1, 2, 3]);
        let turn = Turn::from_orientation("Right Side Up").unwrap();
        let right: Vec<u16> = numbers(turn, 1).iter().map(|row| row[1]).collect();
        assert_eq!(right, [1, 2, 3]);
        assert_eq!(Turn::from_orientation("Normal"), Some(Turn::None));
        assert_eq!(Turn::from_orientation("Upside Down"), Some(Turn::Half));
        assert_eq!(Turn::from_orientation("Unknown"), None);
        assert_eq!(Turn::from_degrees(270), Some(Turn::CounterClockwise));
        assert_eq!(Turn::from_degrees(45), None);
    }

    #[test]
    fn colours_are_widened_so_that_white_stays_white() {
        let put = |pixel| {
            let mut out = [0; 4];
            Format::Xrgb8888.put(pixel, &mut out);
            out
        };
        assert_eq!(put(0xFFFF), [255, 255, 255, 255]);
        assert_eq!(put(0xF800), [0, 0, 255, 255]);
        assert_eq!(put(0x0001), [8, 0, 0, 255]);
    }

    #[test]
    fn a_part_of_the_frame_touches_only_its_part_of_the_panel() {
        for turn in [
            Turn::None,
            Turn::Clockwise,
            Turn::Half,
            Turn::CounterClockwise,
        ] {
            let panel = turn.seen((700, 500));
            let placement = Placement::new(panel, turn);
            assert_eq!((placement.frame, placement.at), ((640, 480), (30, 10)));
            let pixels = vec![0xFFFF; 640 * 480];
            let pitch = panel.0 as usize * 2;
            let mut memory = vec![0; pitch * panel.1 as usize];
            let part = Area {
                x: 600,
                y: 470,
                width: 90,
                height: 4,
            };
            let touched = placement.paint(&mut memory, pitch, Format::Rgb565, &pixels, part);
            assert_eq!(touched.width * touched.height, 40 * 4);
            assert_eq!(memory.iter().filter(|&&b| b != 0).count(), 40 * 4 * 2);
            let row = touched.y as usize * pitch + touched.x as usize * 2;
            assert_eq!(memory[row], 0xFF, "{turn:?}");
        }
    }

    #[test]
    fn a_panel_of_another_size_gets_the_design_that_covers_most_of_it() {
        let placed = |w, h| {
            let p = Placement::new((w, h), Turn::None);
            (p.frame, p.scale, p.at)
        };
        for design in DESIGNS {
            assert_eq!(placed(design.0, design.1), (design, 1, (0, 0)));
        }
        assert_eq!(placed(1280, 960), ((640, 480), 2, (0, 0)));
        assert_eq!(placed(1920, 1080), ((720, 480), 2, (240, 60)));
        assert_eq!(placed(1024, 600), ((960, 544), 1, (32, 28)));
        assert_eq!(placed(480, 320), ((480, 320), 1, (0, 0)));
        let turned = Placement::new((480, 640), Turn::Clockwise);
        assert_eq!((turned.frame, turned.at), ((640, 480), (0, 0)));
    }

    #[test]
    fn memory_that_is_too_short_is_not_written_past() {
        let placement = Placement::new((640, 480), Turn::None);
        let mut memory = vec![0; 1000];
        placement.paint(
            &mut memory,
            1280,
            Format::Rgb565,
            &vec![7; 640 * 480],
            Area::whole(640, 480),
        );
        assert!(memory.iter().all(|&b| b == 0));
        let mut wide = vec![0; 1280 * 3];
        placement.paint(
            &mut wide,
            1280,
            Format::Rgb565,
            &vec![7; 640 * 480],
            Area::whole(640, 480),
        );
        assert_eq!(wide.iter().filter(|&&b| b == 7).count(), 640 * 3);
    }
}
