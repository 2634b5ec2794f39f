//! The latest presses, as a script may ask for them: what came out of a device, however it was meant.

use std::collections::VecDeque;
use std::fmt::Write;

use crate::input::{Edge, Press};

/// Presses that are remembered.
const MAX: usize = 48;

/// The latest presses.
#[derive(Debug, Default)]
pub struct Trail(VecDeque<Press>);

impl Trail {
    /// A press happened.
    pub fn note(&mut self, press: Press) {
        if self.0.len() == MAX {
            self.0.pop_front();
        }
        self.0.push_back(press);
    }

    /// All of them, oldest first: `+` closed, `-` opened, `*` repeats, `_` is held long, with the milliseconds of its clock.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for press in &self.0 {
            let sign = match press.edge {
                Edge::Press => '+',
                Edge::Release => '-',
                Edge::Repeat => '*',
                Edge::Hold => '_',
            };
            // Writing to a string cannot fail.
            let _ = write!(text, "{}{sign}{} ", press.button.label(), press.at.0);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Button;
    use crate::time::Millis;

    #[test]
    fn the_latest_presses_are_told_in_order() {
        let mut trail = Trail::default();
        for n in 0..60 {
            trail.note(Press::down(Button::A, Millis(n)));
        }
        trail.note(Press::up(Button::L1, Millis(99)));
        assert!(trail.text().starts_with("A+13 ") && trail.text().ends_with("A+59 L1-99 "));
    }
}
