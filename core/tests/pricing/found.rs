//! What the comparison with the reference has found, or the settling of a reading has changed: each as a stay that was once
//! priced wrongly.

use std::fmt::Write as _;

use tollhouse_core::tariff::parse::parse;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook};

use crate::stays::yuan;

const HEAD: &str = "id = \"found\"\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\n";

/// Prices the example that the tariff carries, of one version or several.
fn example_holds(versions: &[&str]) {
    let read = |text: &&str| parse(&format!("{HEAD}{text}")).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let files: Vec<_> = versions.iter().map(read).collect();
    let examples: Vec<_> = files.iter().flat_map(|file| file.examples.clone()).collect();
    assert!(!examples.is_empty(), "nothing to hold");
    let plans = files.into_iter().map(|file| Plan::new(file.into()).expect("a plan")).collect();
    let book = TariffBook::new(plans).expect("a book");
    for example in examples {
        let owed = book.owed(&StayFacts::from(&example.stay)).expect("priced");
        let lines: Vec<_> = owed.assessment.lines.iter().map(|line| (&line.text.en, line.amount)).collect();
        assert_eq!(owed.assessment.total, example.fee, "{lines:#?}");
        assert_eq!(owed.due, example.due.unwrap_or(owed.due), "{lines:#?}");
    }
}

#[test]
fn the_free_time_of_a_new_cycle_interrupts_the_unit_that_is_under_way() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 08:00", exit = "2026-03-03 09:00", fee = "24.00", note = "23 h 30 and, behind the second free time, 30 min" }]
free = { time = "30min", when_exceeded = "deducted", again = "each_cycle" }
cycle = { every = "24h", next = "continue" }
[[rate]]
per = "1h"
price = "1.00""#]);
}

#[test]
fn steps_of_a_window_begin_anew_behind_the_free_time_of_a_new_cycle() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 08:00", exit = "2026-03-03 09:45", fee = "34.00", note = "5.00 + 23 x 1.00, then 5.00 + 1.00" }]
free = { time = "30min", when_exceeded = "deducted", again = "each_cycle" }
cycle = { every = "24h", next = "continue" }
counting = "window"
[[rate]]
steps = [{ until = "1h", per = "1h", price = "5.00" }, { per = "1h", price = "1.00" }]"#]);
}

#[test]
fn a_unit_of_an_offer_does_not_run_on_behind_a_stopped_clock() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 11:30", exit = "2026-03-02 13:20", fee = "10.00", note = "the window comes twice" }]
[[rate]]
cheapest = [{ per = "1h", price = "5.00" }, { flat = "20.00" }]
[[rate]]
time = "12:00-13:00"
price = "free"
clock = "stops""#]);
}

#[test]
fn the_cheapest_offer_is_found_for_a_window_that_goes_on_over_a_cycle() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 04:35", exit = "2026-03-03 09:34", fee = "4.00", note = "15 x 2.00 by the unit" }]
free = { time = "30min", again = "each_cycle" }
cycle = { every = "calendar_day", starts = "06:00", next = "continue" }
[[rate]]
cheapest = [{ per = "2h", price = "2.00" }, { flat = "4.00" }]"#]);
}

#[test]
fn a_shared_unit_is_followed_over_a_stopped_clock_as_if_the_stay_had_gone_on() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 11:30", exit = "2026-03-02 11:50", fee = "4.50", note = "30/60 x 6.00 + 30/60 x 3.00" }]
boundary = "split"
[[rate]]
time = "13:00-12:00"
per = "1h"
price = "6.00"
[[rate]]
time = "12:00-13:00"
price = "free"
clock = "stops"
[[rate]]
days = ["weekend", "workday", "holiday"]
time = "13:00-20:00"
per = "1h"
price = "3.00""#]);
}

