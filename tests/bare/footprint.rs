//! What a process holds, and by how much that may grow.

/// What a process holds: open files, threads, memory in kilobytes.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    pub files: usize,
    pub threads: usize,
    pub memory: usize,
}

impl Footprint {
    pub fn of(pid: u32) -> Self {
        let proc = format!("/proc/{pid}");
        let status = std::fs::read_to_string(format!("{proc}/status")).expect("its status");
        let field = |name: &str| -> usize {
            let line = status.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1));
            number.and_then(|number| number.parse().ok()).expect(name)
        };
        Self {
            files: std::fs::read_dir(format!("{proc}/fd"))
                .expect("its files")
                .count(),
            threads: field("Threads:"),
            memory: field("VmRSS:"),
        }
    }

    /// Grown by no more than so many megabytes, and by few files and threads.
    pub fn stays_within(self, now: Self, megabytes: usize) {
        assert!(
            now.memory < self.memory + megabytes * 1024
                && now.files < self.files + 24
                && now.threads < self.threads + 16,
            "{self:?} became {now:?}"
        );
    }
}
