//! `--audit-airgap`: the proof of a process that is confined exactly as the app is, with a supplicant of its own to be asked in vain.
//!
//! Three processes: the broker, the one that is confined and tries, and this one, which plays the supplicant for the broker and
//! looks at what only an administrator sees.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, exit};
use std::time::Duration;

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::ForkResult;

use super::options::Options;
use super::proof::Prover;
use crate::app::model::proof::{Layer, Proof, Verdict};
use crate::app::words;
use crate::broker;
use crate::platform::confine;

/// Our own image's firewall.
const RULES: &str = "/etc/nftables.conf";

/// Its table.
const TABLE: &str = "table inet officeos";

/// Tries everything and prints what held; whether all did.
///
/// # Errors
/// A sentence: what keeps it from trying.
pub fn run(options: &Options) -> Result<bool, String> {
    confine::sockets::close_inherited();
    let folder = std::env::temp_dir().join(format!("officeos-audit-{}", std::process::id()));
    let made = fs::create_dir_all(&folder).and_then(|()| UnixDatagram::bind(folder.join("audit0")));
    let supplicant = made.map_err(|e| format!("no socket in {}: {e}", folder.display()))?;
    let result = with(options, &folder, &supplicant);
    if let Err(error) = fs::remove_dir_all(&folder) {
        log::debug!("{} stays: {error}", folder.display());
    }
    result
}

fn with(options: &Options, folder: &Path, supplicant: &UnixDatagram) -> Result<bool, String> {
    let mut settings = options.broker();
    // No switch of the command line opens anything for this.
    settings.told = None;
    settings.folders = vec![folder.to_owned()];
    let broker = broker::split(&settings)?;
    fs::create_dir_all(&options.home)
        .map_err(|e| format!("no folder {}: {e}", options.home.display()))?;
    let firewall = firewall();
    let child = match broker::fork().map_err(|e| format!("no process to try it in: {e}"))? {
        ForkResult::Child => {
            let written = vec![options.home.clone()];
            let layers = confine::late(confine::early(&written), false);
            let prover = Prover {
                layers,
                broker,
                written,
                folders: settings.folders,
            };
            let mut proof = prover.prove();
            proof.0.extend(firewall.0);
            print!("{}", words::proof::lines(&proof));
            exit(i32::from(!proof.holds()))
        }
        ForkResult::Parent { child } => child,
    };
    let heard = play(supplicant, child)?;
    let WaitStatus::Exited(_, code) = heard.1 else {
        return Err("the process that tried it was ended by force".into());
    };
    for text in &heard.0 {
        println!(
            "Broker       BROKEN   A supplicant heard what it must not: {}.",
            text.escape_debug()
        );
    }
    Ok(code == 0 && heard.0.is_empty())
}

/// Lets the broker in, and notes whatever else is said, until the child has ended.
fn play(
    supplicant: &UnixDatagram,
    child: nix::unistd::Pid,
) -> Result<(Vec<String>, WaitStatus), String> {
    let failed = |e: &dyn std::fmt::Display| format!("the supplicant can't be played: {e}");
    let pause = Some(Duration::from_millis(20));
    supplicant.set_read_timeout(pause).map_err(|e| failed(&e))?;
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if let Ok((len, from)) = supplicant.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            match text.as_str() {
                "ATTACH" => {
                    if let Some(path) = from.as_pathname() {
                        supplicant.send_to(b"OK\n", path).map_err(|e| failed(&e))?;
                    }
                }
                "DETACH" => {}
                _ => heard.push(text),
            }
            continue;
        }
        match waitpid(child, Some(WaitPidFlag::WNOHANG)).map_err(|e| failed(&e))? {
            WaitStatus::StillAlive => {}
            ended => return Ok((heard, ended)),
        }
    }
}

/// Whether the rules of our own image are in force. Only an administrator may ask, so this is done before anything is given up.
fn firewall() -> Proof {
    let mut proof = Proof::default();
    let ours = fs::read_to_string(RULES).is_ok_and(|text| text.contains(TABLE));
    if !ours {
        proof.note(
            Layer::Device,
            Verdict::Said,
            "The firmware is not our own image; its firewall is not looked at.",
        );
        return proof;
    }
    let mut words = vec!["list"];
    words.extend(TABLE.split(' '));
    let listed = Command::new("nft").args(&words).output();
    match listed {
        Ok(output)
            if output.status.success()
                && String::from_utf8_lossy(&output.stdout).contains("drop") =>
        {
            proof.note(
                Layer::Device,
                Verdict::Holds,
                "Our image's firewall is loaded and drops what is not the link.",
            );
        }
        Ok(output) if nix::unistd::geteuid().is_root() => {
            let why = String::from_utf8_lossy(&output.stderr)
                .trim()
                .escape_debug()
                .to_string();
            proof.note(
                Layer::Device,
                Verdict::Broken,
                format!("Our image's firewall is not in force: {why}"),
            );
        }
        Ok(_) => proof.note(
            Layer::Device,
            Verdict::Said,
            "Our image's firewall can be looked at by root alone.",
        ),
        Err(error) => proof.note(
            Layer::Device,
            Verdict::Broken,
            format!("Our image's firewall can't be asked: {error}."),
        ),
    }
    proof
}
