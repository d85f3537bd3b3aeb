//! `tollhouse driver info`: what a driver says of itself, read in a confined process.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use tollhouse_drivers::check::describe;

use super::super::refused;
use super::Form;

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
