//! What runs inside the machine of the simulated air; `tests/radio/run` boots it.
//!
//! - `air scenarios [--long] [NAME...]`: everything, or some of it, and a table of times; `air scenarios list`;
//! - `air scenario NAME [--long]`: one, in this process;
//! - `air record FOLDER [NAME...]`: talks with the supplicant, written down for unit tests;
//! - `air radio add NAME [--no-p2p-device] [--no-p2p] [--channels N] [--mac M]`: a radio more; prints its number;
//! - `air radio remove NUMBER`.

mod cast;
mod control;
mod eavesdropper;
mod gadget;
mod hwsim;
mod pcap;
mod place;
mod scenarios;
mod steps;
mod supplicant;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod transcripts;

use hwsim::{Hwsim, Radio, WITHOUT_P2P};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["scenarios", "list"] => scenarios::list(),
        ["scenarios", ..] => {
            load();
            let long = words.contains(&"--long");
            let names = words[1..].iter().filter(|word| **word != "--long");
            return scenarios::run(&names.copied().collect::<Vec<_>>(), long);
        }
        ["scenario", name, ..] => return scenarios::one(name, words.contains(&"--long")),
        ["record", folder, ..] => {
            load();
            transcripts::record(Path::new(folder), &arguments[2..]);
        }
        ["radio", "add", name, ..] => {
            load();
            let number = add(name, &words[3..]).expect("the radio is made");
            println!("{number}");
        }
        ["radio", "remove", number] => {
            let number = number.parse().expect("a radio's number");
            Hwsim::open()
                .and_then(|hwsim| hwsim.remove(number))
                .expect("the radio goes");
        }
        _ => {
            eprintln!(
                "air record FOLDER [NAME...] | air radio add NAME ... | air radio remove NUMBER"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// The driver, with no radio yet.
fn load() {
    place::must("modprobe", &["mac80211_hwsim", "radios=0"]);
    // As udev's rules leave it on Debian.
    place::must("chmod", &["0664", "/dev/rfkill"]);
    std::fs::create_dir_all("/run/air").expect("a folder in /run");
}

fn add(name: &str, options: &[&str]) -> std::io::Result<u32> {
    let mut radio = Radio::new(name);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match *option {
            "--no-p2p-device" => radio.p2p_device = false,
            "--no-p2p" => {
                radio.p2p_device = false;
                radio.types = Some(WITHOUT_P2P);
            }
            "--channels" => {
                let value = options.next().and_then(|text| text.parse().ok());
                radio.channels = value.expect("--channels N");
            }
            "--mac" => {
                let value = options.next().expect("--mac 02:00:00:00:00:01");
                let bytes: Option<Vec<u8>> = value
                    .split(':')
                    .map(|part| u8::from_str_radix(part, 16).ok())
                    .collect();
                radio.mac = bytes.and_then(|bytes| bytes.try_into().ok());
            }
            other => panic!("{other} is no option of a radio"),
        }
    }
    Hwsim::open()?.add(&radio)
}
