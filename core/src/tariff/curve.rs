//! Fee over duration: at which durations of a stay its fee changes, and to what.
//!
//! Owns the search for the changes; it must not know how a fee comes about: whoever asks hands in the question.

/// From this duration on, up to the next point, a stay costs this much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurvePoint {
    /// The shortest duration, in seconds, that costs this much.
    pub seconds: i64,
    /// The fee in the currency's smallest unit.
    pub minor: i64,
}

/// Fee over duration, from nothing to `most_s` seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// The changes in order; the first stands at 0.
    pub points: Vec<CurvePoint>,
    /// Up to which duration it was asked.
    pub most_s: i64,
}

impl Curve {
    /// Asks `fee` at every `grid_s` seconds and closes in on each change to the second. A fee that changes and changes
    /// back within one grid step is not seen.
    pub fn of<E>(most_s: i64, grid_s: i64, fee: impl FnMut(i64) -> Result<i64, E>) -> Result<Self, E> {
        let grid = grid_s.max(1);
        let samples = (1..=most_s / grid).map(|count| count * grid);
        Self::through(samples.chain([most_s]), fee)
    }

    /// The same through durations that rise, the last of which is the longest.
    pub fn through<E>(
        samples: impl IntoIterator<Item = i64>,
        mut fee: impl FnMut(i64) -> Result<i64, E>,
    ) -> Result<Self, E> {
        let mut points = vec![CurvePoint { seconds: 0, minor: fee(0)? }];
        let mut before = points[0];
        for seconds in samples {
            if seconds <= before.seconds {
                continue;
            }
            let next = CurvePoint { seconds, minor: fee(seconds)? };
            close_in(before, next, &mut fee, &mut points)?;
            before = next;
        }
        Ok(Self { points, most_s: before.seconds })
    }

    /// What a stay of this long costs.
    pub fn at(&self, seconds: i64) -> i64 {
        let after = self.points.partition_point(|point| point.seconds <= seconds);
        self.points[after.saturating_sub(1)].minor
    }

    /// The most that any duration costs.
    pub fn highest(&self) -> i64 {
        self.points.iter().map(|point| point.minor).max().unwrap_or(0)
    }

    /// The changes: the longest duration before, the fee there, and the point.
    pub fn changes(&self) -> impl Iterator<Item = (i64, i64, CurvePoint)> + '_ {
        self.points.windows(2).map(|pair| (pair[1].seconds - 1, pair[0].minor, pair[1]))
    }
}

/// Adds every change between two durations: where the halves differ it looks closer.
fn close_in<E>(
    low: CurvePoint,
    high: CurvePoint,
    fee: &mut impl FnMut(i64) -> Result<i64, E>,
    points: &mut Vec<CurvePoint>,
) -> Result<(), E> {
    if low.minor == high.minor {
        return Ok(());
    }
    if high.seconds - low.seconds <= 1 {
        points.push(high);
        return Ok(());
    }
    let seconds = low.seconds + (high.seconds - low.seconds) / 2;
    let middle = CurvePoint { seconds, minor: fee(seconds)? };
    close_in(low, middle, fee, points)?;
    close_in(middle, high, fee, points)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn curve(most_s: i64, fee: impl Fn(i64) -> i64) -> Curve {
        Curve::of(most_s, 60, |seconds| Ok::<_, Infallible>(fee(seconds))).expect("it cannot fail")
    }

    #[test]
    fn a_change_is_found_to_the_second() {
        let found = curve(7_200, |seconds| if seconds <= 900 { 0 } else { (seconds + 3_599) / 3_600 * 500 });
        let points: Vec<_> = found.points.iter().map(|point| (point.seconds, point.minor)).collect();
        assert_eq!(points, [(0, 0), (901, 500), (3_601, 1_000)]);
        assert_eq!((found.at(900), found.at(901), found.at(7_200), found.highest()), (0, 500, 1_000, 1_000));
    }

    #[test]
    fn every_second_of_a_price_by_the_second_is_seen_and_a_fall_too() {
        assert_eq!(curve(200, |seconds| seconds).points.len(), 201);
        let falls = curve(600, |seconds| if seconds < 431 { 900 } else { 100 });
        assert_eq!(falls.changes().collect::<Vec<_>>(), [(430, 900, CurvePoint { seconds: 431, minor: 100 })]);
    }
}
