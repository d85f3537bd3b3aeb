//! What the linter must find: a tariff written to have each hole, and beside it one that differs in nothing else and has it not.

use tollhouse_core::tariff::lint::{Hole, lint};
use tollhouse_core::tariff::parse::parse;

const HOURLY: &str = "[[rate]]\nper = \"1h\"\nprice = \"5.00\"\n";

fn holes(keys: &str) -> Vec<Hole> {
    let head = "id = \"hole\"\nversion = \"1\"\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\n";
    let file = parse(&format!("{head}{keys}")).unwrap_or_else(|faults| panic!("{keys}: {faults:?}"));
    let found = lint(&file);
    for warning in &found {
        let shown = !matches!(warning.hole, Hole::CapNeverBinds);
        assert_eq!(!warning.stays.is_empty(), shown, "{:?} is shown by stays, a cap by its line", warning.hole);
    }
    found.into_iter().map(|warning| warning.hole).collect()
}

fn early(then: &str) -> String {
    format!("free = \"30min\"\nexit_grace = \"15min\"\n[early_payment]\nthen = \"{then}\"\n{HOURLY}")
}

fn falling(total: &str) -> String {
    format!("[[rate]]\nsteps = [{{ until = \"2h\", per = \"1h\", price = \"10.00\" }}, {{ total = \"{total}\" }}]\n")
}

fn coming_back(counts: &str) -> String {
    let again =
        if counts.is_empty() { String::new() } else { format!("[return]\nwithin = \"1h\"\ncounts = \"{counts}\"\n") };
    format!("free = \"30min\"\n{again}{HOURLY}")
}

fn capped(max: &str) -> String {
    format!("{HOURLY}[[cap]]\nper = \"24h\"\nmax = \"{max}\"\n")
}

fn adjusted(one: &str, two: &str) -> String {
    let adjust = |percent: &str| format!("[[adjust]]\npercent = \"{percent}\"\n");
    format!("[[rate]]\nper = \"1h\"\nprice = \"0.15\"\n{}{}", adjust(one), adjust(two))
}

#[test]
fn the_linter_finds_each_hole_in_a_tariff_that_has_it_and_not_in_one_that_has_it_not() {
    let cases = [
        (Hole::LongerCostsLess, falling("5.00"), falling("25.00")),
        (Hole::Jump, format!("[lint]\njump = \"4.00\"\n{HOURLY}"), format!("[lint]\njump = \"5.00\"\n{HOURLY}")),
        (Hole::PayEarly, early("from_payment"), early("from_entry")),
        (Hole::LeaveAndReturn, coming_back(""), coming_back("from_first_entry")),
        (Hole::CapNeverBinds, capped("500.00"), capped("40.00")),
        (Hole::OrderOfRules, adjusted("50", "-30"), adjusted("50", "50")),
    ];
    assert_eq!(cases.each_ref().map(|(hole, ..)| *hole), Hole::ALL);
    for (hole, with, without) in cases {
        assert!(holes(&with).contains(&hole), "{hole:?} is not found in\n{with}");
        assert!(!holes(&without).contains(&hole), "{hole:?} is found in\n{without}");
    }
}
