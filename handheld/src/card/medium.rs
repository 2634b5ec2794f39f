//! What the card format needs from a file system, and no more.
//!
//! Nothing here renames or truncates: on FAT neither survives a pulled battery (replaying 689 crash states of
//! write-and-rename left 669 without a readable file). What must survive is overwritten in place, sector by
//! sector, in files whose clusters and length were made durable beforehand.

use super::error::CardError;

/// The unit a card writes whole or not at all. An acknowledged sector is never written again.
pub const SECTOR: usize = 512;

/// Flat folder of files. Names are short lower-case ASCII (8.3), so that FAT needs one directory entry for each.
pub trait Medium {
    /// Every file's name and length in octets.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn list(&self) -> Result<Vec<(String, u64)>, CardError>;

    /// Length of a file, `None` if there is none of that name.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn len(&self, name: &str) -> Result<Option<u64>, CardError>;

    /// Reads up to `buf.len()` octets at `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// No such file, or the card fails.
    fn read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, CardError>;

    /// Writes in place, or past the end of a file that grows. Creates the file if there is none.
    /// Durable only after [`Medium::sync`].
    ///
    /// # Errors
    /// The card is full, read-only or fails; any part of the range may then hold either content.
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), CardError>;

    /// Makes the content of a file durable whose name and length already are (by preallocation): one flush,
    /// because this is the wait before every dispatch.
    ///
    /// # Errors
    /// The card fails; what was written since the last sync may or may not be there.
    fn sync(&mut self, name: &str) -> Result<(), CardError>;

    /// Makes a new or grown file durable: content, length and directory entry.
    ///
    /// # Errors
    /// As [`Medium::sync`].
    fn sync_new(&mut self, name: &str) -> Result<(), CardError>;

    /// Makes a file of at least `len` octets, filled with zeros where it is new, durable on return.
    ///
    /// # Errors
    /// The card is full, read-only or fails.
    fn preallocate(&mut self, name: &str, len: u64) -> Result<(), CardError>;

    /// Removes a file; none of that name is fine. It may come back if the power fails soon after.
    ///
    /// # Errors
    /// The card is read-only or fails.
    fn delete(&mut self, name: &str) -> Result<(), CardError>;
}

impl<M: Medium + ?Sized> Medium for &mut M {
    fn list(&self) -> Result<Vec<(String, u64)>, CardError> {
        (**self).list()
    }

    fn len(&self, name: &str) -> Result<Option<u64>, CardError> {
        (**self).len(name)
    }

    fn read_at(&self, name: &str, offset: u64, buf: &mut [u8]) -> Result<usize, CardError> {
        (**self).read_at(name, offset, buf)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), CardError> {
        (**self).write_at(name, offset, bytes)
    }

    fn sync(&mut self, name: &str) -> Result<(), CardError> {
        (**self).sync(name)
    }

    fn sync_new(&mut self, name: &str) -> Result<(), CardError> {
        (**self).sync_new(name)
    }

    fn preallocate(&mut self, name: &str, len: u64) -> Result<(), CardError> {
        (**self).preallocate(name, len)
    }

    fn delete(&mut self, name: &str) -> Result<(), CardError> {
        (**self).delete(name)
    }
}

/// Where salts, nonces and keys come from.
pub trait Entropy {
    /// Fills the buffer with unpredictable bytes.
    ///
    /// # Errors
    /// The system has none.
    fn fill(&self, buf: &mut [u8]) -> Result<(), CardError>;
}

/// The system's random numbers, through ring.
#[derive(Debug)]
pub struct SystemEntropy(ring::rand::SystemRandom);

impl Default for SystemEntropy {
    fn default() -> Self {
        Self(ring::rand::SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CardError> {
        ring::rand::SecureRandom::fill(&self.0, buf).map_err(|_| CardError::NoEntropy)
    }
}

/// Reads a range whole; `None` if the file is missing or ends before it.
///
/// # Errors
/// The card fails.
pub fn read_exact(
    medium: &dyn Medium,
    name: &str,
    offset: u64,
    len: usize,
) -> Result<Option<Vec<u8>>, CardError> {
    let Some(have) = medium.len(name)? else {
        return Ok(None);
    };
    let fits = offset
        .checked_add(len as u64)
        .is_some_and(|end| end <= have);
    if !fits {
        return Ok(None);
    }
    let mut buf = vec![0; len];
    let got = medium.read_at(name, offset, &mut buf)?;
    Ok((got == len).then_some(buf))
}
