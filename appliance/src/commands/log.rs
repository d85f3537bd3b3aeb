//! Where log lines go: text for a person at a terminal, JSON for everything else, always on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging; `RUST_LOG` overrides `otherwise`.
pub(super) fn start(otherwise: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(otherwise));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() { lines.try_init() } else { lines.json().try_init() };
    if let Err(fault) = started {
        eprintln!("tollhouse: logging could not be started: {fault}");
    }
}
