//! The ledger's files: lines one after the other, a new file when one is large enough.
//!
//! A file is named by the number of its first entry, so that their order is that of their names. A lost battery may leave
//! the last line without its end; that line still waits in the database and is written again.

use super::StoreError;
use crate::ledger::{MAX_LINE_LEN, read};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Octets after which a new file is begun.
const MAX_FILE_LEN: u64 = 4 << 20;

/// How a file's name ends.
const ENDING: &str = ".jsonl";

/// Where lines go.
pub(super) struct Book {
    folder: PathBuf,
    open: Option<(PathBuf, File, u64)>,
    /// Number of the last entry that is in a file.
    last: u64,
    /// What `last` and the length of the open file were when that was forced last.
    forced: (u64, u64),
    max_len: u64,
}

impl Book {
    /// Opens the last file in `folder`. Entries from `waiting` on still wait in the database, which knows them up to `head`: whatever
    /// of them stands in files may be known to the kernel alone, where it failed to be forced, and is written again. An end that is
    /// no whole line and that nobody waits for, and files that go further than the database, are left as they are, for whoever
    /// verifies them, and a new file is begun.
    pub(super) fn open(folder: &Path, waiting: Option<u64>, head: u64) -> Result<Self, StoreError> {
        let mut book = Self {
            folder: folder.to_owned(),
            open: None,
            last: 0,
            forced: (0, 0),
            max_len: MAX_FILE_LEN,
        };
        let mut files = files(folder)?;
        if let Some(path) = files.last()
            && last_of(path)? > head
        {
            log::error!(
                "{} goes further than the database, which ends with entry {head}: an older one was put back",
                path.display()
            );
            book.last = waiting.map_or(head, |waiting| waiting - 1);
            return Ok(book);
        }
        // Files that hold nothing else.
        while let Some(path) = files.pop_if(|path| first_of(path) >= waiting && waiting.is_some()) {
            fs::remove_file(&path).map_err(|error| StoreError::File(path, error))?;
        }
        let Some(path) = files.pop() else {
            return Ok(book);
        };
        let failed = |error| StoreError::File(path.clone(), error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let (mut whole, last) = end_of(&file).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let first = first_of(&path).unwrap_or(1);
        // A file whose first line was cut short holds nothing yet: its name tells which that was.
        book.last = last.unwrap_or(first - 1);
        let before = match waiting {
            Some(waiting) => before_line(&file, waiting - first, waiting).map_err(failed)?,
            None => None,
        };
        if let (Some(waiting), Some(before)) = (waiting, before) {
            (book.last, whole) = (waiting - 1, before);
        } else if whole < length && waiting != Some(book.last + 1) {
            log::error!(
                "{} ends with what is no entry; officectl ledger verify says more",
                path.display()
            );
            return Ok(book);
        }
        if whole < length {
            file.set_len(whole).map_err(failed)?;
        }
        book.forced = (book.last, whole);
        book.open = Some((path, file, whole));
        Ok(book)
    }

    /// Appends those lines that are not here yet and forces them to the disk.
    ///
    /// Where forcing fails, the kernel may have given up the very pages it could not write and will not say so twice: what
    /// was written since the last success is forgotten here, and written again by the next call.
    pub(super) fn append(&mut self, lines: &[(u64, String)]) -> Result<(), StoreError> {
        for (number, line) in lines {
            if *number <= self.last {
                continue;
            }
            self.write(*number, line)?;
            self.last = *number;
        }
        self.force()
    }

    fn force(&mut self) -> Result<(), StoreError> {
        let Some((path, file, len)) = &mut self.open else {
            return Ok(());
        };
        match file.sync_data() {
            Ok(()) => {
                self.forced = (self.last, *len);
                Ok(())
            }
            Err(error) => {
                (self.last, *len) = self.forced;
                Err(StoreError::File(path.clone(), error))
            }
        }
    }

    fn write(&mut self, number: u64, line: &str) -> Result<(), StoreError> {
        if self
            .open
            .as_ref()
            .is_some_and(|(_, _, len)| *len >= self.max_len)
        {
            self.force()?;
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(create(&self.folder, number)?);
            self.forced = (self.last, 0);
        }
        let Some((path, file, len)) = &mut self.open else {
            return Ok(());
        };
        let wrote = file
            .seek(SeekFrom::Start(*len))
            .and_then(|_| file.write_all(line.as_bytes()));
        wrote.map_err(|error| StoreError::File(path.clone(), error))?;
        *len += line.len() as u64;
        Ok(())
    }
}

fn create(folder: &Path, first: u64) -> Result<(PathBuf, File, u64), StoreError> {
    let path = folder.join(format!("{first:020}{ENDING}"));
    let failed = |error| StoreError::File(path.clone(), error);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    // An attempt that could not force its name leaves an empty one; what has content is not ours to write over.
    if file.metadata().map_err(failed)?.len() != 0 {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    // Its name has to outlast a lost battery as well.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok((path, file, 0))
}

/// The files of a ledger, in their order.
///
/// # Errors
/// The folder cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| StoreError::File(folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if first_of(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The number of a file's first entry, which is its name.
pub fn first_of(path: &Path) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(ENDING)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// The number of a file's last whole entry; where that does not read, of the one before its first.
fn last_of(path: &Path) -> Result<u64, StoreError> {
    let last = File::open(path).and_then(|file| end_of(&file));
    let (_, last) = last.map_err(|error| StoreError::File(path.to_owned(), error))?;
    Ok(last.unwrap_or_else(|| first_of(path).unwrap_or(1) - 1))
}

/// Where entry `number` begins, which has `count` lines before it; `None` where the line before it is no such entry, so that
/// the file is not what was written.
fn before_line(file: &File, count: u64, number: u64) -> io::Result<Option<u64>> {
    let mut reader = file;
    reader.seek(SeekFrom::Start(0))?;
    let mut lines = BufReader::new(reader);
    let mut end = 0;
    let mut line = Vec::new();
    for _ in 0..count {
        line.clear();
        end += lines.read_until(b'\n', &mut line)? as u64;
    }
    let fits = count == 0 || read(&line).is_ok_and(|(head, _)| head.number + 1 == number);
    Ok(fits.then_some(end))
}

/// Where the last whole line ends, and the number of its entry. Reads the end of the file only.
fn end_of(file: &File) -> io::Result<(u64, Option<u64>)> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * MAX_LINE_LEN as u64);
    let mut tail = Vec::new();
    let mut reader = file;
    reader.seek(SeekFrom::Start(start))?;
    reader
        .take(2 * MAX_LINE_LEN as u64)
        .read_to_end(&mut tail)?;
    let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
        return Ok((start, None));
    };
    let whole = &tail[..=end];
    let line = whole[..end]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |before| before + 1);
    let number = read(&whole[line..]).ok().map(|(head, _)| head.number);
    Ok((start + end as u64 + 1, number))
}

