//! The system calls of a run, and a filter that refuses all others (`man 2 seccomp`).

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::io;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, apply_filter,
};

use super::Needs;

/// Returns the name and the number of each call.
macro_rules! calls {
    ($($(#[$cfg:meta])? $call:ident,)*) => {
        &[$($(#[$cfg])? (stringify!($call), libc::$call),)*]
    };
}

/// The system calls that are allowed, as `SYS_read` and its number.
///
/// `SYS_open` and `SYS_openat` are allowed only for reading, `SYS_socket` only for netlink, and
/// `SYS_setns` only with `--netns`.
pub static ALLOWED: &[(&str, i64)] = calls![
    // Memory, threads, time, and the process itself.
    SYS_brk,
    SYS_capget,
    SYS_clock_getres,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_clone,
    SYS_clone3,
    SYS_exit,
    SYS_exit_group,
    SYS_futex,
    SYS_getegid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getpid,
    SYS_getrandom,
    SYS_gettid,
    SYS_getuid,
    SYS_madvise,
    // musl, when the first thread starts.
    SYS_membarrier,
    SYS_mmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_munmap,
    SYS_nanosleep,
    SYS_prctl,
    SYS_prlimit64,
    SYS_restart_syscall,
    SYS_rseq,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sched_getaffinity,
    SYS_sched_yield,
    SYS_set_robust_list,
    SYS_sigaltstack,
    SYS_sysinfo,
    SYS_uname,
    // Reading files and directories.
    SYS_close,
    SYS_dup,
    SYS_fcntl,
    SYS_fstat,
    SYS_fstatfs,
    SYS_getdents64,
    SYS_lseek,
    // musl, for the type of a file.
    #[cfg(target_arch = "x86_64")]
    SYS_lstat,
    SYS_newfstatat,
    #[cfg(target_arch = "x86_64")]
    SYS_open,
    SYS_openat,
    #[cfg(target_arch = "x86_64")]
    SYS_poll,
    SYS_ppoll,
    SYS_pread64,
    SYS_read,
    #[cfg(target_arch = "x86_64")]
    SYS_readlink,
    SYS_readlinkat,
    SYS_readv,
    #[cfg(target_arch = "x86_64")]
    SYS_stat,
    SYS_statfs,
    SYS_statx,
    // The kernel's name of the protocol of a socket that no table has.
    SYS_getxattr,
    // Entering another network namespace, to ask netlink there.
    SYS_setns,
    // Writing the listing and remarks.
    SYS_write,
    SYS_writev,
    // Asking netlink.
    SYS_bind,
    SYS_getsockname,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_setsockopt,
    SYS_socket,
];

/// Allows this thread, and the threads that it starts, only the calls in [`ALLOWED`]. Any other fails
/// with `ENOSYS`, as if the kernel did not have it: then the C library tries an older one.
///
/// Fails if the kernel has no filters.
pub fn allow_only(needs: Needs) -> io::Result<()> {
    let program = program(needs).map_err(io::Error::other)?;
    apply_filter(&program).map_err(|error| match error {
        Error::Prctl(error) | Error::Seccomp(error) => error,
        error => io::Error::other(error),
    })
}

/// Returns the filter as a program for the kernel.
fn program(needs: Needs) -> Result<BpfProgram, BackendError> {
    let refused = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let allowed = ALLOWED.iter().filter(|it| it.1 != libc::SYS_setns || needs.namespaces);
    let rules = allowed.map(|&(_, call)| Ok((call, rules(call)?)));
    let rules = rules.collect::<Result<BTreeMap<_, _>, BackendError>>()?;
    SeccompFilter::new(rules, refused, SeccompAction::Allow, ARCH.try_into()?)?.try_into()
}

/// Returns the rules for a call. Without rules, all its arguments are allowed.
fn rules(call: i64) -> Result<Vec<SeccompRule>, BackendError> {
    const WRITES: libc::c_int = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;
    let only_reads = SeccompCmpOp::MaskedEq(WRITES.cast_unsigned().into());
    let (argument, operator, value) = match call {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => (1, only_reads, libc::O_RDONLY),
        libc::SYS_openat => (2, only_reads, libc::O_RDONLY),
        libc::SYS_socket => (0, SeccompCmpOp::Eq, libc::AF_NETLINK),
        _ => return Ok(Vec::new()),
    };
    let length = SeccompCmpArgLen::Dword;
    let value = value.cast_unsigned().into();
    let condition = SeccompCondition::new(argument, length, operator, value)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}
