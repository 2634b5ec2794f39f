//! What a driver makes its choices from: the octets of one run, taken from the front. When they are gone, every choice is the first.
#![allow(dead_code)] // Each driver uses its own part.

/// What is left of the octets.
pub struct Octets<'a>(pub &'a [u8]);

impl<'a> Octets<'a> {
    /// The next one, while there are any.
    pub fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number below 256.
    pub fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// A number below `end`, of two octets.
    pub fn below(&mut self, end: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % end.max(1)
    }

    /// Any number: most often a small one, sometimes one near an edge.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            251 => u64::MAX - u64::from(self.byte()),
            252 => u64::from(u32::MAX) - 128 + u64::from(self.byte()),
            253 => (1 << 29) - 128 + u64::from(self.byte()),
            254 => self.below(1 << 16) as u64 + 16 * 1024,
            255 => self.below(1 << 16) as u64 * 16,
            small => u64::from(small),
        }
    }

    /// A length in one octet and so many octets, or what is left.
    pub fn piece(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        self.take(len)
    }

    /// So many octets, or what is left.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
