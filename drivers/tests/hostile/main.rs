//! Each hostile driver beside a healthy one: what the box makes of it, what becomes of its command, how it is started
//! again, what the healthy one feels of it, and what is left behind. Alone in its process, because it counts what the
//! process holds.
//!
//! `TOLLHOUSE_UPDATE=1` writes docs/drivers/hostile.md anew; otherwise that page has to say what was seen.

mod cases;
mod neighbour;
mod page;
#[path = "../plugin/rig.rs"]
mod rig;
mod ward;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use neighbour::Neighbour;
use page::Row;

/// A healthy driver's answer takes a fraction of a millisecond. On a busy machine it may take longer, but a host that is
/// held up by a hostile driver is held up for as long as that one likes.
const LONGEST_ANSWER: Duration = Duration::from_secs(1);

#[tokio::test]
async fn whatever_a_driver_does_the_one_beside_it_works_and_nothing_is_left() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    cases::build(folder.path());
    let neighbour = Neighbour::start(&folder.path().join("barrier.so")).await;
    let alone = neighbour.times().await;
    let (mut rows, mut misjudged) = (Vec::new(), Vec::new());
    for case in cases::CASES {
        let before = ward::Left::now();
        let watched = neighbour.watch();
        let course = ward::run(case, folder.path()).await;
        let beside = watched.times().await;
        let left = ward::Left::now().since(&before, &course.pids);
        assert_eq!(left, Vec::<String>::new(), "{}: left behind", case.file);
        assert!(beside.longest() < LONGEST_ANSWER, "{}: the neighbour waited for {:?}", case.file, beside.longest());
        // Each says its own words on the way; the rest is looked at all the same.
        misjudged.extend(catch_unwind(AssertUnwindSafe(|| case.judge(&course))).err().map(|_| case.file));
        rows.push(Row::new(case, &course, beside));
    }
    assert!(misjudged.is_empty(), "not as it has to be: {misjudged:?}");
    assert!(neighbour.was_never_disturbed(), "the healthy driver went down");
    neighbour.end().await;
    page::keep(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/drivers/hostile.md"), &alone, &rows);
}
