//! `--test-p2p`: everything that the radio needs, one line each, and the command that mends what is missing.

use super::firewall::{Files, Firewall, Passage};
use super::probe::{Answers, questions};
use super::supplicant::Supplicant;
use super::trouble::Trouble;
use super::world::World;
use super::{Finding, Settings, Verdict};
use std::fs;
use std::path::Path;

/// Frequencies in MHz that a group is made on where nothing speaks for another: channels 1, 6 and 11.
pub(super) const USUAL: [u16; 3] = [2412, 2437, 2462];

/// All that is looked at.
#[derive(Debug)]
pub(super) struct Evidence {
    pub world: World,
    pub answers: Vec<Answers>,
    pub firewalls: Vec<Firewall>,
    pub ipv6_off: bool,
    /// NetworkManager runs and removes groups of others.
    pub removed: bool,
    /// Guests may give the laptop routes, and this user cannot prevent it.
    pub routed: bool,
}

/// What keeps guests from giving the laptop routes; `laptop/sysctl` has the file.
pub(super) const ROUTES_REMEDY: &str =
    "sudo install -m 644 laptop/sysctl/officeos-wifi-direct.conf /etc/sysctl.d/";

/// Looks at everything, and changes nothing.
pub(super) fn look(settings: &Settings) -> Vec<Finding> {
    let root = Path::new("/");
    let world = World::read(root, &settings.control);
    let named = settings.interface.as_deref();
    let mut sockets = Supplicant::new(&settings.run).ok();
    let mut answers = Vec::new();
    for interface in candidates(&world, named) {
        let mut about = Answers::about(&world, interface);
        for (name, command, question) in questions(&world, interface) {
            if let (Some(sockets), Some(socket)) = (&mut sockets, world.socket(&name))
                && let Ok(reply) = sockets.ask(socket, &command.text())
            {
                about.take(question, &reply);
            }
        }
        if world.p2p_socket(interface).is_some() {
            answers.push(about);
        }
    }
    let evidence = Evidence {
        world,
        answers,
        firewalls: firewalls(root, settings.port),
        ipv6_off: ipv6_off(root),
        removed: super::manager::removes_groups(root),
        routed: takes_routes(root, "default") && !keeps_routes(root),
    };
    judge(&evidence, named, settings.port)
}

/// Whether systemd's service `name` has a process, as its control group says.
pub(super) fn runs(root: &Path, name: &str) -> bool {
    let unified = ["sys/fs/cgroup", "sys/fs/cgroup/unified"]
        .iter()
        .any(|base| {
            let file = root
                .join(base)
                .join(format!("system.slice/{name}.service/cgroup.events"));
            fs::read_to_string(file)
                .is_ok_and(|text| text.lines().any(|line| line == "populated 1"))
        });
    let legacy = root.join(format!(
        "sys/fs/cgroup/systemd/system.slice/{name}.service/cgroup.procs"
    ));
    unified || fs::read_to_string(legacy).is_ok_and(|text| !text.trim().is_empty())
}

/// Whether the kernel has IPv6 switched off for interfaces to come.
pub(super) fn ipv6_off(root: &Path) -> bool {
    let base = root.join("proc/sys/net/ipv6/conf");
    let off = |name: &str| {
        fs::read_to_string(base.join(name).join("disable_ipv6"))
            .is_ok_and(|text| text.trim() == "1")
    };
    root.join("proc/sys/net").exists() && (!base.exists() || off("all") || off("default"))
}

/// Whether the kernel takes routes from neighbours on `interface`, and this user may not change that.
pub(super) fn takes_routes(root: &Path, interface: &str) -> bool {
    let base = root.join("proc/sys/net/ipv6/conf");
    let file = base.join(interface).join("accept_ra");
    fs::read_to_string(&file).is_ok_and(|text| text.trim() != "0")
        && fs::OpenOptions::new().write(true).open(&file).is_err()
}

/// Whether the file is installed that keeps routes out of groups.
fn keeps_routes(root: &Path) -> bool {
    ["etc/sysctl.d", "usr/lib/sysctl.d"]
        .iter()
        .any(|folder| root.join(folder).join("officeos-wifi-direct.conf").exists())
}

