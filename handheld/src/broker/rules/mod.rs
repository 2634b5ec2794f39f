//! What the broker lets the app have: a request and the state of the machine go in, a verdict comes out. Pure.

pub mod dial;
pub mod supplicant;

/// Longest name of a control socket or interface: that of a P2P device, `p2p-dev-` before an interface's.
const MAX_NAME: usize = 40;

/// Whether this can be the name of an interface or of its control socket: no path, no blank.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'@');
    !matches!(name, "" | "." | "..") && name.len() <= MAX_NAME && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for good in ["wlan0", "p2p-wlan0-0", "p2p-dev-wlx00c0caaabbcc", "lo"] {
            assert!(is_name(good), "{good}");
        }
        let long = "x".repeat(MAX_NAME + 1);
        for bad in ["", ".", "..", "../etc", "a/b", "a b", "a\0", "é", &long] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
