//! An unmodified wpa_supplicant in a place, started as a laptop's or a handheld's system starts it.

use super::control::connect;
use super::place::Place;
use super::support::{eventually, process};
use std::fs::File;
use std::process::Child;

/// A running supplicant.
pub struct Supplicant {
    child: Child,
}

/// How a supplicant was started.
pub enum Manner {
    /// As Debian's service is by NetworkManager: no configuration file, interfaces added while it runs, sockets for the group `netdev`.
    Managed,
    /// As a handheld's firmware does it: a configuration file with these lines.
    Configured(&'static str),
}

impl Supplicant {
    /// Starts it and waits for its control socket.
    pub fn start(place: &Place, manner: &Manner) -> Self {
        let folder = place.folder();
        let sockets = folder.join("wpa");
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("supplicant.log"))
            .expect("a log");
        let mut command = place.command("wpa_supplicant");
        match manner {
            Manner::Managed => {
                command
                    .arg("-g")
                    .arg(folder.join("global"))
                    .arg("-O")
                    .arg(format!("DIR={} GROUP=netdev", sockets.display()));
            }
            Manner::Configured(lines) => {
                let file = folder.join("wpa_supplicant.conf");
                let text = format!("ctrl_interface={}\n{lines}", sockets.display());
                std::fs::write(&file, text).expect("a configuration");
                command
                    .args(["-Dnl80211", "-i", place.interface(), "-c"])
                    .arg(file);
            }
        }
        let child = command
            .stdout(log.try_clone().expect("the log again"))
            .stderr(log)
            .spawn()
            .expect("wpa_supplicant starts");
        let supplicant = Self { child };
        if matches!(manner, Manner::Managed) {
            let (global, own) = eventually("the global socket", || connect(&folder.join("global")));
            let request = format!(
                "INTERFACE_ADD {}\t\tnl80211\tDIR={} GROUP=netdev",
                place.interface(),
                sockets.display()
            );
            global.send(request.as_bytes()).expect("a request");
            let mut buffer = [0; 64];
            let len = global.recv(&mut buffer).unwrap_or(0);
            assert!(buffer[..len].starts_with(b"OK"), "{request}");
            let _ = std::fs::remove_file(own);
        }
        eventually("the supplicant's socket", || {
            let (_socket, own) = connect(&sockets.join(place.interface()))?;
            let _ = std::fs::remove_file(own);
            Some(())
        });
        supplicant
    }

    /// Process number; `ip netns exec` becomes the program, so it is the supplicant's own.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it in order, as a service manager does.
    pub fn terminate(mut self) {
        process::terminate(self.child.id());
        let _ = self.child.wait();
    }

    /// Kills it, as a crash does.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Supplicant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
