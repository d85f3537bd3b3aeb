//! `tollhouse driver info` and `list`: what drivers say of themselves, read in a confined process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use tollhouse_drivers::check::describe;

use super::super::refused;
use super::Form;
use crate::config;

/// No folder has more drivers than these.
const MOST_LISTED: usize = 200;

pub(super) fn one(library: &Path, shape: Form) -> ExitCode {
    let descriptor = match described(library) {
        Ok(descriptor) => descriptor,
        Err(why) => return refused(&why),
    };
    if shape == Form::Json {
        println!("{descriptor}");
        return ExitCode::SUCCESS;
    }
    let text = |key: &str| descriptor[key].as_str().unwrap_or("?").to_owned();
    let words = |key: &str| {
        let list = descriptor[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        let list: Vec<&str> = list.collect();
        if list.is_empty() { "none".to_owned() } else { list.join(", ") }
    };
    println!("{} {}", text("id"), text("version"));
    if let Some(vendor) = descriptor["vendor"].as_str() {
        println!("  vendor    {vendor}");
    }
    for key in ["kinds", "commands", "events", "options"] {
        println!("  {key:<9} {}", words(key));
    }
    println!("  configuration");
    let required: Vec<&str> =
        descriptor["config"]["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in descriptor["config"]["properties"].as_object().into_iter().flatten() {
        let must = if required.contains(&name.as_str()) { "required" } else { "optional" };
        let default = property.get("default").map(|value| format!(", {value} unless given")).unwrap_or_default();
        let title = property["title"].as_str().map(|title| format!(": {title}")).unwrap_or_default();
        println!("    {name:<20} {must} {}{default}{title}", property["type"].as_str().unwrap_or("value"));
    }
    ExitCode::SUCCESS
}

pub(super) fn described(library: &Path) -> Result<Value, String> {
    let executable =
        std::env::current_exe().map_err(|fault| format!("this program's own file is not known: {fault}"))?;
    describe(library, &executable)
}

pub(super) fn list(config: Option<&Path>, folder: Option<&Path>, shape: Form) -> ExitCode {
    let libraries = match (config, folder) {
        (Some(config), _) => configured(config),
        (None, Some(folder)) => lying_in(folder),
        (None, None) => Err("give --config FILE or a folder".to_owned()),
    };
    let libraries = match libraries {
        Ok(libraries) => libraries,
        Err(why) => return refused(&why),
    };
    let listed: Vec<Value> = libraries
        .into_iter()
        .map(|(name, library)| match described(&library) {
            Ok(descriptor) => json!({"name": name, "library": library, "id": descriptor["id"],
                "version": descriptor["version"], "kinds": descriptor["kinds"]}),
            Err(why) => json!({"name": name, "library": library, "fault": why}),
        })
        .collect();
    let sound = listed.iter().all(|driver| driver.get("fault").is_none());
    if shape == Form::Json {
        println!("{}", Value::from(listed));
    } else {
        for driver in &listed {
            let text = |key: &str| driver[key].as_str().unwrap_or_default().to_owned();
            let what = if driver.get("fault").is_some() {
                text("fault")
            } else {
                format!("{} {}", text("id"), text("version"))
            };
            println!("{:<16} {what}  ({})", text("name"), text("library"));
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn configured(path: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let config = config::load(path).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
        faults.join("\n")
    })?;
    Ok(config.plugins.into_iter().map(|plugin| (plugin.name, plugin.library)).collect())
}

fn lying_in(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let entries = fs::read_dir(folder).map_err(|fault| format!("{} cannot be read: {fault}", folder.display()))?;
    let mut libraries: Vec<(String, PathBuf)> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
        .take(MOST_LISTED)
        .map(|path| (path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(), path))
        .collect();
    libraries.sort();
    Ok(libraries)
}
