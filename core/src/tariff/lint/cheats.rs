//! Drivers who pay early, or leave and come back, to pay less than who simply stays.

use chrono::TimeDelta;

use super::super::model::{EarlierVisit, Payment, TariffFile, WrittenStay};
use super::asker::Asker;
use super::falls::SceneCurve;
use super::scene::{Scene, critical};
use super::{Hole, Warning};
use crate::words::Words;

/// How long a cheat stays away.
const AWAY_S: i64 = 60;
/// Durations of one scene that are tried: just behind each rise of the fee.
const MOST_DURATIONS: usize = 12;
/// Moments of one stay that are tried.
const MOST_MOMENTS: usize = 10;

/// The best cheat so far.
struct Best<'s> {
    scene: &'s Scene,
    /// Seconds after the entry at which the driver pays, or leaves.
    at_s: i64,
    to_s: i64,
    saved: i64,
}

/// Durations just behind a rise, spread over the curve, the longest included.
fn durations(with: &SceneCurve<'_>) -> Vec<i64> {
    let rises: Vec<i64> = with.curve.changes().map(|(.., point)| point.seconds).collect();
    let step = rises.len().div_ceil(MOST_DURATIONS).max(1);
    let mut some: Vec<i64> = rises.iter().copied().step_by(step).collect();
    some.extend(rises.last());
    some.dedup();
    some
}

/// Moments before `to_s` worth trying: so that the rest is a span that the tariff names, and spans from the beginning.
fn moments(file: &TariffFile, to_s: i64, least_rest_s: i64) -> Vec<i64> {
    let named = critical(file);
    let from_end = named.iter().map(|span| to_s - span);
    let from_begin = named.iter().copied();
    let wanted = |at: &i64| *at > 0 && to_s - at >= least_rest_s;
    let mut all: Vec<i64> = from_end.chain([to_s / 2]).chain(from_begin).filter(wanted).collect();
    all.sort_unstable();
    all.dedup();
    let step = all.len().div_ceil(MOST_MOMENTS).max(1);
    all.into_iter().rev().step_by(step).collect()
}

fn best<'s>(
    asker: &Asker<'_>,
    curves: &[SceneCurve<'s>],
    least_rest_s: i64,
    cheated: impl Fn(&Scene, i64, i64) -> Option<i64>,
) -> Option<Best<'s>> {
    let mut best: Option<Best<'s>> = None;
    for with in curves {
        for to_s in durations(with) {
            let honest = with.curve.at(to_s);
            for at_s in moments(asker.file, to_s, least_rest_s) {
                let Some(paid) = cheated(with.scene, at_s, to_s) else { continue };
                let saved = honest - paid;
                if saved > best.as_ref().map_or(0, |best| best.saved) {
                    best = Some(Best { scene: with.scene, at_s, to_s, saved });
                }
            }
        }
    }
    best
}

/// Paid all that was due in the middle, and the grace has run out at the exit.
fn paid_early(scene: &Scene, at_s: i64, to_s: i64) -> WrittenStay {
    let at = scene.enter + TimeDelta::seconds(at_s);
    WrittenStay { payments: vec![Payment { at, amount: None }], ..scene.stay(to_s) }
}

pub(super) fn pay_early(asker: &Asker<'_>, curves: &[SceneCurve<'_>]) -> Option<Warning> {
    // Within the grace nothing more is due, as it should be; dropped seconds may stretch it by a minute.
    let least_rest_s = asker.file.exit_grace.seconds() + 61;
    let total = |scene: &Scene, at_s: i64, to_s: i64| {
        let first = asker.fee(&scene.stay(at_s))?;
        Some(first + asker.due(&paid_early(scene, at_s, to_s))?)
    };
    let found = best(asker, curves, least_rest_s, total)?;
    let Best { scene, at_s, to_s, .. } = found;
    let honest = asker.shown(Words::new("离场时付费", "pays at the exit"), &scene.stay(to_s));
    let minutes = at_s / 60;
    let early =
        Words::new(format!("第{minutes}分钟先付费"), format!("pays after {minutes} min, and again at the exit"));
    let mut early = asker.shown(early, &scene.stay(to_s))?;
    early.fee = asker.money(total(scene, at_s, to_s)?);
    let text = Words::new(
        "先付费再等下去，比离场时付费更便宜",
        "who pays early and lets the exit grace run out pays less than who pays at the exit",
    );
    let stays = honest.into_iter().chain([early]).collect();
    Some(Warning { hole: Hole::PayEarly, line: 0, text, stays, accepted: None })
}

/// The second of two visits.
fn returned(scene: &Scene, left_s: i64, to_s: i64) -> WrittenStay {
    let stay = scene.between(left_s + AWAY_S, to_s);
    let exit = scene.enter + TimeDelta::seconds(left_s);
    WrittenStay { earlier: vec![EarlierVisit { enter: scene.enter, exit, paid: None }], ..stay }
}

pub(super) fn leave_and_return(asker: &Asker<'_>, curves: &[SceneCurve<'_>]) -> Option<Warning> {
    let total = |scene: &Scene, left_s: i64, to_s: i64| {
        Some(asker.fee(&scene.stay(left_s))? + asker.fee(&returned(scene, left_s, to_s))?)
    };
    let found = best(asker, curves, AWAY_S + 1, total)?;
    let Best { scene, at_s, to_s, .. } = found;
    let stays = [
        asker.shown(Words::new("一直停着", "stays"), &scene.stay(to_s)),
        asker.shown(Words::new("先离场", "leaves"), &scene.stay(at_s)),
        asker.shown(Words::new("1分钟后再入场", "and comes back 1 min later"), &returned(scene, at_s, to_s)),
    ];
    let text = Words::new(
        "离场后马上回来，比一直停着更便宜（可用 [return] 堵住）",
        "who leaves and comes back pays less than who stays ([return] closes this)",
    );
    let stays = stays.into_iter().flatten().collect();
    Some(Warning { hole: Hole::LeaveAndReturn, line: 0, text, stays, accepted: None })
}
