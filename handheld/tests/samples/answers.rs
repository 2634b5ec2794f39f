//! What models answer.

/// A plain letter.
pub const LETTER: &str = "Dear neighbour,\n\nI hope you are well. The fence between our gardens lost two boards in last week's storm. \
I would like to repair it on Saturday and would be glad of a hand.\n\nThree things we could share:\n\n- the price of the **boards**\n\
- my *cordless* drill\n- a cup of coffee afterwards\n";

/// Everything that Markdown has and models use.
pub const SHOWCASE: &str = concat!(
    "# Repairing a fence\n\nYou need **two boards**, *patience* and `M6` screws. ~~Nails~~ will not hold; ",
    "***never*** use them. See [the guide](https://example.org).\n\n## Steps\n\n1. Measure the gap.\n2. Cut the boards:\n",
    "   - leave 5 mm on each side\n   - seal the ends\n     - twice, if it rains much\n3. Screw them on.\n\n- [x] drill\n- [ ] paint\n\n",
    "| Part | Pieces | Price |\n|:--|--:|--:|\n| board, 2 m | 2 | 19.00 |\n| screws | 24 | 4.20 |\n\n> Measure twice, cut once.\n\n",
    "```rust\nfn price(boards: u32) -> f64 {\n    f64::from(boards) * 9.50 + 4.20 // screws come in one box\n}\n```\n\n---\n\n",
    "漢字とかな、한국어 too. Emoji 🚀 😀 ✅, arrows → ⇒, sums ∑ ≤ ∞, and a private glyph \u{e123} as a box.\n",
);

/// An answer that is still coming.
pub const STREAMING: &str = "About forty euros, if the posts are still sound:\n\n| Part | Price |\n|:--|--:|\n| board, 2 m | 9.50 |\n| screws | 4.20 |\n\n\
A hammer you can borrow from";
