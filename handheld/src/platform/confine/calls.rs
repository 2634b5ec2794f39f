//! What a process may ask of the kernel: seccomp filters (seccomp(2)) on all of its threads.
//!
//! Calls are refused with EPERM, so that a library that tries one goes on without; only a foreign architecture's are fatal. `clone3`
//! hides its flags in memory that a filter can't read, so it is said not to exist, and the C library falls back to `clone`.

use std::collections::BTreeMap;

use super::Layer;
use nix::libc;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{self, Eq, MaskedEq, Ne};
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
    apply_filter_all_threads,
};

/// Under which arguments a call is refused: all of one rule, any of the rules; without a rule always.
type Rules = Vec<Vec<(u8, bool, SeccompCmpOp, u64)>>;

/// What is refused, by the number of the call.
pub type Forbidden = BTreeMap<i64, Rules>;

/// Neither the app nor the broker ever does any of this.
const NEVER: &[libc::c_long] = &[
    // Programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Programs inside the kernel, and calls that a filter does not see.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    // Keys of the kernel.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Other views of the system.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_mknodat,
    // The system itself.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_vhangup,
];

/// The same, where an architecture has calls of its own for it.
#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_mknod,
    libc::SYS_uselib,
];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[libc::c_long] = &[];

/// Sockets, which the app gets from the broker alone. What came is connected, and stays as it is: options are not changed either.
const SOCKETS: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_setsockopt,
    // A destination for each message.
    libc::SYS_sendmmsg,
];

/// Keys pressed on somebody's terminal (tty_ioctl(4)).
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541C;

/// Makes a new connection of a failed one (tcp(7)).
const MSG_FASTOPEN: u64 = 0x2000_0000;

/// The part of a socket's type that is no flag (`SOCK_TYPE_MASK`).
const TYPE: u64 = 0xf;

fn never() -> Forbidden {
    let always = |number: &libc::c_long| (*number, Rules::new());
    let mut forbidden: Forbidden = NEVER.iter().chain(NEVER_HERE).map(always).collect();
    // A process in place of a thread.
    let thread = libc::CLONE_THREAD as u64;
    let process = vec![(0, true, MaskedEq(thread), 0)];
    forbidden.insert(libc::SYS_clone, vec![process]);
    let push = |what| vec![(1, false, Eq, what)];
    let ioctl = vec![push(TIOCSTI), push(TIOCLINUX)];
    forbidden.insert(libc::SYS_ioctl, ioctl);
    forbidden
}

/// What is refused to the app. `listens`: it accepts on a socket that was opened before.
#[must_use]
pub fn app(listens: bool) -> Forbidden {
    let mut forbidden = never();
    for number in SOCKETS {
        forbidden.insert(*number, Rules::new());
    }
    if !listens {
        for number in [libc::SYS_accept, libc::SYS_accept4] {
            forbidden.insert(number, Rules::new());
        }
    }
    let fast = |argument| vec![(argument, false, MaskedEq(MSG_FASTOPEN), MSG_FASTOPEN)];
    // A pair of datagram sockets could send to any Unix socket by its name; a pair of streams only to each other.
    let other = vec![(0, false, Ne, libc::AF_UNIX as u64)];
    let kind = |kind: libc::c_int| vec![(1, false, MaskedEq(TYPE), kind as u64)];
    let pairs = vec![other, kind(libc::SOCK_DGRAM), kind(libc::SOCK_RAW)];
    forbidden.insert(libc::SYS_socketpair, pairs);
    let addressed = vec![(4, true, Ne, 0)];
    forbidden.insert(libc::SYS_sendto, vec![addressed, fast(3)]);
    // What a message is addressed to stands in memory that a filter can't read; what the app holds is connected.
    forbidden.insert(libc::SYS_sendmsg, vec![fast(2)]);
    forbidden
}

