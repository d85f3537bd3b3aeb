//! `tollhouse driver check`: tells an examination as it goes, or as one JSON document.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use tollhouse_drivers::check::{Audience, CATALOGUE, Examination, Verdict, examine};

use super::super::refused;
use super::{CheckArgs, Form};

/// A file larger than this is no configuration.
const MAX_CONFIG_BYTES: usize = 63 * 1024;

pub(super) fn run(args: CheckArgs) -> ExitCode {
    let shape = super::form(args.json);
    if args.list {
        return list(shape);
    }
    match examined(args, shape) {
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

fn list(shape: Form) -> ExitCode {
    if shape == Form::Json {
        let checks: Vec<_> = CATALOGUE
            .iter()
            .map(|check| serde_json::json!({"id": check.id, "group": check.group, "rule": check.rule}))
            .collect();
        println!("{}", serde_json::Value::from(checks));
        return ExitCode::SUCCESS;
    }
    let mut group = "";
    for check in CATALOGUE {
        if group != check.group {
            group = check.group;
            println!("{group}");
        }
        println!("  {:<20} {}", check.id, check.rule);
    }
    ExitCode::SUCCESS
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
