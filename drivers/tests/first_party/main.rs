//! The checker, on every driver that we ship: what vendors are asked for, ours do as well.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tollhouse_drivers::check::{Audience, Examination, Outcome, Report, Verdict, examine};

const HOST_EXECUTABLE: &str = env!("CARGO_BIN_EXE_tollhouse-plugin-host");
const DRIVERS: [&str; 5] = ["hikvision", "led", "modbus", "sim", "vzenith"];
/// So many are examined side by side.
const AT_ONCE: usize = 3;
/// Far above what all of them take side by side on a busy machine.
const BOUND: Duration = Duration::from_secs(300);

struct Silent;

impl Audience for Silent {
    fn begins(&mut self, _id: &'static str, _rule: &'static str) {}
    fn ended(&mut self, _verdict: &Verdict) {}
}

/// The folder of this test's executables, in which our drivers' libraries are built.
fn folder() -> &'static Path {
    Path::new(HOST_EXECUTABLE).parent().expect("an executable lies in a folder")
}

fn build() {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--lib"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    for driver in DRIVERS {
        build.args(["-p", &format!("tollhouse-driver-{driver}")]);
    }
    if folder().file_name().is_some_and(|name| name == "release") {
        build.arg("--release");
    }
    if let Some(target) = folder().parent() {
        build.env("CARGO_TARGET_DIR", target);
    }
    assert!(build.status().expect("cargo runs").success(), "the drivers do not build");
}

fn compiled(folder: &Path, compiler: &str, source: &str) -> PathBuf {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let library = folder.join(format!("lib{}.so", source.replace(['/', '.'], "-")));
    let status = Command::new(compiler)
        .args(["-O2", "-pthread", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-I"])
        .arg(plugins.join("abi"))
        .arg("-I")
        .arg(plugins.join("sdk/cpp"))
        .arg("-o")
        .args([&library, &plugins.join("examples").join(source)])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{source} does not compile");
    library
}

fn examined(library: PathBuf) -> Report {
    let host_executable = PathBuf::from(HOST_EXECUTABLE);
    let examination =
        Examination { library, host_executable, seed: 7, config: None, devices: Vec::new(), only: Vec::new() };
    examine(&examination, &mut Silent).expect("all checks are known")
}

#[test]
fn every_driver_that_we_ship_keeps_every_rule_in_a_bounded_time() {
    build();
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut libraries: Vec<PathBuf> =
        DRIVERS.iter().map(|driver| folder().join(format!("libtollhouse_driver_{driver}.so"))).collect();
    libraries.push(compiled(place.path(), "cc", "c/barrier.c"));
    libraries.push(compiled(place.path(), "cc", "c/panel.c"));
    libraries.push(compiled(place.path(), "c++", "cpp/barrier.cpp"));
    let begun = Instant::now();
    // Most of a check is waiting for deadlines, so some wait side by side; not all, since some look at the time they take.
    let reports: Vec<(PathBuf, Report)> = std::thread::scope(|scope| {
        let shares: Vec<_> = (0..AT_ONCE)
            .map(|first| {
                let share: Vec<PathBuf> = libraries.iter().skip(first).step_by(AT_ONCE).cloned().collect();
                scope
                    .spawn(|| share.into_iter().map(|library| (library.clone(), examined(library))).collect::<Vec<_>>())
            })
            .collect();
        shares.into_iter().flat_map(|share| share.join().expect("no panic")).collect()
    });
    assert_eq!(reports.len(), libraries.len());
    for (library, report) in &reports {
        let failed: Vec<String> =
            report.checks.iter().filter(|verdict| verdict.outcome == Outcome::Fail).map(Verdict::words).collect();
        assert!(report.ok && failed.is_empty(), "{}:\n{}", library.display(), failed.join("\n"));
        let passed = report.checks.iter().filter(|verdict| verdict.outcome == Outcome::Pass).count();
        assert!(passed >= 35, "{}: only {passed} checks were made", library.display());
    }
    assert!(begun.elapsed() < BOUND, "it took {:?}", begun.elapsed());
}

/// Acknowledges each datagram, as the panel of the example does, until the socket is told to end.
fn play_the_panel(socket: &UdpSocket) {
    let mut said = [0; 2048];
    while let Ok((length, from)) = socket.recv_from(&mut said) {
        let words = String::from_utf8_lossy(&said[..length]).into_owned();
        let Some(number) = words.strip_prefix("SHOW ").and_then(|rest| rest.split(' ').next()) else { return };
        socket.send_to(format!("ACK {number}").as_bytes(), from).expect("sent");
    }
}

#[test]
fn the_panel_in_c_has_fewer_than_150_lines_and_passes_every_check_with_its_device_there() {
    let source = include_str!("../../../plugins/examples/c/panel.c");
    assert!(source.lines().count() < 150, "{} lines", source.lines().count());
    let place = tempfile::tempdir().expect("a temporary folder");
    let library = compiled(place.path(), "cc", "c/panel.c");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = socket.local_addr().expect("an address");
    let config = serde_json::json!({"device": "display-out-1", "panel": address.to_string()});
    let report = std::thread::scope(|scope| {
        scope.spawn(|| play_the_panel(&socket));
        let host_executable = PathBuf::from(HOST_EXECUTABLE);
        let config = Some((config, place.path().join("config.json")));
        let examination = Examination { library, host_executable, seed: 7, config, devices: vec![], only: vec![] };
        let report = examine(&examination, &mut Silent).expect("all checks are known");
        UdpSocket::bind("127.0.0.1:0").and_then(|end| end.send_to(b"end", address)).expect("sent");
        report
    });
    // Nothing to look at either: its commands are done, and confirmed.
    let words: Vec<String> =
        report.checks.iter().filter(|verdict| verdict.outcome >= Outcome::Warn).map(Verdict::words).collect();
    assert!(report.ok && words.is_empty(), "{}", words.join("\n"));
}
