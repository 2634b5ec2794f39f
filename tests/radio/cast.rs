//! Who takes part: laptops and handhelds with their supplicants and our programs, each in a place of its own.

use super::hwsim::{Hwsim, Radio};
use super::place::{Place, must};
use super::supplicant::{Manner, Supplicant};
use super::support::laptop::{Laptop, Surroundings};
use super::support::pocket::Pocket;
use super::support::{Through, eventually};
use std::net::Ipv6Addr;
use std::path::PathBuf;

/// Port in the group, as the template of `daemon.toml` has it.
pub const PORT: u16 = 8144;
/// User and group of the person who owns a laptop; she is in the group that may talk to the supplicant.
const ADA: [&str; 7] = [
    "setpriv",
    "--reuid=1000",
    "--regid=1000",
    "--groups=108",
    "env",
    "HOME=/home/ada",
    "USER=ada",
];

/// A laptop on its desk.
pub struct Desk {
    /// Where it is.
    pub place: Place,
    /// Its supplicant; `None` while it is not running.
    pub supplicant: Option<Supplicant>,
    laptop: Option<Laptop>,
}

impl Desk {
    /// A laptop called `name` that runs and whose group is up. Its place is called `place`.
    pub fn new(hwsim: &Hwsim, place: &str, name: &str, radio: Radio<'_>) -> Self {
        let mut desk = Self::without_laptop(hwsim, place, radio);
        desk.start(name);
        desk.await_group();
        desk
    }

    /// The machine with its supplicant, without our programs.
    pub fn without_laptop(hwsim: &Hwsim, place: &str, radio: Radio<'_>) -> Self {
        let place = Place::new(
            hwsim,
            "wlan0",
            &Radio {
                name: place,
                ..radio
            },
        );
        let supplicant = Some(Supplicant::start(&place, &Manner::Managed));
        Self {
            place,
            supplicant,
            laptop: None,
        }
    }

    /// Starts `laptop-daemon --standalone` as an ordinary user.
    pub fn start(&mut self, name: &str) {
        self.start_with(name, "");
    }

    /// The same, with further lines of the section `networking` in its settings.
    pub fn start_with(&mut self, name: &str, networking: &str) {
        let home = self.home();
        std::fs::create_dir_all(home.join("config")).expect("a home");
        must("chown", &["-R", "1000:1000", &home.display().to_string()]);
        let ada = ADA.map(str::to_owned);
        let here = ["ip", "netns", "exec", self.place.name()].map(str::to_owned);
        let surroundings = Surroundings {
            daemon: Through([&here[..], &ada[..]].concat()),
            ctl: Through(ada.to_vec()),
            gateway: None,
            networking: format!(
                "wifi_direct_enabled = true\nwifi_direct_port = {PORT}\nsupplicant = \"{}\"\n{networking}",
                self.place.folder().join("wpa").display()
            ),
        };
        let laptop = Laptop::within(surroundings, &home, name, 0, "", &[]);
        self.laptop = Some(laptop);
    }

    /// Folder of our programs' state.
    pub fn home(&self) -> PathBuf {
        self.place.folder().join("home")
    }

    /// Our programs.
    pub fn laptop(&self) -> &Laptop {
        self.laptop.as_ref().expect("the laptop has been started")
    }

    /// Our programs, to stop and start them.
    pub fn laptop_mut(&mut self) -> &mut Laptop {
        self.laptop.as_mut().expect("the laptop has been started")
    }

    /// Ends our programs in order.
    pub fn stop(&mut self) {
        self.laptop = None;
    }

    /// Waits until the group is up and the daemon listens in it; returns its name and frequency.
    pub fn await_group(&self) -> (String, u16) {
        eventually("the laptop's group", || self.group())
    }

