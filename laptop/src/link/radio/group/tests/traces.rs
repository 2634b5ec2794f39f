//! What earlier processes left, and what this one puts back.

use super::*;

#[test]
fn what_has_to_be_put_back_is_kept_before_it_is_changed() {
    let mut laptop = Laptop::new();
    laptop
        .settings
        .insert("device_name".to_owned(), "x1".to_owned());
    laptop.run();
    let kept = laptop.done.iter().find_map(|effect| match effect {
        Effect::Keep(Some(before)) => Some(before.clone()),
        _ => None,
    });
    let values = [
        ("device_name", "x1"),
        ("model_name", ""),
        ("config_methods", ""),
        ("p2p_intra_bss", "1"),
    ];
    assert_eq!(
        kept.expect("kept").values,
        values.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let (kept_at, set_at) = (
        laptop
            .done
            .iter()
            .position(|effect| matches!(effect, Effect::Keep(_))),
        laptop.asked.len(),
    );
    assert!(kept_at.is_some() && set_at > 0);
}

#[test]
fn what_was_before_is_read_whole_or_again() {
    let mut laptop = Laptop::new();
    laptop
        .settings
        .insert("device_name".to_owned(), "x1".to_owned());
    let world = laptop.world();
    laptop.group.world(world, laptop.now);
    // The supplicant goes after the first of them.
    while let Some(effect) = laptop.group.poll() {
        let Effect::Ask(socket, command) = effect else {
            continue;
        };
        let asked = command.text();
        let reply = laptop.answer(&socket, &asked);
        laptop.group.reply(reply.as_deref(), laptop.now);
        if asked == "GET device_name" {
            break;
        }
    }
    laptop.restart_supplicant();
    laptop
        .settings
        .insert("device_name".to_owned(), "x1".to_owned());
    laptop.run();
    laptop.wait();
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.settings["device_name"], "x1");
    assert_eq!(laptop.settings["p2p_intra_bss"], "1");
}

#[test]
fn stopping_puts_everything_back() {
    let mut laptop = Laptop::new();
    laptop
        .settings
        .insert("device_name".to_owned(), "x1".to_owned());
    laptop.run();
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.running, None);
    assert!(laptop.blocks.is_empty());
    assert_eq!(laptop.settings["device_name"], "x1");
    assert_eq!(laptop.settings["model_name"], "");
    assert_eq!(laptop.settings["p2p_intra_bss"], "1");
    let last = &laptop.done[laptop.done.len() - 4..];
    assert_eq!(
        last,
        [
            Effect::Close,
            Effect::Hear(Vec::new()),
            Effect::Keep(None),
            Effect::Done
        ]
    );
    assert_eq!(laptop.group.deadline(), None);
}

#[test]
fn stopping_waits_for_a_group_that_is_about_to_come_up() {
    let mut laptop = Laptop::new();
    laptop.stalls = true;
    laptop.run();
    laptop.take();
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert!(!laptop.done.contains(&Effect::Done));
    laptop.running = Some(("p2p-wlan0-0".to_owned(), 2462));
    laptop.say("p2p-dev-wlan0", &format!("<3>P2P-GROUP-STARTED p2p-wlan0-0 GO ssid=\"{SSID}\" freq=2462 go_dev_addr=02:00:00:00:0a:00"));
    laptop.run();
    assert_eq!(laptop.running, None);
    assert!(laptop.done.contains(&Effect::Done));
}

#[test]
fn stopping_ends_though_nobody_answers() {
    let mut laptop = up();
    laptop.sockets.clear();
    laptop.running = None;
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert!(laptop.done.contains(&Effect::Done));
}

#[test]
fn a_killed_process_leaves_a_group_that_the_next_takes_over() {
    let mut laptop = up();
    let before = laptop.group.before.clone();
    laptop.group = Group::new(wanted(), identity(), before);
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.starts_with("P2P_GROUP"))
    );
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.starts_with("GET device_name")),
        "what we set is not what was before"
    );
    assert_eq!(laptop.blocks.len(), 1);
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.settings["p2p_intra_bss"], "1");
    assert!(laptop.blocks.is_empty() && laptop.running.is_none());
}

