//! Every sentence that a person sees, in one voice: labels of one or two words, errors that say what happened, whose fault it was,
//! what is safe and what to do. No codes in titles, no "please", no exclamation marks.

pub mod battery;
pub mod failure;
pub mod help;
pub mod pairing;
pub mod proof;
pub mod quantity;
pub mod radio;
pub mod setup;

use super::model::chat::ChatKind;
use super::model::laptop::{Carrier, Ended, ServiceKind, Verdict};
use super::model::picture::{Made, Size, Style};
use super::model::settings::{KeyboardKind, TextSize, Theme};
use super::model::{Link, Model, Panel};

/// Most characters of a peer's name or remark inside a sentence.
pub const PEER_NAME_LEN: usize = 40;

/// Most characters of a peer's explanation below an error.
pub const PEER_DETAIL_LEN: usize = 200;

/// Text that a peer supplied, made safe to show inside our own: one line, at most `max` characters, with every control,
/// formatting or direction-changing character replaced by its number in angle quotes.
pub fn peer(text: &str, max: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count >= max {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_unsafe(c) => out.push_str(&format!("‹{:X}›", c as u32)),
            c => out.push(c),
        }
    }
    out.trim().to_string()
}

/// Text of an answer made safe to show: like [`peer`], but line ends and tabs stay and nothing is cut.
pub fn answer(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if is_unsafe(c) => out.push_str(&format!("‹{:X}›", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Characters that move the cursor, hide or turn the text around them. Joiners stay: emoji and several scripts need them.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The first `max` characters of `text` on one line, with an ellipsis if there is more.
pub fn short(text: &str, max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max {
        return line;
    }
    let mut cut: String = line.chars().take(max.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// The model as a person says it: without its provider, or "laptop's choice".
pub fn model_name(id: &str) -> String {
    if id.is_empty() {
        return "laptop's choice".into();
    }
    let (provider, name) = id.split_once('/').unwrap_or(("", id));
    if provider == "built-in" {
        format!("{} (built-in)", peer(name, PEER_NAME_LEN))
    } else {
        peer(name, PEER_NAME_LEN)
    }
}

/// The model with its provider: `llama3.1:8b, ollama`.
pub fn model_and_provider(id: &str) -> String {
    match id.split_once('/') {
        _ if id.is_empty() => "laptop's choice".into(),
        Some((provider, name)) => format!(
            "{}, {}",
            peer(name, PEER_NAME_LEN),
            peer(provider, PEER_NAME_LEN)
        ),
        None => peer(id, PEER_NAME_LEN),
    }
}

/// The link in the header.
pub fn link(model: &Model) -> String {
    match &model.link {
        Link::Unpaired => "No laptop".into(),
        Link::Linked { .. } => "Laptop linked".into(),
        Link::Asleep { .. } => "Radio asleep".into(),
        _ if ended(model).is_some() => "Pairing ended".into(),
        Link::Away(_) => "Laptop away".into(),
        Link::Connecting { .. } => "Connecting".into(),
    }
}

/// The link in the home screen's header, where there is room for since when.
pub fn link_long(model: &Model) -> String {
    match &model.link {
        Link::Away(away) if away.since > 0 && ended(model).is_none() => {
            format!("Laptop away since {}", quantity::time(model, away.since))
        }
        _ => link(model),
    }
}

/// Why the pairing with the chosen laptop is over, if it is.
pub fn ended(model: &Model) -> Option<Ended> {
    match model.link {
        Link::Linked { .. } => None,
        _ => model.laptop().and_then(|laptop| laptop.ended),
    }
}

/// A carrier.
pub fn carrier(carrier: &Carrier) -> String {
    match carrier {
        Carrier::WifiDirect => "Wi-Fi Direct".into(),
        Carrier::Station => "the laptop's Wi-Fi".into(),
        Carrier::Usb => "USB".into(),
        Carrier::Tcp(address) => format!("TCP to {}", peer(address, PEER_NAME_LEN)),
    }
}

/// A service as a row's title.
pub const fn service(service: ServiceKind) -> &'static str {
    match service {
        ServiceKind::Language => "Chat",
        ServiceKind::Image => "Pictures",
        ServiceKind::Files => "Files",
        ServiceKind::System => "System",
        ServiceKind::Jobs => "Jobs",
    }
}

/// A verdict.
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Deny => "refused",
        Verdict::Ask => "asks",
        Verdict::Allow => "allowed",
    }
}

/// What a conversation is for.
pub const fn chat_kind(kind: ChatKind) -> &'static str {
    match kind {
        ChatKind::Chat => "Chat",
        ChatKind::Complete => "Complete",
        ChatKind::Code => "Code",
        ChatKind::Summarize => "Summarize",
    }
}

/// What the person is asked for when writing the first text.
pub const fn chat_kind_question(kind: ChatKind) -> &'static str {
    match kind {
        ChatKind::Chat => "New chat. What would you like to know?",
        ChatKind::Complete => "Complete: begin a text, the model goes on.",
        ChatKind::Code => "Code: say what the program shall do.",
        ChatKind::Summarize => "Summarize: write or paste the text to shorten.",
    }
}

