//! Listens to everything, and says what a handheld sent to anybody but its laptop.

use super::pcap::{self, Frame};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running tcpdump.
pub struct Eavesdropper {
    child: Child,
    file: PathBuf,
}

impl Eavesdropper {
    /// Starts `tcpdump` by `command` on `interface` and waits until it listens.
    pub fn start(mut command: Command, interface: &str, file: &Path) -> Self {
        let mut child = command
            .args(["-i", interface, "-Z", "root", "-U", "-s", "0", "-n", "-w"])
            .arg(file)
            .stderr(Stdio::piped())
            .spawn()
            .expect("tcpdump starts");
        let mut said = std::io::BufReader::new(child.stderr.take().expect("its words"));
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            let len = std::io::BufRead::read_line(&mut said, &mut line).unwrap_or(0);
            assert!(len > 0, "tcpdump does not listen on {interface}");
        }
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self {
            child,
            file: file.to_owned(),
        }
    }

    /// Ends it and returns what it heard.
    pub fn stop(mut self) -> (u32, Vec<Frame>) {
        super::support::process::terminate(self.child.id());
        let _ = self.child.wait();
        pcap::read(&self.file)
    }
}

impl Drop for Eavesdropper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Radio addresses and names that a handheld may speak to.
pub struct Friends {
    /// Addresses of its laptop.
    pub laptop: Vec<[u8; 6]>,
    /// Names of its laptop's network.
    pub names: Vec<Vec<u8>>,
}

/// What went where, counted; the second part is what should not have been sent.
#[derive(Default)]
pub struct Verdict {
    /// Kinds of frames, with their number.
    pub seen: BTreeMap<String, usize>,
    /// Kinds of frames that went to somebody else, with their number.
    pub wrong: BTreeMap<String, usize>,
}

impl Verdict {
    fn count(&mut self, fine: bool, kind: String) {
        let side = if fine {
            &mut self.seen
        } else {
            &mut self.wrong
        };
        *side.entry(kind).or_default() += 1;
    }
}

/// Judges what went through the air.
pub fn judge_air(frames: &[Frame], friends: &Friends) -> Verdict {
    let mut verdict = Verdict::default();
    for frame in frames {
        judge_frame(&frame.bytes, friends, &mut verdict);
    }
    verdict
}

fn judge_frame(bytes: &[u8], friends: &Friends, verdict: &mut Verdict) -> Option<()> {
    let skip = usize::from(u16::from_le_bytes(bytes.get(2..4)?.try_into().ok()?));
    let frame = bytes.get(skip..)?;
    let (kind, subtype) = ((frame.first()? >> 2) & 3, frame.first()? >> 4);
    let address = |at: usize| -> Option<[u8; 6]> { frame.get(at..at + 6)?.try_into().ok() };
    // Control frames such as acknowledgements name no sender, and answer one. Whoever is not the laptop is the handheld:
    // there is nobody else in the air.
    let sender = address(10)?;
    if kind == 1 || friends.laptop.contains(&sender) {
        return None;
    }
    let receiver = address(4)?;
    let to_laptop = friends.laptop.contains(&receiver);
    match (kind, subtype) {
        // A probe request: to everybody by its nature, but it may name only the laptop's network.
        (0, 4) => {
            let len = usize::from(*frame.get(25)?);
            let name = frame.get(26..26 + len)?;
            let anybody = name.is_empty() || name == b"DIRECT-";
            let fine = anybody || friends.names.iter().any(|known| known == name);
            let word = if anybody { "of no name" } else { "of a name" };
            let shown = if fine {
                word.to_owned()
            } else {
                String::from_utf8_lossy(name).into_owned()
            };
            verdict.count(fine, format!("probe request {shown}"));
        }
        (0, _) => verdict.count(
            to_laptop || receiver == [0xff; 6],
            format!("management frame {subtype} to {}", mac(&receiver, friends)),
        ),
        (2, _) => {
            let target = address(16)?;
            let multicast = target[0] & 1 == 1;
            // Multicast goes to the laptop first, which passes nothing on between guests.
            let fine = to_laptop && (friends.laptop.contains(&target) || multicast);
            let word = if multicast {
                "for all of IPv6"
            } else {
                "for it"
            };
            let ipv6 = !multicast || target[..2] == [0x33, 0x33];
            verdict.count(
                fine && ipv6,
                format!("data to {} {word}", mac(&receiver, friends)),
            );
        }
        _ => verdict.count(false, format!("frame of kind {kind}")),
    }
    Some(())
}

