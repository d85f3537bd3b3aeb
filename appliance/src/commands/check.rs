//! `tollhouse check`: the configuration and its surroundings, every fault at once, with the line.
//!
//! Owns what can be found wrong from outside, without opening the store: it may run beside a running box. It changes
//! nothing but a probe file in the data folder, which it takes away again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tollhouse_core::id::AreaId;
use tollhouse_core::tariff::proof::{failed_examples, linted};
use tollhouse_documents::Font;
use tollhouse_drivers::plugin::{FileWall, SealedLibrary, Unsigned, file_wall};

use super::tunnel;
use crate::actors::payment::opening;
use crate::clock::BoxClock;
use crate::config::reader::{Step, line_at};
use crate::config::{self, Config, DriverSource, LotConfig, Sandbox};
use crate::drivers::Shelf;
use crate::drivers::shelf::Stock;
use crate::tariffs;

const BROKER_TIMEOUT: Duration = Duration::from_secs(2);
/// Below this the box would be full within days.
const DISK_NEEDED_BYTES: u64 = 256 << 20;
/// A year of a middling lot.
const DISK_WANTED_BYTES: u64 = 4 << 30;
/// 128 bits in an alphabet of 32 or more letters take at least so many characters.
const UNGUESSABLE_CHARS: usize = 22;

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// The box would not work.
    Fault,
    /// It would, but somebody should know.
    Warning,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The line of the configuration, from 1; 0 when there is none to blame.
    pub line: usize,
    /// How much it matters.
    pub weight: Weight,
    /// What it is and what to do about it.
    pub message: String,
}

/// Whether the box could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing but warnings.
    Sound,
    /// At least one fault: exit code 1.
    Faulty,
}

/// Checks, writes what was found, and says whether the box could run.
pub fn run(path: &Path, form: Form, out: &mut dyn Write) -> io::Result<Verdict> {
    let findings = check(path);
    let faults = findings.iter().filter(|found| found.weight == Weight::Fault).count();
    match form {
        Form::Json => {
            let answer = serde_json::json!({ "ok": faults == 0, "findings": findings });
            writeln!(out, "{answer}")?;
        }
        Form::Text => {
            for found in &findings {
                let weight = if found.weight == Weight::Fault { "fault" } else { "warning" };
                match found.line {
                    0 => writeln!(out, "{}: {weight}: {}", path.display(), found.message)?,
                    line => writeln!(out, "{}:{line}: {weight}: {}", path.display(), found.message)?,
                }
            }
            match (faults, findings.len()) {
                (0, 0) => writeln!(out, "{}: sound", path.display())?,
                (0, warnings) => writeln!(out, "{}: sound, {warnings} warnings", path.display())?,
                (faults, all) => {
                    writeln!(out, "{}: faults: {faults}, warnings: {}", path.display(), all - faults)?;
                }
            }
        }
    }
    Ok(if faults == 0 { Verdict::Sound } else { Verdict::Faulty })
}

/// All that is found, in the order of lines. A file with faults of its own is not tried against its surroundings.
pub fn check(path: &Path) -> Vec<Finding> {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(faults) => {
            let finding = |f: config::Fault| Finding { line: f.line, weight: Weight::Fault, message: f.message };
            return faults.into_iter().map(finding).collect();
        }
    };
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut survey = Survey { text: &text, findings: Vec::new() };
    survey.tariff(&config.lot, &config.areas());
    survey.data_folder(&config.store.data);
    survey.listen(&config);
    survey.broker(&config);
    survey.password_files(&config);
    survey.plugins(&config);
    survey.secrets(&config);
    for (weight, message) in tunnel::findings(path, &config) {
        survey.find(weight, &[Step::Key("http")], message);
    }
    survey.accounts(&config);
    survey.font(&config);
    survey.findings.sort_by_key(|found| found.line);
    survey.findings
}

struct Survey<'t> {
    text: &'t str,
    findings: Vec<Finding>,
}

