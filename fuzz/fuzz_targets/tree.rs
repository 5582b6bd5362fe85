#![no_main]

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

fuzz_target!(|input: &[u8]| {
    let root = TempDir::new_in("/dev/shm").expect("a directory in memory");
    rnetstat::fuzzing::tree(input, root.path());
});