#[test]
fn a_group_with_another_passphrase_is_removed_first() {
    let mut laptop = up();
    let mut changed = identity();
    changed.passphrase = "another-one".to_owned();
    laptop.group = Group::new(wanted(), changed, None);
    laptop.run();
    assert!(
        laptop
            .asked
            .contains(&"P2P_GROUP_REMOVE p2p-wlan0-0".to_owned())
    );
    assert!(laptop.done.contains(&open("p2p-wlan0-1", 2462)));
    assert_eq!(laptop.blocks.values().next().expect("one").1, "another-one");
}

#[test]
fn blocks_of_an_earlier_process_are_removed() {
    let mut laptop = Laptop::new();
    laptop.blocks.insert(0, ("home".to_owned(), "x".to_owned()));
    laptop.blocks.insert(1, (SSID.to_owned(), "old".to_owned()));
    laptop.blocks.insert(2, (SSID.to_owned(), "old".to_owned()));
    laptop.run();
    let ids: Vec<_> = laptop
        .blocks
        .values()
        .map(|(ssid, _)| ssid.as_str())
        .collect();
    assert_eq!(ids, ["home", SSID]);
}

#[test]
fn an_interface_that_refuses_is_put_back_before_the_next_is_changed() {
    let mut laptop = Laptop::new();
    laptop
        .settings
        .insert("device_name".to_owned(), "x1".to_owned());
    laptop.allowed = vec![2412];
    laptop.station = Some(5180);
    laptop.run();
    assert!(
        laptop
            .asked
            .contains(&"SET device_name Ada's ThinkPad".to_owned())
    );
    assert!(laptop.told().is_some(), "the last one refuses");
    assert_eq!(laptop.settings["device_name"], "x1");
    assert!(laptop.blocks.is_empty());
    assert_eq!(
        laptop
            .done
            .iter()
            .rfind(|effect| matches!(effect, Effect::Keep(_))),
        Some(&Effect::Keep(None))
    );
}

#[test]
fn what_was_changed_on_another_interface_is_put_back_first() {
    let mut laptop = Laptop::new();
    laptop.sockets.push("wlan1".to_owned());
    let old = Before {
        socket: "wlan1".to_owned(),
        values: vec![("device_name".to_owned(), "x1".to_owned())],
    };
    laptop.group = Group::new(wanted(), identity(), Some(old));
    laptop
        .settings
        .insert("device_name".to_owned(), "Ada's ThinkPad".to_owned());
    laptop.run();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.settings["device_name"], "x1");
}

#[test]
fn a_group_that_a_slow_answer_hid_is_removed_by_a_stop() {
    let mut laptop = up();
    laptop.now += LOOK_INTERVAL;
    laptop.group.tick(laptop.now);
    assert!(matches!(laptop.group.poll(), Some(Effect::Ask(..))));
    laptop.group.reply(None, laptop.now);
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.running, None);
    assert!(laptop.done.contains(&Effect::Done));
}

/// One whose start was given up, and whose group may still come up.
fn given_up() -> Laptop {
    let mut laptop = Laptop::new();
    laptop.stalls = true;
    laptop.run();
    laptop.wait();
    assert!(matches!(laptop.group.phase, Phase::Resting { .. }));
    laptop.take();
    laptop
}

fn comes_late(laptop: &mut Laptop) {
    laptop.running = Some(("p2p-wlan0-0".to_owned(), 2462));
    laptop.say("p2p-dev-wlan0", &format!("<3>P2P-GROUP-STARTED p2p-wlan0-0 GO ssid=\"{SSID}\" freq=2462 go_dev_addr=02:00:00:00:0a:00"));
    laptop.settle();
}

#[test]
fn a_group_that_comes_up_late_is_removed_by_a_stop() {
    let mut laptop = given_up();
    comes_late(&mut laptop);
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert_eq!(laptop.running, None);
    let mut laptop = given_up();
    laptop.group.stop(laptop.now);
    laptop.settle();
    assert!(!laptop.done.contains(&Effect::Done), "it may still come");
    comes_late(&mut laptop);
    laptop.run();
    assert_eq!(laptop.running, None);
    assert!(laptop.done.contains(&Effect::Done));
}

#[test]
fn a_group_that_comes_up_late_is_taken_over() {
    let mut laptop = given_up();
    comes_late(&mut laptop);
    assert_eq!(laptop.group.deadline(), Some(laptop.now + SETTLE));
    laptop.run();
    laptop.wait();
    assert!(laptop.done.contains(&open("p2p-wlan0-0", 2462)));
    assert!(
        !laptop
            .asked
            .iter()
            .any(|asked| asked.starts_with("P2P_GROUP"))
    );
}
