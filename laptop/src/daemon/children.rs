//! The service processes of `--standalone`: started with the daemon, started again when they die, ended with it.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Exit code of a service whose settings are wrong: starting again would not help.
const EXIT_SETTINGS: i32 = 78;
/// First pause before a process is started again; doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause before a process is started again.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// A process that ran this long starts with the first pause again.
const STEADY: Duration = Duration::from_secs(5);
/// Time to end by itself after being asked: link-service puts the radio back as it was.
const END_TIMEOUT: Duration = Duration::from_secs(8);

/// The process that has the carriers.
const LINK: &str = "link-service";
/// Serves the page. Its settings apply when the daemon starts, and the owner may be looking at it.
const WEB: &str = "web-service";
/// Processes that need no provider's key and so get none: the environment is where keys are.
const WITHOUT_KEYS: [&str; 3] = [LINK, WEB, "fetch-service"];
/// What these get of the environment.
const PLAIN_VARIABLES: [&str; 7] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "RUST_LOG",
    "RUST_BACKTRACE",
];

/// One process to keep running.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<OsString>,
}

/// What is known of one process: to the thread that keeps it, and to whoever ends it.
#[derive(Default)]
struct State {
    /// Whether its end was asked for.
    asked: bool,
    /// Its number while it has not been waited for: the number cannot belong to another process then.
    number: Option<Pid>,
}

#[derive(Default)]
struct Kept {
    state: Mutex<State>,
    changed: Condvar,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits up to `patience`; true once the end was asked for.
    fn rest(&self, patience: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, |state| !state.asked)
            .unwrap_or_else(PoisonError::into_inner);
        state.asked
    }

    /// Asks for the end.
    fn ask(&self) {
        let mut state = self.lock();
        state.asked = true;
        tell(&state, Signal::SIGTERM);
        self.changed.notify_all();
    }

    /// Waits for the end until `deadline`, then makes it.
    fn end(&self, name: &str, deadline: Instant) {
        let patience = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, |state| state.number.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if state.number.is_some() {
            log::warn!("{name} did not end in time and is killed");
            tell(&state, Signal::SIGKILL);
        }
    }
}

fn tell(state: &State, signal: Signal) {
    if let Some(number) = state.number {
        // One that has ended by itself meanwhile hears nothing, which is as well.
        let _ = kill(number, signal);
    }
}

