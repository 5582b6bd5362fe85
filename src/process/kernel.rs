//! The threads of the kernel itself.

use std::path::Path;

use super::{Pid, file};
use crate::files;
use crate::number::decimal;

/// The process that starts them.
const KTHREADD: Pid = 2;
/// The flag of a thread of the kernel, which no program can have (`PF_KTHREAD`,
/// `include/linux/sched.h`).
const PF_KTHREAD: u64 = 0x0020_0000;
/// The most bytes that are read of its children: room for thousands.
const MOST: usize = 64 * 1024;

/// Returns the children of kthreadd, in order: half of the processes of most hosts. Nearly all are
/// threads of the kernel, which have no descriptors, but the kernel also starts programs in this way.
/// Returns none if process 2 is not kthreadd, as in a container, or if a kernel does not list them
/// (`CONFIG_PROC_CHILDREN`).
pub fn kernel_threads(root: &Path) -> Vec<Pid> {
    if !is_kthreadd(root) {
        return Vec::new();
    }
    let mut buffer = vec![0; MOST];
    let children = file(root, KTHREADD, "task/2/children");
    let Ok(text) = files::read_start(&children, &mut buffer) else { return Vec::new() };
    // The last number can be cut off.
    let whole = text.rsplitn(2, |&byte| byte == b' ').nth(1).unwrap_or_default();
    let mut pids: Vec<_> = whole.split(|&byte| byte == b' ').filter_map(decimal).collect();
    pids.sort_unstable();
    pids
}

/// Returns true if process 2 is a thread of the kernel.
fn is_kthreadd(root: &Path) -> bool {
    let mut buffer = [0; 512];
    let Ok(stat) = files::read_start(&file(root, KTHREADD, "stat"), &mut buffer) else {
        return false;
    };
    // The name, in brackets, can have any characters. The flags are the seventh word behind it.
    let rest = stat.rsplit(|&byte| byte == b')').next().unwrap_or_default();
    let flags = rest.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).nth(6);
    flags.and_then(decimal::<u64>).is_some_and(|flags| flags & PF_KTHREAD != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn children_of_a_program_that_is_process_2_are_not_skipped() {
        let root = TempDir::new().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("2/task/2/children", "30 4 17 ");
        for (stat, expected) in [
            ("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0", &[4, 17, 30][..]),
            ("2 (kthreadd) S 0 0 0 0 -1 4194560 0 0 0", &[]),
            ("2 (a) S 0 0 0 0 -1 2129984 0) S 1 2 2 0 -1 4194560 0 0", &[]),
            ("2 (kthreadd) S 0", &[]),
        ] {
            put("2/stat", stat);
            assert_eq!(kernel_threads(root.path()), expected, "{stat}");
        }
        put("2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0");
        put("2/task/2/children", "30 4 1");
        assert_eq!(kernel_threads(root.path()), [4, 30], "the last number is cut off");
        fs::remove_file(root.path().join("2/task/2/children")).unwrap();
        assert!(kernel_threads(root.path()).is_empty());
    }
}
