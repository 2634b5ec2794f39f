use super::*;
use crate::link::radio::trouble::Switch;
use crate::link::radio::world::Socket;
use crate::link::radio::world::tests::Laptop;
use shared_proto::supplicant::Mac;
use std::path::PathBuf;

fn world(sockets: &[&str]) -> World {
    World {
        interfaces: vec!["wlan0".to_owned()],
        sockets: sockets
            .iter()
            .map(|name| Socket {
                name: (*name).to_owned(),
                path: PathBuf::from("/run/wpa_supplicant").join(name),
                id: (1, 0),
                open: true,
            })
            .collect(),
        ..World::default()
    }
}

fn able() -> Answers {
    Answers {
        interface: "wlan0".to_owned(),
        p2p: "p2p-dev-wlan0".to_owned(),
        answers: true,
        built: true,
        device: Some(Mac([2, 0, 0, 0, 0x0a, 0])),
        concurrent: true,
        owner: false,
        station: None,
        allowed: vec![2412, 2437, 2462],
    }
}

fn table(world: World, answers: Vec<Answers>) -> Vec<Finding> {
    let evidence = Evidence {
        world,
        answers,
        firewalls: Vec::new(),
        ipv6_off: false,
        removed: false,
        routed: false,
    };
    judge(&evidence, None, 8144)
}

/// The line that is not fine: what it is about, how bad, and what mends it.
fn worst(table: &[Finding]) -> (&'static str, Verdict, String) {
    let found: Vec<_> = table
        .iter()
        .filter(|finding| finding.verdict != Verdict::Fine)
        .collect();
    assert_eq!(found.len(), 1, "{table:?}");
    let finding = found[0];
    (
        finding.what,
        finding.verdict,
        finding.remedy.clone().unwrap_or_default(),
    )
}

#[test]
fn a_laptop_that_can_has_nothing_to_mend() {
    let table = table(world(&["p2p-dev-wlan0", "wlan0"]), vec![able()]);
    assert!(
        table.iter().all(|finding| finding.verdict == Verdict::Fine),
        "{table:?}"
    );
    let whats: Vec<_> = table.iter().map(|finding| finding.what).collect();
    assert_eq!(
        whats,
        [
            "Wi-Fi device",
            "radio switch",
            "Wi-Fi Direct",
            "channel",
            "IPv6",
            "firewall"
        ]
    );
    assert_eq!(table[3].words, "2412, 2437, 2462 MHz may be used");
}

#[test]
fn what_is_missing_comes_with_what_mends_it() {
    let mut none = world(&[]);
    none.interfaces.clear();
    assert_eq!(
        worst(&table(none, vec![])),
        ("Wi-Fi device", Verdict::Fault, String::new())
    );
    let mut off = world(&["wlan0"]);
    off.blocked = Some(Switch::Soft);
    assert_eq!(
        worst(&table(off, vec![])),
        (
            "radio switch",
            Verdict::Fault,
            "rfkill unblock wifi".to_owned()
        )
    );
    assert_eq!(
        worst(&table(world(&[]), vec![])),
        (
            "wpa_supplicant",
            Verdict::Fault,
            Trouble::NoSupplicant.remedy().expect("one")
        )
    );
    assert_eq!(
        worst(&table(world(&["wlan9"]), vec![])),
        (
            "wpa_supplicant",
            Verdict::Fault,
            "nmcli device set wlan0 managed yes".to_owned()
        )
    );
    let mut iwd = world(&[]);
    iwd.iwd = true;
    assert!(worst(&table(iwd, vec![])).2.contains("disable --now iwd"));
    let mut denied = world(&["wlan0"]);
    denied.sockets[0].open = false;
    assert!(
        worst(&table(denied, vec![]))
            .2
            .starts_with("sudo usermod -aG netdev")
    );
    let mut closed = world(&[]);
    closed.denied = Some(PathBuf::from("/run/wpa_supplicant"));
    assert_eq!(worst(&table(closed, vec![])).0, "permission");
}

#[test]
fn what_an_interface_cannot_do_is_named() {
    let judged = |change: fn(&mut Answers)| {
        let mut answers = able();
        change(&mut answers);
        unfit(&answers)
    };
    let wlan0 = || "wlan0".to_owned();
    assert_eq!(judged(|_| ()), None);
    assert_eq!(
        judged(|answers| answers.answers = false),
        Some(Trouble::Silent(wlan0()))
    );
    assert_eq!(
        judged(|answers| answers.built = false),
        Some(Trouble::NoP2pInSupplicant(wlan0()))
    );
    assert_eq!(
        judged(|answers| answers.device = None),
        Some(Trouble::NoP2pInDriver(wlan0()))
    );
    assert_eq!(
        judged(|answers| answers.allowed = vec![5180]),
        Some(Trouble::NoChannel(wlan0()))
    );
    assert_eq!(
        judged(|answers| answers.allowed.clear()),
        None,
        "an old supplicant does not say"
    );
    assert_eq!(
        judged(|answers| answers.concurrent = false),
        None,
        "nothing is beside it"
    );
    let busy = |answers: &mut Answers| (answers.concurrent, answers.station) = (false, Some(2412));
    assert_eq!(judged(busy), Some(Trouble::Occupied(wlan0())));
}