/// One process and the thread that keeps it.
struct Keeper {
    name: &'static str,
    kept: Arc<Kept>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Keeper {
    fn start(binaries: &Path, spec: Spec) -> io::Result<Self> {
        let program = binaries.join(spec.name);
        if !program.is_file() {
            let words = format!(
                "{} is not there; install it beside laptop-daemon",
                program.display()
            );
            return Err(io::Error::new(io::ErrorKind::NotFound, words));
        }
        let (name, kept) = (spec.name, Arc::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || keep(&program, &spec, &shared))?;
        Ok(Self {
            name,
            kept,
            thread: Some(thread),
        })
    }

    fn ask_to_end(&self) {
        self.kept.ask();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.ask_to_end();
        self.kept.end(self.name, Instant::now() + END_TIMEOUT);
        if let Some(thread) = self.thread.take() {
            // A keeper that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

/// The processes. Dropping it ends them.
pub(super) struct Children {
    binaries: PathBuf,
    keepers: Vec<Keeper>,
}

impl Children {
    /// Starts every process of `specs` from the folder `binaries`, each kept by a thread of its own.
    ///
    /// The thread matters: a process that is tied to its parent is tied to the thread that started it.
    ///
    /// # Errors
    /// What the system said to the first process that could not be started, by name.
    pub(super) fn start(binaries: &Path, specs: Vec<Spec>) -> io::Result<Self> {
        let mut children = Self {
            binaries: binaries.to_owned(),
            keepers: Vec::new(),
        };
        for spec in specs {
            children.keepers.push(Keeper::start(binaries, spec)?);
        }
        Ok(children)
    }

    /// Starts what is in `specs` and does not run, ends services that are not in it. link-service, which the sessions
    /// stand on, and web-service are left alone.
    ///
    /// # Errors
    /// As from [`start`](Self::start); what came before it has happened.
    pub(super) fn adjust(&mut self, specs: Vec<Spec>) -> io::Result<()> {
        let wanted: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        self.keepers
            .retain(|keeper| [LINK, WEB].contains(&keeper.name) || wanted.contains(&keeper.name));
        for spec in specs {
            if !self.keepers.iter().any(|keeper| keeper.name == spec.name) {
                self.keepers.push(Keeper::start(&self.binaries, spec)?);
            }
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // All at once; each is waited for when it goes.
        self.keepers.iter().for_each(Keeper::ask_to_end);
    }
}

fn keep(program: &Path, spec: &Spec, kept: &Kept) {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        match command(program, spec).spawn() {
            Ok(mut child) => match watch(&mut child, kept) {
                None => return,
                Some(Some(EXIT_SETTINGS)) => {
                    log::error!(
                        "{} ended because of its settings and is not started again",
                        spec.name
                    );
                    return;
                }
                Some(code) => log::warn!(
                    "{} ended {}; it is started again",
                    spec.name,
                    code.map_or("by a signal".to_owned(), |code| format!(
                        "with exit code {code}"
                    ))
                ),
            },
            Err(error) => log::error!("{} could not be started: {error}", program.display()),
        }
        if started.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        if kept.rest(pause) {
            return;
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

fn command(program: &Path, spec: &Spec) -> Command {
    let mut command = Command::new(program);
    command.args(&spec.arguments).stdin(Stdio::null());
    let log = crate::journal::file();
    if WITHOUT_KEYS.contains(&spec.name) {
        command.env_clear();
        command.envs(
            std::env::vars_os()
                .filter(|(name, _)| PLAIN_VARIABLES.iter().any(|plain| name == plain)),
        );
    }
    command.envs(log.map(|file| (crate::journal::FILE_VARIABLE, file)));
    command
}

/// Waits for the process to end, asleep all the while: its exit code. `None` if the end was asked for.
fn watch(child: &mut Child, kept: &Kept) -> Option<Option<i32>> {
    let number = i32::try_from(child.id()).ok().map(Pid::from_raw);
    {
        let mut state = kept.lock();
        state.number = number;
        if state.asked {
            // Between the last look and the start of this process.
            tell(&state, Signal::SIGTERM);
        }
    }
    if let Some(number) = number {
        // Left to be waited for, so that its number stays its own until nobody can signal it any more.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(number), flags) == Err(Errno::EINTR) {}
    }
    let asked = {
        let mut state = kept.lock();
        state.number = None;
        kept.changed.notify_all();
        state.asked
    };
    let code = match child.wait() {
        Ok(status) => status.code(),
        Err(error) => {
            log::warn!("a process cannot be waited for: {error}");
            None
        }
    };
    (!asked).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;
    use std::os::unix::fs::PermissionsExt;

    fn script(folder: &TempFolder, name: &str, text: &str) {
        let path = folder.0.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .expect("made executable");
    }

    fn await_lines(path: &Path, lines: usize) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            if text.lines().count() >= lines {
                return text;
            }
            assert!(Instant::now() < deadline, "only {text:?} after 20 s");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_process_that_dies_is_started_again_and_ends_with_its_keeper() {
        let folder = TempFolder::new("children");
        let log = folder.0.join("log");
        script(
            &folder,
            "dies-twice",
            &format!(
                "echo $$ >> {0}; [ $(wc -l < {0}) -ge 3 ] && exec sleep 600",
                log.display()
            ),
        );
        let spec = Spec {
            name: "dies-twice",
            arguments: Vec::new(),
        };
        let children = Children::start(&folder.0, vec![spec]).expect("started");
        let text = await_lines(&log, 3);
        let last = text.lines().last().expect("a line").to_owned();
        assert!(Path::new(&format!("/proc/{last}")).exists());
        drop(children);
        assert!(!Path::new(&format!("/proc/{last}")).exists());
    }

    #[test]
    fn a_process_with_wrong_settings_is_not_started_again() {
        let folder = TempFolder::new("settings");
        let log = folder.0.join("log");
        script(
            &folder,
            "wrong",
            &format!("echo run >> {}; exit 78", log.display()),
        );
        let spec = Spec {
            name: "wrong",
            arguments: Vec::new(),
        };
        let mut children = Children::start(&folder.0, vec![spec]).expect("started");
        let mut keeper = children.keepers.pop().expect("a keeper");
        let thread = keeper.thread.take().expect("its thread");
        thread.join().expect("it gave up by itself");
        assert_eq!(await_lines(&log, 1), "run\n");
    }

    #[test]
    fn services_come_and_go_and_link_service_stays() {
        let folder = TempFolder::new("adjust");
        for name in ["link-service", "one", "two"] {
            let log = folder.0.join(name.replace("-service", ".log"));
            let log = log.with_extension("log");
            script(
                &folder,
                name,
                &format!("echo $$ >> {}; exec sleep 600", log.display()),
            );
        }
        let spec = |name| Spec {
            name,
            arguments: Vec::new(),
        };
        let mut children =
            Children::start(&folder.0, vec![spec("link-service"), spec("one")]).expect("started");
        let pid = |log: &str| await_lines(&folder.0.join(log), 1).trim().to_owned();
        let alive = |pid: &str| Path::new(&format!("/proc/{pid}")).exists();
        let (link, one) = (pid("link.log"), pid("one.log"));
        children.adjust(vec![spec("two")]).expect("adjusted");
        let two = pid("two.log");
        assert!(alive(&link) && alive(&two) && !alive(&one));
        children.adjust(vec![spec("two")]).expect("adjusted");
        assert!(alive(&two), "one that runs and is wanted was started again");
    }

    #[test]
    fn only_processes_that_need_keys_see_the_environment() {
        let folder = TempFolder::new("environment");
        // Cargo sets this one for every test, so it stands for a key.
        let seen = |name: &'static str| {
            script(&folder, name, "echo ${CARGO_MANIFEST_DIR:-nothing}");
            let spec = Spec {
                name,
                arguments: Vec::new(),
            };
            let output = command(&folder.0.join(name), &spec)
                .output()
                .expect("it ran");
            String::from_utf8(output.stdout).expect("text")
        };
        assert_eq!(seen("fetch-service"), "nothing\n");
        assert_eq!(seen("link-service"), "nothing\n");
        assert_eq!(seen("web-service"), "nothing\n");
        assert_ne!(seen("llm-service"), "nothing\n");
    }

    #[test]
    fn a_missing_program_is_named() {
        let folder = TempFolder::new("missing");
        let spec = Spec {
            name: "not-there",
            arguments: Vec::new(),
        };
        let error = Children::start(&folder.0, vec![spec])
            .err()
            .expect("refused");
        assert!(error.to_string().contains("not-there"), "{error}");
    }
}
