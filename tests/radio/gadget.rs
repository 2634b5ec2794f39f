//! A USB cable between two places. Both ends are the kernel's own: a network gadget (NCM, by configfs), the driver that a laptop has for
//! it, and `dummy_hcd` between them in place of the copper.

use super::place::{Place, must};
use super::support::eventually;
use super::table::Table;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where gadgets are made.
const GADGET: &str = "/sys/kernel/config/usb_gadget/pocket";
/// The controller that leads to this same machine.
const CONTROLLER: &str = "dummy_udc.0";

/// The kernel gives an interface its address within a second of the carrier.
const ADDRESS: Duration = Duration::from_secs(20);

/// The gadget of a handheld, and its cable.
pub struct Cable;

impl Cable {
    /// A handheld's firmware makes its gadget; its interface is `usb0` there.
    pub fn new(hand: &Place) -> Self {
        for module in ["dummy_hcd", "libcomposite", "usb_f_ncm", "cdc_ncm"] {
            must("modprobe", &[module]);
        }
        if !Path::new("/sys/kernel/config/usb_gadget").exists() {
            must(
                "mount",
                &["-t", "configfs", "configfs", "/sys/kernel/config"],
            );
        }
        let gadget = Path::new(GADGET);
        for folder in ["strings/0x409", "configs/c.1", "functions/ncm.usb0"] {
            fs::create_dir_all(gadget.join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
        }
        for (file, text) in [
            // Linux Foundation, multifunction composite gadget.
            ("idVendor", "0x1d6b"),
            ("idProduct", "0x0104"),
            ("strings/0x409/product", "Pocket"),
        ] {
            write(file, text);
        }
        let function = gadget.join("functions/ncm.usb0");
        std::os::unix::fs::symlink(function, gadget.join("configs/c.1/ncm.usb0"))
            .expect("the function is part of the configuration");
        write("UDC", CONTROLLER);
        let name = fs::read_to_string(gadget.join("functions/ncm.usb0/ifname"))
            .expect("the gadget's interface");
        move_to(hand, name.trim(), "usb0");
        Self
    }

    /// Waits until the laptop's driver has its interface, and switches it on, as a laptop's network service does.
    ///
    /// Once in some hundred times on a busy machine the made-up controller leaves that interface without an address; nothing of ours has
    /// a hand in it. Then the cable is pulled and plugged in again, as a person does, and the run says so.
    pub fn plugged(&self, desk: &Place) {
        let started = Instant::now();
        if let Err(told) = self.attach(desk) {
            println!(
                "   the cable is plugged in once more; the laptop's end had no address: {told}"
            );
            self.pull();
            write("UDC", CONTROLLER);
            self.attach(desk).expect("an address of the laptop's end");
            Table::note(
                "cable plugged in once more for want of an address",
                started.elapsed(),
            );
        }
    }

    /// Gives the laptop its end; fails with what that looks like where it gets no address.
    fn attach(&self, desk: &Place) -> Result<(), String> {
        let (name, function) = eventually("the laptop's end of the cable", || {
            fs::read_dir("/sys/class/net")
                .ok()?
                .flatten()
                .find_map(|entry| {
                    let function = entry.path().join("device");
                    let driver: PathBuf = fs::read_link(function.join("driver")).ok()?;
                    let name = entry.file_name().to_string_lossy().into_owned();
                    driver
                        .ends_with("cdc_ncm")
                        .then_some((name, fs::canonicalize(function).ok()?))
                })
        });
        // The interface is there before its driver is done with it, and the last thing it does is to say that nothing is connected
        // (usbnet_probe in drivers/net/usb/usbnet.c): one that was switched on before would stay without a carrier. This is read
        // under the lock that the driver is given the device under.
        let device = function.parent().expect("a function is part of a device");
        let number = fs::read_to_string(device.join("bConfigurationValue"));
        assert_eq!(number.expect("the device").trim(), "1");
        move_to(desk, &name, "usb9");
        let moved = Instant::now();
        eventually("an address of the laptop's end of the cable", || {
            let told = desk.must("ip", &["address", "show", "dev", "usb9"]);
            match told.contains("inet6 fe80") {
                true => Some(Ok(())),
                false => (moved.elapsed() > ADDRESS).then_some(Err(told)),
            }
        })
    }

    /// The cable is pulled.
    pub fn pull(&self) {
        write("UDC", "\n");
    }

    /// The cable is plugged in again.
    pub fn plug(&self, desk: &Place) {
        write("UDC", CONTROLLER);
        self.plugged(desk);
    }
}

fn write(file: &str, text: &str) {
    let path = Path::new(GADGET).join(file);
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn move_to(place: &Place, from: &str, to: &str) {
    must(
        "ip",
        &["link", "set", from, "netns", place.name(), "name", to],
    );
    place.must("ip", &["link", "set", to, "up"]);
}
