//! Pair kerning from a font's GPOS table (lookup type 2 under the `kern` feature).

use super::font::Face;
use foldhash::HashMap;
use skrifa::raw::TableProvider;
use skrifa::raw::tables::gpos::{PairPos, PositionSubtables};
use skrifa::{GlyphId, Tag};

/// Remembers adjustments that were looked up, in font units.
#[derive(Default)]
pub struct Kerning {
    pairs: HashMap<(Face, u32, u32), i16>,
}

/// Pairs remembered before the table starts anew. Prose in two languages uses about two thousand.
const MAX_PAIRS: usize = 8192;

impl Kerning {
    /// How much closer (negative) or further `right` stands after `left`, in font units.
    pub fn adjust(&mut self, face: Face, left: GlyphId, right: GlyphId) -> i16 {
        let key = (face, left.to_u32(), right.to_u32());
        if let Some(&known) = self.pairs.get(&key) {
            return known;
        }
        let value = look_up(face, left, right).unwrap_or(0);
        if self.pairs.len() >= MAX_PAIRS {
            self.pairs.clear();
        }
        self.pairs.insert(key, value);
        value
    }
}

fn look_up(face: Face, left: GlyphId, right: GlyphId) -> Option<i16> {
    let gpos = face.font().tables.gpos().ok()?;
    let (features, lookups) = (gpos.feature_list().ok()?, gpos.lookup_list().ok()?);
    let kern = features
        .feature_records()
        .iter()
        .find(|r| r.feature_tag() == Tag::new(b"kern"))?;
    let feature = kern.feature(features.offset_data()).ok()?;
    // Every lookup adds its adjustment; within one, the first table that knows the pair decides.
    let mut sum = 0i16;
    for index in feature.lookup_list_indices() {
        let Ok(lookup) = lookups.lookups().get(usize::from(index.get())) else {
            continue;
        };
        let Ok(PositionSubtables::Pair(tables)) = lookup.subtables() else {
            continue;
        };
        let value = tables
            .iter()
            .flatten()
            .find_map(|table| pair_value(&table, left, right));
        sum = sum.saturating_add(value.unwrap_or(0));
    }
    Some(sum)
}

fn pair_value(table: &PairPos, left: GlyphId, right: GlyphId) -> Option<i16> {
    match table {
        PairPos::Format1(t) => {
            let row = t.coverage().ok()?.get(left)?;
            let set = t.pair_sets().get(row as usize).ok()?;
            set.pair_value_records()
                .iter()
                .flatten()
                .find(|r| u32::from(r.second_glyph().to_u16()) == right.to_u32())
                .and_then(|r| r.value_record1().x_advance())
        }
        PairPos::Format2(t) => {
            t.coverage().ok()?.get(left)?;
            let first = t.class_def1().ok()?.get(left);
            let second = t.class_def2().ok()?.get(right);
            t.value_record_refs(first as u16, second as u16)?[0].x_advance()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_pairs_move_together_and_straight_ones_stay() {
        let mut kerning = Kerning::default();
        let g = |c| Face::Sans.lookup(c).unwrap();
        assert!(kerning.adjust(Face::Sans, g('A'), g('V')) < 0);
        assert!(kerning.adjust(Face::Sans, g('T'), g('o')) < 0);
        assert_eq!(kerning.adjust(Face::Sans, g('n'), g('n')), 0);
    }

    #[test]
    fn code_is_never_kerned() {
        let g = |c| Face::Mono.lookup(c).unwrap();
        assert_eq!(Kerning::default().adjust(Face::Mono, g('A'), g('V')), 0);
    }
}
