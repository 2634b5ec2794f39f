//! link-service as the daemon sees it: how it is started, reached, and reached again.

use super::lobby::{self, Rooms};
use crate::config::Config;
use crate::control::peer::{Allowed, check};
use crate::link::radio::{self, Verdict};
use crate::link::{PacketSocket, USUAL_CONTROL, report};
use crate::paths::Paths;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pause between two tries to reach link-service.
const LINK_PAUSE: Duration = Duration::from_millis(100);
/// Tries to reach link-service before it is said that it is not there.
const LINK_PATIENCE: u32 = 50;
/// Longest pause after conversations that ended soon.
const MAX_LINK_PAUSE: Duration = Duration::from_secs(5);
/// A conversation that lasted this long did not end soon.
const LINK_STEADY: Duration = Duration::from_secs(1);

/// How often link-service is reached again, and what of that is said.
struct Pace {
    pause: Duration,
    said: Option<String>,
}

impl Pace {
    fn new() -> Self {
        Self {
            pause: LINK_PAUSE,
            said: None,
        }
    }

    /// A conversation ended after `lasted`, as these words say. How long to pause, and whether they are new.
    fn ended(&mut self, words: &str, lasted: Duration) -> (Duration, bool) {
        if lasted >= LINK_STEADY {
            *self = Self::new();
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(MAX_LINK_PAUSE);
        let is_new = self.said.as_deref() != Some(words);
        self.said = Some(words.to_owned());
        (pause, is_new)
    }
}

/// Takes connections in over the carriers of link-service, again whenever that was restarted.
pub(super) fn follow(socket: &Path, rooms: &Rooms) {
    let mut tries: u32 = 0;
    let mut pace = Pace::new();
    loop {
        let mut pause = LINK_PAUSE;
        match reach(socket) {
            Ok(service) => {
                tries = 0;
                let since = Instant::now();
                rooms.carriers.attach(Arc::clone(&service));
                let closed = lobby::run(&service, rooms);
                rooms.carriers.detach();
                let words = closed.to_string();
                let (longer, is_new) = pace.ended(&words, since.elapsed());
                pause = longer;
                if is_new {
                    log::warn!("{words}");
                }
            }
            Err(error) => {
                tries = tries.saturating_add(1);
                if tries == LINK_PATIENCE {
                    log::error!(
                        "no link-service at {}: {error}; no handheld can reach this laptop",
                        socket.display()
                    );
                }
            }
        }
        std::thread::sleep(pause);
        // Between two link-services this is the loop that turns.
        rooms.pulse.answer();
    }
}

fn reach(socket: &Path) -> io::Result<Arc<PacketSocket>> {
    let service = PacketSocket::connect(socket)?;
    let own = nix::unistd::geteuid().as_raw();
    check(&service, &Allowed::users(&[own, 0])).map_err(io::Error::other)?;
    Ok(Arc::new(service))
}

/// What link-service is started with.
pub(super) fn arguments(config: &Config, paths: &Paths) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![
        "--socket".into(),
        paths.run.join("link.sock").into(),
        "--bind-address".into(),
        config.daemon.bind_address.to_string().into(),
        "--bind-port".into(),
        config.daemon.bind_port.to_string().into(),
        "--child".into(),
    ];
    // As one argument each, so that no value can pass for an option.
    let option = |name: &str, value: &OsStr| {
        let mut argument = OsString::from(name);
        argument.push(value);
        argument
    };
    let (radio, usb) = (radio_settings(config, paths), &config.daemon.usb);
    if usb.enabled {
        arguments.push("--usb".into());
        let interface = usb.interface.iter();
        arguments.extend(interface.map(|name| option("--usb-interface=", name.as_ref())));
    }
    if usb.enabled || config.daemon.wifi_direct.enabled {
        arguments.push(option(
            "--wifi-direct-port=",
            radio.port.to_string().as_ref(),
        ));
    }
    if !config.daemon.wifi_direct.enabled {
        return arguments;
    }
    arguments.extend([
        "--wifi-direct".into(),
        option("--name=", radio.name.as_ref()),
        option("--state=", radio.state.as_os_str()),
    ]);
    arguments.extend(
        radio
            .interface
            .map(|name| option("--interface=", name.as_ref())),
    );
    arguments.extend(
        radio
            .frequency
            .map(|mhz| option("--frequency=", mhz.to_string().as_ref())),
    );
    let folders = radio.control.iter();
    arguments.extend(folders.map(|folder| option("--supplicant=", folder.as_os_str())));
    arguments
}

