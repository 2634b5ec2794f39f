//! Every way to lose the link, over and over: the app is back each time, and nothing grows.

use super::Wish;
use crate::cast::{Desk, FIRMWARE, Hand};
use crate::hwsim::{Hwsim, Radio};
use crate::place::Place;
use crate::steps;
use crate::support::eventually;
use crate::support::process;
use crate::table::Table;
use std::fs;
use std::time::Instant;

/// What is done to the link.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Range,
    Airplane,
    Suspend,
    DriverReload,
    SupplicantRestart,
    SupplicantKill,
    LaptopRestart,
    LinkServiceKill,
    LaptopAirplane,
    LaptopDriverReload,
    LaptopSupplicantRestart,
    LaptopSupplicantKill,
}

// The laptop takes a quarter of a minute to miss who sleeps: among the later ones, of which thirty losses have two rounds and not three.
const LOSSES: [Loss; 12] = [
    Loss::Range,
    Loss::Airplane,
    Loss::DriverReload,
    Loss::SupplicantRestart,
    Loss::LaptopRestart,
    Loss::SupplicantKill,
    Loss::LinkServiceKill,
    Loss::LaptopAirplane,
    Loss::LaptopDriverReload,
    Loss::LaptopSupplicantRestart,
    Loss::LaptopSupplicantKill,
    Loss::Suspend,
];

/// Thirty losses, or two hundred and four.
pub fn every_way(wish: &Wish) {
    let hwsim = Hwsim::open().expect("mac80211_hwsim is loaded");
    let mut desk = Desk::new(&hwsim, "laptop", "Ada's ThinkPad", Radio::new("laptop"));
    let mut hand = Hand::new(&hwsim, "pocket", FIRMWARE);
    steps::pair_by_push(&mut hand, &desk);
    steps::chat(hand.app(), "Hi");
    // Neither ends with a restart of the laptop's programs: what they hold then would be a newborn's.
    let total = if wish.long { 204 } else { 30 };
    let last = LOSSES[(total - 1) % LOSSES.len()];
    assert!(!matches!(last, Loss::LaptopRestart | Loss::LinkServiceKill));
    let mut early = None;
    for number in 0..total {
        let loss = LOSSES[number % LOSSES.len()];
        let started = Instant::now();
        lose(loss, &hwsim, &mut desk, &mut hand);
        let mended = Instant::now();
        hand.app().wait("link=linked");
        // Linked in name is not enough: an answer has to come.
        if number % 5 == 0 || wish.long || matches!(loss, Loss::LinkServiceKill) {
            steps::chat(hand.app(), "Hi");
        }
        Table::note(&format!("back after {loss:?}"), mended.elapsed());
        println!(
            "   {:3} {loss:?}: back {} ms after it was mended, {} ms in all",
            number + 1,
            mended.elapsed().as_millis(),
            started.elapsed().as_millis()
        );
        if number + 1 == LOSSES.len() {
            early = Some(Holdings::of(&desk, &mut hand));
        }
    }
    let (early, late) = (
        early.expect("more losses than kinds"),
        Holdings::of(&desk, &mut hand),
    );
    println!(
        "   after {} losses: {early:?}\n   after {total} losses: {late:?}",
        LOSSES.len()
    );
    late.no_more_than(&early);
}

