//! Asserts that docs/tariff-tools.md is true: each command on the page works as printed, against a box, and prints what
//! stands below it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tollhouse_tests::{Estate, TheBox, program_of_the_box};

/// Ends what a piece printed; no command prints it.
const END: &str = "--- the piece ends ---";

/// The commands of the page in order, each with what it prints, where the page says so.
fn pieces() -> Vec<(String, Option<String>)> {
    let page = std::fs::read_to_string(project("docs/tariff-tools.md")).expect("the page");
    let mut pieces: Vec<(String, Option<String>)> = vec![];
    let mut blocks = page.split("```").skip(1).step_by(2);
    for block in &mut blocks {
        if let Some(commands) = block.strip_prefix("sh\n") {
            pieces.push((commands.to_owned(), None));
        } else if let Some(printed) = block.strip_prefix("text\n") {
            let last = pieces.last_mut().expect("a command stands above what it prints");
            last.1 = Some(printed.to_owned());
        }
    }
    pieces
}

fn project(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[test]
fn every_command_of_the_page_prints_what_stands_below_it() {
    let folder = TempDir::new().expect("a temporary folder");
    let place = folder.path().join("place");
    let programs = folder.path().join("bin");
    std::fs::create_dir_all(&place).expect("a folder");
    std::fs::create_dir_all(&programs).expect("a folder");
    std::os::unix::fs::symlink(program_of_the_box(), programs.join("tollhouse")).expect("a link");
    for name in ["demo.toml", "nested-court.toml"] {
        std::fs::copy(project(&format!("appliance/tariffs/{name}")), place.join(name)).expect("a copy");
    }
    let demo = TheBox::demo(&folder.path().join("demo"), Estate::Quiet);
    let pieces = pieces();
    assert!(pieces.len() >= 10, "there are {}", pieces.len());
    let script: Vec<String> = pieces.iter().map(|(commands, _)| format!("{commands}echo '{END}'\n")).collect();
    let output = Command::new("sh")
        .args(["-e", "-c", &script.concat()])
        .current_dir(&place)
        .env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").expect("a path")))
        .env("BOX", demo.http.url("").trim_end_matches('/'))
        .env("PASSWORD", demo.admin_password.trim())
        .output()
        .expect("a shell");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{complaints}");
    let printed: Vec<&str> = told.split(&format!("{END}\n")).collect();
    assert_eq!(printed.len(), pieces.len() + 1, "{told}\n{complaints}");
    for ((commands, expected), printed) in pieces.iter().zip(printed) {
        if let Some(expected) = expected {
            assert_eq!(printed.trim_end(), expected.trim_end(), "after\n{commands}");
        }
    }
    for name in ["picture.svg", "draft.svg"] {
        let drawn = std::fs::read_to_string(place.join(name)).expect("a picture");
        assert!(drawn.starts_with("<svg"), "{name}: {drawn}");
    }
}