fn mac(address: &[u8; 6], friends: &Friends) -> String {
    if friends.laptop.contains(address) {
        return "the laptop".to_owned();
    }
    let octets: Vec<String> = address.iter().map(|octet| format!("{octet:02x}")).collect();
    octets.join(":")
}

/// Judges what a handheld's own interfaces sent, by address and port; `laptop` are the laptop's.
pub fn judge_packets(frames: &[Frame], laptop: &[Ipv6Addr], ports: &[u16]) -> Verdict {
    let mut verdict = Verdict::default();
    for frame in frames {
        judge_packet(&frame.bytes, laptop, ports, &mut verdict);
    }
    verdict
}

fn judge_packet(
    bytes: &[u8],
    laptop: &[Ipv6Addr],
    ports: &[u16],
    verdict: &mut Verdict,
) -> Option<()> {
    const OUTGOING: u8 = 4;
    const LOOPBACK: u16 = 772;
    let word = |at: usize| -> Option<u16> {
        Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
    };
    let (protocol, hardware, direction) = (word(0)?, word(8)?, *bytes.get(10)?);
    if direction != OUTGOING || hardware == LOOPBACK {
        return None;
    }
    let packet = bytes.get(20..)?;
    match protocol {
        0x86dd => {
            let octets: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
            let target = Ipv6Addr::from(octets);
            let (mut next, mut rest) = (*packet.get(6)?, packet.get(40..)?);
            // Hop-by-hop options, as multicast listener reports have them.
            if next == 0 {
                let len = 8 + 8 * usize::from(*rest.get(1)?);
                (next, rest) = (*rest.first()?, rest.get(len..)?);
            }
            let port = |at: usize| -> u16 {
                rest.get(at..at + 2)
                    .and_then(|bytes| bytes.try_into().ok())
                    .map_or(0, u16::from_be_bytes)
            };
            let known = laptop.contains(&target);
            match next {
                6 => {
                    let fine = known && ports.contains(&port(2));
                    verdict.count(
                        fine,
                        format!("TCP to {} port {}", name(target, known), port(2)),
                    );
                }
                17 => {
                    let all = target == Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
                    let fine = (known || all) && ports.contains(&port(2)) && rest.len() == 32;
                    verdict.count(
                        fine,
                        format!("UDP to {} port {}", name(target, known), port(2)),
                    );
                }
                58 => {
                    let kind = *rest.first()?;
                    // Neighbours are asked for by multicast; listener reports go to routers, which there are none of.
                    let fine = match kind {
                        135 | 136 => known || target.is_multicast(),
                        143 | 131 | 132 => target.is_multicast(),
                        _ => known,
                    };
                    verdict.count(fine, format!("ICMPv6 {kind} to {}", name(target, known)));
                }
                other => verdict.count(false, format!("IPv6 protocol {other} to {target}")),
            }
        }
        0x888e => verdict.count(true, "the handshake of WPA2".to_owned()),
        0x0800 => {
            let octets: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            let target = IpAddr::V4(Ipv4Addr::from(octets));
            verdict.count(false, format!("IPv4 to {target}"));
        }
        other => verdict.count(false, format!("protocol {other:04x}")),
    }
    Some(())
}

fn name(target: Ipv6Addr, known: bool) -> String {
    if known {
        "the laptop".to_owned()
    } else if target.segments()[..6] == [0xff02, 0, 0, 0, 0, 1] {
        "whoever has an address".to_owned()
    } else {
        target.to_string()
    }
}
