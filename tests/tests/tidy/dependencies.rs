//! Owns the direction of dependencies between the crates, read from their manifests.
//! It must not know what the crates do.

use toml::Table;

use crate::source::Source;

/// Which crates of the workspace the crate of this manifest may see. `None`: this rule is not for that file.
fn allowed(path: &str) -> Option<&'static [&'static str]> {
    Some(match path {
        "core/Cargo.toml" | "plugins/abi/Cargo.toml" => &[],
        "drivers/Cargo.toml" => &["tollhouse-core", "tollhouse-abi"],
        "appliance/documents/Cargo.toml" | "appliance/providers/Cargo.toml" | "core/fuzz/Cargo.toml" => {
            &["tollhouse-core"]
        }
        "drivers/fuzz/Cargo.toml" => &["tollhouse-drivers"],
        "appliance/providers/fuzz/Cargo.toml" => &["tollhouse-providers"],
        "appliance/Cargo.toml" => {
            &["tollhouse-core", "tollhouse-documents", "tollhouse-drivers", "tollhouse-providers"]
        }
        "plugins/sdk/Cargo.toml" => &["tollhouse-abi"],
        "plugins/fuzz/Cargo.toml" => {
            &["tollhouse-field", "tollhouse-driver-hikvision", "tollhouse-driver-modbus", "tollhouse-driver-vzenith"]
        }
        "plugins/field/Cargo.toml" => &["tollhouse-sdk"],
        _ if path.starts_with("plugins/") => &["tollhouse-abi", "tollhouse-sdk", "tollhouse-field"],
        "tests/Cargo.toml" | "Cargo.toml" => return None,
        // A crate in a place that nobody planned sees nothing until it is given a line here.
        _ => &[],
    })
}

/// What is wrong with the dependencies of one manifest.
pub(crate) fn direction(source: &Source) -> Vec<String> {
    if !(source.path == "Cargo.toml" || source.path.ends_with("/Cargo.toml")) {
        return Vec::new();
    }
    let manifest: Table = match source.text.parse() {
        Ok(manifest) => manifest,
        Err(fault) => return vec![format!("{}: {fault}", source.path)],
    };
    let named = dependency_names(&manifest);
    let mut faults = Vec::new();
    if let Some(allowed) = allowed(&source.path) {
        let ours = named.iter().filter(|name| *name == "tollhouse" || name.starts_with("tollhouse-"));
        for name in ours.filter(|name| !allowed.contains(&name.as_str())) {
            faults.push(format!("{}: may not depend on {name}", source.path));
        }
    }
    if !matches!(source.path.as_str(), "appliance/Cargo.toml" | "Cargo.toml") {
        for name in named.iter().filter(|name| name.starts_with("actix")) {
            faults.push(format!("{}: {name} belongs to the appliance alone", source.path));
        }
    }
    faults
}

/// All names under dependencies, dev- and build-dependencies, of every target; renamed ones under their real name.
fn dependency_names(manifest: &Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        if key == "dependencies" || key.ends_with("-dependencies") {
            for (name, details) in table {
                let real = details.get("package").and_then(toml::Value::as_str);
                names.push(real.unwrap_or(name).to_owned());
            }
        } else if key == "target" {
            names.extend(table.values().filter_map(toml::Value::as_table).flat_map(dependency_names));
        }
    }
    names
}

#[cfg(test)]
fn faults(path: &str, text: &str) -> usize {
    direction(&Source { path: path.to_owned(), text: text.to_owned() }).len()
}

#[test]
fn a_dependency_against_the_direction_is_found() {
    for (path, name) in [
        ("core/Cargo.toml", "tollhouse-drivers"),
        ("drivers/Cargo.toml", "tollhouse"),
        ("appliance/Cargo.toml", "tollhouse-sdk"),
        ("appliance/providers/Cargo.toml", "tollhouse"),
        ("appliance/providers/Cargo.toml", "tollhouse-drivers"),
        ("appliance/documents/Cargo.toml", "tollhouse-providers"),
        ("drivers/Cargo.toml", "tollhouse-providers"),
        ("plugins/abi/Cargo.toml", "tollhouse-core"),
        ("plugins/sim/Cargo.toml", "tollhouse-core"),
        ("plugins/vendor/Cargo.toml", "tollhouse-drivers"),
        ("elsewhere/Cargo.toml", "tollhouse-core"),
    ] {
        for table in ["dependencies", "dev-dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies"] {
            assert_eq!(faults(path, &format!("[{table}]\n{name}.workspace = true\n")), 1, "{path} {table} {name}");
        }
        assert_eq!(faults(path, &format!("[dependencies]\nx = {{ package = \"{name}\" }}\n")), 1, "{path} renamed");
    }
}

#[test]
fn a_dependency_along_the_direction_is_not() {
    for (path, name) in [
        ("drivers/Cargo.toml", "tollhouse-core"),
        ("appliance/Cargo.toml", "tollhouse-drivers"),
        ("appliance/Cargo.toml", "tollhouse-providers"),
        ("appliance/providers/Cargo.toml", "tollhouse-core"),
        ("appliance/documents/Cargo.toml", "tollhouse-core"),
        ("plugins/sdk/Cargo.toml", "tollhouse-abi"),
        ("plugins/vendor/Cargo.toml", "tollhouse-sdk"),
        ("tests/Cargo.toml", "tollhouse"),
    ] {
        assert_eq!(faults(path, &format!("[dependencies]\n{name}.workspace = true\n")), 0, "{path} {name}");
    }
}

#[test]
fn actix_outside_the_appliance_is_found_in_a_manifest() {
    assert_eq!(faults("drivers/Cargo.toml", "[dependencies]\nactix-web = \"4\"\n"), 1);
    assert_eq!(faults("appliance/Cargo.toml", "[dependencies]\nactix-web = \"4\"\n"), 0);
}
