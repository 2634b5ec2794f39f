//! Code points to placed glyphs: stand-in fonts, kerning, what is invisible, what is shown as a box.

use super::font::{FACES, Face};
use super::glyph::{GlyphCache, Key, Mask, SUBPIXELS, rasterise};
use super::kern::Kerning;
use foldhash::HashMap;
use skrifa::GlyphId;
use std::borrow::Cow;
use std::rc::Rc;
use unicode_segmentation::UnicodeSegmentation;

/// What stands at one place of a shaped text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece {
    /// A glyph of a face.
    Glyph(Face, u32),
    /// A code point that no font has, or that must not act (control and direction marks): a box with its number.
    Unknown(u32),
}

/// A piece with its pen position.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// What to draw.
    pub piece: Piece,
    /// Pen position in pixels from the start of the text.
    pub x: f32,
    /// Byte of the text that it comes from.
    pub at: usize,
}

/// A text as placed glyphs.
#[derive(Clone, Debug, Default)]
pub struct Shaped {
    /// In order of the text.
    pub glyphs: Vec<Placed>,
    /// Advance of the whole, in pixels.
    pub width: f32,
    /// Rows above the baseline that ink may reach.
    pub above: i32,
    /// Rows below it.
    pub below: i32,
    /// What the next letter is kerned against.
    end: Option<(Face, GlyphId)>,
}

impl Shaped {
    /// Takes in ink from `top` above the baseline to `bottom` below it, in pixels; its edges are smooth.
    fn ink(&mut self, top: f32, bottom: f32) {
        self.above = self.above.max(top.ceil() as i32 + 1);
        self.below = self.below.max(bottom.ceil() as i32 + 1);
    }
}

/// A letter's glyph and its measures in font units.
#[derive(Clone, Copy)]
struct Letter {
    face: Face,
    glyph: GlyphId,
    advance: f32,
    top: f32,
    bottom: f32,
}

impl Letter {
    /// See [`Face::find`].
    fn find(face: Face, c: char, emoji: bool) -> Option<Letter> {
        let (face, glyph) = face.find(c, emoji)?;
        let font = face.font();
        let metrics = &font.metrics;
        // What has no outline has no box.
        let ink = metrics.bounds(glyph);
        let ink = ink.map_or((0.0, 0.0), |b| (b.y_max, -b.y_min));
        Some(Letter {
            face,
            glyph,
            advance: metrics.advance_width(glyph).unwrap_or(0.0),
            top: ink.0,
            bottom: ink.1,
        })
    }
}

/// Letters of one face by their ASCII code, of those that were asked for.
type Known = [Option<Letter>; 128];

/// Measures and shapes; owns the caches that make this cheap.
#[derive(Default)]
pub struct Typesetter {
    cache: GlyphCache,
    kerning: Kerning,
    /// Short texts that were shaped, in two generations as the masks are.
    young: HashMap<(Face, u16), HashMap<Box<str>, Rc<Shaped>>>,
    old: HashMap<(Face, u16), HashMap<Box<str>, Rc<Shaped>>>,
    young_glyphs: usize,
    /// Texts that were set last, the latest at the end: one that streams in or is typed goes on from there.
    growing: Vec<Growing>,
    /// What most text is made of, by face.
    letters: [Option<Box<Known>>; FACES.len()],
}

/// Longest text in octets that is remembered shaped: about a line.
const SHAPED_LEN: usize = 160;

/// Glyphs remembered in a generation, 24 octets each: some three full panels.
const SHAPED_GLYPHS: usize = 8192;

/// A text that may go on.
struct Growing {
    text: String,
    face: Face,
    size: u16,
    shaped: Rc<Shaped>,
}

/// Texts that may go on: a paragraph, its last line, what counts its words, and one to spare.
const GROWING: usize = 4;

/// Longest text in octets of which that is remembered: a generous paragraph.
const GROWING_LEN: usize = 8192;

/// The size of the hexadecimal code within its box: smaller than the text, never below the smallest legible size.
pub fn box_size(size: u16) -> u16 {
    (size * 5 / 6).max(size.min(20))
}

/// The digits inside the box that stands for an unknown code point.
pub fn box_code(code: u32) -> String {
    format!("{code:04X}")
}

/// Space on either side of the digits in the box.
pub fn box_padding(size: u16) -> f32 {
    f32::from(size) / 8.0
}

