//! Two pads, a stick beside a D-pad: a button is closed as long as anything holds it.

use super::button::Button;

/// How many contacts hold each button.
#[derive(Debug, Clone, Default)]
pub struct Holders([u16; Button::ALL.len()]);

impl Holders {
    /// Another contact closes or opens; true if that closes or opens the button.
    pub fn set(&mut self, button: Button, pressed: bool) -> bool {
        let count = &mut self.0[button.index()];
        if pressed {
            *count = count.saturating_add(1);
            *count == 1
        } else if *count == 0 {
            false
        } else {
            *count -= 1;
            *count == 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_to_let_go_opens() {
        let mut holders = Holders::default();
        assert!(holders.set(Button::Left, true));
        assert!(!holders.set(Button::Left, true));
        assert!(!holders.set(Button::Left, false));
        assert!(holders.set(Button::Left, false));
        assert!(!holders.set(Button::Left, false));
    }

    proptest! {
        /// Contacts that each alternate make a button that alternates and is closed exactly while one of them is.
        #[test]
        fn a_button_is_the_union_of_its_contacts(steps in prop::collection::vec(0usize..4, 0..100)) {
            let mut holders = Holders::default();
            let mut down = [false; 4];
            let mut closed = false;
            for contact in steps {
                down[contact] = !down[contact];
                if holders.set(Button::A, down[contact]) {
                    prop_assert_eq!(closed, !down[contact]);
                    closed = down[contact];
                }
                prop_assert_eq!(closed, down.contains(&true));
            }
        }
    }
}
