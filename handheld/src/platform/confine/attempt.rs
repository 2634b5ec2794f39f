//! Tries of what must not work, each such that it does no harm where it does.
//!
//! A call with arguments that make no sense is refused for its arguments by a kernel that would do it, and with EPERM by the filter
//! before the kernel has looked at them. So even the running app may try: a missing filter shows, and nothing happens.

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use nix::errno::Errno;
use nix::libc::{self, c_long};

/// A try.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// What is tried, for people.
    pub what: &'static str,
    call: c_long,
    /// Arguments; none of them is an address.
    arguments: [c_long; 3],
    /// What the filter says.
    refusal: Errno,
}

const fn of(what: &'static str, call: c_long, arguments: [c_long; 3]) -> Attempt {
    Attempt {
        what,
        call,
        arguments,
        refusal: Errno::EPERM,
    }
}

/// Stream, as in `socket(2)`.
const STREAM: c_long = libc::SOCK_STREAM as c_long;

/// All tries. Those that open something have it closed again.
pub const ALL: &[Attempt] = &[
    of(
        "open an IPv4 socket",
        libc::SYS_socket,
        [libc::AF_INET as c_long, STREAM, 0],
    ),
    of(
        "open an IPv6 socket",
        libc::SYS_socket,
        [libc::AF_INET6 as c_long, STREAM, 0],
    ),
    of(
        "open an IPv6 datagram socket",
        libc::SYS_socket,
        [libc::AF_INET6 as c_long, libc::SOCK_DGRAM as c_long, 0],
    ),
    of(
        "open a Unix socket",
        libc::SYS_socket,
        [libc::AF_UNIX as c_long, STREAM, 0],
    ),
    of(
        "open a netlink socket",
        libc::SYS_socket,
        [libc::AF_NETLINK as c_long, libc::SOCK_RAW as c_long, 0],
    ),
    of(
        "open a packet socket",
        libc::SYS_socket,
        [libc::AF_PACKET as c_long, libc::SOCK_RAW as c_long, 0],
    ),
    of(
        "open a raw socket",
        libc::SYS_socket,
        [libc::AF_INET as c_long, libc::SOCK_RAW as c_long, 1],
    ),
    of("open a Bluetooth socket", libc::SYS_socket, [31, STREAM, 3]),
    of(
        "open a virtual machine's socket",
        libc::SYS_socket,
        [40, STREAM, 0],
    ),
    of(
        "open a pair of datagram sockets",
        libc::SYS_socketpair,
        [libc::AF_UNIX as c_long, libc::SOCK_DGRAM as c_long, 0],
    ),
    of("connect", libc::SYS_connect, [-1, 0, 0]),
    of("bind", libc::SYS_bind, [-1, 0, 0]),
    of("listen", libc::SYS_listen, [-1, 0, 0]),
    of("change a socket", libc::SYS_setsockopt, [-1, 0, 0]),
    of("send to many", libc::SYS_sendmmsg, [-1, 0, 0]),
    of("run a program", libc::SYS_execve, [0, 0, 0]),
    of(
        "run a program by descriptor",
        libc::SYS_execveat,
        [-1, 0, 0],
    ),
    // CLONE_SIGHAND without CLONE_VM makes no sense to the kernel.
    of(
        "start a process",
        libc::SYS_clone,
        [libc::CLONE_SIGHAND as c_long, 0, 0],
    ),
    Attempt {
        refusal: Errno::ENOSYS,
        ..of("start a process the new way", libc::SYS_clone3, [0, 0, 0])
    },
    // PTRACE_ATTACH, PTRACE_PEEKTEXT of nobody.
    of("trace a process", libc::SYS_ptrace, [16, -1, 0]),
    of(
        "read another process",
        libc::SYS_process_vm_readv,
        [-1, 0, 0],
    ),
    of(
        "write another process",
        libc::SYS_process_vm_writev,
        [-1, 0, 0],
    ),
    of(
        "take another process's file",
        libc::SYS_pidfd_getfd,
        [-1, -1, 0],
    ),
    of("compare processes", libc::SYS_kcmp, [-1, -1, 0]),
    of("load a kernel program", libc::SYS_bpf, [-1, 0, 0]),
    of("watch the kernel", libc::SYS_perf_event_open, [0, -1, -1]),
    of("open an io_uring", libc::SYS_io_uring_setup, [0, 0, 0]),
    of("enter an io_uring", libc::SYS_io_uring_enter, [-1, 0, 0]),
    of("catch page faults", libc::SYS_userfaultfd, [-1, 0, 0]),
    of("use the kernel's keys", libc::SYS_keyctl, [-1, 0, 0]),
    of("mount", libc::SYS_mount, [0, 0, 0]),
    of("mount the new way", libc::SYS_fsopen, [0, 0, 0]),
    of("move a mount", libc::SYS_move_mount, [-1, 0, -1]),
    of("leave the name spaces", libc::SYS_unshare, [0, 0, 0]),
    of("enter other name spaces", libc::SYS_setns, [-1, 0, 0]),
    of("change the root", libc::SYS_chroot, [0, 0, 0]),
    of("change the root for good", libc::SYS_pivot_root, [0, 0, 0]),
    of(
        "open a file by its number",
        libc::SYS_open_by_handle_at,
        [-1, 0, 0],
    ),
    of("load a module", libc::SYS_finit_module, [-1, 0, 0]),
    of("load another kernel", libc::SYS_kexec_load, [0, -1, 0]),
    of("restart the device", libc::SYS_reboot, [0, 0, 0]),
    of("switch swap on", libc::SYS_swapon, [0, 0, 0]),
    of("set the clock", libc::SYS_clock_settime, [-1, 0, 0]),
    of("type on the terminal", libc::SYS_ioctl, [-1, 0x5412, 0]),
    #[cfg(target_arch = "x86_64")]
    of("reach the ports", libc::SYS_iopl, [-1, 0, 0]),
];

/// The two that matter most, tried in earnest: a connection to this machine itself, and a program that does nothing. What each is, and
/// whether it was denied.
#[must_use]
pub fn earnest() -> [(&'static str, bool); 2] {
    let denied = |error: Option<io::Error>| {
        error.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    };
    let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, 9)).err();
    let program = Command::new("/bin/true").spawn();
    let program = program.map(|mut child| child.wait()).err();
    [
        ("A connection", denied(connection)),
        ("A program", denied(program)),
    ]
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The filter refused it.
    Refused,
    /// The kernel would do it, or refuses it for another reason that may pass.
    Open,
}

impl Attempt {
    /// Tries it.
    #[must_use]
    pub fn make(&self) -> Outcome {
        let [a, b, c] = self.arguments;
        // SAFETY: no argument is an address but the null one, so the kernel reads and writes no memory of ours, whatever it makes of
        // the call; none of the calls with these arguments starts, ends or replaces a process (see the table). Further arguments are
        // zero. What `socket` opens is closed below. No crate makes such calls without `unsafe`, because with other arguments
        // they are not harmless.
        #[expect(unsafe_code, reason = "only a raw call can be one that makes no sense")]
        let result =
            unsafe { libc::syscall(self.call, a, b, c, 0 as c_long, 0 as c_long, 0 as c_long) };
        let error = Errno::last();
        if result >= 0 {
            if self.call == libc::SYS_socket {
                let _ = nix::unistd::close(result as i32);
            }
            return Outcome::Open;
        }
        match error == self.refusal {
            true => Outcome::Refused,
            false => Outcome::Open,
        }
    }
}
