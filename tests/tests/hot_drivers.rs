//! Asserts that a driver is installed, upgraded, set back and removed under a running box, and that no lane but its own
//! notices. Four lanes, each behind an instance of one driver whose cars come without end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tollhouse_tests::{Journal, Mosquitto, PATIENCE, TheBox, configuration, eventually};

const LANES: usize = 4;
/// How long the cars are watched with nothing else happening.
const QUIET: Duration = Duration::from_secs(2);

/// A vendor's desk: a key, and releases that it signed.
struct Vendor {
    folder: TempDir,
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Vendor {
    fn new() -> Self {
        let vendor = Self { folder: TempDir::new().expect("a temporary folder") };
        let made = TheBox::command(&["driver", "keygen", &vendor.path("acme").display().to_string()]);
        assert!(made.status.success(), "{}", text(&made));
        vendor
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self) -> String {
        let file = fs::read_to_string(self.path("acme.pub")).expect("the public key");
        file.lines().last().expect("a line").to_owned()
    }

    /// Compiles and signs a release.
    fn release(&self, version: &str, defines: &[&str]) -> String {
        let library = self.path(&format!("cars-{version}.so"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let compiled = Command::new("cc")
            .args([
                "-std=c11",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-shared",
                "-fPIC",
                "-fvisibility=hidden",
                "-pthread",
            ])
            .arg(format!("-DVERSION=\"{version}\""))
            .args(defines.iter().map(|define| format!("-D{define}")))
            .arg("-I")
            .arg(root.join("../plugins/abi"))
            .arg("-o")
            .args([&library, &root.join("drivers/cars.c")])
            .status()
            .expect("a C compiler named cc");
        assert!(compiled.success(), "the cars do not compile");
        let (library, key) = (library.display().to_string(), self.path("acme.key").display().to_string());
        let signed = TheBox::command(&["driver", "sign", &library, "--key", &key]);
        assert!(signed.status.success(), "{}", text(&signed));
        library
    }
}

struct Site {
    the_box: TheBox,
    data: PathBuf,
    config: PathBuf,
    _folder: TempDir,
    _mosquitto: Mosquitto,
}

impl Site {
    fn new(vendor: &Vendor) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("data");
        let mosquitto = Mosquitto::start();
        let broker = mosquitto.address();
        let the_box = TheBox::run(folder.path(), |http| {
            let plugins = (1..=LANES).map(|lane| {
                format!(
                    "\n[[plugins]]\nname = \"lane-{lane}\"\ndriver = \"acme.cars\"\ndevices = [\"cam-in-{lane}\", \
                     \"gate-in-{lane}\"]\n[plugins.config]\ncamera = \"cam-in-{lane}\"\nbarrier = \"gate-in-{lane}\"\n\
                     letter = \"{}\"\n",
                    ['A', 'B', 'C', 'D'][lane - 1]
                )
            });
            let key = format!(
                "\n[[driver_keys]]\nvendor = \"Acme\"\nkey = \"{}\"\ndrivers = [\"acme.cars\"]\n",
                vendor.key()
            );
            configuration(http, broker, &data, LANES) + &key + &plugins.collect::<String>()
        });
        Self { the_box, data, config: folder.path().join("tollhouse.toml"), _folder: folder, _mosquitto: mosquitto }
    }

    /// `tollhouse driver ...` on this box, as a person types it who is sure.
    fn driver(&self, arguments: &[&str]) -> Output {
        let config = self.config.display().to_string();
        let sure = ["--config", &config, "--by", "ann", "--reason", "works better", "--yes", "--json"];
        TheBox::command(&[&["driver"], arguments, &sure].concat())
    }

    fn done(&self, arguments: &[&str]) -> Value {
        let output = self.driver(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// What it says when it refuses, with exit code 1.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.driver(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output));
        text(&output)
    }

    fn list(&self) -> Value {
        let listed = TheBox::command(&["driver", "list", "--json", "--config", &self.config.display().to_string()]);
        assert!(listed.status.success(), "{}", text(&listed));
        serde_json::from_slice(&listed.stdout).expect("JSON")
    }

    fn instance(&self, lane: usize) -> Value {
        self.list()["instances"][lane - 1].clone()
    }

    /// Each instance's state and version.
    fn standings(&self) -> Vec<String> {
        let list = self.list();
        let instances = list["instances"].as_array().expect("instances").iter();
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        instances.map(|one| format!("{} {}", word(&one["state"]), word(&one["version"]))).collect()
    }

    fn passages(&self) -> Vec<f64> {
        let metrics = self.the_box.http.metrics();
        let of = |lane: usize| metrics.sum("tollhouse_passages_total", &[("lane", &format!("in-{lane}"))]);
        (1..=LANES).map(of).collect()
    }

    /// Waits until so many more cars have passed at each of these lanes.
    fn cars_pass(&self, lanes: &[usize], more: f64) {
        let before = self.passages();
        eventually(&format!("{more} cars at each of {lanes:?}"), PATIENCE, || {
            let now = self.passages();
            lanes.iter().all(|lane| now[lane - 1] >= before[lane - 1] + more).then_some(())
        });
    }

    /// How long cars waited for their opening, by instance, in the log from this line on; in milliseconds.
    fn waits(&self, from: usize) -> BTreeMap<String, Vec<f64>> {
        let mut waits: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for line in &self.the_box.complained()[from..] {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let message = line["fields"]["message"].as_str().unwrap_or_default();
            if let Some(us) = message.strip_prefix("waited ").and_then(|rest| rest.strip_suffix(" us")) {
                let driver = line["fields"]["driver"].as_str().expect("a driver's line names it").to_owned();
                waits.entry(driver).or_default().push(us.parse::<f64>().expect("a number") / 1000.0);
            }
        }
        waits
    }
}

fn worst(waits: &BTreeMap<String, Vec<f64>>, instance: &str) -> (usize, f64) {
    let waits = waits.get(instance).map(Vec::as_slice).unwrap_or_default();
    (waits.len(), waits.iter().copied().fold(0.0, f64::max))
}

/// What the box says of the other lanes' drivers: processes, restarts, failures.
fn untouched(site: &Site) -> Vec<Value> {
    (2..=LANES)
        .map(|lane| {
            let one = site.instance(lane);
            serde_json::json!([one["pid"], one["restarts"], one["failures"], one["version"], one["state"]])
        })
        .collect()
}

#[test]
fn a_driver_is_installed_upgraded_set_back_and_removed_and_no_other_lane_notices() {
    let vendor = Vendor::new();
    let (first, second) = (vendor.release("1.0.0", &[]), vendor.release("1.1.0", &[]));
    let (dies, older) = (vendor.release("1.2.0", &["DIES"]), vendor.release("0.9.0", &[]));
    let site = Site::new(&vendor);
    assert_eq!(site.standings(), ["absent -"; LANES]);
    assert!(site.the_box.http.get("/readyz").body.contains("driver lane-1"), "an absent driver is told");

    // Installed while the box runs.
    site.done(&["install", &first]);
    assert_eq!(site.standings(), ["ready 1.0.0"; LANES]);
    site.cars_pass(&[1, 2, 3, 4], 3.0);

    // How the lanes are with nothing happening.
    let from = site.the_box.complained().len();
    let until = Instant::now() + QUIET;
    eventually("a quiet while", PATIENCE, || (Instant::now() > until).then_some(()));
    let quiet = site.waits(from);

    // One instance is upgraded and set back, again and again, while cars drive through the others.
    let (others, from) = (untouched(&site), site.the_box.complained().len());
    for round in 0..3 {
        site.done(&["upgrade", if round == 0 { &second } else { "acme.cars@1.1.0" }, "--instance", "lane-1"]);
        assert_eq!(site.standings(), ["ready 1.1.0", "ready 1.0.0", "ready 1.0.0", "ready 1.0.0"]);
        site.cars_pass(&[1], 2.0);
        site.done(&["rollback", "acme.cars", "--instance", "lane-1"]);
        assert_eq!(site.standings(), ["ready 1.0.0"; LANES]);
        site.cars_pass(&[1], 2.0);
    }
    let busy = site.waits(from);
    assert_eq!(untouched(&site), others, "the other drivers' processes are the same, and none was restarted");
    for lane in 2..=LANES {
        let name = format!("lane-{lane}");
        let ((before, quiet_ms), (during, busy_ms)) = (worst(&quiet, &name), worst(&busy, &name));
        println!("{name}: worst of {before} cars {quiet_ms:.1} ms; worst of {during} during upgrades {busy_ms:.1} ms");
        assert!(before > 5 && during > 5, "{name}: {before} and {during} cars were seen");
        // A machine that is shared lets a car wait; a lane that waited for another's upgrade would do so for far longer.
        assert!(busy_ms < 500.0, "{name}: a car waited {busy_ms:.1} ms, and {quiet_ms:.1} ms with nothing happening");
    }

    // A version that does not work gives way to the one that did.
    let told = site.refused(&["upgrade", &dies, "--instance", "lane-1"]);
    assert!(told.contains("does not become ready at lane-1") && told.contains("1.0.0 runs again"), "{told}");
    eventually("lane-1 to be back", PATIENCE, || (site.standings() == ["ready 1.0.0"; LANES]).then_some(()));
    site.cars_pass(&[1, 2, 3, 4], 2.0);
    assert_eq!(untouched(&site), others);

    // All together, and no way down but the one that is on record.
    site.done(&["upgrade", "acme.cars@1.1.0"]);
    assert_eq!(site.standings(), ["ready 1.1.0"; LANES]);
    let told = site.refused(&["install", &older]);
    assert!(told.contains("1.1.0 has run here") && told.contains("rollback acme.cars --to 0.9.0"), "{told}");
    let told = site.refused(&["remove", "acme.cars@1.1.0"]);
    assert!(told.contains("lane-1 (lane in-1)") && told.contains("--force"), "{told}");
    site.done(&["rollback", "acme.cars", "--to", "0.9.0", "--file", &older]);
    assert_eq!(site.standings(), ["ready 0.9.0"; LANES]);
    site.cars_pass(&[1, 2, 3, 4], 1.0);

    // Taken away: its lanes stand, the box does not.
    site.done(&["remove", "acme.cars@1.0.0"]);
    site.done(&["remove", "acme.cars", "--force"]);
    assert_eq!(site.standings(), ["absent -"; LANES]);
    assert_eq!(site.the_box.http.get("/healthz").status, 200);
    let told = site.the_box.http.get("/readyz");
    assert!(told.status == 200 && told.body.contains("gate-in-1"), "{}", told.body);
    let left = fs::read_dir(site.data.join("drivers")).expect("the shelf").count();
    assert_eq!(left, 0, "no file is left of what was removed");
}

#[test]
fn what_was_chosen_is_run_after_a_restart_and_stands_in_the_journal_with_who_and_why() {
    let vendor = Vendor::new();
    let (first, second) = (vendor.release("1.0.0", &[]), vendor.release("1.1.0", &[]));
    let mut site = Site::new(&vendor);
    site.done(&["install", &first]);
    site.done(&["upgrade", &second, "--instance", "lane-2"]);
    site.the_box.kill();

    // The files of a box that does not run tell the same, and are changed in the same way.
    let list = site.list();
    assert_eq!((&list["running"], &list["instances"][1]["version"]), (&false.into(), &"1.1.0".into()), "{list}");
    assert_eq!(list["instances"][0]["state"], "off");
    site.done(&["upgrade", "acme.cars@1.1.0", "--instance", "lane-3"]);

    site.the_box.start_again();
    let wanted = ["ready 1.0.0", "ready 1.1.0", "ready 1.1.0", "ready 1.0.0"];
    eventually("what was chosen to run", PATIENCE, || (site.standings() == wanted).then_some(()));
    site.cars_pass(&[1, 2, 3, 4], 1.0);

    // A kept file that somebody changed is refused, and its lanes alone stand.
    let (status, _) = site.the_box.terminate();
    assert!(status.success());
    let kept = site.data.join("drivers/acme.cars@1.1.0.so");
    let mut bytes = fs::read(&kept).expect("a kept file");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&kept, bytes).expect("altered");
    site.the_box.start_again();
    let wanted = ["ready 1.0.0", "absent 1.1.0", "absent 1.1.0", "ready 1.0.0"];
    eventually("the altered one to be refused", PATIENCE, || (site.standings() == wanted).then_some(()));
    let why = site.instance(2)["fault"].as_str().expect("a reason").to_owned();
    assert!(why.contains("it was altered"), "{why}");
    site.cars_pass(&[1, 4], 1.0);

    let (status, _) = site.the_box.terminate();
    assert!(status.success());
    TheBox::verify(&site.data).expect("the journal is true");
    let changes = Journal::read(&site.data).drivers;
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told.iter().filter(|change| !change.starts_with("driver.ran")).collect::<Vec<_>>(),
        [
            "driver.installed by ann: works better",
            "driver.installed by ann: works better",
            "driver.installed by ann: works better",
            "driver.upgraded by ann: works better",
            "driver.upgraded by ann: works better"
        ]
        .iter()
        .collect::<Vec<_>>(),
        "{told:?}"
    );
}

#[test]
fn an_order_is_told_before_it_is_carried_out_and_nobody_changes_drivers_by_mistake() {
    let vendor = Vendor::new();
    let first = vendor.release("1.0.0", &[]);
    let site = Site::new(&vendor);
    let config = site.config.display().to_string();
    let asked = |more: &[&str]| TheBox::command(&[&["driver", "install", &first, "--config", &config], more].concat());
    let shown = asked(&["--reason", "first", "--dry-run"]);
    assert!(shown.status.success(), "{}", text(&shown));
    for words in ["would happen", "acme.cars 1.0.0 (signed by Acme", "lane-1 (lane in-1) begins to run acme.cars 1.0.0"]
    {
        assert!(text(&shown).contains(words), "{words} in {}", text(&shown));
    }
    for (more, words) in [
        (&["--reason", "first"][..], "--dry-run"),
        (&["--yes"][..], "--reason"),
        (&["--reason", "", "--yes"][..], "1 to 200 characters"),
    ] {
        let output = asked(more);
        assert!(output.status.code() == Some(2) && text(&output).contains(words), "{more:?}: {}", text(&output));
    }
    assert_eq!(site.standings(), ["absent -"; LANES], "nothing was done");
    let no_box = TempDir::new().expect("a temporary folder");
    let data = no_box.path().display().to_string();
    let away = TheBox::command(&["driver", "install", &first, "--data", &data, "--reason", "first", "--yes"]);
    assert!(away.status.code() == Some(1) && text(&away).contains("give --config FILE"), "{}", text(&away));
}
