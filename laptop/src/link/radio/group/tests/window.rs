//! Push buttons, and the window in which they count.

use super::*;

const STRANGER: &str = "02:00:00:00:0e:00";

#[test]
fn a_stranger_s_push_does_not_put_the_first_out() {
    let mut laptop = up();
    push(&mut laptop);
    push_of(&mut laptop, STRANGER);
    laptop.group.window(Some(laptop.now + 200_000), laptop.now);
    laptop.settle();
    push_of(&mut laptop, STRANGER);
    assert_eq!(laptop.asked, [format!("WPS_PBC p2p_dev_addr={POCKET}")]);
    let refused = laptop
        .done
        .iter()
        .filter(|effect| matches!(effect, Effect::Crowded(_)));
    assert_eq!(refused.count(), 2);
    laptop.now += WALK_TIME;
    push_of(&mut laptop, STRANGER);
    let late = format!("WPS_PBC p2p_dev_addr={STRANGER}");
    assert!(laptop.asked.contains(&late), "the first has given up");
}

fn push(laptop: &mut Laptop) {
    push_of(laptop, POCKET);
}

fn push_of(laptop: &mut Laptop, device: &str) {
    laptop.say(
        "p2p-dev-wlan0",
        &format!("<3>P2P-PROV-DISC-PBC-REQ {device} p2p_dev_addr={device} pri_dev_type=0-00000000-0 name='pocket' config_methods=0x4288 dev_capab=0x25 group_capab=0x0 group=p2p-wlan0-0"),
    );
    laptop.settle();
}

#[test]
fn a_push_counts_only_while_the_window_is_open() {
    let mut laptop = up();
    push(&mut laptop);
    assert!(laptop.asked.is_empty());
    laptop.now += PUSH_AGE;
    laptop.group.window(Some(laptop.now + 120_000), laptop.now);
    laptop.settle();
    assert!(
        !laptop.asked.iter().any(|asked| asked.starts_with("WPS")),
        "an old push"
    );
    push(&mut laptop);
    assert!(
        laptop
            .asked
            .contains(&format!("WPS_PBC p2p_dev_addr={POCKET}"))
    );
    laptop.take();
    laptop.group.window(None, laptop.now);
    laptop.settle();
    assert_eq!(laptop.asked, ["WPS_CANCEL"]);
    push(&mut laptop);
    assert_eq!(laptop.asked, ["WPS_CANCEL"]);
}

#[test]
fn a_push_just_before_the_window_opens_counts() {
    let mut laptop = up();
    push(&mut laptop);
    laptop.now += 5_000;
    laptop.group.window(Some(laptop.now + 120_000), laptop.now);
    laptop.settle();
    assert_eq!(laptop.asked, [format!("WPS_PBC p2p_dev_addr={POCKET}")]);
}

#[test]
fn a_push_that_is_sent_twice_is_one() {
    let mut laptop = up();
    laptop.group.window(Some(laptop.now + 120_000), laptop.now);
    push(&mut laptop);
    push(&mut laptop);
    assert_eq!(laptop.asked.len(), 1);
    laptop.now += PUSH_ECHO;
    push(&mut laptop);
    assert_eq!(laptop.asked.len(), 2);
}

#[test]
fn the_window_closes_by_itself() {
    let mut laptop = up();
    laptop.group.window(Some(laptop.now + 3_000), laptop.now);
    push(&mut laptop);
    laptop.wait();
    assert_eq!(laptop.asked.last().map(String::as_str), Some("WPS_CANCEL"));
}
