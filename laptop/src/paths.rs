//! Where settings, state and sockets lie.

use std::path::{Path, PathBuf};

/// Where the settings of the system's installation are.
const SYSTEM_CONFIG: &str = "/etc/officeos";
/// Where its state and drop folders are.
const SYSTEM_STATE: &str = "/var/lib/officeos";
/// Where its sockets are.
const SYSTEM_RUN: &str = "/run/officeos";

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The whole.
    pub home: PathBuf,
    /// Sockets.
    pub run: PathBuf,
    /// Database, results and uploads.
    pub state: PathBuf,
    /// Drop folders.
    pub files: PathBuf,
    /// `daemon.toml`.
    pub config: PathBuf,
    /// Whether they are the system's: folders that the package has made, and a user for each process.
    pub system: bool,
}

impl Paths {
    /// The usual places below `home`.
    pub fn below(home: &Path) -> Self {
        Self {
            run: home.join("run"),
            state: home.join("state"),
            files: home.join("files"),
            config: home.join("config").join("daemon.toml"),
            home: home.to_owned(),
            system: false,
        }
    }

    /// Those of the system's installation.
    pub fn of_system() -> Self {
        let state = Path::new(SYSTEM_STATE);
        Self {
            run: SYSTEM_RUN.into(),
            state: state.join("state"),
            files: state.join("files"),
            config: Path::new(SYSTEM_CONFIG).join("daemon.toml"),
            home: state.to_owned(),
            system: true,
        }
    }

    /// Those of the daemon that is meant: below `home` where one is named, or below `$OFFICEOS_HOME`; the system's where
    /// it is installed; else below `~/.local/share/officeos`. `None` where no home folder is known.
    pub fn find(home: Option<&Path>) -> Option<Self> {
        let named = home.map(Path::to_owned);
        let named = named.or_else(|| std::env::var_os("OFFICEOS_HOME").map(PathBuf::from));
        match named {
            Some(home) => Some(Self::below(&home)),
            None if Path::new(SYSTEM_CONFIG).is_dir() => Some(Self::of_system()),
            None => Self::usual_home().map(|home| Self::below(&home)),
        }
    }

    /// The home folder of a daemon that a person runs for themselves: `$OFFICEOS_HOME`, else `~/.local/share/officeos`.
    pub fn usual_home() -> Option<PathBuf> {
        let named = std::env::var_os("OFFICEOS_HOME").map(PathBuf::from);
        named.or_else(|| {
            Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share/officeos"))
        })
    }

    /// The log of `laptop-daemon --standalone`.
    pub fn log(&self) -> PathBuf {
        self.home.join("officeos.log")
    }

    /// The control socket.
    pub fn control(&self) -> PathBuf {
        self.run.join("control.sock")
    }
}

/// Octets that are free where `place` is or would be made, for those who are not root; `None` where the system does not tell.
pub fn room_at(place: &Path) -> Option<u64> {
    place.ancestors().find_map(|folder| {
        let disk = nix::sys::statvfs::statvfs(folder).ok()?;
        Some(disk.blocks_available() * disk.fragment_size())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_home_wins_over_the_system() {
        let home = Path::new("/srv/office");
        let found = Paths::find(Some(home)).expect("paths");
        assert_eq!(found, Paths::below(home));
        assert!(!found.system);
    }

    #[test]
    fn the_system_s_places_are_those_of_the_hierarchy() {
        let paths = Paths::of_system();
        assert_eq!(paths.control(), Path::new("/run/officeos/control.sock"));
        assert_eq!(paths.config, Path::new("/etc/officeos/daemon.toml"));
        assert_eq!(paths.files, Path::new("/var/lib/officeos/files"));
    }
}
