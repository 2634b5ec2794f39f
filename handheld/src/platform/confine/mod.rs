//! What a process gives up for good: capabilities, programs, sockets, and writing anywhere but where it has to.
//!
//! Three layers, each for itself and each said where a kernel lacks it:
//!
//! - rights: no_new_privs, and no capability left in any set ([`rights`]);
//! - disk: Landlock, writing only below the folders and to the devices named ([`disk`]; Linux 5.13);
//! - calls: seccomp, on all threads ([`calls`]; Linux 3.17).
//!
//! Sockets that were there without being asked for are closed or ended ([`sockets`]).
//!
//! Rights and disk belong to a thread and are inherited by those that it starts, so they are given up while there is one thread:
//! before the display opens. The filter of calls comes once it is open, because opening it may need a socket.

pub mod attempt;
pub mod calls;
pub mod disk;
pub mod rights;
pub mod sockets;

use std::path::{Path, PathBuf};

use rustix::thread::CapabilitySet;

/// Whether a layer is in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// It is.
    Holds,
    /// It is in part: what is missing.
    Partly(String),
    /// This kernel has no such thing: why.
    Lacks(String),
    /// The kernel has it, and it is not in place: why.
    Fails(String),
}

impl Layer {
    fn of(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Fails, |()| Self::Holds)
    }
}

/// The layers of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    /// Capabilities, and no way to new ones.
    pub rights: Layer,
    /// Where it may write.
    pub disk: Layer,
    /// What it may ask of the kernel.
    pub calls: Layer,
}

impl Layers {
    /// What is missing, in words; `None` if nothing is.
    #[must_use]
    pub fn lack(&self) -> Option<String> {
        let all = [&self.rights, &self.disk, &self.calls];
        let words: Vec<&str> = all
            .into_iter()
            .filter_map(|layer| match layer {
                Layer::Holds => None,
                Layer::Partly(why) | Layer::Lacks(why) | Layer::Fails(why) => Some(why.as_str()),
            })
            .collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// Gives up rights and disk: before any thread is started. `calls` of what comes back is still missing.
#[must_use]
pub fn early(folders: &[PathBuf]) -> Layers {
    Layers {
        rights: Layer::of(rights::drop_all_but(CapabilitySet::empty())),
        disk: disk::write_only_to(folders, &disk::devices()),
        calls: Layer::Fails("the filter of system calls is not in place yet".into()),
    }
}

/// Gives up what the app needs no more once its display is open, on all threads. `listens`: a socket that was opened before may
/// still be accepted on.
#[must_use]
pub fn late(layers: Layers, listens: bool) -> Layers {
    let buses = sockets::hang_up();
    log::debug!("connections to message buses that were ended: {buses}");
    Layers {
        calls: calls::forbid(&calls::app(listens)),
        ..layers
    }
}

/// Confines the broker: it keeps the capabilities that open the link, may write its folder and what interfaces are set to, and
/// opens sockets of its few families alone.
#[must_use]
pub fn broker(run: &Path) -> Layers {
    let kept = CapabilitySet::NET_ADMIN | CapabilitySet::NET_RAW;
    let rights = rights::drop_all_but(kept).and_then(|()| rights::hide());
    let folders = [run.to_owned(), "/proc/sys/net/ipv6/conf".into()];
    let nowhere = PathBuf::from("/dev/null");
    Layers {
        rights: Layer::of(rights),
        disk: disk::write_only_to(&folders, &[nowhere]),
        calls: calls::forbid(&calls::broker()),
    }
}
