//! The group's own name and passphrase, made once and kept in `group.toml`.
//!
//! A paired handheld joins with what it has stored, so they outlive restarts of everything. They are no secret that
//! the channel rests on, but they are not for strangers either: the file is for its owner alone, and no `Debug` shows
//! the passphrase.

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Name of the file in the state folder.
pub const FILE: &str = "group.toml";
/// Longest SSID in octets (IEEE 802.11, 9.4.2.2).
pub const MAX_SSID_LEN: usize = 32;
/// What every SSID of a Wi-Fi Direct group begins with (Wi-Fi Direct 3.2.1), before two characters drawn at random.
const SSID_PREFIX: &str = "DIRECT-";
/// Octets of the device's name that fit behind `DIRECT-xy-`.
const MAX_NAME_LEN: usize = MAX_SSID_LEN - SSID_PREFIX.len() - 3;
/// Characters of a passphrase: 12 of 31 are 59 bits, and a person with a D-pad can type them.
const PASSPHRASE_LEN: usize = 12;
/// Without i, l, o, 0 and 1, which look like each other.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Largest file that is read, in octets; ours is below 200.
const MAX_FILE_LEN: u64 = 4096;

/// Who the group is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its SSID, at most [`MAX_SSID_LEN`] octets.
    pub ssid: String,
    /// Its WPA2 passphrase, 8 to 63 printable ASCII characters (IEEE 802.11, J.4).
    pub passphrase: String,
    /// Where it was last, in MHz, so that a handheld finds it at the frequency that it stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<u16>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("ssid", &self.ssid)
            .field("frequency", &self.frequency)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Draws a new one for a laptop called `name`.
    ///
    /// # Errors
    /// The system's random numbers cannot be had.
    pub fn draw(name: &str) -> io::Result<Self> {
        let random = SystemRandom::new();
        Ok(Self {
            ssid: format!("{SSID_PREFIX}{}-{}", draw(&random, 2)?, fitting(name)),
            passphrase: draw(&random, PASSPHRASE_LEN)?,
            frequency: None,
        })
    }

    /// Reads it from the folder `state`, or draws it and keeps it there. A damaged file is set aside, never overwritten.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn load(state: &Path, name: &str) -> io::Result<Self> {
        let file = state.join(FILE);
        match fs::metadata(&file) {
            Ok(about) if about.len() <= MAX_FILE_LEN => {
                let bytes = fs::read(&file)?;
                if let Some(identity) = Self::parse(&bytes) {
                    return Ok(identity);
                }
                set_aside(&file)?;
            }
            Ok(_) => set_aside(&file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let identity = Self::draw(name)?;
        identity.store(state)?;
        Ok(identity)
    }

    /// Keeps it in the folder `state`: whole or not at all, and readable for its owner alone.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn store(&self, state: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let (file, new) = (state.join(FILE), state.join("group.toml.new"));
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        let mut written = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        writeln!(
            written,
            "# The Wi-Fi Direct group of this laptop. Paired handhelds join with it: without this file they have to be paired anew."
        )?;
        written.write_all(text.as_bytes())?;
        written.sync_all()?;
        fs::rename(&new, &file)?;
        fs::File::open(state)?.sync_all()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let identity: Self = toml::from_str(std::str::from_utf8(bytes).ok()?).ok()?;
        let fits = identity.ssid.len() <= MAX_SSID_LEN
            && identity.ssid.starts_with(SSID_PREFIX)
            && (8..=63).contains(&identity.passphrase.len())
            && identity
                .passphrase
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte))
            && identity
                .frequency
                .is_none_or(|mhz| (2412..=7125).contains(&mhz));
        fits.then_some(identity)
    }
}

/// The longest beginning of `name` that fits into an SSID, without what no screen shows.
fn fitting(name: &str) -> String {
    let mut fitting = String::new();
    for character in name
        .chars()
        .filter(|character| !crate::sanitize::is_hostile(*character))
    {
        if fitting.len() + character.len_utf8() > MAX_NAME_LEN {
            break;
        }
        fitting.push(character);
    }
    if fitting.trim().is_empty() {
        "OfficeOS".to_owned()
    } else {
        fitting
    }
}