fn lose(loss: Loss, hwsim: &Hwsim, desk: &mut Desk, hand: &mut Hand) {
    match loss {
        Loss::Range => {
            hand.place.range(2);
            hand.app().wait("link!linked");
            hand.place.range(1);
        }
        Loss::Airplane => {
            hand.place.airplane(true);
            hand.app().wait("link!linked");
            hand.place.airplane(false);
        }
        Loss::Suspend => {
            // A kernel that suspends leaves the network; programs only find it gone when they go on.
            hand.freeze(true);
            hand.place.must("ip", &["link", "set", "wlan0", "down"]);
            eventually("the laptop to miss the handheld", || {
                let status = desk.laptop().ctl().try_json(&["status"])?;
                (status["linked"] == 0).then_some(())
            });
            hand.place.must("ip", &["link", "set", "wlan0", "up"]);
            hand.freeze(false);
            hand.app().wait("link!linked");
        }
        Loss::DriverReload => {
            hand.place.unplug();
            hand.app().wait("link!linked");
            hand.place.plug(hwsim);
        }
        Loss::SupplicantRestart => {
            hand.restart_supplicant(false);
            hand.app().wait("link!linked");
        }
        Loss::SupplicantKill => {
            hand.restart_supplicant(true);
            hand.app().wait("link!linked");
        }
        Loss::LaptopRestart => {
            desk.laptop_mut().kill();
            hand.app().wait("link!linked");
            desk.laptop_mut().restart();
        }
        Loss::LinkServiceKill => {
            let killed = desk.laptop().children("link-service");
            for pid in &killed {
                process::crash(*pid);
            }
            // The session lives in the daemon: it may go on, where the group is taken over.
            eventually("another link-service that has the radio", || {
                let born = desk.laptop().children("link-service");
                (!born.is_empty() && born.iter().all(|pid| !killed.contains(pid))).then_some(())?;
                let status = desk.laptop().ctl().try_json(&["status"])?;
                let carriers = status["carriers"].as_array()?;
                carriers
                    .iter()
                    .any(|carrier| carrier["carrier"] == "wifi-direct")
                    .then_some(())
            });
        }
        Loss::LaptopAirplane => {
            desk.place.airplane(true);
            hand.app().wait("link!linked");
            desk.place.airplane(false);
        }
        Loss::LaptopDriverReload => {
            desk.place.unplug();
            hand.app().wait("link!linked");
            desk.place.plug(hwsim);
        }
        Loss::LaptopSupplicantRestart => {
            desk.restart_supplicant(false);
            hand.app().wait("link!linked");
        }
        Loss::LaptopSupplicantKill => {
            desk.restart_supplicant(true);
            hand.app().wait("link!linked");
        }
    }
}

/// What the programs hold.
#[derive(Debug)]
struct Holdings {
    descriptors: Vec<(String, usize)>,
    kilobytes: Vec<(String, usize)>,
    interfaces: Vec<usize>,
    networks: Vec<usize>,
}

impl Holdings {
    fn of(desk: &Desk, hand: &mut Hand) -> Self {
        let mut programs = vec![
            ("app".to_owned(), hand.app().pid()),
            ("laptop-daemon".to_owned(), desk.laptop().pid()),
        ];
        let services = desk.laptop().children("link-service");
        programs.extend(
            services
                .into_iter()
                .map(|pid| ("link-service".to_owned(), pid)),
        );
        let count = |pid: u32| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        Self {
            descriptors: programs
                .iter()
                .map(|(name, pid)| (name.clone(), count(*pid)))
                .collect(),
            kilobytes: programs
                .iter()
                .map(|(name, pid)| (name.clone(), resident(*pid)))
                .collect(),
            interfaces: [&desk.place, &hand.place]
                .map(|place| place.interfaces().len())
                .to_vec(),
            networks: vec![
                networks(&desk.place, "p2p-dev-wlan0"),
                networks(&hand.place, "wlan0"),
            ],
        }
    }

    fn no_more_than(&self, early: &Self) {
        for ((name, now), (_, then)) in self.descriptors.iter().zip(&early.descriptors) {
            assert!(
                now <= &(then + 1),
                "{name} holds {now} descriptors, {then} before"
            );
        }
        for ((name, now), (_, then)) in self.kilobytes.iter().zip(&early.kilobytes) {
            assert!(
                *now <= then + then / 5 + 2048,
                "{name} takes {now} kB, {then} before"
            );
        }
        assert_eq!(self.interfaces, early.interfaces);
        for (now, then) in self.networks.iter().zip(&early.networks) {
            assert!(now <= then, "{now} network blocks, {then} before");
        }
    }
}

fn resident(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

fn networks(place: &Place, interface: &str) -> usize {
    let folder = place.folder().join("wpa").display().to_string();
    let text = place.must(
        "wpa_cli",
        &["-p", &folder, "-i", interface, "list_networks"],
    );
    text.lines().count().saturating_sub(1)
}
