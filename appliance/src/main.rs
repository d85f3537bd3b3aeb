//! The binary `tollhouse`. A plugin host's child branches off before any thread or runtime; everything else is a command.

use std::process::ExitCode;

/// A car is some hundred small pieces, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Each goes no further when this process was started as one.
    tollhouse_drivers::plugin::child_main();
    tollhouse_drivers::plugin::probe_main();
    tollhouse::commands::main()
}
