//! `tollhouse run`: the installed box, from its configuration until it is told to end.

use std::path::Path;
use std::process::ExitCode;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use super::{log, refused};
use crate::admin::Admin;
use crate::clock::BoxClock;
use crate::config;
use crate::wiring;

/// Runs the box until SIGTERM or SIGINT.
pub(super) fn run(path: &Path) -> ExitCode {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(faults) => {
            for fault in &faults {
                eprintln!("{}: {fault}", path.display());
            }
            return refused(&format!("the configuration has {} fault(s); `tollhouse check` tells more", faults.len()));
        }
    };
    let admin = match config.http.admin_password_file.as_deref().map(administrator).transpose() {
        Ok(admin) => admin,
        Err(why) => return refused(&why),
    };
    log::start("info");
    actix::System::new().block_on(async move {
        let running = match wiring::start(&config, BoxClock::start(1), admin) {
            Ok(running) => running,
            Err(fault) => return refused(&fault),
        };
        tracing::info!(http = %running.http, "the box serves");
        tokio::select! {
            () = running.ready() => {
                tracing::info!("ready");
                notify(&[NotifyState::Ready]);
            }
            () = told_to_end() => return end(running).await,
        }
        told_to_end().await;
        end(running).await
    })
}

fn administrator(file: &Path) -> Result<Admin, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|fault| format!("the administrator's password cannot be read from {}: {fault}", file.display()))?;
    Admin::with_password(text.lines().next().unwrap_or_default()).map_err(|fault| fault.to_string())
}

async fn end(running: wiring::Running) -> ExitCode {
    tracing::info!("ending: finishing what is decided");
    notify(&[NotifyState::Stopping]);
    running.stop().await;
    tracing::info!("ended");
    ExitCode::SUCCESS
}

fn notify(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    if let Err(fault) = sd_notify::notify(states) {
        tracing::debug!(%fault, "systemd could not be told");
    }
}

/// Returns when SIGTERM or SIGINT comes.
pub(super) async fn told_to_end() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be heard: end the box with SIGKILL, the journal has everything");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