#[cfg(test)]
mod tests {
    use super::super::testing::TempFolder;
    use super::*;
    use crate::ledger::{Event, Head, append};

    fn lines(count: u64) -> Vec<(u64, String)> {
        let mut head = Head::START;
        (0..count)
            .map(|at| {
                let (next, line) =
                    append(head, at as i64, Event::Confirmed { device: 1 }).expect("a line");
                head = next;
                (next.number, line)
            })
            .collect()
    }

    fn text(folder: &Path) -> String {
        files(folder)
            .expect("listed")
            .iter()
            .map(|path| fs::read_to_string(path).expect("read"))
            .collect()
    }

    fn joined(lines: &[(u64, String)]) -> String {
        lines.iter().map(|(_, line)| line.as_str()).collect()
    }

    #[test]
    fn lines_are_there_once_however_often_they_are_given() {
        let folder = TempFolder::new("book-once");
        let all = lines(5);
        let mut book = Book::open(&folder.0, Some(1), 20).expect("opened");
        book.append(&all[..3]).expect("written");
        book.append(&all).expect("written");
        let mut book = Book::open(&folder.0, None, 20).expect("opened again");
        book.append(&all).expect("nothing new");
        assert_eq!(text(&folder.0), joined(&all));
    }

    #[test]
    fn what_could_not_be_forced_is_written_again() {
        let folder = TempFolder::new("book-force");
        let all = lines(4);
        let mut book = Book::open(&folder.0, Some(1), 20).expect("opened");
        book.append(&all[..2]).expect("written");
        let forced = book.forced;
        // Takes whatever is written, keeps nothing, and cannot be forced (EINVAL).
        let nowhere = OpenOptions::new().write(true).open("/dev/null");
        let (_, file, _) = book.open.as_mut().expect("open");
        let real = std::mem::replace(file, nowhere.expect("a device"));
        assert!(book.append(&all).is_err());
        assert_eq!(book.forced, forced);
        book.open.as_mut().expect("still open").1 = real;
        book.append(&all).expect("written again");
        assert_eq!(text(&folder.0), joined(&all));
    }

