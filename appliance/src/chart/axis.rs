//! Where axes have their marks and how these are written. Knows nothing of colours and tariffs.

/// Steps of a time axis that people count in, in seconds.
const TIME_STEPS: [i64; 17] = [
    60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
    2_592_000, 31_536_000,
];
const MOST_TIME_MARKS: i64 = 12;
const MOST_MONEY_MARKS: i64 = 6;

/// The step of a time axis of this length.
pub(super) fn time_step(most_s: i64) -> i64 {
    TIME_STEPS.into_iter().find(|step| most_s / step <= MOST_TIME_MARKS).unwrap_or(most_s.max(1))
}

/// The step of a money axis up to this amount: 1, 2 or 5 times a power of ten.
pub(super) fn money_step(most: i64) -> i64 {
    let mut power = 1;
    loop {
        for digit in [1, 2, 5] {
            let step = digit * power;
            if most / step < MOST_MONEY_MARKS {
                return step;
            }
        }
        power *= 10;
    }
}

/// A duration as people say it: `45 min`, `3 h`, `1 h 30`, `3 d`.
pub(super) fn duration(seconds: i64) -> String {
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;
    if seconds >= 3 * DAY && seconds % DAY == 0 {
        return format!("{} d", seconds / DAY);
    }
    match (seconds / HOUR, seconds / 60 % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_few_and_round() {
        for (most, step) in [(3_600, 300), (14_400, 1_800), (86_400, 7_200), (172_800, 21_600), (30 * 86_400, 604_800)]
        {
            assert_eq!(time_step(most), step, "{most}");
        }
        for (most, step) in [(4, 1), (1_000, 200), (2_999, 500), (8_000, 2_000), (40_000, 10_000)] {
            assert_eq!(money_step(most), step, "{most}");
        }
    }

    #[test]
    fn durations_are_written_as_people_say_them() {
        let cases = [(900, "15 min"), (3_600, "1 h"), (5_400, "1 h 30"), (86_400, "24 h"), (259_200, "3 d")];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }
}