/// What makes a group useless that is up: it is removed again, or its port is closed.
pub(super) fn hindrance(root: &Path, port: u16) -> Option<String> {
    let removed = super::manager::removes_groups(root).then(super::manager::finding);
    let barriers = firewalls(root, port);
    let found = removed
        .into_iter()
        .chain(barriers.iter().map(|firewall| barrier(firewall, port)));
    let words: Vec<_> = found
        .filter(|finding| finding.verdict == Verdict::Fault)
        .map(|finding| match finding.remedy {
            Some(remedy) => format!("{}: {}; to mend it: {remedy}", finding.what, finding.words),
            None => format!("{}: {}", finding.what, finding.words),
        })
        .collect();
    (!words.is_empty()).then(|| words.join(". "))
}

/// The firewalls that are on.
pub(super) fn firewalls(root: &Path, port: u16) -> Vec<Firewall> {
    Files::read(root).judge(port)
}

/// The interfaces that may be used: the named one, or all.
pub(super) fn candidates<'a>(world: &'a World, named: Option<&str>) -> Vec<&'a str> {
    let fits = |name: &&str| named.is_none_or(|named| named == *name);
    // Groups of any origin are no interfaces to make groups on.
    let own = |name: &&str| named.is_some() || !name.starts_with("p2p-");
    world
        .interfaces
        .iter()
        .map(String::as_str)
        .filter(fits)
        .filter(own)
        .collect()
}

/// What is wrong before any interface is asked, most fundamental first.
pub(super) fn missing(world: &World, named: Option<&str>) -> Option<Trouble> {
    let candidates = candidates(world, named);
    let driven = |name: &&str| world.p2p_socket(name).is_some();
    if let (Some(named), []) = (named, candidates.as_slice()) {
        return Some(Trouble::NoInterface(named.to_owned()));
    }
    if candidates.is_empty() {
        return Some(Trouble::NoWifi);
    }
    if let Some(switch) = world.blocked {
        return Some(Trouble::Blocked(switch));
    }
    let sockets: Vec<_> = candidates
        .iter()
        .filter_map(|name| world.p2p_socket(name))
        .collect();
    if let (Some(socket), true) = (sockets.first(), sockets.iter().all(|socket| !socket.open)) {
        return Some(Trouble::Denied(socket.path.clone()));
    }
    if candidates.iter().any(driven) {
        return None;
    }
    if let Some(folder) = &world.denied {
        return Some(Trouble::Denied(folder.clone()));
    }
    if world.iwd {
        return Some(Trouble::Iwd);
    }
    if world.sockets.is_empty() {
        return Some(Trouble::NoSupplicant);
    }
    Some(Trouble::Unmanaged(candidates[0].to_owned()))
}

/// What keeps a group from this interface, if anything.
pub(super) fn unfit(answers: &Answers) -> Option<Trouble> {
    let interface = answers.interface.clone();
    if !answers.answers {
        return Some(Trouble::Silent(interface));
    }
    if !answers.built {
        return Some(Trouble::NoP2pInSupplicant(interface));
    }
    if answers.device.is_none() {
        return Some(Trouble::NoP2pInDriver(interface));
    }
    if answers.station.is_some() && !answers.concurrent {
        return Some(Trouble::Occupied(interface));
    }
    let usable = |mhz: &u16| answers.allowed.contains(mhz);
    if !answers.allowed.is_empty()
        && !USUAL.iter().any(usable)
        && !answers.station.iter().any(usable)
    {
        return Some(Trouble::NoChannel(interface));
    }
    None
}

