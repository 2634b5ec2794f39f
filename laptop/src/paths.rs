//! Where settings, state and sockets lie.

use std::path::{Path, PathBuf};

/// Where everything lies.
#[derive(Debug, Clone)]
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
        }
    }

    /// The home folder where none is named: `$OFFICEOS_HOME`, else `~/.local/share/officeos`.
    pub fn usual_home() -> Option<PathBuf> {
        let named = std::env::var_os("OFFICEOS_HOME").map(PathBuf::from);
        named.or_else(|| {
            Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share/officeos"))
        })
    }

    /// The control socket.
    pub fn control(&self) -> PathBuf {
        self.run.join("control.sock")
    }
}
