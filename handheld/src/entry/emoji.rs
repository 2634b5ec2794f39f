//! The emoji of the panel: those that messages use most, each a single glyph of the shipped monochrome font.

/// In reading order, ten to a row.
pub const EMOJI: &[&str] = &[
    "😀", "😂", "😊", "😉", "😍", "😘", "😎", "🤔", "😐", "😴", //
    "😢", "😭", "😡", "😱", "🙄", "😇", "🤗", "🤷", "🙏", "👍", //
    "👎", "👋", "👏", "💪", "👀", "❤", "💔", "🎉", "🎂", "🎁", //
    "🔥", "⭐", "☀", "🌧", "🌙", "🐱", "🐶", "☕", "🍕", "🏠", //
    "🙂", "🙃", "😅", "😋", "😜", "🤩", "🥳", "😏", "😬", "😮", //
    "😔", "😕", "😟", "😤", "😳", "🤒", "🤢", "🤯", "🤫", "🤝", //
    "👌", "✌", "🤞", "👉", "👈", "👆", "👇", "✋", "✍", "🙌", //
    "💐", "🎈", "🎨", "🎬", "💯", "✨", "💡", "💤", "💬", "❗", //
    "❓", "✅", "❌", "⚠", "⏰", "📅", "📌", "📎", "📷", "🔑", //
    "📖", "🎵", "🎮", "🏆", "⚽", "🚲", "🚗", "🚆", "✈", "🚀", //
    "🌍", "🌈", "❄", "🌊", "🌳", "🌹", "🍀", "🐦", "🐟", "🐢", //
    "🍎", "🍞", "🧀", "🍳", "🍝", "🍰", "🍫", "🍺", "🍷", "🍴", //
];

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_segmentation::UnicodeSegmentation;

    #[test]
    fn each_is_one_grapheme_and_rows_are_full() {
        assert!(EMOJI.iter().all(|emoji| emoji.graphemes(true).count() == 1));
        assert_eq!(EMOJI.len() % super::super::view::EMOJI_COLUMNS, 0);
    }
}
