//! Rules without effect, and rules whose order matters: found by taking one away, or swapping two, and pricing again.

use super::super::model::{Cap, TariffFile};
use super::asker::Asker;
use super::scene::Scene;
use super::{Hole, Warning};
use crate::words::Words;

const DAY: i64 = 86_400;
/// Rules of one kind that are looked at.
const MOST_RULES: usize = 12;
/// Questions for one rule.
const MOST_STAYS: usize = 400;

/// Stays of many lengths, the long ones first: caps bind late.
fn stays(scenes: &[Scene]) -> impl Iterator<Item = (&Scene, i64)> {
    const LENGTHS: [i64; 12] = [
        10 * DAY,
        2 * DAY - 60,
        DAY,
        36 * 3_600,
        12 * 3_600,
        6 * 3_600,
        3 * 3_600,
        18 * 3_600,
        3_600,
        90 * 60,
        3 * DAY,
        8 * 3_600,
    ];
    LENGTHS.into_iter().flat_map(|length| scenes.iter().map(move |scene| (scene, length))).take(MOST_STAYS)
}

/// The first stay that another version of the tariff prices otherwise.
fn difference<'s>(asker: &Asker<'_>, changed: &TariffFile, scenes: &'s [Scene]) -> Answer<'s> {
    let Some(other) = asker.beside(changed) else { return Answer::Unknown };
    let mut compared = 0;
    for (scene, length) in stays(scenes) {
        let stay = scene.stay(length);
        match (asker.fee(&stay), other.fee(&stay)) {
            (Some(one), Some(two)) if one != two => return Answer::Differs(scene, length, two),
            (Some(_), Some(_)) => compared += 1,
            _ => {}
        }
    }
    if compared == 0 { Answer::Unknown } else { Answer::Same }
}

enum Answer<'s> {
    Differs(&'s Scene, i64, i64),
    Same,
    Unknown,
}

pub(super) fn caps_that_never_bind(asker: &Asker<'_>, scenes: &[Scene]) -> Vec<Warning> {
    let mut found = Vec::new();
    let places = asker.file.schemes.iter().enumerate();
    let caps = places.flat_map(|(scheme, of)| of.caps.iter().enumerate().map(move |(place, cap)| (scheme, place, cap)));
    for (scheme, place, cap) in caps.take(MOST_RULES) {
        let mut without = asker.file.clone();
        without.schemes[scheme].caps.remove(place);
        if matches!(difference(asker, &without, scenes), Answer::Same) {
            let Cap { max, line, .. } = cap;
            let text = Words::new(
                format!("封顶{max}从未起作用：没有它费用也一样"),
                format!("the cap of {max} never binds: without it every stay that was tried costs the same"),
            );
            found.push(Warning { hole: Hole::CapNeverBinds, line: *line, text, stays: Vec::new(), accepted: None });
        }
    }
    found
}

/// Surcharges in the other order, two neighbours at a time.
pub(super) fn order(asker: &Asker<'_>, scenes: &[Scene]) -> Vec<Warning> {
    let mut found = Vec::new();
    for (place, scheme) in asker.file.schemes.iter().enumerate() {
        for (first, pair) in scheme.adjusts.windows(2).enumerate().take(MOST_RULES) {
            if pair[0].applied != pair[1].applied {
                continue;
            }
            let mut swapped = asker.file.clone();
            swapped.schemes[place].adjusts.swap(first, first + 1);
            let Answer::Differs(scene, length, other) = difference(asker, &swapped, scenes) else { continue };
            let (one, two) = (pair[0].line, pair[1].line);
            let text = Words::new(
                format!("第{one}行与第{two}行的调价次序影响费用"),
                format!("the price depends on the order of the surcharges of lines {one} and {two}"),
            );
            let as_is = asker.shown(Words::new("按现有次序", "as they stand"), &scene.stay(length));
            let mut turned = asker.shown(Words::new("交换次序", "the other way round"), &scene.stay(length));
            if let Some(turned) = &mut turned {
                turned.fee = asker.money(other);
            }
            let stays = as_is.into_iter().chain(turned).collect();
            found.push(Warning { hole: Hole::OrderOfRules, line: two, text, stays, accepted: None });
        }
    }
    found
}
