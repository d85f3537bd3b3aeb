//! What stands in the files of a new driver's project: our own examples under the project's name, the header, the SDK.

use super::project::{Language, Project};

const HEADER: &str = include_str!("../../../../plugins/abi/tollhouse_driver.h");
const WRAPPER: &str = include_str!("../../../../plugins/sdk/cpp/tollhouse_driver.hpp");
const LICENSE: &str = include_str!("../../../../LICENSE-MIT");

const C: &str = include_str!("../../../../plugins/examples/c/barrier.c");
const CPP: &str = include_str!("../../../../plugins/examples/cpp/barrier.cpp");
const RUST: &str = include_str!("../../../../plugins/examples/rust/src/lib.rs");

/// The SDK's sources, whole; a test holds the list against the folders.
const SDK: &[(&str, &str)] = &[
    ("abi/src/lib.rs", include_str!("../../../../plugins/abi/src/lib.rs")),
    ("sdk/src/boundary.rs", include_str!("../../../../plugins/sdk/src/boundary.rs")),
    ("sdk/src/host.rs", include_str!("../../../../plugins/sdk/src/host.rs")),
    ("sdk/src/lib.rs", include_str!("../../../../plugins/sdk/src/lib.rs")),
    ("sdk/src/pending.rs", include_str!("../../../../plugins/sdk/src/pending.rs")),
    ("sdk/src/whitelist.rs", include_str!("../../../../plugins/sdk/src/whitelist.rs")),
];

/// Path and text of every file.
pub(super) fn files(project: &Project) -> Vec<(String, String)> {
    let mut files = vec![
        ("README.md".to_owned(), readme(project)),
        ("Makefile".to_owned(), makefile(project)),
        ("tollhouse/LICENSE-MIT".to_owned(), LICENSE.to_owned()),
        ("tollhouse/tollhouse_driver.h".to_owned(), HEADER.to_owned()),
    ];
    let named = |text: &str| text.replace("example.barrier", &project.id);
    match project.language {
        Language::C => {
            files.push((".gitignore".to_owned(), "*.so\n".to_owned()));
            files.push((format!("{}.c", project.stem), named(C)));
        }
        Language::Cpp => {
            files.push((".gitignore".to_owned(), "*.so\n".to_owned()));
            files.push(("tollhouse/tollhouse_driver.hpp".to_owned(), WRAPPER.to_owned()));
            files.push((format!("{}.cpp", project.stem), named(CPP)));
        }
        Language::Rust => {
            files.push((".gitignore".to_owned(), "/target\n".to_owned()));
            files.push(("Cargo.toml".to_owned(), manifest(project)));
            files.push(("src/lib.rs".to_owned(), named(RUST)));
            files.push(("tollhouse/abi/Cargo.toml".to_owned(), crate_manifest("tollhouse-abi", "")));
            let needs = "\n[dependencies]\ntollhouse-abi = { path = \"../abi\" }\nserde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\n";
            files.push(("tollhouse/sdk/Cargo.toml".to_owned(), crate_manifest("tollhouse-sdk", needs)));
            files.extend(SDK.iter().map(|(path, text)| (format!("tollhouse/{path}"), (*text).to_owned())));
        }
    }
    files
}

fn manifest(project: &Project) -> String {
    format!(
        r#"[package]
name = "{}"
version = "1.0.0"
edition = "2024"
publish = false

[lib]
crate-type = ["cdylib"]

[dependencies]
tollhouse-sdk = {{ path = "tollhouse/sdk" }}
serde = {{ version = "1", features = ["derive"] }}
serde_json = "1"

# A panic must unwind: the SDK catches it at the boundary.
[profile.release]
panic = "unwind"

[workspace]
"#,
        project.stem
    )
}

fn crate_manifest(name: &str, needs: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\nlicense = \"MIT OR Apache-2.0\"\npublish = false\n{needs}"
    )
}

