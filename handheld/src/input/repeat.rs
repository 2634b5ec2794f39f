//! Autorepeat, long press and chords from timestamps. Deadlines are data: the caller sleeps until
//! [`Tracker::next_wake`] and then drains [`Tracker::due`]; with nothing held there is no deadline at all.

use super::button::{Button, ButtonSet, Edge, Press};
use crate::time::Millis;

/// A held button starts to repeat after this many milliseconds.
pub const REPEAT_AFTER: u64 = 400;
/// Repeats a second once repeating.
pub const REPEATS_PER_SECOND: u64 = 12;
/// Long press of a shoulder button, in milliseconds.
pub const SHOULDER_HOLD: u64 = 300;
/// Long press of every other button, in milliseconds.
pub const HOLD: u64 = 400;

/// The long-press time of `button` in milliseconds; the D-pad has none, since it repeats.
#[must_use]
pub const fn hold_after(button: Button) -> Option<u64> {
    match button {
        Button::Up | Button::Down | Button::Left | Button::Right => None,
        Button::L1 | Button::L2 | Button::R1 | Button::R2 => Some(SHOULDER_HOLD),
        _ => Some(HOLD),
    }
}

/// Whether `button` repeats while held: movement, deletion and paging do, decisions do not.
#[must_use]
pub const fn repeats(button: Button) -> bool {
    matches!(
        button,
        Button::Up
            | Button::Down
            | Button::Left
            | Button::Right
            | Button::B
            | Button::L1
            | Button::R1
            | Button::L2
            | Button::R2
    )
}

#[derive(Debug, Clone, Copy)]
struct Held {
    down_at: Millis,
    with: ButtonSet,
    hold_at: Option<Millis>,
    /// The instant that the repeat rhythm counts from, and how many repeats have passed since.
    rhythm: Option<(Millis, u64)>,
}

impl Held {
    fn repeat_at(&self) -> Option<Millis> {
        self.rhythm
            .map(|(start, count)| start.plus(count * 1000 / REPEATS_PER_SECOND))
    }
}

/// Follows which buttons are held and makes [`Press`]es of them.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    held: [Option<Held>; Button::ALL.len()],
}

impl Tracker {
    /// Nothing held.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The buttons held now.
    #[must_use]
    pub fn held(&self) -> ButtonSet {
        Button::ALL
            .into_iter()
            .filter(|button| self.held[button.index()].is_some())
            .fold(ButtonSet::EMPTY, ButtonSet::with)
    }

    /// A device reports `button` closed or opened. A report of what is already known makes no press.
    ///
    /// Drain [`Tracker::due`] first, so that a long press that has just become due comes before its release.
    pub fn set(&mut self, button: Button, pressed: bool, now: Millis) -> Option<Press> {
        let index = button.index();
        if !pressed {
            let held = self.held[index].take()?;
            return Some(Press {
                button,
                edge: Edge::Release,
                at: now,
                down_at: held.down_at,
                with: held.with,
            });
        }
        if self.held[index].is_some() {
            return None;
        }
        let with = self.held();
        for other in self.held.iter_mut().flatten() {
            other.with = other.with.with(button);
        }
        self.held[index] = Some(Held {
            down_at: now,
            with,
            hold_at: hold_after(button).map(|ms| now.plus(ms)),
            rhythm: repeats(button).then_some((now.plus(REPEAT_AFTER), 0)),
        });
        Some(Press {
            button,
            edge: Edge::Press,
            at: now,
            down_at: now,
            with,
        })
    }

    /// When [`Tracker::due`] next has something; `None` while no held button waits for anything.
    #[must_use]
    pub fn next_wake(&self) -> Option<Millis> {
        self.held
            .iter()
            .flatten()
            .flat_map(|held| [held.hold_at, held.repeat_at()])
            .flatten()
            .min()
    }