#[test]
fn a_stay_that_ends_with_a_unit_over_a_boundary_has_entered_the_next_step_where_ends_are_excluded() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 17:30", exit = "2026-03-02 19:30", fee = "7.00", note = "2 x 1.00 + 5.00" }]
boundary = "start"
[[rate]]
time = "07:00-19:00"
per = "1h"
price = "1.00"
[[rate]]
time = "19:00-07:00"
steps = [{ until = "2h", per = "1h", price = "2.00" }, { per = "1h", price = "5.00" }]
ends = "excluded""#]);
}

#[test]
fn a_window_counts_what_its_rate_charges_of_a_unit_over_its_boundary() {
    let night = r#"counting = "window"
[[rate]]
time = "07:00-19:00"
per = "1h"
price = "6.00"
[[rate]]
time = "19:00-07:00"
steps = [{ until = "1h", per = "30min", price = "3.00" }, { per = "30min", price = "1.00" }]
"#;
    for (boundary, fee) in [("start", "12.00"), ("end", "5.00"), ("split", "10.00")] {
        let example = format!(r#"[{{ enter = "2026-03-02 18:40", exit = "2026-03-02 20:40", fee = "{fee}" }}]"#);
        example_holds(&[&format!("version = \"1\"\nexample = {example}\nboundary = \"{boundary}\"\n{night}")]);
    }
}

#[test]
fn a_pass_does_not_give_a_shared_cap_twice() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 08:00", exit = "2026-03-02 20:00", covered = [{ from = "2026-03-02 13:00", to = "2026-03-02 14:00" }], fee = "20.00" }]
[[rate]]
per = "1h"
price = "5.00"
[[cap]]
per = "calendar_day"
max = "20.00"
visits = "together""#]);
}

