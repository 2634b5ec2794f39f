//! The window and the memory of wrong digits.

use super::super::*;
use super::START;
use crate::time::Millis;

const NOW_S: u64 = 1_800_000_000;

#[test]
fn three_wrong_numbers_pause_for_ten_minutes_and_further_ones_for_twice_as_long() {
    let mut attempts = Attempts::default();
    let mut now = NOW_S;
    for pause in [600, 1200, 2400] {
        for _ in 0..2 {
            attempts.failed(now);
            assert_eq!(attempts.check(now), Ok(()));
        }
        attempts.failed(now);
        assert_eq!(attempts.check(now), Err(Paused { for_s: pause }));
        assert_eq!(attempts.check(now + pause - 1), Err(Paused { for_s: 1 }));
        now += pause;
        assert_eq!(attempts.check(now), Ok(()));
    }
}

#[test]
fn the_tenth_wrong_number_ends_the_day() {
    let mut attempts = Attempts::default();
    for _ in 0..9 {
        attempts.failed(NOW_S);
        attempts.succeeded();
    }
    assert_eq!(attempts.check(NOW_S), Ok(()));
    attempts.failed(NOW_S + 60);
    assert_eq!(
        attempts.check(NOW_S + 60),
        Err(Paused {
            for_s: 24 * 3600 - 60
        })
    );
    assert_eq!(attempts.check(NOW_S + 24 * 3600), Ok(()));
    attempts.failed(NOW_S + 24 * 3600);
    assert_eq!(attempts.check(NOW_S + 24 * 3600), Ok(()), "a new day");
}

#[test]
fn a_success_ends_the_row() {
    let mut attempts = Attempts::default();
    attempts.failed(NOW_S);
    attempts.failed(NOW_S);
    attempts.succeeded();
    attempts.failed(NOW_S);
    attempts.failed(NOW_S);
    assert_eq!(attempts.check(NOW_S), Ok(()));
}

#[test]
fn a_clock_set_back_shortens_and_a_restart_forgets_nothing() {
    let mut attempts = Attempts::default();
    (0..3).for_each(|_| attempts.failed(NOW_S));
    assert_eq!(attempts.check(0), Err(Paused { for_s: 600 }));
    let stored = postcard::to_allocvec(&attempts).unwrap();
    let mut restored: Attempts = postcard::from_bytes(&stored).unwrap();
    assert_eq!(restored, attempts);
    assert_eq!(restored.check(NOW_S + 1), Err(Paused { for_s: 599 }));
    assert_eq!(
        Window::open(&mut restored, NOW_S, START),
        Err(Paused { for_s: 599 })
    );
}

#[test]
fn a_window_admits_one_device_at_a_time_and_closes_by_itself() {
    let mut window = Window::open(&mut Attempts::default(), NOW_S, START).unwrap();
    assert_eq!(window.arrive(START), Admission::Admitted);
    window.left();
    assert_eq!(window.arrive(START), Admission::Admitted);
    window.left();
    assert_eq!(
        window.arrive(START.after(WINDOW_MS - 1)),
        Admission::Admitted
    );
    window.left();
    assert_eq!(window.arrive(START.after(WINDOW_MS)), Admission::Closed);
    assert_eq!(window.closes(), Millis(START.0 + WINDOW_MS));
}

#[test]
fn a_second_device_ends_the_window_for_both() {
    let mut window = Window::open(&mut Attempts::default(), NOW_S, START).unwrap();
    assert_eq!(window.arrive(START), Admission::Admitted);
    assert_eq!(window.arrive(START), Admission::Crowded);
    assert!(!window.is_open(START));
    assert_eq!(window.arrive(START), Admission::Closed);
}

#[test]
fn a_closed_window_admits_nobody() {
    let mut window = Window::open(&mut Attempts::default(), NOW_S, START).unwrap();
    window.close();
    assert_eq!(window.arrive(START), Admission::Closed);
}
