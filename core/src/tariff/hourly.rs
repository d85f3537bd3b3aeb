//! Free minutes, then a price per started hour from the first minute, capped per 24 hours from entry.

use chrono::TimeDelta;

use super::{Assessment, FeeLine, StayFacts, Tariff};
use crate::money::{Currency, Money, MoneyError};
use crate::words::Words;

/// The simple hourly tariff. The free time is inclusive and lost when exceeded; each 24 hours from entry start again
/// without new free time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hourly {
    /// Names these very numbers: another price is another version.
    pub version: String,
    /// A stay of at most this long costs nothing.
    pub free: TimeDelta,
    /// For each started hour.
    pub per_hour: Money,
    /// The most that 24 hours cost, if there is a most.
    pub daily_cap: Option<Money>,
    /// How long after paying early the car may take to the exit.
    pub exit_grace: TimeDelta,
}

const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

impl Hourly {
    fn day(&self, stay: &StayFacts, number: i64, seconds: i64) -> Vec<FeeLine> {
        let hours = seconds.div_euclid(HOUR_SECONDS) + i64::from(seconds % HOUR_SECONDS > 0);
        let quantity = u32::try_from(hours).expect("a day has at most 24 hours");
        let gross = self.per_hour.minor().saturating_mul(hours);
        let currency = self.per_hour.currency();
        let from = stay.entered_at + TimeDelta::seconds(number * DAY_SECONDS);
        let to = from + TimeDelta::seconds(seconds);
        let line = |rule: &str, text, quantity, unit_price, minor| FeeLine {
            text,
            rule: rule.to_owned(),
            from,
            to,
            quantity,
            unit_price,
            amount: Money::new(minor, currency),
        };
        let price = self.per_hour.amount();
        let day = number + 1;
        let hourly = Words::new(
            format!("第{day}天 停车{hours}小时 × {price}"),
            format!("Day {day}: {hours} started hour{} × {price}", if hours == 1 { "" } else { "s" }),
        );
        let mut lines = vec![line("per_hour", hourly, quantity, self.per_hour, gross)];
        if let Some(cap) = self.daily_cap.filter(|cap| gross > cap.minor()) {
            let shown = cap.amount();
            let text = Words::new(format!("第{day}天 封顶{shown}"), format!("Day {day}: capped at {shown}"));
            let cut = cap.minor() - gross;
            lines.push(line("daily_cap", text, 1, Money::new(cut, currency), cut));
        }
        lines
    }
}

impl Tariff for Hourly {
    fn version(&self) -> &str {
        &self.version
    }

    fn currency(&self) -> Currency {
        self.per_hour.currency()
    }

    fn exit_grace(&self) -> TimeDelta {
        self.exit_grace
    }

    fn price(&self, stay: &StayFacts) -> Result<Assessment, MoneyError> {
        let duration = stay.duration();
        let mut lines = Vec::new();
        if duration > self.free {
            let mut left = duration.num_seconds();
            let mut number = 0;
            while left > 0 {
                let seconds = left.min(DAY_SECONDS);
                lines.extend(self.day(stay, number, seconds));
                left -= seconds;
                number += 1;
            }
        }
        Assessment::of(self.version.clone(), lines, self.currency())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plate::VehicleKind;
    use chrono::DateTime;
    use proptest::prelude::*;

    fn yuan(minor: i64) -> Money {
        Money::new(minor, Currency::Cny)
    }

    fn demo() -> Hourly {
        Hourly {
            version: "demo-1".into(),
            free: TimeDelta::minutes(15),
            per_hour: yuan(500),
            daily_cap: Some(yuan(4_000)),
            exit_grace: TimeDelta::minutes(15),
        }
    }

    fn stay_ms(from_ms: i64, to_ms: i64) -> StayFacts {
        let at = |ms| DateTime::from_timestamp_millis(ms).expect("in range");
        StayFacts { entered_at: at(from_ms), until: at(to_ms), vehicle: VehicleKind::Small }
    }

    fn fee(seconds: i64) -> i64 {
        demo().price(&stay_ms(0, seconds * 1_000)).expect("priced").total.minor()
    }

    #[test]
    fn the_demo_tariff_prices_as_its_contract_says() {
        let (minute, hour, day) = (60, 3_600, 86_400);
        let cases = [
            (0, 0),
            (15 * minute, 0),
            (15 * minute + 1, 500),
            (hour, 500),
            (hour + 1, 1_000),
            (2 * hour, 1_000),
            (2 * hour + 1, 1_500),
            (8 * hour, 4_000),
            (8 * hour + 1, 4_000),
            (day, 4_000),
            (day + 1, 4_500),
            (day + 10 * minute, 4_500),
            (2 * day + 90 * minute, 9_000),
        ];
        for (seconds, expected) in cases {
            assert_eq!(fee(seconds), expected, "{seconds} s");
        }
    }

    #[test]
    fn moments_are_cut_to_the_second_before_they_are_measured() {
        let free = demo().price(&stay_ms(500, 900_999)).expect("priced");
        assert!(free.total.is_zero());
        let charged = demo().price(&stay_ms(999, 901_000)).expect("priced");
        assert_eq!(charged.total, yuan(500));
    }

    #[test]
    fn a_clock_that_ran_backwards_costs_nothing() {
        assert!(demo().price(&stay_ms(10_000, 0)).expect("priced").total.is_zero());
    }

    proptest! {
        #[test]
        fn a_longer_stay_never_costs_less_and_the_lines_sum_to_the_total(a in 0i64..1_000_000, more in 0i64..1_000_000) {
            prop_assert!(fee(a) <= fee(a + more));
            let priced = demo().price(&stay_ms(0, a * 1_000)).expect("priced");
            prop_assert_eq!(priced.lines.iter().map(|line| line.amount.minor()).sum::<i64>(), priced.total.minor());
        }
    }
}