#[test]
fn a_discount_behind_the_caps_is_behind_a_shared_one_too() {
    example_holds(&[r#"version = "1"
example = [{ enter = "2026-03-02 08:00", exit = "2026-03-02 16:00", fee = "10.00", note = "40.00, at most 20.00, less half" }]
[[rate]]
per = "1h"
price = "5.00"
[[cap]]
per = "calendar_day"
max = "20.00"
visits = "together"
[[adjust]]
percent = "-50"
applied = "after_caps""#]);
}

#[test]
fn visits_that_were_one_stay_use_up_a_shared_cap_as_one() {
    example_holds(&[r#"version = "1"
[return]
within = "30min"
counts = "from_first_entry"
[[rate]]
per = "1h"
price = "3.00"
[[cap]]
per = "calendar_day"
max = "10.00"
visits = "together"
[[example]]
note = "the first two are one hour"
earlier = [{ enter = "2026-03-02 08:00", exit = "2026-03-02 08:30" }, { enter = "2026-03-02 08:40", exit = "2026-03-02 08:50" }]
enter = "2026-03-02 12:00"
exit = "2026-03-02 15:00"
fee = "7.00""#]);
}

#[test]
fn what_a_pass_covered_of_the_visit_before_was_not_paid_for() {
    example_holds(&[r#"version = "1"
[return]
within = "30min"
counts = "from_first_entry"
[[rate]]
per = "1h"
price = "5.00"
[[example]]
earlier = [{ enter = "2026-03-02 08:00", exit = "2026-03-02 09:00" }]
enter = "2026-03-02 09:10"
exit = "2026-03-02 10:10"
covered = [{ from = "2026-03-02 09:10", to = "2026-03-02 09:40" }]
fee = "10.00"
note = "08:00-09:10 2 x 5.00, 09:40-10:10 5.00, less 5.00 paid""#]);
}

#[test]
fn a_fen_now_and_then_does_not_stretch_the_exit_grace() {
    example_holds(&[r#"version = "1"
[[rate]]
per = "1h"
price = "5.00"
[[example]]
enter = "2026-03-02 08:00"
exit = "2026-03-02 10:20"
payments = [{ at = "2026-03-02 10:00" }, { at = "2026-03-02 10:14", amount = "0.01" }]
fee = "15.00"
due = "4.99""#]);
}

#[test]
fn a_lost_record_costs_once_though_the_time_after_the_payment_is_a_stay_of_its_own() {
    example_holds(&[r#"version = "1"
[early_payment]
then = "from_payment"
[lost_record]
fee = "30.00"
[[rate]]
per = "1h"
price = "5.00"
[[example]]
enter = "2026-03-02 08:00"
exit = "2026-03-02 09:00"
lost = true
payments = [{ at = "2026-03-02 08:00" }]
fee = "35.00"
due = "5.00""#]);
}

#[test]
fn free_charged_time_counts_what_the_car_spends_in_other_areas() {
    example_holds(&[r#"version = "1"
[areas]
court = "Court"
[[scheme]]
name = "garage"
free = { time = "15min", measured = "charged_time" }
[[scheme.rate]]
per = "1h"
price = "3.00"
[[scheme]]
name = "court"
areas = "court"
[[scheme.rate]]
per = "1h"
price = "10.00"
[[example]]
enter = "2026-03-02 08:00"
exit = "2026-03-02 13:05"
areas = [{ area = "court", enter = "2026-03-02 08:05", exit = "2026-03-02 13:00" }]
fee = "53.00""#]);
}

#[test]
fn free_time_of_an_area_is_not_used_up_elsewhere() {
    example_holds(&[r#"version = "1"
[areas]
court = "Court"
[[scheme]]
name = "garage"
[[scheme.rate]]
price = "free"
[[scheme]]
name = "court"
areas = "court"
free = { time = "30min", when_exceeded = "deducted", areas = "each" }
[[scheme.rate]]
per = "10min"
price = "1.00"
[[example]]
enter = "2026-03-02 08:00"
exit = "2026-03-02 11:00"
areas = [{ area = "court", enter = "2026-03-02 09:00", exit = "2026-03-02 09:20" }, { area = "court", enter = "2026-03-02 09:40", exit = "2026-03-02 10:10" }]
fee = "2.00""#]);
}

#[test]
fn free_time_does_not_run_while_the_car_is_away() {
    example_holds(&[r#"version = "1"
free = { time = "30min", when_exceeded = "deducted" }
[return]
within = "1h"
counts = "without_the_time_away"
[[rate]]
per = "10min"
price = "1.00"
[[example]]
earlier = [{ enter = "2026-03-02 08:00", exit = "2026-03-02 08:10" }]
enter = "2026-03-02 08:40"
exit = "2026-03-02 09:10"
fee = "1.00""#]);
}

#[test]
fn a_part_by_one_version_finds_its_scheme_by_its_own_length() {
    let keys = "version_by = \"moment\"\nchoose = \"cheapest\"\n";
    let first = r#"[[scheme]]
[[scheme.rate]]
per = "1h"
price = "5.00"
[[scheme]]
at_most = "2h"
flat = "3.00"
[[example]]
enter = "2026-03-09 23:00"
exit = "2026-03-10 02:00"
fee = "21.00""#;
    let second = "in_force_from = \"2026-03-10 00:00\"\n[[rate]]\nper = \"1h\"\nprice = \"9.00\"\n";
    example_holds(&[&format!("version = \"1\"\n{keys}{first}"), &format!("version = \"2\"\n{keys}{second}")]);
}

#[test]
fn as_many_caps_and_surcharges_as_a_file_may_have_are_told_apart() {
    let mut text = format!("{HEAD}version = \"1\"\n[[rate]]\nper = \"1h\"\nprice = \"1.00\"\n");
    for number in 1..=64 {
        let _ = writeln!(text, "[[cap]]\nper = \"24h\"\nday_number = \"{number}\"\nmax = \"20.00\"");
        let _ =
            writeln!(text, "[[adjust]]\namount = \"{number}.00\"\ntime = \"12:00-13:00\"\napplied = \"after_caps\"");
    }
    let plan = Plan::new(parse(&text).expect("a tariff").into()).expect("a plan");
    let owed = |enter: &str, exit: &str| plan.price(&crate::stays::stay(enter, exit)).expect("priced").total;
    assert_eq!(owed("02T08:00", "02T10:00"), yuan(200));
    assert_eq!(owed("02T12:00", "03T12:00"), yuan(2_000 + 64 * 65 / 2 * 100));
}
