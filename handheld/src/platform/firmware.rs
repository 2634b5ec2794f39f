//! What of the system says which firmware it is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::input::firmware::{Firmware, Traces, detect};

/// Octets of `/etc/os-release` that are read; real ones have a few hundred.
const MAX_RELEASE: u64 = 4096;

/// The firmware of this system.
#[must_use]
pub fn of_system() -> Firmware {
    let traces = traces(Path::new("/"));
    let firmware = detect(&traces);
    log::info!("firmware: {}", firmware.name());
    firmware
}

/// The traces below `root`.
#[must_use]
pub fn traces(root: &Path) -> Traces {
    let mut release = Vec::new();
    if let Ok(file) = File::open(root.join("etc/os-release")) {
        // A file that cannot be read to its end says what could be read.
        drop(file.take(MAX_RELEASE).read_to_end(&mut release));
    }
    Traces {
        muos: root.join("opt/muos").is_dir(),
        board_ini: root.join("mnt/vendor/oem/board.ini").is_file(),
        os_release: String::from_utf8_lossy(&release).into_owned(),
        ark: root.join("home/ark").is_dir(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn each_trace_is_found_below_the_root_and_a_large_file_is_not_read_whole() {
        let root = std::env::temp_dir().join(format!("officeos-firmware-{}", std::process::id()));
        fs::create_dir_all(root.join("etc")).unwrap();
        assert_eq!(traces(&root), Traces::default());
        fs::write(
            root.join("etc/os-release"),
            format!("ID=knulli\n{}", "x".repeat(100_000)),
        )
        .unwrap();
        assert_eq!(detect(&traces(&root)), Firmware::Knulli);
        assert_eq!(traces(&root).os_release.len() as u64, MAX_RELEASE);
        fs::create_dir_all(root.join("mnt/vendor/oem")).unwrap();
        fs::write(root.join("mnt/vendor/oem/board.ini"), "RG35XXSP").unwrap();
        fs::create_dir_all(root.join("opt/muos")).unwrap();
        assert_eq!(detect(&traces(&root)), Firmware::MuOs);
        fs::remove_dir_all(&root).unwrap();
    }
}