#[test]
fn a_second_interface_that_cannot_is_only_a_warning() {
    let mut other = able();
    (other.interface, other.device) = ("wlan1".to_owned(), None);
    let table = table(world(&["p2p-dev-wlan0", "wlan0"]), vec![other, able()]);
    assert_eq!(worst(&table).1, Verdict::Warn);
}

#[test]
fn a_network_where_no_group_may_start_is_warned_of() {
    let mut answers = able();
    answers.station = Some(5500);
    let table = table(world(&["p2p-dev-wlan0", "wlan0"]), vec![answers]);
    let (what, verdict, remedy) = worst(&table);
    assert_eq!((what, verdict), ("channel", Verdict::Warn));
    assert!(remedy.contains("1 to 11"));
}

#[test]
fn a_named_interface_that_is_not_there_is_named() {
    let missing = missing(&world(&["wlan0"]), Some("wlan7"));
    assert_eq!(missing, Some(Trouble::NoInterface("wlan7".to_owned())));
}

#[test]
fn groups_are_no_interfaces_to_make_groups_on() {
    let mut world = world(&["wlan0"]);
    world.interfaces.insert(0, "p2p-wlan0-0".to_owned());
    assert_eq!(candidates(&world, None), ["wlan0"]);
}

#[test]
fn firewalls_and_ipv6_have_their_lines() {
    let firewall = |tcp, udp| Firewall {
        name: "ufw",
        tcp,
        udp,
        remedy: "sudo ufw allow".to_owned(),
    };
    for (tcp, udp, verdict) in [
        (Passage::Open, Passage::Open, Verdict::Fine),
        (Passage::Closed, Passage::Open, Verdict::Fault),
        (Passage::Open, Passage::Closed, Verdict::Warn),
        (Passage::Unreadable, Passage::Unreadable, Verdict::Warn),
    ] {
        let finding = barrier(&firewall(tcp, udp), 8144);
        assert_eq!(
            (finding.verdict, finding.remedy.is_some()),
            (verdict, verdict != Verdict::Fine)
        );
    }
    let evidence = Evidence {
        world: world(&["p2p-dev-wlan0", "wlan0"]),
        answers: vec![able()],
        firewalls: vec![firewall(Passage::Open, Passage::Open)],
        ipv6_off: true,
        removed: false,
        routed: false,
    };
    let table = judge(&evidence, None, 8144);
    assert_eq!(worst(&table).0, "IPv6");
    assert_eq!(
        table.last().map(|finding| finding.words.as_str()),
        Some("ufw lets port 8144 in")
    );
}

#[test]
fn services_are_known_by_their_control_groups() {
    let laptop = Laptop::new("services");
    assert!(!runs(&laptop.0, "firewalld"));
    laptop.file(
        "sys/fs/cgroup/system.slice/firewalld.service/cgroup.events",
        "populated 0\nfrozen 0\n",
    );
    assert!(!runs(&laptop.0, "firewalld"));
    laptop.file(
        "sys/fs/cgroup/system.slice/firewalld.service/cgroup.events",
        "populated 1\nfrozen 0\n",
    );
    assert!(runs(&laptop.0, "firewalld"));
    laptop.file(
        "sys/fs/cgroup/systemd/system.slice/iwd.service/cgroup.procs",
        "412\n",
    );
    assert!(runs(&laptop.0, "iwd"));
}

#[test]
fn routes_from_guests_are_warned_of_where_only_root_can_prevent_them() {
    let laptop = Laptop::new("routes");
    laptop.file("proc/sys/net/ipv6/conf/default/accept_ra", "1\n");
    assert!(!takes_routes(&laptop.0, "default"), "it can be changed");
    assert!(!takes_routes(&laptop.0, "p2p-wlan0-0"), "it is not there");
    assert!(!keeps_routes(&laptop.0));
    laptop.file("etc/sysctl.d/officeos-wifi-direct.conf", "");
    assert!(keeps_routes(&laptop.0));
    let evidence = Evidence {
        world: world(&["p2p-dev-wlan0", "wlan0"]),
        answers: vec![able()],
        firewalls: Vec::new(),
        ipv6_off: false,
        removed: false,
        routed: true,
    };
    let table = judge(&evidence, None, 8144);
    assert_eq!(
        worst(&table),
        ("routes", Verdict::Warn, ROUTES_REMEDY.to_owned())
    );
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/sysctl/officeos-wifi-direct.conf"
    );
    assert!(
        fs::read_to_string(file)
            .expect("the file")
            .contains("accept_ra = 0")
    );
}
