//! Fee over duration: where it falls, and where it jumps.

use super::super::curve::{Curve, CurvePoint};
use super::asker::Asker;
use super::scene::Scene;
use super::{Hole, Warning};
use crate::words::Words;

/// A scene with its fee over duration.
pub(super) struct SceneCurve<'s> {
    pub(super) scene: &'s Scene,
    pub(super) curve: Curve,
}

/// The curves of all scenes that can be priced.
pub(super) fn curves<'s>(asker: &Asker<'_>, scenes: &'s [Scene]) -> Vec<SceneCurve<'s>> {
    let curve = |scene: &'s Scene| {
        let fee = |seconds| asker.fee(&scene.stay(seconds)).ok_or(());
        let curve = Curve::through(scene.durations.iter().copied(), fee).ok()?;
        Some(SceneCurve { scene, curve })
    };
    scenes.iter().filter_map(curve).collect()
}

/// The change at which `size` is largest and above `least`.
fn worst<'c>(
    curves: &'c [SceneCurve<'c>],
    least: i64,
    size: impl Fn(i64, i64) -> i64,
) -> Option<(&'c Scene, i64, CurvePoint)> {
    let changes = curves
        .iter()
        .flat_map(|with| with.curve.changes().map(|(before_s, before, point)| (with.scene, before_s, before, point)));
    let mut worst: Option<(&Scene, i64, CurvePoint)> = None;
    let mut largest = least;
    for (scene, before_s, before, point) in changes {
        if size(before, point.minor) > largest {
            largest = size(before, point.minor);
            worst = Some((scene, before_s, point));
        }
    }
    worst
}

fn warning(asker: &Asker<'_>, hole: Hole, text: Words, found: (&Scene, i64, CurvePoint)) -> Warning {
    let (scene, before_s, point) = found;
    let shorter = asker.shown(Words::new("较短", "the shorter stay"), &scene.stay(before_s));
    let longer = asker.shown(Words::new("较长", "the longer stay"), &scene.stay(point.seconds));
    Warning { hole, line: 0, text, stays: shorter.into_iter().chain(longer).collect(), accepted: None }
}

pub(super) fn longer_costs_less(asker: &Asker<'_>, curves: &[SceneCurve<'_>]) -> Option<Warning> {
    let found = worst(curves, 0, |before, after| before - after)?;
    let text = Words::new("停得更久反而更便宜", "a longer stay costs less");
    Some(warning(asker, Hole::LongerCostsLess, text, found))
}

pub(super) fn jump(asker: &Asker<'_>, curves: &[SceneCurve<'_>]) -> Option<Warning> {
    let most = asker.file.lint.jump?;
    let limit = asker.minor(most);
    let found = worst(curves, limit, |before, after| after - before)?;
    let text =
        Words::new(format!("费用一次跳升超过{most}"), format!("at a boundary the fee jumps by more than {most}"));
    Some(warning(asker, Hole::Jump, text, found))
}