fn makefile(project: &Project) -> String {
    let stem = &project.stem;
    let check = "\n# The checker that came with the box; another one with `make check TOLLHOUSE=/path/to/tollhouse`.\nTOLLHOUSE ?= tollhouse\n";
    let (library, build) = match project.language {
        Language::C => (
            format!("lib{stem}.so"),
            format!(
                "CC ?= cc\nCFLAGS ?= -O2 -g\n\nlib{stem}.so: {stem}.c tollhouse/tollhouse_driver.h\n\t$(CC) -std=c11 -Wall -Wextra $(CFLAGS) -shared -fPIC -fvisibility=hidden -pthread -I tollhouse -o $@ $<\n"
            ),
        ),
        Language::Cpp => (
            format!("lib{stem}.so"),
            format!(
                "CXX ?= c++\nCXXFLAGS ?= -O2 -g\n\nlib{stem}.so: {stem}.cpp tollhouse/tollhouse_driver.hpp tollhouse/tollhouse_driver.h\n\t$(CXX) -std=c++17 -Wall -Wextra $(CXXFLAGS) -shared -fPIC -fvisibility=hidden -pthread -I tollhouse -o $@ $<\n"
            ),
        ),
        Language::Rust => {
            let library = project.library().display().to_string();
            let build = format!(".PHONY: build\nbuild:\n\tcargo build --release\n\n{library}: build\n");
            (library, build)
        }
    };
    format!(
        "{check}\nall: {library}\n\n{build}\n.PHONY: all check clean\ncheck: {library}\n\t$(TOLLHOUSE) driver check ./{library}\n\nclean:\n\trm -rf {}\n",
        if project.language == Language::Rust { "target" } else { &library }
    )
    .trim_start()
    .to_owned()
}

fn readme(project: &Project) -> String {
    let (source, wrapper) = match project.language {
        Language::C => (format!("`{}.c`", project.stem), ""),
        Language::Cpp => (format!("`{}.cpp`", project.stem), "; `tollhouse/tollhouse_driver.hpp` is the C++ over it"),
        Language::Rust => ("`src/lib.rs`".to_owned(), "; `tollhouse/sdk` is the safe Rust over it"),
    };
    format!(
        "# {id}\n\nA driver for Tollhouse. It is a barrier that opens and closes in words only: put your device where the\narm moves in {source}.\n\n```sh\nmake          # builds {library}\nmake check    # tries it against every rule\ntollhouse driver info {library}\n```\n\n`tollhouse/tollhouse_driver.h` is the contract, with the rules of every function{wrapper}.\nThe folder `tollhouse` is ours (MIT OR Apache-2.0); replace it with that of a newer `tollhouse driver new` at will.\n\nBefore you ship: give the descriptor your own name, kinds, commands, events and configuration; check with a real or\nemulated device (`tollhouse driver check FILE --config config.json`); sign the file (`tollhouse driver keygen`,\n`tollhouse driver sign`).\n",
        id = project.id,
        library = project.library().display(),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_project_brings_the_whole_sdk_along() {
        let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
        let mut there = BTreeSet::new();
        for folder in ["abi/src", "sdk/src"] {
            for entry in std::fs::read_dir(plugins.join(folder)).expect("a folder") {
                let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
                there.insert(format!("{folder}/{name}"));
            }
        }
        let embedded: BTreeSet<String> = SDK.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(embedded, there);
    }

    #[test]
    fn a_name_becomes_id_folder_and_library_or_is_refused() {
        let project = Project::named("acme.barrier", Language::Rust).expect("a name");
        assert_eq!((project.id.as_str(), project.stem.as_str()), ("acme.barrier", "acme-barrier"));
        assert_eq!(project.library(), Path::new("target/release/libacme_barrier.so"));
        let short = Project::named("gate", Language::C).expect("a name");
        assert_eq!((short.id.as_str(), short.library().as_path()), ("example.gate", Path::new("libgate.so")));
        for name in ["", "Acme", "a b", "../x", "a..b", ".a", "7seas", "-x", &"x".repeat(57)] {
            assert_eq!(Project::named(name, Language::C), None, "{name}");
        }
    }

    #[test]
    fn every_file_carries_the_projects_name_and_none_of_ours() {
        for language in [Language::C, Language::Cpp, Language::Rust] {
            let project = Project::named("acme.barrier", language).expect("a name");
            let files = files(&project);
            assert!(
                files
                    .iter()
                    .any(|(_, text)| text.contains("\"acme.barrier\"") || text.contains("\\\"acme.barrier\\\""))
            );
            assert!(files.iter().all(|(_, text)| !text.contains("example.barrier") || text.contains("export_driver!")));
            assert!(files.iter().all(|(_, text)| !text.contains("workspace = true")));
        }
    }
}
