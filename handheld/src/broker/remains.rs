//! What runs that were killed left in the run folder: sockets in folders of their own, named after the process.

use std::fs;
use std::path::Path;

/// What a process names its folders.
const PREFIXES: [&str; 2] = ["radio-", "probe-"];

/// Removes the folders in `run` whose process is not in `proc` any more. Files stay: they say what is to be put back.
pub fn sweep(run: &Path, proc: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name();
        let owner = name.to_str().and_then(owner);
        if folder && owner.is_some_and(|owner| !proc.join(owner.to_string()).exists()) {
            match fs::remove_dir_all(entry.path()) {
                Ok(()) => log::debug!(
                    "removed what process {owner:?} left: {}",
                    entry.path().display()
                ),
                Err(error) => log::warn!("{} stays behind: {error}", entry.path().display()),
            }
        }
    }
}

/// The process that a folder is named after: `radio-PROCESS-NUMBER` or `probe-PROCESS-NUMBER`.
fn owner(name: &str) -> Option<u32> {
    let rest = PREFIXES
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))?;
    let (process, number) = rest.split_once('-').unwrap_or((rest, "0"));
    number.parse::<u64>().ok()?;
    process.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_processes_that_are_gone_go_and_nothing_else() {
        let home = std::env::temp_dir().join(format!("officeos-remains-{}", std::process::id()));
        let (run, proc) = (home.join("run"), home.join("proc"));
        for folder in [
            "run/radio-17-1",
            "run/radio-18-2",
            "run/probe-17",
            "run/radio-x-1",
            "run/radio-17-y",
            "run/kept",
            "proc/18",
        ] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        fs::write(run.join("radio-17-1/events"), "").unwrap();
        // What is to be put back is named after a namespace, and is a file.
        fs::write(run.join("radio-4026531840"), "held").unwrap();
        sweep(&run, &proc);
        sweep(Path::new("/nowhere/at/all"), &proc);
        let mut left: Vec<String> = fs::read_dir(&run)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        fs::remove_dir_all(&home).unwrap();
        assert_eq!(
            left,
            [
                "kept",
                "radio-17-y",
                "radio-18-2",
                "radio-4026531840",
                "radio-x-1"
            ]
        );
    }
}
