//! `[drivers]`, `[[driver_keys]]` and `[[plugins]]`: which libraries the box runs, for whom, and what each may use.

use std::path::{Path, PathBuf};

use tollhouse_core::id::DeviceId;
use tollhouse_drivers::plugin::signature::{Statement, VerifyingKey};
use tollhouse_drivers::plugin::{Allowance, Revoked, Trust, Unsigned, VendorKey};

use super::cross::LinedPlugin;
use super::reader::{Document, Section};
use super::sections::{absolute_path, code, one_of, short_text};
use super::{DriverSource, MAX_VENDORS, PluginConfig};

/// A list of what was taken back has a line for each; ten thousand lines are below this.
const MAX_REVOCATIONS_BYTES: u64 = 1 << 20;
/// A driver with less cannot hold one picture; one with more is no driver.
const MEMORY_MIB: std::ops::RangeInclusive<u32> = 32..=4096;

/// `[drivers]` and `[[driver_keys]]`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DriversConfig {
    /// What happens to a library that no known vendor signed.
    pub unsigned: Unsigned,
    /// The list of what was taken back.
    pub revoked_file: Option<PathBuf>,
    /// Whose signature counts, and for which drivers.
    pub keys: Vec<VendorKey>,
}

impl DriversConfig {
    /// What the box trusts now: the revocation list is read anew. In words, why it cannot be.
    pub fn trust(&self) -> Result<Trust, String> {
        let revoked = self.revoked_file.as_deref().map_or_else(|| Ok(Vec::new()), revocations)?;
        let (keys, unsigned) = (self.keys.clone(), self.unsigned.clone());
        Ok(Trust { keys, unsigned, revoked, ..Trust::default() })
    }
}

fn revocations(path: &Path) -> Result<Vec<Revoked>, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map(|about| about.len());
    let text = match size {
        Ok(size) if size > MAX_REVOCATIONS_BYTES => return Err(format!("{shown} is larger than 1 MiB")),
        size => size.and_then(|_| std::fs::read_to_string(path)),
    };
    let text = text.map_err(|fault| format!("the list of revoked drivers {shown} cannot be read: {fault}"))?;
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(place, line)| {
            let read = Revoked::read_line(line);
            read.map_err(|fault| format!("{shown}, line {}: {fault}", place + 1)).transpose()
        })
        .collect()
}

pub(super) fn drivers(document: &mut Document<'_>) -> DriversConfig {
    let mut section = document.section("drivers");
    let unsigned =
        section.optional(document, "unsigned", |text| one_of(text, &[("refused", "refused"), ("allowed", "allowed")]));
    let revoked_file = section.optional(document, "revoked_file", absolute_path);
    document.close(section, &["unsigned", "revoked_file"]);
    let keys = document.sections("driver_keys", MAX_VENDORS).into_iter().filter_map(|s| vendor(document, s)).collect();
    DriversConfig {
        unsigned: match unsigned.map(|at| at.value) {
            Some("allowed") => Unsigned::Allowed,
            _ => Unsigned::Refused,
        },
        revoked_file: revoked_file.map(|at| at.value),
        keys,
    }
}

fn vendor<'t>(document: &mut Document<'t>, mut section: Section<'t>) -> Option<VendorKey> {
    let vendor = section.required(document, "vendor", short_text);
    if let Some(vendor) = &vendor {
        section.name = format!("[[driver_keys]] {}", vendor.value);
    }
    let key = section.required(document, "key", VerifyingKey::read);
    let drivers = section.list(document, "drivers", pin);
    if drivers.is_empty() {
        let message = format!("{} is pinned to no driver: drivers = [\"acme.barrier\"]", section.name);
        document.fault(section.line, message);
    }
    document.close(section, &["vendor", "key", "drivers"]);
    Some(VendorKey {
        vendor: vendor?.value,
        key: key?.value,
        drivers: drivers.into_iter().map(|at| at.value).collect(),
    })
}

/// A driver's id, or the beginning of several: `acme.light.*`.
fn pin(text: &str) -> Result<String, String> {
    let stem = text.strip_suffix(".*").unwrap_or(text);
    Statement::new(stem, "0.0.0").map(|_| text.to_owned()).map_err(|fault| fault.to_string())
}

fn driver_id(text: &str) -> Result<String, String> {
    Statement::new(text, "0.0.0").map(|_| text.to_owned()).map_err(|fault| fault.to_string())
}

pub(super) fn plugin<'t>(document: &mut Document<'t>, mut section: Section<'t>) -> Option<LinedPlugin> {
    let name = section.required(document, "name", code);
    if let Some(name) = &name {
        section.name = format!("[[plugins]] {}", name.value);
    }
    let library = section.optional(document, "library", absolute_path).map(|at| DriverSource::File(at.value));
    let installed = section.optional(document, "driver", driver_id).map(|at| DriverSource::Installed(at.value));
    let devices = section.list(document, "devices", |text| DeviceId::new(text));
    let may_read = section.list(document, "may_read", absolute_path);
    let may_use = section.list(document, "may_use", absolute_path);
    let memory_mib = section.integer(document, "memory_mib", MEMORY_MIB, Some(Allowance::default().memory_mib));
    let config = section.free_table(document, "config");
    if devices.is_empty() {
        document.fault(section.line, format!("{} needs at least one device: devices = [\"...\"]", section.name));
    }
    let driver = match (library, installed) {
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => {
            let message =
                format!("{} needs library = \"/...\" (a file), or driver = \"...\" (an installed one)", section.name);
            document.fault(section.line, message);
            None
        }
        (Some(_), Some(_)) => {
            document.fault(section.line, format!("{} has library and driver: one of them is enough", section.name));
            None
        }
    };
    document.close(section, &["name", "library", "driver", "devices", "may_read", "may_use", "memory_mib", "config"]);
    let name = name?;
    Some(LinedPlugin {
        name_line: name.line,
        plugin: PluginConfig {
            name: name.value,
            driver: driver?,
            devices: devices.iter().map(|at| at.value.clone()).collect(),
            allowance: Allowance {
                read: may_read.into_iter().map(|at| at.value).collect(),
                devices: may_use.into_iter().map(|at| at.value).collect(),
                memory_mib: memory_mib?,
            },
            config,
        },
        devices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_list_is_read_when_it_is_needed_and_a_wrong_line_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("revoked");
        let config = DriversConfig { revoked_file: Some(path.clone()), ..DriversConfig::default() };
        assert!(config.trust().expect_err("not there").contains("cannot be read"));
        std::fs::write(&path, "# taken back\n\ndriver acme.barrier 1.2.0\n").expect("written");
        assert_eq!(config.trust().expect("a list").revoked.len(), 1);
        std::fs::write(&path, "driver acme.barrier 1.2.0\nacme.light\n").expect("written");
        assert!(config.trust().expect_err("a wrong line").contains("line 2"));
    }

    #[test]
    fn a_key_is_pinned_to_drivers_by_name_or_by_the_beginning_of_it() {
        assert_eq!((pin("acme.barrier").is_ok(), pin("acme.light.*").is_ok()), (true, true));
        assert_eq!((pin("*").is_err(), pin("acme*").is_err(), pin("").is_err()), (true, true, true));
    }
}