    #[test]
    fn what_may_never_have_reached_the_disk_is_written_again_by_the_next_process() {
        let folder = TempFolder::new("book-unforced");
        let all = lines(20);
        let mut book = Book::open(&folder.0, Some(1), 20).expect("opened");
        book.max_len = 1_000;
        for line in &all {
            book.append(std::slice::from_ref(line)).expect("written");
        }
        let before = files(&folder.0).expect("listed");
        // In the middle of a file that is not the last, from its first entry on, and everything.
        let middle = first_of(&before[1]).expect("a number") + 1;
        for waiting in [20, middle, middle - 1, 1] {
            for path in files(&folder.0).expect("listed") {
                let text = fs::read_to_string(&path).expect("read");
                let first = first_of(&path).expect("a number");
                // The kernel had them, and the disk has something else.
                let spoilt = text
                    .split_inclusive('\n')
                    .zip(first..)
                    .map(|(line, number)| match number < waiting {
                        true => line.to_owned(),
                        false => line.replace("confirmed", "confused!"),
                    });
                let spoilt: String = spoilt.collect();
                let begins = text.split_inclusive('\n').count() as u64 + first;
                assert_eq!(spoilt != text, begins > waiting, "{first}");
                fs::write(&path, spoilt).expect("written");
            }
            let mut book = Book::open(&folder.0, Some(waiting), 20).expect("opened");
            let again = &all[waiting as usize - 1..];
            book.append(again).expect("written again");
            assert_eq!(text(&folder.0), joined(&all), "from {waiting}");
        }
    }

    #[test]
    fn files_that_go_further_than_the_database_are_left_as_they_are() {
        let folder = TempFolder::new("book-further");
        let all = lines(9);
        let mut book = Book::open(&folder.0, Some(1), 20).expect("opened");
        book.append(&all).expect("written");
        for waiting in [None, Some(4), Some(1)] {
            // A database that was put back ends with entry 5.
            Book::open(&folder.0, waiting, 5).expect("opened");
            assert_eq!(text(&folder.0), joined(&all));
        }
        // What it goes on with stands in a file of its own.
        let mut book = Book::open(&folder.0, Some(5), 5).expect("opened");
        book.append(&all[4..6]).expect("written");
        let files = files(&folder.0).expect("listed");
        let read = |path: &PathBuf| fs::read_to_string(path).expect("read");
        assert_eq!(
            files.iter().map(read).collect::<Vec<_>>(),
            [joined(&all), joined(&all[4..6])]
        );
    }

    #[test]
    fn an_end_cut_off_anywhere_is_written_again() {
        let all = lines(3);
        let whole = joined(&all);
        let before = joined(&all[..2]).len();
        for cut in before..=whole.len() {
            let folder = TempFolder::new("book-cut");
            fs::write(folder.0.join(format!("{:020}{ENDING}", 1)), &whole[..cut]).expect("written");
            let mut book = Book::open(&folder.0, Some(3), 20).expect("opened");
            book.append(&all[2..]).expect("written again");
            assert_eq!(text(&folder.0), whole, "cut at {cut}");
        }
    }

    #[test]
    fn an_end_that_nobody_waits_for_is_left_for_whoever_verifies() {
        let folder = TempFolder::new("book-evidence");
        let all = lines(3);
        let cut = format!("{}{}", joined(&all[..2]), &all[2].1[..10]);
        fs::write(folder.0.join(format!("{:020}{ENDING}", 1)), &cut).expect("written");
        let mut book = Book::open(&folder.0, None, 20).expect("opened");
        book.append(&all[2..]).expect("in a new file");
        assert_eq!(text(&folder.0), format!("{cut}{}", all[2].1));
        assert_eq!(files(&folder.0).expect("listed").len(), 2);
    }

    #[test]
    fn a_new_file_goes_on_where_the_one_before_ends() {
        let folder = TempFolder::new("book-rotate");
        let all = lines(20);
        let mut book = Book::open(&folder.0, None, 20).expect("opened");
        book.max_len = 1_000;
        for line in &all {
            book.append(std::slice::from_ref(line)).expect("written");
        }
        let files = files(&folder.0).expect("listed");
        assert!(files.len() > 3, "{files:?}");
        assert_eq!(text(&folder.0), joined(&all));
        assert_eq!(first_of(&files[0]), Some(1));
    }
}
