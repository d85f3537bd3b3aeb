//! What has to hold of every fee, over shipped and odd tariffs and stays of any length.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use tollhouse_core::plate::Colour;
use tollhouse_core::tariff::model::{Claim, EarlyPayment, Payment};
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook, parse};

use crate::odd::odd_tariffs;
use crate::shipped::shipped;

static BOOKS: LazyLock<Vec<(String, TariffBook)>> = LazyLock::new(|| {
    let odd = odd_tariffs().into_iter().map(|(name, text)| {
        let file = parse::parse(&text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        (name, TariffBook::of(Plan::new(Arc::new(file)).expect("a plan")))
    });
    shipped().into_iter().chain(odd).collect()
});

/// 2026 and 2037 have the same weekdays and no leap day.
const ELEVEN_YEARS: Duration = Duration::days(4_018);

fn start_of_2026() -> DateTime<Utc> {
    "2026-01-02T00:00:00Z".parse().expect("a moment")
}

fn colours() -> impl Strategy<Value = Colour> {
    prop::sample::select(vec![Colour::Blue, Colour::Yellow, Colour::Green])
}

prop_compose! {
    fn a_stay(longest: i64)(
        book in 0..BOOKS.len(),
        minute in 0i64..300 * 1_440,
        second in prop::sample::select(vec![0, 0, 17]),
        length in prop_oneof![0..86_400i64, 0..longest],
        whole in prop::sample::select(vec![1, 60, 900, 3_600]),
        colour in colours(),
    ) -> (usize, StayFacts) {
        let entered = start_of_2026() + Duration::seconds(minute * 60 + second);
        (book, StayFacts::new(entered, entered + Duration::seconds(length / whole * whole), colour))
    }
}

const MONTH: i64 = 30 * 86_400;

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_fee_is_never_negative_its_lines_sum_to_it_and_pricing_again_gives_the_same_lines((book, facts) in a_stay(MONTH)) {
        let (name, book) = &BOOKS[book];
        let found = book.price(&facts).map_err(|fault| TestCaseError::fail(format!("{name}: {fault}")))?;
        prop_assert!(found.total.minor() >= 0, "{}: {:?}", name, found);
        let sum: i64 = found.lines.iter().map(|line| line.amount.minor()).sum();
        prop_assert_eq!(sum, found.total.minor());
        for line in &found.lines {
            // A tariff may cut the seconds off.
            let within = line.from > facts.entered_at - Duration::minutes(1) && line.to <= facts.until;
            prop_assert!(within && line.from <= line.to, "{}: {:?}", name, line);
        }
        let again = book.price(&facts).expect("priced before");
        prop_assert_eq!(found, again);
    }

    #[test]
    fn days_that_are_skipped_cost_what_they_cost_when_they_are_walked((book, facts) in a_stay(5 * MONTH)) {
        let (name, book) = &BOOKS[book];
        let skipped = book.price(&facts).expect("priced");
        let walked = book.price_walking(&facts).expect("priced");
        prop_assert_eq!(&skipped.total, &walked.total, "{}", name);
        prop_assert_eq!(&skipped.lines, &walked.lines, "{}", name);
    }

    #[test]
    fn a_longer_stay_never_costs_less_where_the_tariff_claims_so((book, facts) in a_stay(MONTH), more in 0i64..100_000) {
        let (name, book) = &BOOKS[book];
        if book.versions()[0].file().claims.contains(&Claim::NeverDecreasing) {
            let longer = StayFacts { until: facts.until + Duration::seconds(more), ..facts.clone() };
            let (less, more) = (book.price(&facts).expect("priced"), book.price(&longer).expect("priced"));
            prop_assert!(less.total.minor() <= more.total.minor(), "{}: {:?} then {:?}", name, less, more);
        }
    }

    #[test]
    fn paying_early_changes_nothing_in_total_once_the_exit_grace_has_run_out(
        (book, facts) in a_stay(MONTH),
        share in 0i64..100,
        late in 1i64..50_000,
    ) {
        let (name, book) = &BOOKS[book];
        let file = book.versions()[0].file();
        if file.early_payment == EarlyPayment::FromEntry {
            let at = facts.entered_at + (facts.until - facts.entered_at) * i32::try_from(share).expect("small") / 100;
            let grace = Duration::seconds(file.exit_grace.seconds());
            let until = (at + grace + Duration::seconds(late)).max(facts.until);
            let payments = vec![Payment { at, amount: None }];
            let paid = StayFacts { until, payments, ..facts.clone() };
            let owed = book.owed(&paid).expect("priced");
            let whole = book.price(&StayFacts { until, ..facts.clone() }).expect("priced").total.minor();
            prop_assert_eq!(owed.paid.minor() + owed.due.minor(), whole.max(owed.paid.minor()), "{}", name);
            let in_time = StayFacts { until: at + grace, ..paid };
            let owed = book.owed(&in_time).expect("priced");
            prop_assert!(owed.paid.is_zero() || owed.due.is_zero(), "{}: {:?}", name, owed);
        }
    }

    #[test]
    fn a_year_with_the_same_calendar_costs_the_same((book, facts) in a_stay(MONTH)) {
        let (name, book) = &BOOKS[book];
        let calendar = &book.versions()[0].file().calendar;
        if calendar.holidays.is_empty() && calendar.workdays.is_empty() && calendar.events.is_empty() {
            let (entered_at, until) = (facts.entered_at + ELEVEN_YEARS, facts.until + ELEVEN_YEARS);
            let later = StayFacts { entered_at, until, ..facts.clone() };
            let (now, then) = (book.price(&facts).expect("priced"), book.price(&later).expect("priced"));
            prop_assert_eq!(now.total, then.total, "{}", name);
            for (now, then) in now.lines.iter().zip(&then.lines) {
                prop_assert_eq!((&now.text, now.quantity, now.amount), (&then.text, then.quantity, then.amount), "{}", name);
                prop_assert_eq!(now.from + ELEVEN_YEARS, then.from, "{}", name);
            }
        }
    }
}

#[test]
fn ten_years_have_few_lines_and_cost_what_they_cost_when_they_are_walked() {
    for (name, book) in BOOKS.iter() {
        let entered = start_of_2026() + Duration::seconds(30_000);
        let facts = StayFacts::new(entered, entered + Duration::days(3_652), Colour::Blue);
        let skipped = book.price(&facts).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let walked = book.price_walking(&facts).expect("priced");
        assert_eq!(skipped, walked, "{name}");
        assert!(skipped.lines.len() <= 60, "{name}: {} lines", skipped.lines.len());
    }
}
