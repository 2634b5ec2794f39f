//! Who is at the other end of a Unix socket.

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::fmt;
use std::os::fd::AsFd;

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

/// Checks the user id of whoever is at the other end of `socket`, before anything is read from it.
///
/// # Errors
/// [`NotAllowed`].
pub fn check(socket: &impl AsFd, allowed: &[u32]) -> Result<u32, NotAllowed> {
    match getsockopt(socket, PeerCredentials) {
        Ok(credentials) if allowed.contains(&credentials.uid()) => Ok(credentials.uid()),
        Ok(credentials) => Err(NotAllowed {
            uid: Some(credentials.uid()),
        }),
        Err(_) => Err(NotAllowed { uid: None }),
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
        assert_eq!(check(&ours, &[own]), Ok(own));
        assert_eq!(check(&ours, &[own + 1]), Err(NotAllowed { uid: Some(own) }));
        assert_eq!(check(&ours, &[]), Err(NotAllowed { uid: Some(own) }));
    }
}