/// A style.
pub const fn style(style: Style) -> &'static str {
    match style {
        Style::Free => "As it comes",
        Style::Oil => "Oil painting",
        Style::Watercolour => "Watercolour",
        Style::Photo => "Photograph",
        Style::Pencil => "Pencil",
        Style::Pixel => "Pixel art",
        Style::Comic => "Comic",
        Style::Woodcut => "Woodcut",
    }
}

/// A style as programs name it; empty for none.
pub const fn style_name(style: Style) -> &'static str {
    match style {
        Style::Free => "",
        Style::Oil => "oil painting",
        Style::Watercolour => "watercolour",
        Style::Photo => "photograph",
        Style::Pencil => "pencil drawing",
        Style::Pixel => "pixel art",
        Style::Comic => "comic",
        Style::Woodcut => "woodcut",
    }
}

/// A size.
pub fn size(size: Size, panel: Panel) -> String {
    let (width, height) = super::view::picture::pixels(size, panel);
    let name = match size {
        Size::Screen => "My screen",
        Size::Square => "Square",
        Size::Portrait => "Portrait",
        Size::Landscape => "Landscape",
        Size::Large => "Large",
    };
    format!("{name} {width}×{height}")
}

/// How a picture came to be, as a row's first word.
pub const fn made(made: Made) -> &'static str {
    match made {
        Made::Painted => "Picture",
        Made::Edited => "Changed picture",
        Made::Upscaled => "Larger picture",
        Made::Varied => "Variation",
    }
}

/// Colours.
pub const fn theme(theme: Theme) -> &'static str {
    match theme {
        Theme::Dark => "Dark",
        Theme::Light => "Light",
    }
}

/// Size of body text.
pub const fn text_size(size: TextSize) -> &'static str {
    match size {
        TextSize::Small => "Small",
        TextSize::Normal => "Normal",
        TextSize::Large => "Large",
    }
}

/// Keyboard.
pub const fn keyboard(kind: KeyboardKind) -> &'static str {
    match kind {
        KeyboardKind::Grid => "Grid",
        KeyboardKind::Arc => "Arc",
    }
}

/// On or off.
pub const fn on_off(on: bool) -> &'static str {
    if on { "On" } else { "Off" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_text_cannot_move_the_cursor_or_turn_the_line_around() {
        assert_eq!(peer("a\u{202E}b\u{1b}[2Jc\nd", 40), "a‹202E›b‹1B›[2Jc d");
        assert_eq!(peer("abcdef", 3), "abc…");
        assert_eq!(answer("x\r\ny\u{7}"), "x\ny‹7›");
    }

    #[test]
    fn short_text_ends_in_an_ellipsis_only_if_something_was_cut() {
        assert_eq!(short("one  two\nthree", 20), "one two three");
        assert_eq!(short("one two three", 8), "one two…");
    }

    #[test]
    fn built_in_models_say_so() {
        assert_eq!(model_name("built-in/partner"), "partner (built-in)");
        assert_eq!(model_name("ollama/llama3.1:8b"), "llama3.1:8b");
        assert_eq!(model_name(""), "laptop's choice");
    }
}
