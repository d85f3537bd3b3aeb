//! Asserts that a bill run may be cut off at any moment. The story: on the first of the month the box draws the bills of
//! all cards, somebody pulls the plug again and again, and when it is through each period is billed once, and each bill is
//! the one that an undisturbed run draws.
//!
//! `TOLLHOUSE_KILLS` says how often, and only runs that were under way count; `TOLLHOUSE_CARDS` says for how many cards.
//! `tests/run bill-run-kill --times 50` is the long run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tollhouse_tests::{TheBox, large_estate, program_of_the_box};

/// Kills in an ordinary run.
const KILLS: usize = 5;
/// Cards: enough that a run takes some moments.
const CARDS: u32 = 1_000;
/// As of which days: three months that the box was off, and the month after.
const FIRST: &str = "2026-03-15";
const SECOND: &str = "2026-04-15";

fn run(data: &Path, as_of: &str) -> Command {
    let mut command = Command::new(program_of_the_box());
    command.args(["bill", "run", "--json", "--as-of", as_of, "--data"]).arg(data);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end, and says how long that took.
fn to_its_end(data: &Path, as_of: &str) -> (serde_json::Value, Duration) {
    let began = Instant::now();
    let output = run(data, as_of).output().expect("the box's executable runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (serde_json::from_slice(&output.stdout).expect("JSON"), began.elapsed())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("there").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
fn a_run_that_is_cut_off_at_any_moment_bills_each_period_once_and_as_if_undisturbed() {
    let kills = std::env::var("TOLLHOUSE_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let cards: u32 = std::env::var("TOLLHOUSE_CARDS").map_or(CARDS, |text| text.parse().expect("a number"));
    let folder = tempfile::TempDir::new().expect("a folder");
    let (undisturbed, disturbed) = (folder.path().join("undisturbed"), folder.path().join("disturbed"));
    let before = folder.path().join("before");
    large_estate::make(&before, cards);
    std::fs::write(before.join("box.key"), [7; 32]).expect("a key");
    copy(&before, &undisturbed);
    copy(&before, &disturbed);
    let (told, took) = to_its_end(&undisturbed, FIRST);
    assert_eq!(told["sums"]["bills"], u64::from(cards) * 3, "three months of each card: {told}");
    let again = to_its_end(&undisturbed, FIRST).0;
    assert_eq!(again["sums"]["bills"], u64::from(cards) * 3, "nothing is drawn twice: {again}");

    let (mut cut_off, mut through) = (0, 0);
    while cut_off < kills {
        assert!(through < 20 * kills, "hardly a run is cut off: {cut_off}, and {through} were through");
        let kill = cut_off + through;
        let mut child = run(&disturbed, FIRST).spawn().expect("the box's executable runs");
        // Spread over the run, from its first moment to its last; what is done stays done, so it grows shorter.
        let share = u32::try_from(kill % 7 + 1).expect("small");
        let moment = Instant::now() + took * share / 10;
        let ended = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break Some(status);
            }
            if Instant::now() >= moment {
                child.kill().expect("killed");
                child.wait().expect("gone");
                break None;
            }
            std::thread::yield_now();
        };
        cut_off += usize::from(ended.is_none());
        if ended.is_some() {
            // It came to its end before the kill: what is billed leaves the next one nothing to be cut off at.
            through += 1;
            std::fs::remove_dir_all(&disturbed).expect("removed");
            copy(&before, &disturbed);
        }
    }
    println!("{cut_off} runs were cut off, {through} came through between them");
    to_its_end(&disturbed, FIRST);
    for data in [&undisturbed, &disturbed] {
        to_its_end(data, SECOND);
        TheBox::verify(data).expect("its books are true");
    }
    assert_eq!(large_estate::cards(&undisturbed), large_estate::cards(&disturbed));
    let (bills, others) = (large_estate::bills(&undisturbed), large_estate::bills(&disturbed));
    assert_eq!(bills.len(), usize::try_from(cards).expect("small") * 4);
    assert!(bills == others, "the bills are those of an undisturbed run");
}

#[test]
fn months_off_and_then_on_give_the_bills_of_a_box_that_was_never_off() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let (always, seldom) = (folder.path().join("always"), folder.path().join("seldom"));
    large_estate::make(&always, 200);
    std::fs::write(always.join("box.key"), [7; 32]).expect("a key");
    copy(&always, &seldom);
    for as_of in ["2026-01-01", "2026-01-27", "2026-02-01", "2026-02-26", "2026-03-15", "2026-03-28"] {
        to_its_end(&always, as_of);
    }
    to_its_end(&seldom, "2026-03-28");
    let (bills, others) = (large_estate::bills(&always), large_estate::bills(&seldom));
    assert_eq!(bills.len(), 800, "January to April, which is issued in March");
    assert!(bills == others, "the same bills, with the same dates");
    let preview = TheBox::command(&[
        "bill",
        "preview",
        "--json",
        "--as-of",
        "2026-04-28",
        "--data",
        &seldom.display().to_string(),
    ]);
    let preview: serde_json::Value = serde_json::from_slice(&preview.stdout).expect("JSON");
    assert_eq!(preview["sums"]["bills"], 200, "a preview says what a run would draw: {preview}");
    assert_eq!(large_estate::bills(&seldom).len(), 800, "and draws nothing");
}
