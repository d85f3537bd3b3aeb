//! docs/drivers/hostile.md: written from what was seen, or held against it.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::cases::{Case, Then};
use crate::neighbour::Times;
use crate::ward::Course;

/// One line of the table.
pub(crate) struct Row {
    /// What is the same in every run.
    fixed: String,
    beside: Times,
}

impl Row {
    pub(crate) fn new(case: &Case, course: &Course, beside: Times) -> Self {
        let command = match case.then {
            Then::Falls => "outcome unknown",
            Then::NeverReady | Then::Refused => "refused: out of order",
            Then::KeptIn => "answered: it was kept in",
            Then::Opens => "done",
            Then::Expires => "outcome unknown at its expiry",
            Then::Noise => "as it comes",
        };
        let restarts = match case.then {
            Then::Falls => "each time, after the backoff".to_owned(),
            Then::NeverReady => format!("after the backoff, {} tries in all, then left alone", course.waits.len()),
            Then::Refused => "none: left alone at once".to_owned(),
            Then::KeptIn | Then::Opens | Then::Expires => "none: it lives".to_owned(),
            Then::Noise => "if it misses a ping".to_owned(),
        };
        let says =
            if case.words.is_empty() { String::new() } else { format!("`{}`", case.words.replace('|', "` or `")) };
        Self { fixed: format!("| `{}` | {} | {says} | {command} | {restarts} |", case.file, case.does), beside }
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

/// Writes the page when asked to, or asserts that it says what was seen; the measured times are those of its last writing.
pub(crate) fn keep(page: &Path, alone: &Times, rows: &[Row]) {
    if std::env::var_os("TOLLHOUSE_UPDATE").is_some() {
        fs::write(page, whole(alone, rows)).expect("the page can be written");
        return;
    }
    let text = fs::read_to_string(page).unwrap_or_default();
    for row in rows {
        let there = text.lines().any(|line| line.starts_with(&row.fixed));
        assert!(there, "docs/drivers/hostile.md lacks this; TOLLHOUSE_UPDATE=1 writes it anew:\n{}", row.fixed);
    }
    let lines = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(lines, rows.len(), "docs/drivers/hostile.md has lines that no driver stands behind");
}

fn whole(alone: &Times, rows: &[Row]) -> String {
    let mut text = format!(
        "# What hostile drivers do to the box\n\n\
         Written by the test [`drivers/tests/hostile/`](../../drivers/tests/hostile/main.rs), which builds each driver of \
         [`plugins/hostile/`](../../plugins/hostile/README.md),\n\
         runs it beside a healthy one, and fails when anything here is not so. After each of them: no process, no zombie \
         and no descriptor is left, and\n\
         the healthy driver never went down. A command to the healthy one took p50 {} ms and p99 {} ms with nobody beside \
         it; the last column has p50 / p99\n\
         while the hostile one did its worst (one run, two cores shared with others; a spinning driver has a core of its \
         own until it is killed).\n\n\
         | driver | what it does | what the box says | its command | restarts | beside it, ms |\n\
         | --- | --- | --- | --- | --- | --- |\n",
        milliseconds(alone.at(50)),
        milliseconds(alone.at(99)),
    );
    for row in rows {
        let (half, most) = (milliseconds(row.beside.at(50)), milliseconds(row.beside.at(99)));
        let _ = writeln!(text, "{} {half} / {most} |", row.fixed);
    }
    text
}
