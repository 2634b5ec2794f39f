//! Pictures as they travel: the octets of one `Image` value.
//!
//! A picture starts with one octet that names its format. `Rgb565` is followed by width and height (u16,
//! little-endian) and zstd-compressed RGB565 pixels (little-endian, row by row); all others are followed by a
//! file of that format.

/// Formats of pictures, numbered as the first octet; `1 << number` is the bit in a list of formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Format {
    /// Baseline JPEG: photographs and paintings.
    Jpeg = 0,
    /// PNG.
    Png = 1,
    /// zstd-compressed RGB565: flat pictures, at the least cost to the handheld.
    Rgb565 = 2,
    /// WebP.
    WebP = 3,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Rgb565, Self::WebP];

    /// The format with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|format| *format as u8 == number)
    }

    /// Its bit in a list of formats.
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}
