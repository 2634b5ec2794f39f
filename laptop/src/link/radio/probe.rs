//! What wpa_supplicant is asked about an interface before a group is made on it, and which channel is quiet.

use super::check::USUAL;
use super::world::World;
use shared_proto::supplicant::{Command, DriverFlags, Mac, Outcome, ScanResult, State, Status};

/// The mode of a group owner in `STATUS`.
pub(super) const GROUP_OWNER: &str = "P2P GO";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// What the interface itself does.
    Station,
    /// Whether P2P is on, and under which address.
    Device,
    /// Whether this build knows P2P commands.
    Built,
    /// What the driver can do at once.
    Driver,
    /// Where a group may start.
    Channels,
}

/// What wpa_supplicant says about one interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// The interface.
    pub interface: String,
    /// The control socket for P2P commands.
    pub p2p: String,
    /// Whether anybody answers.
    pub answers: bool,
    /// Whether this build knows the P2P commands.
    pub built: bool,
    /// The address of the P2P device, where the driver and the settings let P2P be used.
    pub device: Option<Mac>,
    /// Whether a group can be beside another use of the interface.
    pub concurrent: bool,
    /// Whether a group runs on the interface itself.
    pub owner: bool,
    /// Frequency in MHz of the network that the interface is on.
    pub station: Option<u16>,
    /// Frequencies in MHz on which a group may start; empty: not known.
    pub allowed: Vec<u16>,
}

/// What to ask about `interface`, and where. Nothing where no control socket is.
pub(super) fn questions(world: &World, interface: &str) -> Vec<(String, Command, Question)> {
    let Some(p2p) = world.p2p_socket(interface) else {
        return Vec::new();
    };
    let own = world.socket(interface).unwrap_or(p2p);
    vec![
        (p2p.name.clone(), Command::Status, Question::Device),
        // Of a peer that does not exist: FAIL from a build that has P2P, UNKNOWN COMMAND from one that has not.
        (
            p2p.name.clone(),
            Command::P2pPeer(Mac::default()),
            Question::Built,
        ),
        (own.name.clone(), Command::Status, Question::Station),
        (own.name.clone(), Command::DriverFlags, Question::Driver),
        (
            own.name.clone(),
            Command::Capability("freq"),
            Question::Channels,
        ),
    ]
}

impl Answers {
    /// Nothing is known yet.
    pub(super) fn about(world: &World, interface: &str) -> Self {
        Self {
            interface: interface.to_owned(),
            p2p: world
                .p2p_socket(interface)
                .map(|socket| socket.name.clone())
                .unwrap_or_default(),
            // An old supplicant that says nothing of its driver is believed capable: the group's start will tell.
            concurrent: true,
            ..Self::default()
        }
    }

    /// Takes one answer.
    pub(super) fn take(&mut self, question: Question, reply: &str) {
        match question {
            Question::Device => {
                self.answers = true;
                self.device = Status::parse(reply).device;
            }
            Question::Built => self.built = Outcome::parse(reply) != Outcome::Unknown,
            Question::Station => {
                let status = Status::parse(reply);
                let joined = status.mode == "station" && status.state == State::Completed;
                self.owner = status.mode == GROUP_OWNER;
                self.station = joined.then_some(status.frequency);
            }
            Question::Driver => {
                if Outcome::parse(reply).is_done() {
                    self.concurrent = DriverFlags::parse(reply).p2p_concurrent;
                }
            }
            Question::Channels => self.allowed = allowed(reply),
        }
    }
}

/// The frequencies in MHz of `GET_CAPABILITY freq` on which one may speak first. Its lines are ` 1 = 2412 MHz (NO_IR)`.
fn allowed(reply: &str) -> Vec<u16> {
    let free = |line: &&str| !line.contains("NO_IR") && !line.contains("DFS");
    let mhz = |line: &str| {
        line.split_once('=')?
            .1
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    let mut found: Vec<u16> = reply.lines().filter(free).filter_map(mhz).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The usual frequencies, quietest first: each network counts by how far it stands out of the noise, wherever its
/// 20 MHz overlap.
pub(super) fn quietest_first(air: &[ScanResult]) -> Vec<u16> {
    let noise = |mhz: u16| -> i64 {
        let near = air.iter().filter(|row| row.frequency.abs_diff(mhz) < 25);
        near.map(|row| (i64::from(row.level) + 100).max(1)).sum()
    };
    let mut usual = USUAL.to_vec();
    usual.sort_by_key(|mhz| noise(*mhz));
    usual
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_proto::supplicant::scan_results;

    #[test]
    fn answers_as_recorded() {
        let mut answers = Answers::about(&World::default(), "wlan0");
        assert!(!answers.answers);
        answers.take(
            Question::Device,
            "wpa_state=DISCONNECTED\np2p_device_address=02:00:00:00:0a:00\naddress=02:00:00:00:0a:00\n",
        );
        answers.take(Question::Built, "FAIL\n");
        answers.take(
            Question::Station,
            "bssid=02:00:00:00:01:00\nfreq=5180\nssid=home\nmode=station\nwpa_state=COMPLETED\n",
        );
        answers.take(
            Question::Driver,
            "E4000D31FB5BFBE0:\nAP\nP2P_CONCURRENT\nP2P_CAPABLE\n",
        );
        answers.take(
            Question::Channels,
            "Mode[G] Channels:\n 1 = 2412 MHz\n 13 = 2472 MHz (NO_IR)\n\nMode[A] Channels:\n 52 = 5260 MHz (DFS)\n\nMode[B] Channels:\n 1 = 2412 MHz\n",
        );
        assert!(answers.answers && answers.built && answers.concurrent && !answers.owner);
        assert_eq!(answers.device, Mac::parse("02:00:00:00:0a:00"));
        assert_eq!((answers.station, answers.allowed), (Some(5180), vec![2412]));
    }

    #[test]
    fn a_build_without_p2p_does_not_know_the_command() {
        let mut answers = Answers::default();
        answers.take(Question::Built, "UNKNOWN COMMAND\n");
        assert!(!answers.built);
    }

    #[test]
    fn a_supplicant_that_says_nothing_of_its_driver_is_believed_capable() {
        let mut answers = Answers::about(&World::default(), "wlan0");
        answers.take(Question::Driver, "UNKNOWN COMMAND\n");
        answers.take(Question::Channels, "FAIL\n");
        assert!(answers.concurrent && answers.allowed.is_empty());
    }

    #[test]
    fn quiet_is_where_few_and_far_networks_are() {
        let row = |(mhz, dbm): &(u16, i16)| format!("02:00:00:00:00:00\t{mhz}\t{dbm}\t[ESS]\tx\n");
        let air = |rows: &[(u16, i16)]| {
            let rows: String = rows.iter().map(row).collect();
            quietest_first(&scan_results(&format!(
                "bssid / frequency / signal level / flags / ssid\n{rows}"
            )))
        };
        assert_eq!(air(&[]), USUAL);
        assert_eq!(air(&[(2412, -40), (2437, -80)]), [2462, 2437, 2412]);
        // Channel 4 lies on both 1 and 6; 5 GHz on none.
        assert_eq!(air(&[(2427, -50), (5180, -30)]), [2462, 2412, 2437]);
        assert_eq!(
            air(&[(2412, -90), (2437, -50), (2462, -60)]),
            [2412, 2462, 2437]
        );
    }
}