fn radio_settings(config: &Config, paths: &Paths) -> radio::Settings {
    let radio = &config.daemon.wifi_direct;
    radio::Settings {
        interface: radio.interface.clone(),
        control: match &radio.supplicant {
            Some(folder) => vec![folder.clone()],
            None => USUAL_CONTROL.map(PathBuf::from).to_vec(),
        },
        run: paths.run.clone(),
        state: paths.state.clone(),
        name: config.daemon.device_name.clone(),
        port: radio.port,
        frequency: radio.frequency,
    }
}

/// Looks at what Wi-Fi Direct needs.
///
/// # Errors
/// The folder in which wpa_supplicant answers cannot be made.
pub(crate) fn radio_findings(config: &Config, paths: &Paths) -> io::Result<Vec<radio::Finding>> {
    let mut settings = radio_settings(config, paths);
    // Not the daemon's own: it may be running, and where it never was, nothing is left behind.
    settings.run = std::env::temp_dir().join(format!("officeos-test-p2p-{}", std::process::id()));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&settings.run)?;
    let findings = radio::check(&settings);
    if let Err(error) = std::fs::remove_dir_all(&settings.run) {
        log::warn!("{} stays behind: {error}", settings.run.display());
    }
    Ok(findings)
}

/// Looks at what Wi-Fi Direct needs and prints what was found; false where it cannot work.
///
/// # Errors
/// As from [`radio_findings`].
pub(super) fn test_radio(config: &Config, paths: &Paths) -> io::Result<bool> {
    let findings = radio_findings(config, paths)?;
    print!("{}", report(&findings));
    if !config.daemon.wifi_direct.enabled {
        println!("Wi-Fi Direct is switched off: set networking.wifi_direct_enabled = true");
    }
    Ok(findings
        .iter()
        .all(|finding| finding.verdict != Verdict::Fault))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::store::testing::TempFolder;

    #[test]
    fn a_link_service_that_cannot_be_followed_is_reached_less_and_less_often_and_named_once() {
        let mut pace = Pace::new();
        let soon = Duration::from_millis(1);
        let all: Vec<_> = (0..8).map(|_| pace.ended("malformed", soon)).collect();
        assert_eq!(all[0], (LINK_PAUSE, true));
        assert_eq!(all[1], (LINK_PAUSE * 2, false));
        assert_eq!(all[7], (MAX_LINK_PAUSE, false));
        assert_eq!(pace.ended("gone", soon), (MAX_LINK_PAUSE, true));
        assert_eq!(pace.ended("gone", LINK_STEADY), (LINK_PAUSE, true));
    }

    fn started_with(text: &str) -> Vec<String> {
        let folder = TempFolder::new("link");
        let paths = Paths::below(Path::new("/home/ada/office"));
        let file = folder.0.join("daemon.toml");
        std::fs::write(&file, text).expect("written");
        let (config, _) = config::load(&file).expect("settings");
        let all = arguments(&config, &paths).into_iter();
        all.map(|argument| argument.into_string().expect("text"))
            .collect()
    }

    #[test]
    fn the_radio_s_settings_become_arguments_that_nothing_can_be_slipped_into() {
        let all = started_with(
            "[daemon]\ndevice_name = '--child'\n[networking]\ninterface = '-x'\nfrequency = 2412\n",
        );
        for wanted in [
            "--wifi-direct",
            "--name=--child",
            "--state=/home/ada/office/state",
            "--wifi-direct-port=8144",
            "--interface=-x",
            "--frequency=2412",
            "--supplicant=/run/wpa_supplicant",
        ] {
            assert!(all.iter().any(|one| one == wanted), "{wanted}: {all:?}");
        }
    }

    #[test]
    fn without_the_radio_link_service_hears_nothing_of_it() {
        let all = started_with(
            "[networking]\nwifi_direct_enabled = false\ninterface = 'wlan0'\nusb_link = false\n",
        );
        assert!(
            !all.iter()
                .any(|one| one.contains("wifi") || one.contains("wlan0")),
            "{all:?}"
        );
    }
    #[test]
    fn cables_are_listened_on_unless_they_are_not_wanted() {
        let has = |all: &[String], word: &str| all.iter().any(|one| one == word);
        let all = started_with("[networking]\nwifi_direct_enabled = false\nusb_interface = '-x'\n");
        assert!(
            has(&all, "--usb") && has(&all, "--usb-interface=-x"),
            "{all:?}"
        );
        assert!(has(&all, "--wifi-direct-port=8144"), "{all:?}");
        let all = started_with("[networking]\nusb_link = false\nusb_interface = 'usb0'\n");
        assert!(!all.iter().any(|one| one.contains("usb")), "{all:?}");
    }
}
