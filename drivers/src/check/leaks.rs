//! Checks of what grows: memory, descriptors and threads over three stretches of commands.
//!
//! The first stretch fills whatever is filled once (pools, caches, tables of the C library); what still grows alike in the
//! second and the third grows for ever.

use super::bench::{Bench, ended};
use super::report::Finding;
use super::script::Record;
use super::trial::{Look, Trial};

/// Less than this in a stretch is the allocator's own restlessness.
const LEAST_BYTES: u64 = 6 * 1024;
const LEAST_BYTES_PER_COMMAND: u64 = 16;
const LEAST_COUNT: u64 = 3;

/// How much of something was added in the second and in the third stretch.
fn growth(trial: &Trial, of: impl Fn(&Look) -> u64) -> Option<[u64; 2]> {
    let at = |label: &str| trial.looks.get(label).map(&of);
    let (first, second, third) = (at("first")?, at("second")?, at("third")?);
    Some([second.saturating_sub(first), third.saturating_sub(second)])
}

fn commands(trial: &Trial) -> [u64; 2] {
    let done: Vec<u64> = trial
        .of(|told| match told.what {
            Record::Repeated { done } => Some(u64::from(done)),
            _ => None,
        })
        .collect();
    [done.get(1).copied().unwrap_or(0), done.get(2).copied().unwrap_or(0)]
}

pub(super) fn memory(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.memory_trial();
    let Some(grown) = growth(&trial, |look| look.heap_bytes) else { return ended(&trial).into_iter().collect() };
    let done = commands(&trial);
    let leaks = grown
        .iter()
        .zip(done)
        .all(|(bytes, done)| *bytes >= LEAST_BYTES.max(done * LEAST_BYTES_PER_COMMAND) && done > 0);
    if !leaks {
        return Vec::new();
    }
    let each = grown[1] / done[1].max(1);
    let what = format!(
        "memory grows by about {each} bytes with each command ({} and {} bytes in two stretches)",
        grown[0], grown[1]
    );
    vec![Finding::fail(what, "run the driver's own tests under valgrind or -fsanitize=leak")]
}

pub(super) fn descriptors(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.count_trial();
    let Some(grown) = growth(&trial, |look| look.descriptors.len() as u64) else {
        return ended(&trial).into_iter().collect();
    };
    if grown.iter().any(|count| *count < LEAST_COUNT) {
        return Vec::new();
    }
    let last =
        trial.looks.get("third").and_then(|look| look.descriptors.values().next_back().cloned()).unwrap_or_default();
    let what = format!(
        "open descriptors grow with commands: {} and {} more in two stretches, the last one {last}",
        grown[0], grown[1]
    );
    vec![Finding::fail(what, "close what each command opens, on every way out: the box gives a driver few descriptors")]
}

pub(super) fn threads(bench: &mut Bench) -> Vec<Finding> {
    let trial = bench.count_trial();
    let Some(grown) = growth(&trial, |look| look.threads.len() as u64) else {
        return ended(&trial).into_iter().collect();
    };
    if grown.iter().any(|count| *count < LEAST_COUNT) {
        return Vec::new();
    }
    let what = format!("threads grow with commands: {} and {} more in two stretches", grown[0], grown[1]);
    vec![Finding::fail(what, "one or two threads with a queue instead of one for each command")]
}
