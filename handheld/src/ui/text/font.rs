//! The fonts and the order in which they stand in for one another.
//!
//! A program for a desk has all of them within. One for a handheld, which is to be small, has [`Face::Sans`] alone and is
//! given the others by [`supply`]; a face that is not supplied is drawn by Sans, and its letters by whoever has them.

use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::outline::OutlineGlyphCollection;
use skrifa::{FontRef, GlyphId, MetadataProvider};
use std::sync::OnceLock;

use crate::packed::unpack;

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

/// Reads the font file with this name; `None` if it cannot be had, which the reader says itself.
pub type Reader = Box<dyn Fn(&'static str) -> Option<&'static [u8]> + Send + Sync>;

static READER: OnceLock<Reader> = OnceLock::new();

/// Says where fonts come from that the program does not have within. Called once, before anything is drawn; a face that was
/// asked for before stays as it was drawn then. Each file is read when the first letter needs it, and then kept.
pub fn supply(reader: Reader) {
    // The first to say it is right.
    let _ = READER.set(reader);
}

/// A font that is ready to be asked: parsed tables borrowed from bytes that live as long as the program.
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

/// The one that every program has, and that stands in for all others. It is unpacked once, and then kept.
fn sans() -> &'static [u8] {
    const PACKED: &[u8] = include_bytes!("../../../data/packed/IBMPlexSans-Regular.ttf.zst");
    static SANS: OnceLock<Vec<u8>> = OnceLock::new();
    SANS.get_or_init(|| unpack(PACKED))
}

#[cfg(not(feature = "fonts-beside"))]
fn embedded(face: Face) -> &'static [u8] {
    match face {
        Face::Sans => sans(),
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

impl Font {
    /// `None` where the bytes are no font. Of a collection, its first font: of ours that is the proportional one.
    #[must_use]
    pub fn parse(bytes: &'static [u8]) -> Option<Font> {
        let tables = FontRef::from_index(bytes, 0).ok()?;
        let metrics = tables.glyph_metrics(Size::unscaled(), LocationRef::default());
        let units = f32::from(
            tables
                .metrics(Size::unscaled(), LocationRef::default())
                .units_per_em,
        );
        // Widths are divided by it.
        (units > 0.0).then(|| Font {
            charmap: tables.charmap(),
            outlines: tables.outline_glyphs(),
            metrics,
            units,
            tables,
        })
    }
}

impl Face {
    /// The name of its file, in `assets/fonts` and beside a program that has it not within.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Face::Sans => "IBMPlexSans-Regular.ttf",
            Face::Italic => "IBMPlexSans-Italic.ttf",
            Face::SemiBold => "IBMPlexSans-SemiBold.ttf",
            Face::Bold => "IBMPlexSans-Bold.ttf",
            Face::BoldItalic => "IBMPlexSans-BoldItalic.ttf",
            Face::Mono => "IBMPlexMono-Regular.ttf",
            Face::MonoSemiBold => "IBMPlexMono-SemiBold.ttf",
            Face::Symbols => "DejaVuSans.ttf",
            Face::Han => "wqy-microhei.ttc",
            Face::Emoji => "NotoEmoji-Regular.ttf",
        }
    }

    /// Whether the program has this font within; costs nothing, where [`Face::within`] may unpack it.
    #[must_use]
    pub fn is_within(self) -> bool {
        cfg!(not(feature = "fonts-beside")) || self == Face::Sans
    }

    /// The font's bytes where the program has them within.
    #[must_use]
    pub fn within(self) -> Option<&'static [u8]> {
        #[cfg(feature = "fonts-beside")]
        return (self == Face::Sans).then(sans);
        #[cfg(not(feature = "fonts-beside"))]
        Some(embedded(self))
    }

    /// The parsed font, or [`Face::Sans`]'s where this one is not to be had. Parsing happens once per face and costs microseconds.
    pub fn font(self) -> &'static Font {
        static FONTS: [OnceLock<Font>; FACES.len()] = [const { OnceLock::new() }; FACES.len()];
        FONTS[self as usize].get_or_init(|| {
            let supplied = || READER.get().and_then(|read| read(self.file()));
            let found = self.within().or_else(supplied).and_then(Font::parse);
            // Part of the binary and read by a test: cannot fail at run time.
            found.unwrap_or_else(|| Font::parse(sans()).expect("an embedded font is well formed"))
        })
    }

    /// The glyph for a code point in this face only.
    pub fn lookup(self, c: char) -> Option<GlyphId> {
        self.font().charmap.map(c).filter(|g| g.to_u32() != 0)
    }

    /// The face that has a glyph for `c`: this one, else the first stand-in that does. With `emoji` (the text asks for
    /// the pictorial form) the emoji face goes before the symbols. The face for Han is asked last where `c` is of another
    /// script, since its file is as large as all others together.
    pub fn find(self, c: char, emoji: bool) -> Option<(Face, GlyphId)> {
        let others: &[Face] = if eastern(c) {
            &[Face::Symbols, Face::Han, Face::Emoji]
        } else {
            &[Face::Symbols, Face::Emoji, Face::Han]
        };
        let first = if emoji { Face::Emoji } else { self };
        let mut order = [first, self].into_iter().chain(others.iter().copied());
        order.find_map(|face| face.lookup(c).map(|glyph| (face, glyph)))
    }
}

/// Of the blocks for Han, kana, hangul and their punctuation: CJK Radicals to Yi, Hangul Syllables, the compatibility forms,
/// the half and full widths, and the two planes for rare ideographs.
const fn eastern(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use skrifa::raw::TableProvider;

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
    fn what_is_no_font_is_not_taken_for_one() {
        assert!(Font::parse(b"").is_none());
        assert!(Font::parse(b"\0\x01\0\0 and then something else").is_none());
        for cut in [4, 12, 100, 1000, sans().len() / 2] {
            // Tables that are not there are missed later, one by one, and never read past the end.
            if let Some(font) = Font::parse(&sans()[..cut]) {
                let _ = font.charmap.map('a');
                let _ = font.metrics.advance_width(GlyphId::new(5));
                assert!(font.tables.gpos().is_err());
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
