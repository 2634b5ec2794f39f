//! Which firmware this is, from what was read of the system: the same device name and the same code mean different buttons on
//! different firmware.

/// A firmware that the tables know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    /// Anbernic's own system on the H700.
    Stock,
    /// muOS.
    MuOs,
    /// Knulli.
    Knulli,
    /// Batocera.
    Batocera,
    /// ROCKNIX, and JELOS before it.
    Rocknix,
    /// ArkOS and dArkOS on the RK3566 with the vendor's kernel.
    ArkOs,
    /// AmberELEC.
    AmberElec,
    /// The image of this project.
    Own,
    /// Any other Linux.
    Other,
}

impl Firmware {
    /// Its name, for the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::MuOs => "muOS",
            Self::Knulli => "Knulli",
            Self::Batocera => "Batocera",
            Self::Rocknix => "ROCKNIX",
            Self::ArkOs => "ArkOS",
            Self::AmberElec => "AmberELEC",
            Self::Own => "OfficeOS image",
            Self::Other => "another Linux",
        }
    }
}

/// What was found on the system; the shell reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// `/opt/muos` is there.
    pub muos: bool,
    /// `/mnt/vendor/oem/board.ini` is there.
    pub board_ini: bool,
    /// `/etc/os-release`, or what of it could be read.
    pub os_release: String,
    /// A folder or file that only ArkOS and dArkOS have is there (`/home/ark`).
    pub ark: bool,
}

/// Names in `OS_NAME`, `NAME` and `ID` of `/etc/os-release`, in small letters.
const NAMES: &[(&str, Firmware)] = &[
    ("officeos", Firmware::Own),
    ("muos", Firmware::MuOs),
    ("knulli", Firmware::Knulli),
    ("rocknix", Firmware::Rocknix),
    ("jelos", Firmware::Rocknix),
    ("amberelec", Firmware::AmberElec),
    ("batocera", Firmware::Batocera),
    ("darkos", Firmware::ArkOs),
    ("arkos", Firmware::ArkOs),
];

/// The firmware. muOS comes first, since it is the vendor's system with another one on top; a name in `/etc/os-release` comes before
/// `board.ini`, since firmware that replaces the vendor's may keep its partition.
#[must_use]
pub fn detect(traces: &Traces) -> Firmware {
    if traces.muos {
        return Firmware::MuOs;
    }
    let values = ["OS_NAME", "NAME", "ID"].map(|key| value(&traces.os_release, key));
    let named = values.iter().flatten().find_map(|value| {
        let value = value.to_ascii_lowercase();
        NAMES
            .iter()
            .find(|(name, _)| value.contains(name))
            .map(|(_, firmware)| *firmware)
    });
    match named {
        Some(firmware) => firmware,
        None if traces.ark => Firmware::ArkOs,
        None if traces.board_ini => Firmware::Stock,
        None => Firmware::Other,
    }
}

/// The value of `key` in the lines of an os-release file, without quotes.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(key)?.strip_prefix('=')?;
        Some(rest.trim_matches(['"', '\'']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Traces {
        Traces {
            os_release: text.into(),
            ..Traces::default()
        }
    }

    #[test]
    fn each_firmware_is_known_by_what_it_leaves() {
        for (traces, firmware) in [
            (
                release("OS_NAME=\"ROCKNIX\"\nID=rocknix\n"),
                Firmware::Rocknix,
            ),
            (release("NAME=\"JELOS\"\n"), Firmware::Rocknix),
            (
                release("OS_NAME=\"Knulli\"\nNAME=Buildroot\n"),
                Firmware::Knulli,
            ),
            (
                release("NAME=Buildroot\nOS_NAME='batocera.linux'"),
                Firmware::Batocera,
            ),
            (release("NAME=AmberELEC\n"), Firmware::AmberElec),
            (release("ID=officeos\nNAME=\"OfficeOS\"\n"), Firmware::Own),
            (
                release("NAME=\"Debian GNU/Linux\"\nID=debian\n"),
                Firmware::Other,
            ),
            (release(""), Firmware::Other),
        ] {
            assert_eq!(detect(&traces), firmware, "{:?}", traces.os_release);
        }
        let vendor = Traces {
            board_ini: true,
            ..release("NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\n")
        };
        assert_eq!(detect(&vendor), Firmware::Stock);
        let muos = Traces {
            muos: true,
            ..vendor.clone()
        };
        assert_eq!(detect(&muos), Firmware::MuOs);
        let ark = Traces {
            ark: true,
            board_ini: false,
            ..vendor
        };
        assert_eq!(detect(&ark), Firmware::ArkOs);
    }

    #[test]
    fn a_key_is_a_whole_key() {
        assert_eq!(value("VERSION_ID=knulli\nMY_NAME=muos\n", "NAME"), None);
        assert_eq!(value(" NAME=a=b ", "NAME"), Some("a=b"));
    }
}