impl Typesetter {
    /// Shapes one line of text, or remembers how it was shaped before. See [`Typesetter::set`].
    pub fn shape(&mut self, text: &str, face: Face, size: u16) -> Rc<Shaped> {
        if text.len() > SHAPED_LEN {
            return self.grow(text, face, size);
        }
        let kind = (face, size);
        if let Some(shaped) = self.young.get(&kind).and_then(|known| known.get(text)) {
            return shaped.clone();
        }
        let known = self.old.get_mut(&kind).and_then(|known| known.remove(text));
        let shaped = known.unwrap_or_else(|| self.grow(text, face, size));
        // Book-keeping counts as a few glyphs, so that empty texts are bounded too.
        self.young_glyphs += shaped.glyphs.len() + 4;
        let young = self.young.entry(kind).or_default();
        young.insert(text.into(), shaped.clone());
        if self.young_glyphs > SHAPED_GLYPHS {
            self.old = std::mem::take(&mut self.young);
            self.young_glyphs = 0;
        }
        shaped
    }

    /// Sets a text, from where the longest known one that it begins with ended.
    fn grow(&mut self, text: &str, face: Face, size: u16) -> Rc<Shaped> {
        let known = self.growing.iter().enumerate();
        let known = known.filter(|(_, known)| (known.face, known.size) == (face, size));
        let known = known.filter(|(_, known)| goes_on(&known.text, text));
        let longest = known.max_by_key(|(_, known)| known.text.len());
        let mut growing = match longest.map(|(at, _)| at) {
            Some(at) => self.growing.remove(at),
            None => Growing {
                text: String::new(),
                face,
                size,
                shaped: Rc::default(),
            },
        };
        let known = growing.text.len();
        if known < text.len() {
            let shaped = Rc::make_mut(&mut growing.shaped);
            self.set(shaped, text, known, face, size);
        }
        let shaped = growing.shaped.clone();
        if text.len() <= GROWING_LEN {
            if self.growing.len() >= GROWING {
                self.growing.remove(0);
            }
            growing.text.push_str(&text[known..]);
            self.growing.push(growing);
        }
        shaped
    }

    fn letter(&mut self, face: Face, c: char, emoji: bool) -> Option<Letter> {
        if emoji || !c.is_ascii() {
            return Letter::find(face, c, emoji);
        }
        let known = self.letters[face as usize].get_or_insert_with(|| Box::new([None; 128]));
        let known = &mut known[c as usize];
        if known.is_none() {
            *known = Letter::find(face, c, false);
        }
        *known
    }

