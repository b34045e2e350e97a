//! What the helper may not: it limits itself, and begins anew under those limits, so that nothing that was
//! allocated or opened before counts.

use rustix::process::{Resource, Rlimit, setrlimit};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Sockets, pipes, and what looking at the interfaces takes.
const DESCRIPTORS: u64 = 256;

/// The program that runs, whatever has become of its file since.
pub const OURSELVES: &str = "/proc/self/exe";

/// Comes back only when it failed.
pub fn begin_anew(memory: u64, arguments: &[OsString]) -> io::Error {
    let limited = [
        // What is private and can be written, whether it is used or only asked for.
        (Resource::Data, memory),
        (Resource::Nofile, DESCRIPTORS),
        // It writes no files, and leaves no image of what strangers sent.
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ];
    for (what, most) in limited {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        if let Err(cause) = setrlimit(what, limit) {
            return cause.into();
        }
    }
    Command::new(OURSELVES)
        .arg0("daybook")
        .args(arguments)
        .env_clear()
        // The allocator asks for no more at once than it needs.
        .env("MIMALLOC_ARENA_RESERVE", "8MiB")
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .current_dir("/")
        .exec()
}