/// What is refused to the broker: sockets of other families and kinds than the link needs, and being called.
#[must_use]
pub fn broker() -> Forbidden {
    let mut forbidden = never();
    for number in [libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4] {
        forbidden.insert(number, Rules::new());
    }
    let families = [
        libc::AF_UNIX,
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_NETLINK,
    ];
    let other = families
        .map(|family| (0, false, Ne, family as u64))
        .to_vec();
    let is = |family: libc::c_int| (0, false, Eq, family as u64);
    let kind = |kind: libc::c_int| (1, false, MaskedEq(TYPE), kind as u64);
    let rules = vec![
        other,
        vec![is(libc::AF_INET), kind(libc::SOCK_RAW)],
        vec![is(libc::AF_INET), kind(libc::SOCK_DGRAM)],
        vec![is(libc::AF_INET6), kind(libc::SOCK_RAW)],
        vec![
            is(libc::AF_NETLINK),
            (2, false, Ne, libc::NETLINK_ROUTE as u64),
        ],
    ];
    forbidden.insert(libc::SYS_socket, rules);
    forbidden
}

/// Refuses these calls from now on, to all threads of this process.
#[must_use]
pub fn forbid(forbidden: &Forbidden) -> Layer {
    let programs = match programs(forbidden) {
        Ok(programs) => programs,
        Err(error) => {
            return Layer::Fails(format!("the filter of system calls does not fit: {error}"));
        }
    };
    for program in programs {
        match apply_filter_all_threads(&program) {
            Ok(()) => {}
            // What a kernel says that knows no filters, or none for all threads.
            Err(Error::Seccomp(error) | Error::Prctl(error))
                if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) =>
            {
                return Layer::Lacks("this kernel has no filter of system calls (seccomp)".into());
            }
            Err(error) => {
                return Layer::Fails(format!(
                    "the filter of system calls is not in place: {error}"
                ));
            }
        }
    }
    Layer::Holds
}

fn programs(forbidden: &Forbidden) -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    let target: TargetArch = std::env::consts::ARCH.try_into()?;
    let condition = |(argument, wide, op, value): &(u8, bool, SeccompCmpOp, u64)| {
        let len = if *wide { Qword } else { Dword };
        SeccompCondition::new(*argument, len, op.clone(), *value)
    };
    let rule =
        |all: &Vec<_>| SeccompRule::new(all.iter().map(condition).collect::<Result<_, _>>()?);
    let mut rules = BTreeMap::new();
    for (number, any) in forbidden {
        let any = any.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        rules.insert(*number, any);
    }
    let refuse = |error: libc::c_int| SeccompAction::Errno(error as u32);
    let compile =
        |rules, action| SeccompFilter::new(rules, SeccompAction::Allow, action, target)?.try_into();
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    Ok(vec![
        #[cfg(target_arch = "x86_64")]
        x32(),
        compile(clone3, refuse(libc::ENOSYS))?,
        compile(rules, refuse(libc::EPERM))?,
    ])
}

/// Kills whoever makes a call of the x32 kind, which has the same architecture and other numbers: those of a set bit.
#[cfg(target_arch = "x86_64")]
fn x32() -> BpfProgram {
    const X32: u32 = 0x4000_0000;
    const KILL_PROCESS: u32 = 0x8000_0000;
    const ALLOW: u32 = 0x7fff_0000;
    let step = |code: u32, jt, jf, k| seccompiler::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    vec![
        // The number of the call stands first in seccomp_data.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, X32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, KILL_PROCESS),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, ALLOW),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_fit_and_the_app_keeps_what_it_lives_on() {
        for forbidden in [app(false), app(true), broker()] {
            let programs = programs(&forbidden).unwrap();
            assert!(programs.iter().all(|program| program.len() < 4096));
            for needed in [
                libc::SYS_read,
                libc::SYS_write,
                libc::SYS_openat,
                libc::SYS_fsync,
                libc::SYS_futex,
                libc::SYS_epoll_pwait,
                libc::SYS_recvmsg,
                libc::SYS_inotify_add_watch,
                libc::SYS_timerfd_settime,
            ] {
                assert!(!forbidden.contains_key(&needed), "{needed}");
            }
        }
        assert!(app(false).contains_key(&libc::SYS_accept4));
        assert!(!app(true).contains_key(&libc::SYS_accept4));
    }
}
