//! What systemd gives a process and is told by it: readiness, watchdog, listening sockets, credentials
//! (sd_notify(3), sd_listen_fds(3), systemd.exec(5)).
//!
//! Started by hand, a process finds none of it in its environment, and each of these does nothing.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use listenfd::ListenFd;
use nix::libc::{AF_UNIX, SOCK_SEQPACKET};
use sd_notify::NotifyState;

/// Where a unit's `LoadCredential=keys:FOLDER` puts the file `NAME` of that folder: `keys_NAME`.
const KEYS_PREFIX: &str = "keys_";
/// Longest credential, in octets: keys are far shorter.
const MAX_CREDENTIAL_LEN: u64 = 4096;

/// Says that the process does its work from now on. Without words, which could replace what another thread has said of
/// that work already.
pub fn ready() {
    say(&[NotifyState::Ready]);
}

/// Says in words how things stand, for `systemctl status`. No words of peers, and no secrets.
pub fn status(words: &str) {
    say(&[NotifyState::Status(words)]);
}

/// Says in words what a start waits for, and that it may well take this much longer.
pub fn waiting(words: &str, longer: Duration) {
    let micros = u32::try_from(longer.as_micros()).unwrap_or(u32::MAX);
    say(&[
        NotifyState::Status(words),
        NotifyState::ExtendTimeoutUsec(micros),
    ]);
}

/// Says that the process is about to end.
pub fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// Says that the main loop lives. Only for those that have just seen it turn.
pub fn beat() {
    say(&[NotifyState::Watchdog]);
}

/// How often [`beat`] is expected at least, halved as sd_watchdog_enabled(3) asks; `None` where nobody watches.
pub fn beat_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("systemd could not be told how things stand: {error}");
    }
}

/// The listening Unix socket that was passed, if one was.
///
/// # Errors
/// What was passed is something else.
pub fn unix_listener() -> io::Result<Option<UnixListener>> {
    let listener = ListenFd::from_env().take_unix_listener(0)?;
    if let Some(listener) = &listener {
        listener.set_nonblocking(false)?;
    }
    Ok(listener)
}

/// The listening Unix socket of whole messages that was passed, if one was.
///
/// # Errors
/// What was passed is something else.
pub fn packet_listener() -> io::Result<Option<OwnedFd>> {
    ListenFd::from_env().take_custom(0, AF_UNIX, SOCK_SEQPACKET, "listening packet socket")
}

/// The text of a credential, by its own name or by the name of a key's file, without white space around it. `None`
/// where there is none.
pub fn credential(name: &str) -> Option<String> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    credential_in(Path::new(&folder), name)
}

fn credential_in(folder: &Path, name: &str) -> Option<String> {
    // A name comes from a settings file: it names a file of this folder and no other.
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return None;
    }
    let read = |name: &str| {
        let path = folder.join(name);
        let meta = std::fs::metadata(&path).ok()?;
        if !meta.is_file() || meta.len() > MAX_CREDENTIAL_LEN {
            log::warn!("the credential {} is no short file", path.display());
            return None;
        }
        let text = std::fs::read_to_string(&path)
            .inspect_err(|error| log::warn!("the credential {}: {error}", path.display()))
            .ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    read(name).or_else(|| read(&format!("{KEYS_PREFIX}{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;

    #[test]
    fn a_credential_is_found_by_its_name_and_by_that_of_its_file() {
        let folder = TempFolder::new("credentials");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.0.join(name), text).expect("written");
        };
        write("OPENAI_API_KEY", "sk-1\n");
        write("keys_STABILITY_API_KEY", " st-2 ");
        write("keys_EMPTY", "\n");
        write("LONG", &"x".repeat(5000));
        let found = |name: &str| credential_in(&folder.0, name);
        assert_eq!(found("OPENAI_API_KEY").as_deref(), Some("sk-1"));
        assert_eq!(found("STABILITY_API_KEY").as_deref(), Some("st-2"));
        for missing in ["EMPTY", "LONG", "NOWHERE", "", ".", ".."] {
            assert_eq!(found(missing), None, "{missing}");
        }
    }

    #[test]
    fn a_credential_is_of_its_folder_only() {
        let folder = TempFolder::new("credentials-outside");
        std::fs::create_dir(folder.0.join("inner")).expect("made");
        std::fs::write(folder.0.join("secret"), "no").expect("written");
        let inner = folder.0.join("inner");
        assert_eq!(credential_in(&inner, "../secret"), None);
        let absolute = folder.0.join("secret").display().to_string();
        assert_eq!(credential_in(&inner, &absolute), None);
    }
}
