//! Turns at a service, the laptop's own state, and the day's seconds.

use super::*;

/// The office's hub anew, with other sharing.
fn shared(office: &mut Office, sharing: Sharing) {
    let settings = Settings {
        sharing,
        ..(*office.hub.settings()).clone()
    };
    let services = office.hub.services.clone();
    office.hub = Hub::new(Arc::clone(&office.hub.store), settings, services).unwrap();
}

/// A machine on battery, `percent` full.
fn on_battery(office: &Office, percent: &str) -> PathBuf {
    let root = office.folder.0.join("machine");
    let battery = root.join("sys/class/power_supply/BAT0");
    std::fs::create_dir_all(&battery).unwrap();
    for (name, text) in [
        ("type", "Battery\n"),
        ("status", "Discharging\n"),
        ("capacity", percent),
    ] {
        std::fs::write(battery.join(name), text).unwrap();
    }
    root
}

#[test]
fn one_at_a_time_means_that_the_next_waits_and_says_so() {
    let mut office = Office::new("turns");
    shared(
        &mut office,
        Sharing {
            language_at_once: 1,
            ..calm()
        },
    );
    let first = office.submit(1, "wait").unwrap();
    until(&first, |view| (!view.streams.is_empty()).then_some(()));
    let second = office.submit(2, "hello").unwrap();
    let place = until(&second, |view| match view.phase {
        Some(Phase::Queued { ahead, busy }) => Some((ahead, busy)),
        _ => None,
    });
    assert_eq!(place, (0, 0));
    assert_eq!(office.hub.queues()[0], ("language", 1, 1));
    let third = office.submit(3, "hello").unwrap();
    until(&third, |view| match view.phase {
        Some(Phase::Queued { ahead: 1, .. }) => Some(()),
        _ => None,
    });
    // One that waits can be stopped, and the others move up.
    office.hub.cancel(office.relationship, RequestId(2));
    assert_eq!(code(&end(&second)), Some(ErrorCode::Cancelled));
    until(&third, |view| match view.phase {
        Some(Phase::Queued { ahead: 0, .. }) => Some(()),
        _ => None,
    });
    office.hub.cancel(office.relationship, RequestId(1));
    end(&first);
    assert!(matches!(end(&third), Ended::Done(_)));
    assert_eq!(office.hub.queues()[0], ("language", 0, 0));
    assert_eq!(office.asked(), 2, "what was stopped in line never ran");
}

#[test]
fn a_permission_that_is_withdrawn_reaches_one_that_waits() {
    let mut office = Office::new("turns-denied");
    shared(
        &mut office,
        Sharing {
            language_at_once: 1,
            ..calm()
        },
    );
    let first = office.submit(1, "wait").unwrap();
    until(&first, |view| (!view.streams.is_empty()).then_some(()));
    let second = office.submit(2, "hello").unwrap();
    until(&second, |view| {
        matches!(view.phase, Some(Phase::Queued { .. })).then_some(())
    });
    office.permit(Rule::Deny);
    assert_eq!(code(&end(&second)), Some(ErrorCode::Denied));
    assert_eq!(office.asked(), 1);
}

#[test]
fn a_low_battery_refuses_by_name_and_nothing_runs() {
    let mut office = Office::new("battery");
    let root = on_battery(&office, "12\n");
    shared(&mut office, Sharing { root, ..calm() });
    let work = office.submit(1, "hello").unwrap();
    match end(&work) {
        Ended::Failed { code, detail, .. } => {
            assert_eq!(code, ErrorCode::Spared);
            assert!(detail.contains("battery is at 12 %"), "{detail}");
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(office.asked(), 0);
    on_battery(&office, "22\n");
    let small = office.submit(2, "hello").unwrap();
    assert!(matches!(end(&small), Ended::Done(_)), "a short text runs");
}

#[test]
fn the_seconds_of_a_day_end_what_runs_and_refuse_what_comes() {
    let office = Office::new("seconds");
    let limit = |seconds| {
        office
            .hub
            .store
            .change_profile(office.relationship, |profile| {
                profile.seconds_per_day = seconds;
            })
            .unwrap();
    };
    limit(1);
    let work = office.submit(1, "wait").unwrap();
    match end(&work) {
        Ended::Failed { code, detail, .. } => {
            assert_eq!(code, ErrorCode::QuotaExceeded, "{detail}");
            assert!(detail.contains("seconds of work"), "{detail}");
        }
        other => panic!("expected an end, got {other:?}"),
    }
    let day = office.hub.store.local_day(office.hub.wall()).unwrap();
    let used = office.hub.store.usage(office.relationship, day).unwrap();
    assert!(used.seconds >= 1, "{used:?}");
    let refused = office.submit(2, "hello").err().unwrap();
    assert_eq!(refused.fault.code, ErrorCode::QuotaExceeded);
    limit(100);
    assert!(matches!(
        end(&office.submit(3, "hello").unwrap()),
        Ended::Done(_)
    ));
}

#[test]
fn other_manners_count_for_what_waits_and_what_comes() {
    let mut office = Office::new("turns-adjusted");
    let root = on_battery(&office, "12\n");
    let sharing = |places, spare| Sharing {
        language_at_once: places,
        root: root.clone(),
        manners: crate::policy::Manners {
            spare_battery: spare,
            ..crate::policy::Manners::default()
        },
        ..calm()
    };
    shared(&mut office, sharing(1, false));
    let set = |places, spare| {
        let settings = Settings {
            sharing: sharing(places, spare),
            ..(*office.hub.settings()).clone()
        };
        office.hub.set_settings(settings);
    };
    let first = office.submit(1, "wait").unwrap();
    until(&first, |view| (!view.streams.is_empty()).then_some(()));
    let second = office.submit(2, "hello").unwrap();
    until(&second, |view| {
        matches!(view.phase, Some(Phase::Queued { .. })).then_some(())
    });
    // More places: who waits goes on, without anybody having left. No device holds more than half of them.
    set(4, false);
    assert!(matches!(end(&second), Ended::Done(_)));
    // The battery counts from now on, and what runs goes on.
    set(4, true);
    let refused = office.submit(3, "hello").unwrap();
    assert_eq!(code(&end(&refused)), Some(ErrorCode::Spared));
    assert_eq!(office.hub.queues()[0], ("language", 1, 0));
    office.hub.cancel(office.relationship, RequestId(1));
    end(&first);
}