/// `len` characters of [`ALPHABET`], each as likely as the others.
fn draw(random: &SystemRandom, len: usize) -> io::Result<String> {
    let mut drawn = String::with_capacity(len);
    let mut bytes = [0; 64];
    while drawn.len() < len {
        random
            .fill(&mut bytes)
            .map_err(|_| io::Error::other("the system has no random numbers"))?;
        // 248 is the largest multiple of 31 in an octet: taking more would favour the first letters.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        drawn.extend(
            fair.take(len - drawn.len())
                .map(|byte| char::from(ALPHABET[usize::from(byte % 31)])),
        );
    }
    Ok(drawn)
}

/// Renames a damaged file, so that a person can still look into it.
fn set_aside(file: &Path) -> io::Result<()> {
    let aside = file.with_extension("damaged");
    log::warn!(
        "link-service: {} is damaged; it is kept as {}, and paired handhelds have to learn the new group once over another way",
        file.display(),
        aside.display()
    );
    fs::rename(file, aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt;

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir()
                .join(format!("officeos-identity-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn it_is_made_once_and_kept_for_its_owner_alone() {
        let folder = Folder::new("once");
        let first = Identity::load(&folder.0, "Ada's laptop").expect("made");
        assert_eq!(
            Identity::load(&folder.0, "another name").expect("read"),
            first
        );
        let about = fs::metadata(folder.0.join(FILE)).expect("a file");
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_ssid_names_the_laptop_and_the_passphrase_can_be_typed() {
        let identity = Identity::draw("Ada's laptop").expect("drawn");
        assert!(identity.ssid.starts_with("DIRECT-"));
        assert!(identity.ssid.ends_with("-Ada's laptop"));
        assert_eq!(identity.passphrase.len(), 12);
        assert!(
            identity
                .passphrase
                .bytes()
                .all(|byte| ALPHABET.contains(&byte))
        );
        assert_ne!(
            Identity::draw("x").expect("drawn").passphrase,
            identity.passphrase
        );
    }

    #[test]
    fn the_frequency_is_remembered() {
        let folder = Folder::new("frequency");
        let mut identity = Identity::load(&folder.0, "a").expect("made");
        identity.frequency = Some(2437);
        identity.store(&folder.0).expect("kept");
        assert_eq!(Identity::load(&folder.0, "a").expect("read"), identity);
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let folder = Folder::new("damaged");
        for damage in [
            "ssid = \"DIRECT-ab-x\"",
            "ssid = \"home\"\npassphrase = \"abcdefgh\"\n",
            "ssid = \"DIRECT-ab-x\"\npassphrase = \"short\"\n",
            "ssid = \"DIRECT-ab-x\"\npassphrase = \"tab\\tin it\"\n",
            "\u{0}",
        ] {
            fs::write(folder.0.join(FILE), damage).expect("written");
            let identity = Identity::load(&folder.0, "a").expect("made anew");
            assert_eq!(
                fs::read_to_string(folder.0.join("group.damaged")).expect("kept"),
                damage
            );
            assert_eq!(Identity::load(&folder.0, "a").expect("read"), identity);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        assert!(Identity::load(Path::new("/proc/officeos"), "a").is_err());
    }

    #[test]
    fn debug_shows_no_passphrase() {
        let identity = Identity::draw("a").expect("drawn");
        assert!(!format!("{identity:?}").contains(&identity.passphrase));
    }

    proptest! {
        #[test]
        fn every_name_fits(name in ".{0,80}") {
            let identity = Identity::draw(&name).expect("drawn");
            prop_assert!(identity.ssid.len() <= MAX_SSID_LEN);
            let text = toml::to_string(&identity).expect("text");
            prop_assert_eq!(Identity::parse(text.as_bytes()), Some(identity));
        }

        #[test]
        fn no_file_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Identity::parse(&bytes);
        }
    }
}
