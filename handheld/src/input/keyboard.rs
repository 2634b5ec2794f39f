//! A desktop keyboard as the buttons of a handheld: one table for SDL (USB usage numbers) and for evdev, shown in help.

use super::button::Button;

/// One key of a desktop keyboard and the button that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyboardKey {
    /// The key's name as help shows it.
    pub name: &'static str,
    /// Linux `KEY_*` code.
    pub evdev: u16,
    /// USB HID keyboard usage, which is also the SDL scancode.
    pub usage: u16,
    /// The button.
    pub button: Button,
}

const fn key(name: &'static str, evdev: u16, usage: u16, button: Button) -> KeyboardKey {
    KeyboardKey {
        name,
        evdev,
        usage,
        button,
    }
}

/// The desktop keyboard. Z X A S lie as B A Y X do on the pad; Q W E R are the shoulders from left to right.
/// The first row of a button is the one to show; later rows are conveniences.
pub const KEYBOARD: &[KeyboardKey] = &[
    key("↑", 103, 82, Button::Up),
    key("↓", 108, 81, Button::Down),
    key("←", 105, 80, Button::Left),
    key("→", 106, 79, Button::Right),
    key("X", 45, 27, Button::A),
    key("Z", 44, 29, Button::B),
    key("S", 31, 22, Button::X),
    key("A", 30, 4, Button::Y),
    key("Q", 16, 20, Button::L1),
    key("W", 17, 26, Button::L2),
    key("E", 18, 8, Button::R2),
    key("R", 19, 21, Button::R1),
    key("Enter", 28, 40, Button::Start),
    key("Tab", 15, 43, Button::Select),
    key("Home", 102, 74, Button::Menu),
    key("Space", 57, 44, Button::R1),
    key("Backspace", 14, 42, Button::B),
    key("Esc", 1, 41, Button::B),
    key("Right Shift", 54, 229, Button::Select),
];

/// The button of an SDL scancode.
#[must_use]
pub fn button_of_usage(usage: u16) -> Option<Button> {
    KEYBOARD
        .iter()
        .find(|key| key.usage == usage)
        .map(|key| key.button)
}

/// The button of a Linux key code.
#[must_use]
pub fn button_of_evdev(code: u16) -> Option<Button> {
    KEYBOARD
        .iter()
        .find(|key| key.evdev == code)
        .map(|key| key.button)
}

/// The key to show for `button` when a desktop keyboard is in use.
#[must_use]
pub fn key_name(button: Button) -> &'static str {
    KEYBOARD
        .iter()
        .find(|key| key.button == button)
        .map_or("", |key| key.name)
}

/// The table as lines of text for help: `Z  B`, with all keys of a button on one line.
#[must_use]
pub fn help_lines() -> Vec<String> {
    Button::ALL
        .into_iter()
        .map(|button| {
            let names: Vec<_> = KEYBOARD
                .iter()
                .filter(|key| key.button == button)
                .map(|key| key.name)
                .collect();
            format!("{}: {}", button.label(), names.join(", "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_button_has_a_key_and_no_key_two_buttons() {
        for button in Button::ALL {
            assert!(!key_name(button).is_empty(), "{button:?}");
        }
        for (index, key) in KEYBOARD.iter().enumerate() {
            assert!(
                KEYBOARD[..index]
                    .iter()
                    .all(|other| other.usage != key.usage && other.evdev != key.evdev)
            );
        }
    }

    #[test]
    fn both_numberings_name_the_same_key() {
        // From linux/input-event-codes.h and the USB HID usage tables, page 7.
        assert_eq!(
            (button_of_evdev(44), button_of_usage(29)),
            (Some(Button::B), Some(Button::B))
        );
        assert_eq!(
            (button_of_evdev(28), button_of_usage(40)),
            (Some(Button::Start), Some(Button::Start))
        );
        assert_eq!((button_of_evdev(2), button_of_usage(30)), (None, None));
    }

    #[test]
    fn help_names_all_keys_of_a_button() {
        assert!(help_lines().contains(&"B: Z, Backspace, Esc".to_owned()));
    }
}
