//! `tollhouse demo`: the whole box on one machine, with its own broker and an estate whose cars drive.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use super::run::told_to_end;
use super::{DemoArgs, log, refused};
use crate::admin::Admin;
use crate::clock::BoxClock;
use crate::config::Config;
use crate::demo::broker::EmbeddedBroker;
use crate::demo::drive::Cars;
use crate::demo::estate::{self, SIM_LIBRARY};
use crate::demo::hardware::Hardware;
use crate::demo::screen::{self, Paint};
use crate::demo::seed;
use crate::wiring::{self, Running};

/// Runs the demo until SIGTERM or SIGINT.
pub(super) fn run(args: DemoArgs) -> ExitCode {
    log::start("warn,rumqttd=off");
    // Without a folder of its own the demo leaves nothing behind.
    let (data, _temporary) = match args.data.clone() {
        Some(data) => (data, None),
        None => match tempfile::Builder::new().prefix("tollhouse-demo-").tempdir() {
            Ok(folder) => (folder.path().join("data"), Some(folder)),
            Err(fault) => return refused(&format!("no temporary folder for the demo: {fault}; give --data DIR")),
        },
    };
    match prepare(&args, &data) {
        Ok((config, first)) => actix::System::new().block_on(serve(args, config, first)),
        Err(why) => refused(&why),
    }
}

/// Whether the estate is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Estate {
    New,
    GoesOn,
}

fn prepare(args: &DemoArgs, data: &Path) -> Result<(Config, Estate), String> {
    let broker = EmbeddedBroker::start(args.mqtt).map_err(|fault| fault.to_string())?;
    let http = free_port(args.http)?;
    let executable = std::env::current_exe().map_err(|fault| format!("the program's own file is unknown: {fault}"))?;
    let sim = executable.with_file_name(SIM_LIBRARY);
    if !sim.is_file() {
        return Err(format!(
            "{} is missing beside the program: run the demo with `cargo run --release -- demo`, which builds both",
            sim.display()
        ));
    }
    let first = if data.join("journal").is_dir() { Estate::GoesOn } else { Estate::New };
    let config = estate::config(http, broker.addr, data, &sim, args.speed).map_err(|fault| fault.to_string())?;
    Ok((config, first))
}

/// The port is chosen before anything starts, since lanes show it in their QR codes.
fn free_port(http: SocketAddr) -> Result<SocketAddr, String> {
    TcpListener::bind(http).and_then(|listener| listener.local_addr()).map_err(|fault| {
        format!("cannot serve at {http}: {fault}; give another address, such as --http 127.0.0.1:0 for a free port")
    })
}

async fn serve(args: DemoArgs, config: Config, estate: Estate) -> ExitCode {
    let clock = BoxClock::start(args.speed);
    let (admin, password) = match Admin::draw_password().and_then(|drawn| Ok((Admin::with_password(&drawn)?, drawn))) {
        Ok(drawn) => drawn,
        Err(fault) => return refused(&fault),
    };
    let running = match wiring::start(&config, clock.clone(), Some(admin)) {
        Ok(running) => running,
        Err(fault) => return refused(&fault),
    };
    if estate == Estate::New
        && let Err(why) = seed::seed(&config, &running.store, &clock).await
    {
        return refused(&format!("the sample estate could not be written: {why}"));
    }
    tokio::select! {
        () = running.ready() => {}
        () = told_to_end() => {
            running.stop().await;
            return ExitCode::SUCCESS;
        }
    }
    greet(&config, &running, &password);
    if !args.quiet_estate {
        let broker = SocketAddr::new(config.mqtt.host.parse().unwrap_or(args.mqtt.ip()), config.mqtt.port);
        let hardware = Hardware::start(broker, clock.clone(), args.speed);
        let mut cars = Cars {
            hardware,
            devices: running.devices.clone(),
            store: running.store.clone(),
            live: running.live.clone(),
            http: running.http,
            clock,
            speed: args.speed,
            chance: fastrand::Rng::new(),
        };
        if estate == Estate::New {
            cars.fill();
        }
        tokio::spawn(cars.drive());
    }
    let live = running.live.clone();
    let zone = config.lot.zone;
    tokio::spawn(async move { screen::show(&live, zone, Paint::of_stdout()).await });
    told_to_end().await;
    running.stop().await;
    ExitCode::SUCCESS
}

/// The addresses, in lines that a program can read as well.
fn greet(config: &Config, running: &Running, password: &str) {
    let http = running.http;
    let (host, port) = (&config.mqtt.host, config.mqtt.port);
    let lines = [
        format!("http: http://{http}"),
        format!("mqtt: {host}:{port}"),
        format!("admin password: {password}"),
        format!("pay page: http://{http}/pay/lanes/out-1"),
        format!("data: {}", config.store.data.display()),
        "ready".to_owned(),
    ];
    let mut out = io::stdout().lock();
    for line in lines {
        // A reader that went away is no reason for the box to end.
        let _ = writeln!(out, "{line}");
    }
    let _ = out.flush();
}
