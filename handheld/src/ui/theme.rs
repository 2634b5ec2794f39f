//! Colours by meaning, dark and light. Each is an exact RGB565 value; the ratios are checked by tests.

use super::color::Color;
use super::metrics::Metrics;

/// What a colour means. No other colour is ever drawn, pictures apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Behind everything.
    Bg,
    /// Tiles, fields, the hint bar.
    Surface,
    /// Chips, selected tabs, code plates.
    Raised,
    /// Outlines.
    Line,
    /// Text.
    Text,
    /// Secondary text.
    Muted,
    /// Focus and links.
    Accent,
    /// Asked, queued, away.
    Wait,
    /// Failed, refused.
    Stop,
    /// Text on accent, wait or stop.
    On,
}

/// Every tone, in the order of the palette arrays.
pub const TONES: [Tone; 10] = [
    Tone::Bg,
    Tone::Surface,
    Tone::Raised,
    Tone::Line,
    Tone::Text,
    Tone::Muted,
    Tone::Accent,
    Tone::Wait,
    Tone::Stop,
    Tone::On,
];

/// The dark palette.
pub const DARK: [Color; 10] = [
    Color::hex(0x101418),
    Color::hex(0x182029),
    Color::hex(0x293039),
    Color::hex(0x73828c),
    Color::hex(0xeff3f7),
    Color::hex(0xb5bec6),
    Color::hex(0x52d7c6),
    Color::hex(0xf7be52),
    Color::hex(0xff8a7b),
    Color::hex(0x082021),
];

/// The light palette.
pub const LIGHT: [Color; 10] = [
    Color::hex(0xf7f3e7),
    Color::hex(0xfffbef),
    Color::hex(0xe7e3d6),
    Color::hex(0x847d6b),
    Color::hex(0x181c21),
    Color::hex(0x52514a),
    Color::hex(0x00615a),
    Color::hex(0x7b4d00),
    Color::hex(0xa51c18),
    Color::hex(0xffffff),
];

/// Colours and measures of one panel in one set of preferences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    palette: [Color; 10],
    /// Sizes of everything on this panel.
    pub m: Metrics,
}

impl Theme {
    /// A theme for a panel's measures.
    pub fn new(light: bool, m: Metrics) -> Theme {
        Theme {
            palette: if light { LIGHT } else { DARK },
            m,
        }
    }

    /// The colour that a tone has here.
    pub fn color(&self, tone: Tone) -> Color {
        self.palette[tone as usize]
    }

    /// True for the light palette.
    pub fn is_light(&self) -> bool {
        self.palette == LIGHT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn themes() -> [[Color; 10]; 2] {
        [DARK, LIGHT]
    }

    #[test]
    fn tokens_are_exact_panel_values() {
        // Eight bits a channel, chosen so that rounding to the panel changes nothing.
        let written = [
            0x101418u32,
            0x182029,
            0x293039,
            0x73828c,
            0xeff3f7,
            0xb5bec6,
            0x52d7c6,
            0xf7be52,
            0xff8a7b,
            0x082021,
        ];
        for (color, hex) in DARK.iter().zip(written) {
            let [r, g, b] = color.channels();
            assert_eq!(u32::from_be_bytes([0, r, g, b]), hex);
        }
        for (color, hex) in LIGHT.iter().zip([
            0xf7f3e7u32,
            0xfffbef,
            0xe7e3d6,
            0x847d6b,
            0x181c21,
            0x52514a,
            0x00615a,
            0x7b4d00,
            0xa51c18,
            0xffffff,
        ]) {
            let [r, g, b] = color.channels();
            assert_eq!(u32::from_be_bytes([0, r, g, b]), hex);
        }
    }

    #[test]
    fn text_reaches_seven_and_states_five_and_a_half_on_every_ground() {
        for p in themes() {
            for ground in [Tone::Bg, Tone::Surface, Tone::Raised] {
                let ratio = |tone: Tone| p[tone as usize].contrast(p[ground as usize]);
                assert!(ratio(Tone::Text) >= 7.0);
                for tone in [Tone::Muted, Tone::Accent, Tone::Wait, Tone::Stop] {
                    assert!(
                        ratio(tone) >= 5.5,
                        "{tone:?} on {ground:?}: {}",
                        ratio(tone)
                    );
                }
                assert!(ratio(Tone::Line) >= 3.0);
            }
            for fill in [Tone::Accent, Tone::Wait, Tone::Stop] {
                assert!(
                    p[Tone::On as usize].contrast(p[fill as usize]) >= 7.0,
                    "{fill:?}"
                );
            }
        }
    }
}