    /// Shapes what follows the first `known` octets of one line of text, which `out` has already. Control characters and direction
    /// overrides come out as boxes, so that text from elsewhere can neither hide nor reorder anything; a tab is four spaces wide.
    fn set(&mut self, out: &mut Shaped, text: &str, known: usize, face: Face, size: u16) {
        out.glyphs.reserve(text.len() - known);
        let mut before = out.end;
        let mut chars = text[known..].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let at = known + at;
            if invisible(c) {
                continue;
            }
            if c == '\t' || c == '\n' {
                // No ink, but a place.
                if let Some(space) = self.letter(face, ' ', false) {
                    out.glyphs.push(Placed {
                        piece: Piece::Glyph(space.face, space.glyph.to_u32()),
                        x: out.width,
                        at,
                    });
                }
                out.width += if c == '\t' { 4.0 } else { 1.0 } * self.advance(face, ' ', size);
                before = None;
                continue;
            }
            let emoji = chars.peek().is_some_and(|&(_, next)| next == '\u{fe0f}');
            let found = if acts_unseen(c) {
                None
            } else {
                self.letter(face, c, emoji)
            };
            let piece = match found {
                Some(letter) => {
                    let Letter { face, glyph, .. } = letter;
                    let scale = f32::from(size) / face.font().units;
                    out.ink(letter.top * scale, letter.bottom * scale);
                    if let Some((left_face, left)) = before
                        && left_face == face
                    {
                        out.width += f32::from(self.kerning.adjust(face, left, glyph)) * scale;
                    }
                    if let Some(x) = self.mark_position(c, face, glyph, size, out) {
                        out.glyphs.push(Placed {
                            piece: Piece::Glyph(face, glyph.to_u32()),
                            x,
                            at,
                        });
                        continue;
                    }
                    before = Some((face, glyph));
                    let piece = Piece::Glyph(face, glyph.to_u32());
                    out.glyphs.push(Placed {
                        piece,
                        x: out.width,
                        at,
                    });
                    out.width += letter.advance * scale;
                    continue;
                }
                None => Piece::Unknown(c as u32),
            };
            before = None;
            // The box stands as `Canvas::text_at` draws it.
            out.ink(f32::from(size) * 0.85, f32::from(size) * 0.2);
            out.glyphs.push(Placed {
                piece,
                x: out.width + 1.0,
                at,
            });
            out.width += self.box_width(c as u32, size) + 2.0;
        }
        out.end = before;
    }

    /// Pen position of a combining mark: its ink centred over the letter before it.
    fn mark_position(
        &mut self,
        c: char,
        face: Face,
        glyph: GlyphId,
        size: u16,
        out: &Shaped,
    ) -> Option<f32> {
        let combining =
            matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}');
        let letter = out
            .glyphs
            .iter()
            .rev()
            .find(|g| g.x < out.width)
            .filter(|_| combining)?;
        let ink = self.mask(face, glyph.to_u32(), size, 0);
        Some((letter.x + out.width) / 2.0 - ink.left as f32 - ink.w as f32 / 2.0)
    }

    /// Width in pixels of the box around an unknown code point.
    pub fn box_width(&mut self, code: u32, size: u16) -> f32 {
        let digit = self.advance(Face::Mono, '0', box_size(size));
        (digit * box_code(code).len() as f32 + 2.0 * box_padding(size)).round()
    }

    fn advance(&mut self, face: Face, c: char, size: u16) -> f32 {
        let font = face.font();
        let units = face
            .lookup(c)
            .and_then(|g| font.metrics.advance_width(g))
            .unwrap_or(0.0);
        units * f32::from(size) / font.units
    }

    /// Width of a text in whole pixels, rounded up.
    pub fn width(&mut self, text: &str, face: Face, size: u16) -> i32 {
        self.shape(text, face, size).width.ceil() as i32
    }

    /// The text itself if it fits into `max` pixels, else as many whole graphemes as do, and an ellipsis.
    pub fn fit<'t>(&mut self, text: &'t str, face: Face, size: u16, max: i32) -> Cow<'t, str> {
        let shaped = self.shape(text, face, size);
        if shaped.width.ceil() as i32 <= max {
            return Cow::Borrowed(text);
        }
        let room = max as f32 - self.advance(face, '…', size);
        let mut end = 0;
        for (at, grapheme) in text.grapheme_indices(true) {
            let after = at + grapheme.len();
            let right = shaped
                .glyphs
                .iter()
                .find(|g| g.at >= after)
                .map_or(shaped.width, |g| g.x);
            if right > room {
                break;
            }
            end = after;
        }
        Cow::Owned(format!(
            "{}…",
            text[..end].trim_end_matches([' ', ',', '.', ';', ':', '-', '–'])
        ))
    }

    /// The mask of a glyph at a sub-pixel step.
    pub fn mask(&mut self, face: Face, glyph: u32, size: u16, step: u8) -> Rc<Mask> {
        let step = step % SUBPIXELS;
        self.cache.get(Key::Glyph(face, glyph, size, step), || {
            rasterise(face, glyph, size, step)
        })
    }

    /// The mask of one of the interface's own shapes.
    pub fn icon(&mut self, number: u16, size: u16, make: impl FnOnce() -> Mask) -> Rc<Mask> {
        self.cache.get(Key::Icon(number, size), make)
    }
}

/// True if a text begins with one that was set, and what follows changes nothing of that: no selector that asks for another face.
pub(super) fn goes_on(known: &str, text: &str) -> bool {
    let more = text.strip_prefix(known);
    more.is_some_and(|more| !more.starts_with('\u{fe0f}'))
}

