//! Bounds-checked reading of what a peer wrote. Numbers are LEB128 varints in their shortest form, as in
//! postcard's wire specification.

use crate::error::DecodeError;

/// A view of octets that are read from the front.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// One octet.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn octet(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// A varint of at most 64 bits.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::BadVarint`] where it is not the shortest form.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::BadVarint);
            }
            value |= bits << shift;
            if octet & 0x80 == 0 {
                if octet == 0 && shift > 0 {
                    return Err(DecodeError::BadVarint);
                }
                return Ok(value);
            }
        }
        Err(DecodeError::BadVarint)
    }

    /// A varint that counts something, at most `cap`.
    ///
    /// # Errors
    /// As [`Reader::varint`], and [`DecodeError::TooLong`] above the cap.
    pub fn count(&mut self, cap: usize) -> Result<usize, DecodeError> {
        let value = self.varint()?;
        match usize::try_from(value) {
            Ok(value) if value <= cap => Ok(value),
            _ => Err(DecodeError::TooLong),
        }
    }

    /// The next `len` octets.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] where fewer are left.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        if len > self.rest.len() {
            return Err(DecodeError::Truncated);
        }
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(taken)
    }

    /// A length of at most `cap` and that many octets.
    ///
    /// # Errors
    /// As [`Reader::count`] and [`Reader::take`].
    pub fn bytes(&mut self, cap: usize) -> Result<&'a [u8], DecodeError> {
        let len = self.count(cap)?;
        self.take(len)
    }

    /// Says that nothing may be left.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] where something is.
    pub const fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing)
        }
    }
}

/// Decodes a postcard value that fills `bytes` exactly.
///
/// # Errors
/// [`DecodeError::BadPayload`] where it does not decode, [`DecodeError::Trailing`] where octets are left.
pub fn from_postcard<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(DecodeError::Trailing),
        Err(_) => Err(DecodeError::BadPayload),
    }
}

/// Writes octets as octets: on its own serde takes a slice for a list of numbers, and so one at a time.
pub(crate) fn octets<S: serde::Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

/// Appends `value` as postcard.
///
/// # Errors
/// [`crate::error::Misuse::TooLong`] where a list does not know its own length; `out` is as it was then.
#[cfg(feature = "alloc")]
pub fn push_postcard<T: serde::Serialize + ?Sized>(
    value: &T,
    out: &mut alloc::vec::Vec<u8>,
) -> Result<(), crate::error::Misuse> {
    struct Behind<'a>(&'a mut alloc::vec::Vec<u8>);
    impl postcard::ser_flavors::Flavor for Behind<'_> {
        type Output = ();
        #[inline]
        fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
            self.0.extend_from_slice(data);
            Ok(())
        }
        #[inline]
        fn try_push(&mut self, data: u8) -> postcard::Result<()> {
            self.0.push(data);
            Ok(())
        }
        fn finalize(self) -> postcard::Result<()> {
            Ok(())
        }
    }
    let start = out.len();
    postcard::serialize_with_flavor(value, Behind(out)).map_err(|_| {
        out.truncate(start);
        crate::error::Misuse::TooLong
    })
}

/// Writes `value` as a varint into `out` and returns how many octets it took.
pub fn write_varint(mut value: u64, out: &mut [u8; 10]) -> usize {
    let mut len = 0;
    loop {
        let bits = (value & 0x7f) as u8;
        value >>= 7;
        out[len] = if value == 0 { bits } else { bits | 0x80 };
        len += 1;
        if value == 0 {
            return len;
        }
    }
}

/// Appends `value` as a varint.
#[cfg(feature = "alloc")]
pub fn push_varint(value: u64, out: &mut alloc::vec::Vec<u8>) {
    // Nearly all of them are lengths and numbers below 128.
    if value < 0x80 {
        return out.push(value as u8);
    }
    let mut octets = [0; 10];
    let len = write_varint(value, &mut octets);
    out.extend_from_slice(&octets[..len]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn varints_have_one_form() {
        for (bytes, value) in [
            (&[0x00][..], Ok(0)),
            (&[0x7f], Ok(127)),
            (&[0x80, 0x01], Ok(128)),
            (&[0x80, 0x00], Err(DecodeError::BadVarint)),
            (&[0x80], Err(DecodeError::Truncated)),
            (&[0xff; 10], Err(DecodeError::BadVarint)),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                Ok(u64::MAX),
            ),
        ] {
            assert_eq!(Reader::new(bytes).varint(), value, "{bytes:x?}");
        }
    }

    #[test]
    fn a_length_above_its_cap_is_refused_before_anything_is_taken() {
        assert_eq!(
            Reader::new(&[5, 1, 2, 3, 4, 5]).bytes(4),
            Err(DecodeError::TooLong)
        );
        assert_eq!(
            Reader::new(&[5, 1, 2, 3, 4, 5]).bytes(5),
            Ok(&[1, 2, 3, 4, 5][..])
        );
        assert_eq!(Reader::new(&[5, 1]).bytes(5), Err(DecodeError::Truncated));
    }

    proptest! {
        #[test]
        fn varints_round_trip(value: u64) {
            let mut octets = [0; 10];
            let len = write_varint(value, &mut octets);
            let mut reader = Reader::new(&octets[..len]);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert!(reader.finish().is_ok());
        }
    }
}
