//! Asserts that a box with a hostile driver behind one lane is healthy, and that the cars of the lane beside it drive on.
//! What each of them does to the plugin host alone is in drivers/tests/hostile; here they come into a running box, one
//! after the other, and are taken away again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tollhouse_tests::{Manners, Mosquitto, PATIENCE, TestDevice, TheBox, configuration, eventually, plate_number};

/// Those that come up and do their worst when the barrier is to open, or later.
const HOSTILE: [&str; 10] = [
    "segfault",
    "abort",
    "spin_command",
    "event_flood",
    "picture_flood",
    "log_flood",
    "fork_bomb",
    "memory_leak",
    "closes_descriptors",
    "raw_garbage",
];
/// For so long each does its worst.
const WORST: Duration = Duration::from_millis(1200);

fn compiled(folder: &Path, source: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = root.join(source);
    let library = folder.join(source.file_stem().expect("a name")).with_extension("so");
    let status = Command::new("cc")
        .args(["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread", "-I"])
        .arg(root.join("../plugins/abi"))
        .arg("-o")
        .args([&library, &source])
        .status();
    assert!(status.expect("a C compiler named cc").success(), "{} does not compile", source.display());
    library
}

fn driver(data: &Path, arguments: &[&str]) {
    let data = data.display().to_string();
    let sure = ["--data", &data, "--by", "test", "--reason", "to see what it does", "--yes"];
    let output = TheBox::command(&[&["driver"], arguments, &sure].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn whatever_a_driver_does_the_box_is_healthy_and_the_lane_beside_it_goes_on() {
    let folder = TempDir::new().expect("a temporary folder");
    let (data, mosquitto) = (folder.path().join("data"), Mosquitto::start());
    let cars = compiled(folder.path(), "drivers/cars.c");
    let broker = mosquitto.address();
    let mut the_box = TheBox::run(folder.path(), |http| {
        configuration(http, broker, &data, 2)
            + "\n[drivers]\nunsigned = \"allowed\"\n"
            + &format!(
                "[[plugins]]\nname = \"good\"\nlibrary = {cars:?}\ndevices = [\"cam-in-1\", \"gate-in-1\"]\n\
                 [plugins.config]\ncamera = \"cam-in-1\"\nbarrier = \"gate-in-1\"\nletter = \"A\"\n"
            )
            + "[[plugins]]\nname = \"bad\"\ndriver = \"hostile.barrier\"\ndevices = [\"gate-in-2\"]\n"
    });
    let camera = TestDevice::connect(broker, "cam-in-2", "camera", Manners::Silent);
    let passages = |the_box: &TheBox| the_box.http.metrics().sum("tollhouse_passages_total", &[("lane", "in-1")]);
    let good = |the_box: &TheBox| {
        let metrics = the_box.http.metrics();
        metrics.sum("tollhouse_driver_restarts_total", &[("driver", "good")])
    };
    for (number, name) in HOSTILE.iter().enumerate() {
        let library = compiled(folder.path(), &format!("../plugins/hostile/{name}.c"));
        driver(&data, &["install", &library.display().to_string()]);
        camera.publish(&camera.plate(&plate_number(number)));
        let (before, until) = (passages(&the_box), Instant::now() + WORST);
        eventually(&format!("{name} to have done its worst"), PATIENCE, || {
            assert_eq!(the_box.http.get("/healthz").status, 200, "{name}");
            assert_eq!(the_box.http.get("/readyz").status, 200, "{name}");
            (Instant::now() > until).then_some(())
        });
        eventually(&format!("three cars at in-1 beside {name}"), PATIENCE, || {
            (passages(&the_box) >= before + 3.0).then_some(())
        });
        assert!(good(&the_box).abs() < f64::EPSILON, "the driver beside {name} was started again");
        driver(&data, &["remove", "hostile.barrier", "--force"]);
    }
    let (status, _) = the_box.terminate();
    assert!(status.success(), "{status}");
    TheBox::verify(&data).expect("the journal is true");
    assert_eq!(fs::read_dir(data.join("drivers")).expect("the shelf").count(), 0, "nothing is left of them");
}
