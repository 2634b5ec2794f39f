//! Colours as the panel shows them: RGB565, blended in 8-bit sRGB and rounded once.

/// One panel pixel: five bits red, six green, five blue, red in the high bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Color(pub u16);

impl Color {
    /// The nearest panel colour to an 8-bit sRGB triple written as `0xRRGGBB`.
    pub const fn hex(rgb: u32) -> Color {
        Color::rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
    }

    /// The nearest panel colour to an 8-bit sRGB triple.
    pub const fn rgb(r: u8, g: u8, b: u8) -> Color {
        let r = (r as u32 * 31 + 127) / 255;
        let g = (g as u32 * 63 + 127) / 255;
        let b = (b as u32 * 31 + 127) / 255;
        Color((r << 11 | g << 5 | b) as u16)
    }

    /// The 8-bit sRGB triple that panels make of this pixel (high bits repeated in the low ones).
    pub const fn channels(self) -> [u8; 3] {
        let r = (self.0 >> 11) as u8;
        let g = (self.0 >> 5 & 0x3f) as u8;
        let b = (self.0 & 0x1f) as u8;
        [r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2]
    }

    /// This colour over `under` with a coverage of `alpha` / 255.
    pub fn over(self, under: Color, alpha: u8) -> Color {
        match alpha {
            0 => return under,
            255 => return self,
            _ => {}
        }
        let (f, b, a) = (self.channels(), under.channels(), u32::from(alpha));
        let mix =
            |i: usize| ((u32::from(f[i]) * a + u32::from(b[i]) * (255 - a) + 127) / 255) as u8;
        Color::rgb(mix(0), mix(1), mix(2))
    }

    /// WCAG relative luminance, 0 (black) to 1 (white).
    pub fn luminance(self) -> f64 {
        let linear = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.040_45 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        let [r, g, b] = self.channels();
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    /// WCAG contrast ratio between two colours, 1 to 21.
    pub fn contrast(self, other: Color) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_survives_the_way_to_eight_bits_and_back() {
        for v in 0..=u16::MAX {
            let [r, g, b] = Color(v).channels();
            assert_eq!(Color::rgb(r, g, b), Color(v));
        }
    }

    #[test]
    fn blending_ends_at_both_colours_and_meets_in_the_middle() {
        let (black, white) = (Color::hex(0), Color::hex(0xffffff));
        assert_eq!(white.over(black, 0), black);
        assert_eq!(white.over(black, 255), white);
        assert_eq!(white.over(black, 128), Color::rgb(128, 128, 128));
    }

    #[test]
    fn black_on_white_has_the_largest_contrast() {
        assert!((Color::hex(0).contrast(Color::hex(0xffffff)) - 21.0).abs() < 0.01);
    }
}
