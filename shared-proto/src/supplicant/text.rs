//! How wpa_supplicant writes octets and addresses (`src/utils/common.c`: `printf_encode`, `MACSTR`).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;

/// An IEEE 802 address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Reads `02:00:00:00:01:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut mac = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut mac {
            let part = parts.next().filter(|part| part.len() == 2)?;
            if part.starts_with('+') {
                return None;
            }
            *octet = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(mac))
    }

    /// The link-local address that a kernel makes of it (RFC 4291, appendix A).
    #[must_use]
    pub const fn eui64(self) -> Ipv6Addr {
        let m = self.0;
        Ipv6Addr::new(
            0xfe80,
            0,
            0,
            0,
            (m[0] as u16 ^ 2) << 8 | m[1] as u16,
            (m[2] as u16) << 8 | 0xff,
            0xfe00 | m[3] as u16,
            (m[4] as u16) << 8 | m[5] as u16,
        )
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Undoes `printf_encode`. What is no escape stays as it is.
#[must_use]
pub fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'\\').then(|| escape(after)).flatten();
        match escaped {
            Some((octet, len)) => {
                out.push(octet);
                rest = &after[len..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

fn escape(after: &[u8]) -> Option<(u8, usize)> {
    Some(match *after.first()? {
        b'"' => (b'"', 1),
        b'\\' => (b'\\', 1),
        b'e' => (0x1b, 1),
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'x' => {
            let digits = core::str::from_utf8(after.get(1..3)?).ok()?;
            let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
            (u8::from_str_radix(digits, 16).ok().filter(|_| plain)?, 3)
        }
        _ => return None,
    })
}

/// Octets as hexadecimal digits.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    octets
        .iter()
        .flat_map(|o| [DIGITS[usize::from(o >> 4)], DIGITS[usize::from(o & 15)]])
        .map(char::from)
        .collect()
}

/// A key or passphrase, which no log shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_and_nothing_else_is() {
        let mac = Mac([2, 0, 0, 0, 1, 0xfe]);
        assert_eq!(Mac::parse("02:00:00:00:01:fe"), Some(mac));
        assert_eq!(alloc::format!("{mac}"), "02:00:00:00:01:fe");
        for wrong in [
            "",
            "02:00:00:00:01",
            "02:00:00:00:01:fe:00",
            "2:0:0:0:1:fe",
            "02:00:00:00:01:+e",
            "02-00-00-00-01-fe",
        ] {
            assert_eq!(Mac::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_link_local_address_flips_the_universal_bit() {
        let address: Ipv6Addr = "fe80::ff:fe00:1fe".parse().unwrap();
        assert_eq!(Mac([2, 0, 0, 0, 1, 0xfe]).eui64(), address);
        let address: Ipv6Addr = "fe80::4200:ff:fe00:0".parse().unwrap();
        assert_eq!(Mac([0x40, 0, 0, 0, 0, 0]).eui64(), address);
    }

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        assert_eq!(decode(br#"a\x00\"\\\e\n\r\t"#), b"a\0\"\\\x1b\n\r\t");
        assert_eq!(decode(br"\x1"), br"\x1");
        assert_eq!(decode(br"\q\x+1\"), br"\q\x+1\");
        assert_eq!(hex(&[0, 0x1f, 0xff]), "001fff");
    }
}
