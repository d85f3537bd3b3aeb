//! `tollhouse driver list`: the drivers of a box, as it says itself, or those that lie in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::refused;
use super::info::described;
use super::{Form, hot};
use crate::drivers::order::{InstanceStanding, Roll};
use crate::drivers::record::DriverRecord;

/// No folder has more drivers than these.
const MOST_LISTED: usize = 200;

/// The drivers of a box.
pub(super) fn of_a_box(config: Option<&Path>, data: Option<&Path>, shape: Form) -> ExitCode {
    let roll = match hot::roll(config, data) {
        Ok(roll) => roll,
        Err(why) => return refused(&why),
    };
    if shape == Form::Json {
        match serde_json::to_string(&roll) {
            Ok(text) => println!("{text}"),
            Err(fault) => return refused(&fault),
        }
        return ExitCode::SUCCESS;
    }
    if !roll.running {
        println!("the box does not run; this is what its files say");
    }
    roll.instances.iter().for_each(instance);
    for driver in &roll.drivers {
        versions(&roll, driver);
    }
    if roll.instances.is_empty() && roll.drivers.is_empty() {
        println!("no driver is configured, and none is installed");
    }
    ExitCode::SUCCESS
}

fn instance(standing: &InstanceStanding) {
    let driver = standing.driver.as_deref().unwrap_or("?");
    let version = standing.version.as_deref().unwrap_or("-");
    let lanes =
        if standing.lanes.is_empty() { String::new() } else { format!("  lanes {}", standing.lanes.join(", ")) };
    println!(
        "{:<16} {:<12} {driver} {version}  restarts {}, failures {}{lanes}",
        standing.name, standing.state, standing.restarts, standing.failures
    );
    if let Some(library) = &standing.library {
        println!("{:<16} the configuration names its file: {library}", "");
    }
    if let Some(fault) = standing.fault.as_ref().filter(|_| standing.state != "off") {
        let told = if standing.state == "ready" { "last fault" } else { "why" };
        println!("{:<16} {told}: {fault}", "");
    }
    if standing.state == "quarantined" {
        println!("{:<16} to try it at once: tollhouse driver release {}", "", standing.name);
    }
}

fn versions(roll: &Roll, driver: &DriverRecord) {
    println!("{}", driver.id);
    for kept in &driver.versions {
        let runs = |standing: &&InstanceStanding| {
            standing.driver.as_ref() == Some(&driver.id) && standing.version.as_ref() == Some(&kept.version)
        };
        let users: Vec<&str> = roll.instances.iter().filter(runs).map(|standing| standing.name.as_str()).collect();
        let users = if users.is_empty() { "kept".to_owned() } else { format!("for {}", users.join(", ")) };
        let vendor = kept.vendor.as_deref().unwrap_or("nobody");
        let day = kept.installed_at.format("%Y-%m-%d %H:%M");
        println!("  {:<14} {users}; signed by {vendor}, installed {day} UTC by {}", kept.version, kept.installed_by);
    }
    if let Some(newest) = &driver.newest {
        let floor = driver.floor.as_deref().unwrap_or(newest);
        println!("  {newest} is the newest that has run; nothing below {floor} is taken in");
    }
}

/// The drivers in a folder.
pub(super) fn of_a_folder(folder: &Path, shape: Form) -> ExitCode {
    let libraries = match lying_in(folder) {
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
