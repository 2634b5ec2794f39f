//! The embedded fonts and the order in which they stand in for one another.

use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::outline::OutlineGlyphCollection;
use skrifa::{FontRef, GlyphId, MetadataProvider};
use std::sync::OnceLock;

/// A font file. The first seven are the family the interface is set in, the others stand in where those lack a glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Face {
    /// Plex Sans, upright.
    Sans,
    /// Plex Sans Italic.
    Italic,
    /// Plex Sans SemiBold: titles, labels.
    SemiBold,
    /// Plex Sans Bold: `**strong**` in answers.
    Bold,
    /// Plex Sans Bold Italic.
    BoldItalic,
    /// Plex Mono: code.
    Mono,
    /// Plex Mono SemiBold: pairing digits, code in headings.
    MonoSemiBold,
    /// DejaVu Sans: arrows, mathematics, symbols, scripts that Plex lacks.
    Symbols,
    /// WenQuanYi Micro Hei: Han, kana, hangul.
    Han,
    /// Noto Emoji, monochrome.
    Emoji,
}

/// Every face, in the order of their numbers.
pub const FACES: [Face; 10] = [
    Face::Sans,
    Face::Italic,
    Face::SemiBold,
    Face::Bold,
    Face::BoldItalic,
    Face::Mono,
    Face::MonoSemiBold,
    Face::Symbols,
    Face::Han,
    Face::Emoji,
];

/// Ascent and descent of the Plex family in thousandths of the size; every line box is set by these.
pub const ASCENT: i32 = 1025;
/// See [`ASCENT`]; counted downwards.
pub const DESCENT: i32 = 275;
/// Height of Plex capitals in thousandths of the size.
pub const CAP_HEIGHT: i32 = 698;

/// A font that is ready to be asked: parsed tables borrowed from the binary.
pub struct Font {
    /// The tables, for kerning.
    pub tables: FontRef<'static>,
    /// Code point to glyph.
    pub charmap: Charmap<'static>,
    /// Advances in font units.
    pub metrics: GlyphMetrics<'static>,
    /// Curves.
    pub outlines: OutlineGlyphCollection<'static>,
    /// Font units per em.
    pub units: f32,
}

impl Face {
    fn bytes(self) -> &'static [u8] {
        match self {
            Face::Sans => include_bytes!("../../../assets/fonts/IBMPlexSans-Regular.ttf"),
            Face::Italic => include_bytes!("../../../assets/fonts/IBMPlexSans-Italic.ttf"),
            Face::SemiBold => include_bytes!("../../../assets/fonts/IBMPlexSans-SemiBold.ttf"),
            Face::Bold => include_bytes!("../../../assets/fonts/IBMPlexSans-Bold.ttf"),
            Face::BoldItalic => include_bytes!("../../../assets/fonts/IBMPlexSans-BoldItalic.ttf"),
            Face::Mono => include_bytes!("../../../assets/fonts/IBMPlexMono-Regular.ttf"),
            Face::MonoSemiBold => include_bytes!("../../../assets/fonts/IBMPlexMono-SemiBold.ttf"),
            Face::Symbols => include_bytes!("../../../assets/fonts/DejaVuSans.ttf"),
            Face::Han => include_bytes!("../../../assets/fonts/wqy-microhei.ttc"),
            Face::Emoji => include_bytes!("../../../assets/fonts/NotoEmoji-Regular.ttf"),
        }
    }

    /// The parsed font. Parsing happens once per face and costs microseconds.
    pub fn font(self) -> &'static Font {
        static FONTS: [OnceLock<Font>; FACES.len()] = [const { OnceLock::new() }; FACES.len()];
        FONTS[self as usize].get_or_init(|| {
            let bytes = self.bytes();
            // Part of the binary and read by a test: cannot fail at run time. The collection's first font is the proportional one.
            let tables = FontRef::from_index(bytes, 0).expect("an embedded font is well formed");
            let metrics = tables.glyph_metrics(Size::unscaled(), LocationRef::default());
            let units = f32::from(
                tables
                    .metrics(Size::unscaled(), LocationRef::default())
                    .units_per_em,
            );
            Font {
                charmap: tables.charmap(),
                outlines: tables.outline_glyphs(),
                metrics,
                units,
                tables,
            }
        })
    }

    /// The glyph for a code point in this face only.
    pub fn lookup(self, c: char) -> Option<GlyphId> {
        self.font().charmap.map(c).filter(|g| g.to_u32() != 0)
    }

    /// The face that has a glyph for `c`: this one, else the first stand-in that does. With `emoji` (the text asks for
    /// the pictorial form) the emoji face goes before the symbols.
    pub fn find(self, c: char, emoji: bool) -> Option<(Face, GlyphId)> {
        let others: &[Face] = &[Face::Symbols, Face::Han, Face::Emoji];
        let first = if emoji { Face::Emoji } else { self };
        let mut order = [first, self].into_iter().chain(others.iter().copied());
        order.find_map(|face| face.lookup(c).map(|glyph| (face, glyph)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_font_parses_and_has_its_own_script() {
        for face in FACES {
            assert!(face.font().units >= 1000.0, "{face:?}");
        }
        for face in &FACES[..7] {
            for c in "AzÄßéñŁřЖя€„“–—…•".chars() {
                assert!(face.lookup(c).is_some(), "{face:?} lacks {c}");
            }
        }
    }

    #[test]
    fn stand_ins_are_asked_in_the_fixed_order() {
        assert_eq!(Face::Sans.find('a', false).map(|f| f.0), Some(Face::Sans));
        assert_eq!(
            Face::Bold.find('∮', false).map(|f| f.0),
            Some(Face::Symbols)
        );
        assert_eq!(Face::Sans.find('漢', false).map(|f| f.0), Some(Face::Han));
        assert_eq!(Face::Sans.find('한', false).map(|f| f.0), Some(Face::Han));
        assert_eq!(Face::Sans.find('🚀', false).map(|f| f.0), Some(Face::Emoji));
        assert_eq!(
            Face::Sans.find('☀', false).map(|f| f.0),
            Some(Face::Symbols)
        );
        assert_eq!(Face::Sans.find('☀', true).map(|f| f.0), Some(Face::Emoji));
        assert_eq!(Face::Sans.find('\u{10fff0}', false), None);
    }
}