/// The table.
pub(super) fn judge(evidence: &Evidence, named: Option<&str>, port: u16) -> Vec<Finding> {
    let mut table = Vec::new();
    let world = &evidence.world;
    if let Some(trouble) = missing(world, named) {
        // What was looked at before it is fine.
        for (what, words, reached) in [
            (
                "Wi-Fi device",
                world.interfaces.join(", "),
                !matches!(trouble, Trouble::NoWifi | Trouble::NoInterface(_)),
            ),
            (
                "radio switch",
                "on".to_owned(),
                !matches!(
                    trouble,
                    Trouble::NoWifi | Trouble::NoInterface(_) | Trouble::Blocked(_)
                ),
            ),
        ] {
            if reached {
                table.push(fine(what, words));
            }
        }
        let what = match trouble {
            Trouble::NoWifi | Trouble::NoInterface(_) => "Wi-Fi device",
            Trouble::Blocked(_) => "radio switch",
            Trouble::Denied(_) => "permission",
            _ => "wpa_supplicant",
        };
        table.push(fault(what, &trouble));
    } else {
        table.push(fine("Wi-Fi device", candidates(world, named).join(", ")));
        table.push(fine("radio switch", "on".to_owned()));
        interfaces(evidence, &mut table);
    }
    if evidence.ipv6_off {
        table.push(fault("IPv6", &Trouble::NoIpv6));
    } else {
        table.push(fine("IPv6", "on".to_owned()));
    }
    if evidence.removed {
        table.push(super::manager::finding());
    }
    if evidence.routed {
        table.push(Finding {
            what: "routes",
            verdict: Verdict::Warn,
            words:
                "a guest of the group could give this laptop routes, which only root can prevent"
                    .to_owned(),
            remedy: Some(ROUTES_REMEDY.to_owned()),
        });
    }
    if evidence.firewalls.is_empty() {
        table.push(fine(
            "firewall",
            "neither ufw nor firewalld is on".to_owned(),
        ));
    }
    table.extend(
        evidence
            .firewalls
            .iter()
            .map(|firewall| barrier(firewall, port)),
    );
    table
}

/// The lines about interfaces. One that can is enough: what is wrong with the others is then no more than a warning.
fn interfaces(evidence: &Evidence, table: &mut Vec<Finding>) {
    let fit: Vec<_> = evidence
        .answers
        .iter()
        .filter(|answers| unfit(answers).is_none())
        .collect();
    for answers in &evidence.answers {
        let Some(trouble) = unfit(answers) else {
            continue;
        };
        let mut finding = fault("Wi-Fi Direct", &trouble);
        if !fit.is_empty() {
            finding.verdict = Verdict::Warn;
        }
        table.push(finding);
    }
    for answers in fit {
        table.push(fine(
            "Wi-Fi Direct",
            format!("{} can host a group", answers.interface),
        ));
        table.push(channel(answers));
    }
}

fn channel(answers: &Answers) -> Finding {
    let interface = &answers.interface;
    let allowed = |mhz: u16| answers.allowed.is_empty() || answers.allowed.contains(&mhz);
    match answers.station {
        Some(mhz) if allowed(mhz) => fine(
            "channel",
            format!("{mhz} MHz, shared with the network that {interface} is on"),
        ),
        Some(mhz) => Finding {
            what: "channel",
            verdict: Verdict::Warn,
            words: format!(
                "{interface} is on a network at {mhz} MHz, where no group may start; it works only if the device can be on two channels at once"
            ),
            remedy: Some("put the router on a channel from 1 to 11".to_owned()),
        },
        None => {
            let usable: Vec<_> = USUAL
                .into_iter()
                .filter(|mhz| allowed(*mhz))
                .map(|mhz| mhz.to_string())
                .collect();
            fine("channel", format!("{} MHz may be used", usable.join(", ")))
        }
    }
}

fn barrier(firewall: &Firewall, port: u16) -> Finding {
    let name = firewall.name;
    let (verdict, words) = match (firewall.tcp, firewall.udp) {
        (Passage::Open, Passage::Open) => {
            return fine("firewall", format!("{name} lets port {port} in"));
        }
        (Passage::Closed, _) => (
            Verdict::Fault,
            format!("{name} keeps handhelds out: port {port} is closed"),
        ),
        (Passage::Unreadable, _) | (_, Passage::Unreadable) => (
            Verdict::Warn,
            format!("{name} is on, and only root can see whether it lets port {port} in"),
        ),
        (Passage::Open, Passage::Closed) => (
            Verdict::Warn,
            format!(
                "{name} lets port {port} in for TCP but not for UDP, which some handhelds need to find the laptop's address"
            ),
        ),
    };
    Finding {
        what: "firewall",
        verdict,
        words,
        remedy: Some(firewall.remedy.clone()),
    }
}

fn fine(what: &'static str, words: String) -> Finding {
    Finding {
        what,
        verdict: Verdict::Fine,
        words,
        remedy: None,
    }
}

fn fault(what: &'static str, trouble: &Trouble) -> Finding {
    Finding {
        what,
        verdict: Verdict::Fault,
        words: trouble.to_string(),
        remedy: trouble.remedy(),
    }
}

#[cfg(test)]
mod tests;