    /// Name and frequency of the group that is up.
    pub fn group(&self) -> Option<(String, u16)> {
        let status = self.laptop().ctl().try_json(&["status"])?;
        let carriers = status["carriers"].as_array()?;
        let radio = carriers
            .iter()
            .find(|carrier| carrier["carrier"] == "wifi-direct")?;
        Some((
            radio["network"].as_str()?.to_owned(),
            u16::try_from(radio["frequency"].as_u64()?).ok()?,
        ))
    }

    /// Restarts its supplicant, in order or by killing it.
    pub fn restart_supplicant(&mut self, kill: bool) {
        match self.supplicant.take() {
            Some(supplicant) if kill => supplicant.kill(),
            Some(supplicant) => supplicant.terminate(),
            None => {}
        }
        self.supplicant = Some(Supplicant::start(&self.place, &Manner::Managed));
    }

    /// Addresses of the radio: the interface's own and that of the group.
    pub fn macs(&self) -> Vec<[u8; 6]> {
        self.place.macs()
    }

    /// Link-local addresses that the laptop may have in its group.
    pub fn addresses(&self) -> Vec<Ipv6Addr> {
        self.place.addresses()
    }
}

/// A handheld in a hand.
pub struct Hand {
    /// Where it is.
    pub place: Place,
    /// Its firmware's supplicant; `None` while it is not running.
    pub supplicant: Option<Supplicant>,
    manner: Manner,
    app: Option<Pocket>,
}

/// How a handheld's firmware configures its supplicant.
pub const FIRMWARE: Manner =
    Manner::Configured("update_config=1\ndevice_name=Pocket\nconfig_methods=virtual_push_button\n");
/// The same with P2P switched off, as where it is not built in.
pub const WITHOUT_P2P: Manner = Manner::Configured("update_config=1\np2p_disabled=1\n");

impl Hand {
    /// A handheld as Realtek's drivers make it, with the app running.
    pub fn new(hwsim: &Hwsim, place: &str, manner: Manner) -> Self {
        let radio = Radio {
            p2p_device: false,
            ..Radio::new(place)
        };
        let mut hand = Self::without_app(hwsim, radio, manner);
        hand.start();
        hand
    }

    /// A handheld with another radio, without the app.
    pub fn without_app(hwsim: &Hwsim, radio: Radio<'_>, manner: Manner) -> Self {
        let place = Place::new(hwsim, "wlan0", &radio);
        let supplicant = Some(Supplicant::start(&place, &manner));
        Self {
            place,
            supplicant,
            manner,
            app: None,
        }
    }

    /// Starts the app.
    pub fn start(&mut self) {
        let through = Through(
            ["ip", "netns", "exec", self.place.name()]
                .map(str::to_owned)
                .to_vec(),
        );
        let sockets = self.place.folder().join("wpa").display().to_string();
        let arguments = ["--size", "640x480", "--supplicant", &sockets];
        let card = self.place.folder().join("card");
        self.app = Some(Pocket::launch(&through, &card, &arguments, &[]));
    }

    /// The app.
    pub fn app(&mut self) -> &mut Pocket {
        self.app.as_mut().expect("the app has been started")
    }

    /// Ends the app in order.
    pub fn quit(&mut self) {
        if let Some(app) = self.app.take() {
            app.quit();
        }
    }

    /// Kills the app.
    pub fn kill(&mut self) {
        if let Some(app) = self.app.take() {
            app.kill();
        }
    }

    /// Restarts the firmware's supplicant, in order or by killing it.
    pub fn restart_supplicant(&mut self, kill: bool) {
        match self.supplicant.take() {
            Some(supplicant) if kill => supplicant.kill(),
            Some(supplicant) => supplicant.terminate(),
            None => {}
        }
        self.supplicant = Some(Supplicant::start(&self.place, &self.manner));
    }

    /// Ends everything of it that takes memory, as suspending the machine does.
    pub fn freeze(&mut self, frozen: bool) {
        let mut pids = vec![];
        pids.extend(self.app.as_ref().map(Pocket::pid));
        pids.extend(self.supplicant.as_ref().map(Supplicant::pid));
        for pid in pids {
            super::support::process::freeze(pid, frozen);
        }
    }
}