/// Joiners, variation selectors and soft hyphens: they shape their neighbours, and take no room themselves.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// Controls and direction marks: harmless only when seen.
fn acts_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_remembered_shaped_is_bounded_and_keeps_what_is_used() {
        let mut t = Typesetter::default();
        let hot = t.shape("hot", Face::Sans, 24);
        for i in 0..5_000 {
            t.shape(&format!("text number {i}"), Face::Sans, 24);
            assert!(Rc::ptr_eq(&hot, &t.shape("hot", Face::Sans, 24)));
        }
        let glyphs = |known: &HashMap<_, HashMap<Box<str>, Rc<Shaped>>>| -> usize {
            known
                .values()
                .flat_map(HashMap::values)
                .map(|s| s.glyphs.len() + 4)
                .sum()
        };
        assert!(glyphs(&t.young) + glyphs(&t.old) <= 2 * SHAPED_GLYPHS + 100);
    }

    proptest! {
        #[test]
        fn a_text_that_goes_on_is_set_as_if_it_had_come_whole(
            pieces in proptest::collection::vec("[a-zA-Z AVfjTo.\t\u{301}\u{fe0f}☀️🚀漢\u{200d}\u{202e}]{0,6}", 1..40),
        ) {
            let mut growing = Typesetter::default();
            let mut text = String::new();
            for piece in &pieces {
                text.push_str(piece);
                let shaped = growing.shape(&text, Face::Sans, 24);
                let whole = Typesetter::default().shape(&text, Face::Sans, 24);
                prop_assert_eq!(format!("{shaped:?}"), format!("{whole:?}"));
                // Others in between, as a frame has them.
                growing.shape(piece, Face::Sans, 24);
                growing.shape(&text[text.len() - piece.len()..], Face::Mono, 24);
            }
            prop_assert!(growing.growing.len() <= GROWING);
        }
    }

    #[test]
    fn no_ink_reaches_past_the_rows_that_a_text_says() {
        let mut t = Typesetter::default();
        let text = "ÅgjQ|漢字🚀☀∮e\u{301}Ǻ\u{330}\u{10fff0}ẶЩ";
        for face in FACES {
            for size in [20, 24, 31, 96] {
                let shaped = t.shape(text, face, size);
                for placed in &shaped.glyphs {
                    let Piece::Glyph(face, glyph) = placed.piece else {
                        continue;
                    };
                    let mask = t.mask(face, glyph, size, 1);
                    assert!(mask.w == 0 || -mask.top <= shaped.above, "{face:?} {size}");
                    assert!(mask.w == 0 || mask.top + mask.h <= shaped.below);
                }
            }
        }
    }

    #[test]
    fn widths_grow_with_the_text_and_the_size() {
        let mut t = Typesetter::default();
        let short = t.width("Letter", Face::Sans, 24);
        assert!(t.width("Letter to Ada", Face::Sans, 24) > short);
        assert!(t.width("Letter", Face::Sans, 28) > short);
        assert_eq!(t.width("", Face::Sans, 24), 0);
    }

    #[test]
    fn code_has_equal_advances() {
        let mut t = Typesetter::default();
        assert_eq!(
            t.width("iiii", Face::Mono, 20),
            t.width("WWWW", Face::Mono, 20)
        );
    }

    #[test]
    fn a_text_that_fits_is_left_alone_and_a_longer_one_ends_in_an_ellipsis() {
        let mut t = Typesetter::default();
        assert!(matches!(
            t.fit("Files", Face::Sans, 24, 500),
            Cow::Borrowed("Files")
        ));
        let cut = t
            .fit("A calm harbour at dusk, oil on canvas", Face::Sans, 24, 200)
            .into_owned();
        assert!(cut.ends_with('…') && cut.starts_with("A calm"));
        assert!(t.width(&cut, Face::Sans, 24) <= 200);
    }

    #[test]
    fn shortening_never_splits_a_grapheme() {
        let mut t = Typesetter::default();
        let text = "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}";
        for max in 20..80 {
            let cut = t.fit(text, Face::Sans, 24, max).into_owned();
            let kept = cut.trim_end_matches('…');
            assert_eq!(kept.chars().count() % 2, 0, "{cut:?} at {max}");
        }
    }

    #[test]
    fn a_code_point_without_a_glyph_is_a_box_with_its_number() {
        let mut t = Typesetter::default();
        let shaped = t.shape("a\u{10fff0}b", Face::Sans, 24);
        assert_eq!(shaped.glyphs[1].piece, Piece::Unknown(0x10fff0));
        assert_eq!(box_code(0x7), "0007");
        assert!(shaped.glyphs[2].x > shaped.glyphs[1].x + 60.0);
    }

    #[test]
    fn direction_overrides_and_controls_from_a_peer_are_seen() {
        let mut t = Typesetter::default();
        for c in ['\u{202e}', '\u{1b}', '\u{2066}', '\u{7f}'] {
            let shaped = t.shape(&format!("a{c}"), Face::Sans, 24);
            assert_eq!(shaped.glyphs[1].piece, Piece::Unknown(c as u32));
        }
    }

    #[test]
    fn joiners_and_selectors_take_no_room() {
        let mut t = Typesetter::default();
        assert_eq!(
            t.width("a\u{200d}b\u{fe0f}", Face::Sans, 24),
            t.width("ab", Face::Sans, 24)
        );
    }
}
