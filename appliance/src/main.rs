//! The binary `tollhouse`. A plugin host's child branches off before any thread or runtime; everything else is a command.

use std::process::ExitCode;

/// A car is some hundred small pieces, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == tollhouse_drivers::plugin::CHILD_ARGUMENT) {
        tollhouse_drivers::plugin::child_main();
        return ExitCode::SUCCESS;
    }
    tollhouse::commands::main()
}