    /// The next long press or repeat that is due by `now`; call until `None`.
    ///
    /// After a stall (a suspended device, a slow frame) a button repeats once, not once for each missed turn.
    pub fn due(&mut self, now: Millis) -> Option<Press> {
        for button in Button::ALL {
            let Some(held) = &mut self.held[button.index()] else {
                continue;
            };
            let press = |edge| Press {
                button,
                edge,
                at: now,
                down_at: held.down_at,
                with: held.with,
            };
            if held.hold_at.is_some_and(|at| at <= now) {
                let press = press(Edge::Hold);
                held.hold_at = None;
                return Some(press);
            }
            let (Some(at), Some((start, count))) = (held.repeat_at(), held.rhythm) else {
                continue;
            };
            if at <= now {
                let press = press(Edge::Repeat);
                held.rhythm = Some((start, count + 1));
                if held.repeat_at().is_some_and(|next| next <= now) {
                    held.rhythm = Some((now, 1));
                }
                return Some(press);
            }
        }
        None
    }

    /// The device went away: every held button opens. Call until `None`.
    pub fn release_next(&mut self, now: Millis) -> Option<Press> {
        let button = self.held().iter().next()?;
        self.set(button, false, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(tracker: &mut Tracker, until: u64) -> Vec<(Button, Edge, u64)> {
        let mut seen = Vec::new();
        while let Some(at) = tracker.next_wake().filter(|at| at.0 <= until) {
            while let Some(press) = tracker.due(at) {
                seen.push((press.button, press.edge, at.0));
            }
        }
        seen
    }

    #[test]
    fn the_pad_repeats_after_400_ms_twelve_times_a_second() {
        let mut tracker = Tracker::new();
        tracker.set(Button::Down, true, Millis(1000));
        let seen = drain(&mut tracker, 2399);
        assert_eq!(seen.len(), 12);
        assert_eq!(seen[0], (Button::Down, Edge::Repeat, 1400));
        assert_eq!(seen[1].2, 1483);
        assert_eq!(seen[11].2, 2316);
    }

    #[test]
    fn shoulders_are_long_after_300_ms_and_the_rest_after_400() {
        for (button, ms) in [
            (Button::L1, 300),
            (Button::R2, 300),
            (Button::A, 400),
            (Button::Select, 400),
        ] {
            let mut tracker = Tracker::new();
            tracker.set(button, true, Millis(50));
            assert_eq!(drain(&mut tracker, 50 + ms - 1), []);
            assert_eq!(
                drain(&mut tracker, 50 + ms)[0],
                (button, Edge::Hold, 50 + ms)
            );
        }
    }

    #[test]
    fn decisions_do_not_repeat_and_then_wait_for_nothing() {
        let mut tracker = Tracker::new();
        tracker.set(Button::A, true, Millis(0));
        assert_eq!(drain(&mut tracker, 10_000), [(Button::A, Edge::Hold, 400)]);
        assert_eq!(tracker.next_wake(), None);
    }

    #[test]
    fn a_released_button_has_no_deadline() {
        let mut tracker = Tracker::new();
        tracker.set(Button::B, true, Millis(0));
        assert_eq!(tracker.next_wake(), Some(Millis(400)));
        let up = tracker.set(Button::B, false, Millis(40)).unwrap();
        assert_eq!(
            (up.edge, up.down_at, up.was_long()),
            (Edge::Release, Millis(0), false)
        );
        assert_eq!(tracker.next_wake(), None);
        assert_eq!(tracker.due(Millis(1000)), None);
    }

    #[test]
    fn a_stall_costs_one_repeat_and_keeps_the_rhythm() {
        let mut tracker = Tracker::new();
        tracker.set(Button::Up, true, Millis(0));
        assert_eq!(tracker.due(Millis(60_000)).unwrap().edge, Edge::Repeat);
        assert_eq!(tracker.due(Millis(60_000)), None);
        assert_eq!(tracker.next_wake(), Some(Millis(60_083)));
    }

    #[test]
    fn both_ends_of_a_chord_name_the_other_button() {
        let mut tracker = Tracker::new();
        assert!(
            !tracker
                .set(Button::Start, true, Millis(0))
                .unwrap()
                .is_quit_chord()
        );
        assert!(
            tracker
                .set(Button::Select, true, Millis(30))
                .unwrap()
                .is_quit_chord()
        );
        let start = tracker.set(Button::Start, false, Millis(60)).unwrap();
        assert!(start.with.contains(Button::Select));
        let select = tracker.set(Button::Select, false, Millis(90)).unwrap();
        assert!(select.with.contains(Button::Start));
        // A later click of the same button has forgotten the chord.
        tracker.set(Button::Start, true, Millis(200));
        assert!(
            tracker
                .set(Button::Start, false, Millis(220))
                .unwrap()
                .with
                .is_empty()
        );
    }

    #[test]
    fn reports_of_the_known_state_make_no_press() {
        let mut tracker = Tracker::new();
        assert_eq!(tracker.set(Button::X, false, Millis(0)), None);
        assert!(tracker.set(Button::X, true, Millis(0)).is_some());
        assert_eq!(tracker.set(Button::X, true, Millis(9)), None);
    }

    #[test]
    fn a_lost_device_releases_everything() {
        let mut tracker = Tracker::new();
        tracker.set(Button::Up, true, Millis(0));
        tracker.set(Button::A, true, Millis(0));
        let mut released = Vec::new();
        while let Some(press) = tracker.release_next(Millis(5)) {
            released.push((press.button, press.edge));
        }
        assert_eq!(
            released,
            [(Button::Up, Edge::Release), (Button::A, Edge::Release)]
        );
        assert!(tracker.held().is_empty());
    }

    proptest! {
        /// Two presses are a chord exactly where they overlap, by their stamps alone; the second makes it, both releases tell of it.
        #[test]
        fn a_chord_is_an_overlap(start in 0u64..1000, long in 1u64..1000, second in 0u64..2000, brief in 1u64..1000) {
            let mut tracker = Tracker::new();
            let second = start + second;
            let mut reports = [
                (start, Button::L1, true),
                (start + long, Button::L1, false),
                (second, Button::R1, true),
                (second + brief, Button::R1, false),
            ];
            reports.sort_by_key(|(at, button, _)| (*at, *button));
            let mut chords = 0;
            let mut told = 0;
            for (at, button, pressed) in reports {
                while tracker.due(Millis(at)).is_some() {}
                let press = tracker.set(button, pressed, Millis(at)).unwrap();
                prop_assert_eq!(press.at, Millis(at));
                chords += u32::from(press.is_chord(Button::R1, Button::L1));
                told += u32::from(press.edge == Edge::Release && !press.with.is_empty());
            }
            let overlaps = second < start + long;
            prop_assert_eq!((chords, told), if overlaps { (1, 2) } else { (0, 0) });
        }

        /// A button that is let go before its time is never long and never repeats, whatever happens in between.
        #[test]
        fn a_brief_press_is_only_a_press(index in 0usize..15, held in 0u64..300, late in 0u64..5000) {
            let button = Button::ALL[index];
            let mut tracker = Tracker::new();
            tracker.set(button, true, Millis(10));
            prop_assert_eq!(tracker.due(Millis(10 + held)), None);
            let up = tracker.set(button, false, Millis(10 + held)).unwrap();
            prop_assert!(!up.was_long());
            prop_assert_eq!(tracker.due(Millis(10 + held + late)), None);
        }

        #[test]
        fn downs_and_ups_always_alternate(reports in prop::collection::vec((0usize..15, any::<bool>(), 0u64..500), 0..200)) {
            let mut tracker = Tracker::new();
            let mut now = Millis(0);
            let mut down = ButtonSet::EMPTY;
            for (index, pressed, wait) in reports {
                now = now.plus(wait);
                while let Some(press) = tracker.due(now) {
                    prop_assert!(down.contains(press.button));
                }
                prop_assert!(tracker.next_wake().is_none_or(|at| at > now));
                if let Some(press) = tracker.set(Button::ALL[index], pressed, now) {
                    prop_assert_eq!(down.contains(press.button), press.edge == Edge::Release);
                    down = if pressed { down.with(press.button) } else { down.without(press.button) };
                }
                prop_assert_eq!(down, tracker.held());
            }
        }
    }
}
