//! The vendor's guide as printed: its driver is short, is the example that we ship, and every command of it works.

use std::path::Path;
use std::process::Command;

use tollhouse_drivers::check::CATALOGUE;

const GUIDE: &str = include_str!("../../docs/drivers/README.md");
const EXAMPLE: &str = include_str!("../../plugins/examples/c/barrier.c");

/// The fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    GUIDE.split(&fence).skip(1).map(|rest| rest.split("```\n").next().expect("a block ends")).collect()
}

#[test]
fn the_guides_driver_has_fewer_than_150_lines_and_is_the_example() {
    let listing = blocks("c");
    assert_eq!(listing, [EXAMPLE]);
    assert!(listing[0].lines().count() < 150);
    let includes: Vec<&str> = listing[0].lines().filter(|line| line.starts_with("#include \"")).collect();
    assert_eq!(includes, ["#include \"tollhouse_driver.h\""], "nothing of ours but the header");
}

#[test]
fn every_command_of_the_guide_works_as_printed() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let programs = place.path().join("bin");
    std::fs::create_dir(&programs).expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tollhouse"), programs.join("tollhouse")).expect("a link");
    std::fs::write(place.path().join("listing.c"), blocks("c")[0]).expect("the listing");
    let sh = blocks("sh");
    assert!(sh.len() >= 4, "the guide has its commands");
    // What is saved by hand stands between the first block and the rest.
    let script = format!("set -e\n{}cp ../listing.c barrier.c\n{}", sh[0], sh[1..].concat());
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").expect("a path"));
    let output =
        Command::new("sh").args(["-c", &script]).current_dir(place.path()).env("PATH", path).output().expect("a shell");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    let made = place.path().join("acme-barrier");
    for file in ["libbarrier.so", "libbarrier.so.minisig", "acme.pub", "report.json"] {
        assert!(made.join(Path::new(file)).is_file(), "{file}: {told}");
    }
}

#[test]
fn the_guide_lists_every_check_with_its_rule() {
    for check in CATALOGUE {
        let row = format!("| `{}` | {} | {} |", check.id, check.group, check.rule);
        assert!(GUIDE.contains(&row), "{row}");
    }
}
