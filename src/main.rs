//! `daybook`: the command.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// What is recorded is allocated by one thread and freed by another, which the system's allocator of many
/// machines pays dearly for.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    daybook::cli::main()
}
