//! The log that the kernel's device mapper target `log-writes` keeps of a block device: every write in the order in which it
//! was completed, with the flushes between them and the marks that a program set. Pure.
//!
//! Layout (`drivers/md/dm-log-writes.c` of the kernel, version 1), all numbers little endian: a super block of one sector,
//! then for each entry one sector of header and the sectors that were written. Writes stand before the flush that made them
//! durable, also where the device took them later than the flush began.

/// Octets of a sector of the log and of the device.
pub const SECTOR: usize = 512;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const VERSION: u64 = 1;

const FLUSH: u64 = 1;
const FUA: u64 = 1 << 1;
const DISCARD: u64 = 1 << 2;
const MARK: u64 = 1 << 3;

/// One thing that happened to the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// First sector written.
    pub sector: u64,
    /// What was written; empty for a flush alone and for a mark. A discard is written as zeros.
    pub data: Vec<u8>,
    /// Everything before it is durable once this is.
    pub flush: bool,
    /// Durable by itself once it is complete.
    pub fua: bool,
    /// What a program marked.
    pub mark: Option<String>,
}

/// Reads the log. One that ends in the middle of an entry is refused: it was not closed.
///
/// # Errors
/// A sentence: what is wrong and at which entry.
pub fn parse(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let number = |at: usize| -> Option<u64> {
        Some(u64::from_le_bytes(
            bytes.get(at..at.checked_add(8)?)?.try_into().ok()?,
        ))
    };
    if (number(0), number(8)) != (Some(MAGIC), Some(VERSION)) {
        return Err("this is no log of dm-log-writes, version 1".to_owned());
    }
    let count = number(16).ok_or("the super block is cut short")?;
    let sector_len = number(24).map(|both| both as u32 as usize);
    if sector_len != Some(SECTOR) {
        return Err(format!(
            "sectors of {sector_len:?} octets; 512 are expected"
        ));
    }
    let mut entries = Vec::new();
    let mut at = SECTOR;
    for n in 0..count {
        let cut = || format!("entry {n} of {count} is cut short");
        let head = [0, 8, 16, 24].map(|field| number(at + field));
        let [Some(sector), Some(sectors), Some(flags), Some(text_len)] = head else {
            return Err(cut());
        };
        let mark = if flags & MARK == 0 {
            None
        } else {
            let text = usize::try_from(text_len)
                .ok()
                .filter(|len| *len <= SECTOR - 32)
                .and_then(|len| bytes.get(at + 32..at + 32 + len));
            Some(String::from_utf8_lossy(text.ok_or_else(cut)?).into_owned())
        };
        at += SECTOR;
        let len = usize::try_from(sectors)
            .ok()
            .and_then(|sectors| sectors.checked_mul(SECTOR))
            .ok_or_else(cut)?;
        let data = if flags & MARK != 0 {
            Vec::new()
        } else if flags & DISCARD != 0 {
            // Only small ones are made here; a whole card would not be kept in memory.
            if len > 64 << 20 {
                return Err(format!("entry {n} discards {len} octets"));
            }
            vec![0; len]
        } else {
            let end = at.checked_add(len).ok_or_else(cut)?;
            let data = bytes.get(at..end).ok_or_else(cut)?.to_vec();
            at = end;
            data
        };
        entries.push(Entry {
            sector,
            data,
            flush: flags & FLUSH != 0,
            fua: flags & FUA != 0,
            mark,
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(fields: &[u64], text: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = fields.iter().flat_map(|f| f.to_le_bytes()).collect();
        out.extend_from_slice(text);
        out.resize(SECTOR, 0);
        out
    }

    fn log(count: u64, rest: &[Vec<u8>]) -> Vec<u8> {
        let head = sector(&[MAGIC, VERSION, count, 512], b"");
        [vec![head], rest.to_vec()].concat().concat()
    }

    #[test]
    fn writes_flushes_and_marks_are_read_in_order() {
        let bytes = log(
            4,
            &[
                sector(&[7, 2, 0, 0], b""),
                vec![1; 1024],
                sector(&[0, 0, FLUSH, 0], b""),
                sector(&[0, 0, MARK, 3], b"one"),
                sector(&[9, 1, FLUSH | FUA, 0], b""),
                vec![2; 512],
            ],
        );
        let entries = parse(&bytes).unwrap();
        assert_eq!(entries.len(), 4);
        assert_eq!((entries[0].sector, entries[0].data.len()), (7, 1024));
        assert!(entries[1].flush && entries[1].data.is_empty());
        assert_eq!(entries[2].mark.as_deref(), Some("one"));
        assert!(entries[3].flush && entries[3].fua);
        assert_eq!(entries[3].data, [2; 512]);
    }

    #[test]
    fn what_is_no_whole_log_is_refused() {
        assert!(parse(b"").is_err());
        assert!(parse(&[0; 1024]).is_err());
        let cut = log(1, &[sector(&[0, 9, 0, 0], b""), vec![0; 512]]);
        assert_eq!(parse(&cut).unwrap_err(), "entry 0 of 1 is cut short");
        let huge = log(1, &[sector(&[0, u64::MAX, 0, 0], b"")]);
        assert!(parse(&huge).is_err());
        let long = log(1, &[sector(&[0, 0, MARK, 481], b"")]);
        assert!(parse(&long).is_err());
    }
}
