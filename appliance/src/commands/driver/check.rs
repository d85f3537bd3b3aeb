//! `tollhouse driver check`, of a library or of a device over MQTT: tells an examination as it goes, or as one JSON document.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tollhouse_core::id::{DeviceId, LotId};
use tollhouse_drivers::check::{
    Audience, CATALOGUE, Examination, MQTT_CATALOGUE, MqttExamination, Verdict, examine, examine_mqtt,
};

use super::super::refused;
use super::{CheckArgs, Form};

/// A file larger than this is no configuration.
const MAX_CONFIG_BYTES: usize = 63 * 1024;

pub(super) fn run(args: CheckArgs) -> ExitCode {
    let shape = super::form(args.json);
    if args.list {
        return list(shape, if args.mqtt.is_some() { Catalogue::Mqtt } else { Catalogue::Library });
    }
    let done = if args.mqtt.is_some() { examined_over_mqtt(&args, shape) } else { examined(args, shape) };
    match done {
        Ok(code) => code,
        Err(why) => refused(&why),
    }
}

fn examined(args: CheckArgs, shape: Form) -> Result<ExitCode, String> {
    let library = args.library.ok_or("give the driver's file")?;
    let config = args.config.map(read_config).transpose()?;
    let host_executable =
        std::env::current_exe().map_err(|fault| format!("this program's own file is not known: {fault}"))?;
    let examination =
        Examination { library, host_executable, seed: args.seed, config, devices: args.device, only: args.only };
    let mut teller = Teller { shape, group: "" };
    if shape == Form::Text {
        println!("{}", examination.library.display());
    }
    let report = examine(&examination, &mut teller)?;
    match shape {
        Form::Json => println!("{}", serde_json::to_string(&report).map_err(|fault| fault.to_string())?),
        Form::Text => println!("\n{}", report.summary()),
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_config(path: PathBuf) -> Result<(serde_json::Value, PathBuf), String> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(&path).map_err(|fault| format!("{shown} cannot be read: {fault}"))?;
    if text.len() > MAX_CONFIG_BYTES {
        return Err(format!("{shown} has {} bytes, a configuration at most {MAX_CONFIG_BYTES}", text.len()));
    }
    let config = serde_json::from_str(&text).map_err(|fault| format!("{shown} is no JSON: {fault}"))?;
    Ok((config, path))
}

/// What the checks are called, of what group, and what rule each tries.
fn catalogue(of: Catalogue) -> Vec<(&'static str, &'static str, &'static str)> {
    match of {
        Catalogue::Library => CATALOGUE.iter().map(|check| (check.group, check.id, check.rule)).collect(),
        Catalogue::Mqtt => MQTT_CATALOGUE.iter().map(|check| (check.group, check.id, check.rule)).collect(),
    }
}

/// Which checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Catalogue {
    Library,
    Mqtt,
}

fn list(shape: Form, of: Catalogue) -> ExitCode {
    let checks = catalogue(of);
    if shape == Form::Json {
        let checks: Vec<_> = checks
            .iter()
            .map(|(group, id, rule)| serde_json::json!({"id": id, "group": group, "rule": rule}))
            .collect();
        println!("{}", serde_json::Value::from(checks));
        return ExitCode::SUCCESS;
    }
    let mut last = "";
    for (group, id, rule) in checks {
        if group != last {
            println!("{group}");
            last = group;
        }
        println!("  {id:<20} {rule}");
    }
    ExitCode::SUCCESS
}

fn examined_over_mqtt(args: &CheckArgs, shape: Form) -> Result<ExitCode, String> {
    let broker = &args.broker;
    let device = DeviceId::new(args.mqtt.clone().unwrap_or_default()).map_err(|fault| format!("--mqtt: {fault}"))?;
    let lot = LotId::new(broker.lot.clone()).map_err(|fault| format!("--lot: {fault}"))?;
    let address = || format!("--broker: {:?} is no HOST:PORT, as 127.0.0.1:1883", broker.broker);
    let (host, port) = broker.broker.rsplit_once(':').ok_or_else(address)?;
    let examination = MqttExamination {
        device,
        lot,
        host: host.to_owned(),
        port: port.parse().map_err(|_| address())?,
        login: match (&broker.user, &broker.password_file) {
            (Some(user), Some(file)) => Some((user.clone(), first_line(file)?)),
            _ => None,
        },
        device_password: broker.device_password_file.as_deref().map(first_line).transpose()?,
        patience: Duration::from_secs(broker.patience),
        only: args.only.clone(),
    };
    let mut teller = Teller { shape, group: "" };
    if shape == Form::Text {
        println!("{} at {}, lot {}", examination.device, broker.broker, examination.lot);
    }
    let report = examine_mqtt(&examination, &mut teller)?;
    match shape {
        Form::Json => println!("{}", serde_json::to_string(&report).map_err(|fault| fault.to_string())?),
        Form::Text => println!("\n{}", report.summary()),
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn first_line(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|fault| format!("{} cannot be read: {fault}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Tells each check when it has ended, under its group.
struct Teller {
    shape: Form,
    group: &'static str,
}

impl Audience for Teller {
    fn begins(&mut self, id: &'static str, rule: &'static str) {
        if self.shape == Form::Text && std::io::stdout().is_terminal() {
            print!("  ...    {id:<20} {rule}\r");
            // A terminal that is gone will be missed soon enough.
            let _ = std::io::stdout().flush();
        }
    }

    fn ended(&mut self, verdict: &Verdict) {
        if self.shape != Form::Text {
            return;
        }
        if self.group != verdict.group {
            self.group = verdict.group;
            // In a terminal it goes over the line that said what was under way.
            let width = if std::io::stdout().is_terminal() { 79 } else { 0 };
            println!("{:<width$}", self.group);
        }
        println!("{}", verdict.words());
    }
}
