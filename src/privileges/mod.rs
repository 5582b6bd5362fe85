//! What this process may do: finds the privileges that its program file gave it, and gives up what a
//! run does not need.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub mod calls;

use std::io;

use nix::unistd::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_ambient_set, set_capabilities,
    set_no_new_privs,
};

/// What a run needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// It enters network namespaces, with `CAP_SYS_ADMIN`.
    pub namespaces: bool,
    /// It makes system calls that are not listed: it asks the resolver, whose modules can be anything,
    /// sets the modes of the terminal, or starts a pager.
    pub other_calls: bool,
    /// It starts a pager that the user chose. The pager may be a program with privileges of its own, such
    /// as one that snap or firejail confines.
    pub new_privileges: bool,
}

/// Returns true if the program file gives this process privileges that its caller lacks:
/// capabilities, or another user or group.
pub fn are_elevated() -> bool {
    let is_other = Uid::current() != Uid::effective() || Gid::current() != Gid::effective();
    // The caller of a program has its ambient capabilities too. A program file with privileges of
    // its own has none (`man 7 capabilities`).
    let is_own =
        |&capability: &CapabilitySet| !capability_is_in_ambient_set(capability).unwrap_or(false);
    let has_any =
        || capabilities(None).map_or(true, |sets| sets.effective.iter().any(|it| is_own(&it)));
    is_other || !Uid::current().is_root() && has_any()
}

/// Gives up, until this process ends, the capabilities that the run does not need, new privileges, and
/// all system calls but those of [`calls::ALLOWED`].
///
/// Call it before other threads start: it is about this thread and those that it starts. Fails if the
/// kernel refuses one of these; the later ones are then not given up.
pub fn give_up(needs: Needs) -> io::Result<()> {
    drop_capabilities(needs)?;
    if needs.new_privileges {
        return Ok(());
    }
    set_no_new_privs(true)?;
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if !needs.other_calls {
        calls::allow_only(needs)?;
    }
    Ok(())
}

/// Drops capabilities that a run does not need.
fn drop_capabilities(needs: Needs) -> io::Result<()> {
    let sets = capabilities(None)?;
    // Without this one, the kernel shows the descriptors of processes with the same user only if
    // they have no capability that this process lacks (`cap_ptrace_access_check` in the kernel).
    if !sets.effective.contains(CapabilitySet::SYS_PTRACE) {
        return Ok(());
    }
    let mut needed = CapabilitySet::SYS_PTRACE | CapabilitySet::DAC_READ_SEARCH;
    if needs.namespaces {
        needed |= CapabilitySet::SYS_ADMIN;
    }
    let kept = CapabilitySets {
        effective: sets.effective & needed,
        permitted: sets.permitted & needed,
        inheritable: CapabilitySet::empty(),
    };
    if kept != sets {
        set_capabilities(None, kept)?;
    }
    Ok(())
}
