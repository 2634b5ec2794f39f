//! Splitting a byte stream into lines of bounded length, whatever the pieces it arrives in.

/// A line was longer than the cap; the stream is not worth reading further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong;

/// Collects bytes until a line is whole. Lines end with `\n`, `\r\n` or `\r`.
#[derive(Clone, Debug)]
pub struct Lines {
    line: Vec<u8>,
    cap: usize,
    after_cr: bool,
}

impl Lines {
    /// A splitter for lines of at most `cap` bytes.
    pub fn new(cap: usize) -> Self {
        Self {
            line: Vec::new(),
            cap,
            after_cr: false,
        }
    }

    /// Takes more bytes and gives each whole line (without its end) to `each`.
    ///
    /// # Errors
    /// [`LineTooLong`] as soon as a line passes the cap, before more is kept.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), LineTooLong> {
        for &byte in bytes {
            let lf_of_crlf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if lf_of_crlf => {}
                b'\n' | b'\r' => {
                    each(&self.line);
                    self.line.clear();
                }
                _ if self.line.len() >= self.cap => return Err(LineTooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    /// The unfinished last line, for streams that do not end theirs.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_line_ends_are_one_end_each() {
        let (mut lines, mut seen) = (Lines::new(10), Vec::new());
        lines
            .feed(b"a\r\nb\rc\n\n\r\nd", |l| seen.push(l.to_vec()))
            .unwrap();
        assert_eq!(seen, [&b"a"[..], b"b", b"c", b"", b""]);
        assert_eq!(lines.rest(), b"d");
    }

    #[test]
    fn a_line_over_the_cap_is_refused_before_it_is_kept() {
        let mut lines = Lines::new(4);
        assert_eq!(lines.feed(b"1234\n1234", |_| {}), Ok(()));
        assert_eq!(lines.feed(b"5", |_| {}), Err(LineTooLong));
        assert_eq!(lines.rest().len(), 4);
    }
}
