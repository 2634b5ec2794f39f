//! Who is at the other end of a Unix socket.

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use std::ffi::CString;
use std::fmt;
use std::os::fd::AsFd;

/// The group whose members may talk to the daemon of the system.
pub const GROUP: &str = "officeos";

/// The caller is not one of those who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAllowed {
    /// Its user id; `None` if the kernel would not tell.
    pub uid: Option<u32>,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.uid {
            Some(uid) => write!(f, "refused a caller with user id {uid}"),
            None => f.write_str("refused a caller whose user id the kernel does not tell"),
        }
    }
}

impl std::error::Error for NotAllowed {}

/// Who may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// These users.
    pub uids: Vec<u32>,
    /// And the members of this group, whether it is their first or a further one.
    pub group: Option<u32>,
}

impl Allowed {
    /// Only these users.
    pub fn users(uids: &[u32]) -> Self {
        Self {
            uids: uids.to_vec(),
            group: None,
        }
    }

    /// The members of the group `name` too, where there is one.
    #[must_use]
    pub fn and_group(self, name: &str) -> Self {
        let group = Group::from_name(name).ok().flatten();
        Self {
            group: group.map(|group| group.gid.as_raw()),
            ..self
        }
    }

    fn admits(&self, uid: Uid, gid: Gid) -> bool {
        if self.uids.contains(&uid.as_raw()) {
            return true;
        }
        let Some(group) = self.group.map(Gid::from_raw) else {
            return false;
        };
        gid == group || groups(uid, gid).contains(&group)
    }
}

/// The groups of a user, as the system's lists have them now: whoever was taken out of one is out.
fn groups(uid: Uid, gid: Gid) -> Vec<Gid> {
    let user = User::from_uid(uid).ok().flatten();
    let name = user.and_then(|user| CString::new(user.name).ok());
    name.and_then(|name| getgrouplist(&name, gid).ok())
        .unwrap_or_default()
}

/// Checks who is at the other end of `socket`, before anything is read from it: its user id.
///
/// # Errors
/// [`NotAllowed`].
pub fn check(socket: &impl AsFd, allowed: &Allowed) -> Result<u32, NotAllowed> {
    let credentials = getsockopt(socket, PeerCredentials).map_err(|_| NotAllowed { uid: None })?;
    let (uid, gid) = (credentials.uid(), credentials.gid());
    match allowed.admits(Uid::from_raw(uid), Gid::from_raw(gid)) {
        true => Ok(uid),
        false => Err(NotAllowed { uid: Some(uid) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn only_listed_users_pass() {
        let (ours, _theirs) = UnixStream::pair().expect("a pair");
        let own = nix::unistd::geteuid().as_raw();
        let check = |uids: &[u32]| check(&ours, &Allowed::users(uids));
        assert_eq!(check(&[own]), Ok(own));
        assert_eq!(check(&[own + 1]), Err(NotAllowed { uid: Some(own) }));
        assert_eq!(check(&[]), Err(NotAllowed { uid: Some(own) }));
    }

    #[test]
    fn members_of_the_group_pass_whoever_they_are() {
        let (ours, _theirs) = UnixStream::pair().expect("a pair");
        let own = nix::unistd::geteuid().as_raw();
        let first = nix::unistd::getegid().as_raw();
        let of = |group| Allowed {
            uids: Vec::new(),
            group: Some(group),
        };
        assert_eq!(check(&ours, &of(first)), Ok(own));
        let stranger = u32::MAX - 7;
        assert_eq!(
            check(&ours, &of(stranger)),
            Err(NotAllowed { uid: Some(own) })
        );
    }

    #[test]
    fn a_group_that_is_not_there_admits_nobody() {
        let allowed = Allowed::users(&[]).and_group("no-such-group-here");
        assert_eq!(allowed.group, None);
        assert!(!allowed.admits(Uid::from_raw(0), Gid::from_raw(0)));
    }

    #[test]
    fn further_groups_are_those_of_the_system_s_lists() {
        let root = groups(Uid::from_raw(0), Gid::from_raw(0));
        assert!(root.contains(&Gid::from_raw(0)));
        assert_eq!(groups(Uid::from_raw(u32::MAX - 7), Gid::from_raw(1)), []);
    }
}