impl Survey<'_> {
    fn find(&mut self, weight: Weight, way: &[Step<'_>], message: impl Into<String>) {
        let line = line_at(self.text, way);
        self.findings.push(Finding { line, weight, message: message.into() });
    }

    fn fault(&mut self, way: &[Step<'_>], message: impl Into<String>) {
        self.find(Weight::Fault, way, message);
    }

    fn warning(&mut self, way: &[Step<'_>], message: impl Into<String>) {
        self.find(Weight::Warning, way, message);
    }

    /// The tariff's own faults, each with its file and line, at the line that names the file; and what its linter warns of.
    fn tariff(&mut self, lot: &LotConfig, areas: &[AreaId]) {
        let way = [Step::Key("lot"), Step::Key("tariff")];
        let tariffs = match tariffs::of_lot(lot, areas) {
            Ok(tariffs) => tariffs,
            Err(faults) => return faults.iter().for_each(|fault| self.fault(&way, fault.to_string())),
        };
        for version in &tariffs.versions {
            let (warnings, untrue) = linted(&version.file);
            for broken in failed_examples(&version.file, &tariffs.book).into_iter().chain(untrue) {
                self.fault(&way, format!("{}:{}: {}", version.name, broken.line, broken.text.en));
            }
            for warning in warnings.iter().filter(|warning| warning.accepted.is_none()) {
                self.warning(&way, format!("{}: {} [{}]", version.name, warning.text.en, warning.hole.as_str()));
            }
        }
    }

    fn data_folder(&mut self, data: &Path) {
        let way = [Step::Key("store"), Step::Key("data")];
        let shown = data.display();
        if !data.is_dir() {
            return self.fault(&way, format!("the data folder {shown} is not there: create it for the box's user"));
        }
        let probe = data.join(format!(".check-{}", std::process::id()));
        let wrote = OpenOptions::new().write(true).create_new(true).open(&probe).and_then(|mut file| {
            file.write_all(b"tollhouse check")?;
            file.sync_all()
        });
        let _ = fs::remove_file(&probe);
        if let Err(error) = wrote {
            self.fault(&way, format!("the data folder {shown} cannot be written: {error}"));
        }
        match free_bytes(data) {
            Ok(free) if free < DISK_NEEDED_BYTES => {
                self.fault(&way, format!("only {} MiB are free at {shown}; 256 MiB are the least", free >> 20));
            }
            Ok(free) if free < DISK_WANTED_BYTES => {
                self.warning(&way, format!("only {} MiB are free at {shown}", free >> 20));
            }
            Ok(_) => {}
            Err(error) => self.warning(&way, format!("nobody knows how much is free at {shown}: {error}")),
        }
    }

    /// Receipts are drawn with a font of this machine. Without one everything else works.
    fn font(&mut self, config: &Config) {
        let configured = config.documents.font.as_deref().map(Path::new);
        let Err(why) = Font::find(configured) else { return };
        let way = [Step::Key("invoices"), Step::Key("font")];
        match configured {
            Some(_) => self.fault(&way, format!("receipts cannot be printed: {why}")),
            None => self.warning(&[Step::Key("invoices")], format!("receipts cannot be printed: {why}")),
        }
    }

    fn listen(&mut self, config: &Config) {
        let way = [Step::Key("http"), Step::Key("listen")];
        let listen = config.http.listen;
        match TcpListener::bind(listen) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                self.warning(&way, format!("{listen} is in use: right if the box is running, a fault if it is not"));
            }
            Err(error) => self.fault(&way, format!("the box cannot listen at {listen}: {error}")),
        }
        if config.http.public_url.is_none() {
            self.warning(
                &[Step::Key("http")],
                "without public_url the QR codes say what each browser happens to call the box",
            );
        }
    }

    fn broker(&mut self, config: &Config) {
        let way = [Step::Key("mqtt"), Step::Key("host")];
        let (host, port) = (config.mqtt.host.as_str(), config.mqtt.port);
        let addresses = match (host, port).to_socket_addrs() {
            Ok(addresses) => addresses.take(8).collect::<Vec<_>>(),
            Err(error) => return self.fault(&way, format!("the broker's host {host:?} is not known: {error}")),
        };
        let mut last = None;
        for address in &addresses {
            match TcpStream::connect_timeout(address, BROKER_TIMEOUT) {
                Ok(_) => return,
                Err(error) => last = Some(error),
            }
        }
        let why = last.map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
        self.fault(&way, format!("no broker answers at {host}:{port}: {why}"));
    }

    fn password_files(&mut self, config: &Config) {
        let files = [
            ("mqtt", "password_file", &config.mqtt.password_file),
            ("http", "admin_password_file", &config.http.admin_password_file),
        ];
        for (section, key, file) in files {
            if let Some(file) = file {
                self.password_file([Step::Key(section), Step::Key(key)], file);
            }
        }
    }

    fn password_file(&mut self, way: [Step<'_>; 2], file: &Path) {
        let shown = file.display();
        match fs::metadata(file) {
            Err(error) => self.fault(&way, format!("the password file {shown} cannot be read: {error}")),
            Ok(about) if !about.is_file() => self.fault(&way, format!("{shown} is no file")),
            Ok(about) if about.mode() & 0o077 != 0 => {
                let mode = about.mode() & 0o777;
                self.fault(&way, format!("others may read {shown} (mode {mode:o}): chmod 600 {shown}"));
            }
            Ok(about) if about.len() == 0 => self.fault(&way, format!("the password file {shown} is empty")),
            Ok(_) => {
                if let Err(error) = File::open(file) {
                    self.fault(&way, format!("the password file {shown} cannot be read: {error}"));
                }
            }
        }
    }

    /// Each library is taken in as the box would: nothing of it runs.
    fn plugins(&mut self, config: &Config) {
        let trust = match config.drivers.trust() {
            Ok(trust) => trust,
            Err(why) => return self.fault(&[Step::Key("drivers"), Step::Key("revoked_file")], why),
        };
        if trust.unsigned == Unsigned::Allowed {
            let way = [Step::Key("drivers"), Step::Key("unsigned")];
            self.warning(&way, "drivers that nobody signed are run: right for a bench, not for a gate");
        }
        for (place, plugin) in config.plugins.iter().enumerate() {
            let way = |key| [Step::Key("plugins"), Step::Place(place), Step::Key(key)];
            match &plugin.driver {
                DriverSource::File(path) => {
                    if let Err(fault) = SealedLibrary::take(path, &trust) {
                        self.fault(&way("library"), fault.to_string());
                    }
                }
                DriverSource::Installed(id) if Shelf::of(&config.store.data).has(id) == Stock::Empty => {
                    self.warning(&way("driver"), format!("{id} is not installed yet: tollhouse driver install FILE"));
                }
                DriverSource::Installed(_) => {}
            }
            for (key, paths) in [("may_read", &plugin.allowance.read), ("may_use", &plugin.allowance.devices)] {
                for path in paths.iter().filter(|path| !path.exists()) {
                    self.warning(&way(key), format!("{} is not there (yet)", path.display()));
                }
            }
        }
        if file_wall() == FileWall::Missing && !config.plugins.is_empty() {
            self.warning(
                &[Step::Key("plugins")],
                "this kernel has no landlock: a driver can read and write whatever the box can",
            );
        }
    }

    /// Every fault of the accounts at payment providers, at the line of the key that names the file.
    fn accounts(&mut self, config: &Config) {
        for (place, account) in config.accounts.iter().enumerate() {
            let way = |key| [Step::Key("payment_accounts"), Step::Place(place), Step::Key(key)];
            for fault in opening::open(account, BoxClock::start(1)).err().into_iter().flatten() {
                self.fault(&way(fault.key), fault.message);
            }
            if account.base_url.is_some() {
                self.warning(
                    &way("base_url"),
                    "payments go to another gateway than the provider's own: right for a test",
                );
            }
        }
        let loopback = |url: &String| url.starts_with("http://127.") || url.starts_with("http://[::1]");
        let plain = config.http.public_url.as_ref().filter(|url| url.starts_with("http://") && !loopback(url));
        if plain.is_some() && !config.accounts.is_empty() {
            let way = [Step::Key("http"), Step::Key("public_url")];
            self.warning(
                &way,
                "payment providers call https addresses alone: without callbacks payments are seen by asking",
            );
        }
    }

    fn secrets(&mut self, config: &Config) {
        for (place, lane) in config.lanes.iter().enumerate() {
            if lane.code.len() < UNGUESSABLE_CHARS {
                let way = [Step::Key("lanes"), Step::Place(place), Step::Key("code")];
                self.warning(&way, "the code is short enough to be guessed: 26 random letters and digits are better");
            }
        }
        if config.payment.inside_token.as_ref().is_some_and(|token| token.len() < UNGUESSABLE_CHARS) {
            let way = [Step::Key("payment"), Step::Key("inside_token")];
            self.warning(&way, "the token is short enough to be guessed: 26 random letters and digits are better");
        }
        if config.payment.sandbox == Sandbox::On {
            let way = [Step::Key("payment"), Step::Key("sandbox")];
            self.warning(&way, "the sandbox provider is on: cars leave without paying real money");
        }
    }
}

/// How many bytes a program without privileges may still write to the disk that holds this folder.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let about = rustix::fs::statvfs(folder)?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Site {
        folder: tempfile::TempDir,
        _broker: TcpListener,
        text: String,
    }

    /// The example with everything around it in order.
    fn site() -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let broker = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = broker.local_addr().expect("an address").port();
        fs::create_dir(at("data")).expect("data folder");
        fs::write(at("password"), "secret\n").expect("password file");
        fs::set_permissions(at("password"), fs::Permissions::from_mode(0o600)).expect("mode");
        build_driver(&at("driver.so"));
        fs::write(at("tariff.toml"), crate::demo::estate::TARIFF).expect("tariff");
        let text = include_str!("../../../systemd/tollhouse.toml")
            .replace("/var/lib/tollhouse", &at("data"))
            .replace("/etc/tollhouse/tariff.toml", &at("tariff.toml"))
            .replace("/etc/tollhouse/mqtt-password", &at("password"))
            .replace("/etc/tollhouse/admin-password", &at("password"))
            .replace("127.0.0.1:8080", "127.0.0.1:0")
            .replace("port = 1883", &format!("port = {port}"))
            + &format!("[[plugins]]\nname = \"sim\"\nlibrary = {:?}\ndevices = [\"gate-out-1\"]\n", at("driver.so"))
            + "[drivers]\nunsigned = \"allowed\"\n";
        Site { folder, _broker: broker, text }
    }

    fn build_driver(file: &str) {
        let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
        let built = std::process::Command::new("cc")
            .args(["-std=c11", "-shared", "-fPIC", "-I"])
            .args([plugins.join("abi"), plugins.join("examples/c/barrier.c")])
            .args(["-o", file])
            .status();
        assert!(built.expect("a C compiler named cc").success(), "the example does not compile");
    }

    fn checked(site: &Site) -> Vec<Finding> {
        let path = site.folder.path().join("tollhouse.toml");
        fs::write(&path, &site.text).expect("configuration");
        let mut findings = check(&path);
        // How full the disk of the one who tests is, is no matter here.
        findings.retain(|found| !found.message.contains("MiB"));
        findings
    }

    #[test]
    fn a_site_in_order_is_sound() {
        let findings = checked(&site());
        let faults: Vec<&Finding> = findings.iter().filter(|found| found.weight == Weight::Fault).collect();
        assert!(faults.is_empty(), "{faults:?}");
        assert!(findings.iter().all(|found| found.message.contains("nobody signed")), "{findings:?}");
    }

    #[test]
    fn everything_around_the_box_that_is_wrong_is_told_at_once_with_its_line() {
        let mut site = site();
        let at = |name: &str| site.folder.path().join(name);
        fs::remove_dir(at("data")).expect("data folder");
        fs::set_permissions(at("password"), fs::Permissions::from_mode(0o644)).expect("mode");
        fs::write(at("driver.so"), "#!/bin/sh").expect("driver");
        fs::write(at("tariff.toml"), crate::demo::estate::TARIFF.replace("\"5.00\"", "5.00")).expect("tariff");
        let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        site.text = site
            .text
            .lines()
            .map(|line| if line.starts_with("port = ") { format!("port = {closed}\n") } else { format!("{line}\n") })
            .collect();
        let findings = checked(&site);
        let line_of = |part: &str| site.text.lines().position(|line| line.starts_with(part)).expect(part) + 1;
        for (says, place) in [
            ("tariff.toml:20:", "tariff = "),
            ("is not there", "data = "),
            ("no broker answers", "host = "),
            ("chmod 600", "password_file = "),
            ("chmod 600", "admin_password_file = "),
            ("no shared library", "library = "),
        ] {
            let there = |found: &&Finding| found.message.contains(says) && found.line == line_of(place);
            let found = findings.iter().find(there).unwrap_or_else(|| panic!("{says} at {place}: {findings:?}"));
            assert_eq!(found.weight, Weight::Fault, "{says}");
        }
    }

    #[test]
    fn a_warning_alone_is_sound_and_a_fault_is_not() {
        let site = site();
        let path = site.folder.path().join("tollhouse.toml");
        let verdict = |text: &str| {
            fs::write(&path, text).expect("configuration");
            let mut said = Vec::new();
            let verdict = run(&path, Form::Json, &mut said).expect("written");
            (verdict, serde_json::from_slice::<serde_json::Value>(&said).expect("JSON"))
        };
        let short = site.text.replace("k4w8p2m6x9c3v7b1n5z0q8r2ty", "in-1");
        let (sound, answer) = verdict(&short);
        assert_eq!((sound, &answer["ok"]), (Verdict::Sound, &true.into()));
        assert!(answer["findings"].to_string().contains("guessed"), "{answer}");
        let (faulty, answer) = verdict(&site.text.replace("capacity = 320", "capacity = 0"));
        assert_eq!((faulty, &answer["ok"]), (Verdict::Faulty, &false.into()));
    }
}
