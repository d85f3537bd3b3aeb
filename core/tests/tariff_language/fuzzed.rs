//! The fuzz target of the parser, run for some seconds: its own function on the shipped tariffs, the broken ones, the pieces
//! of the page and their JSON, changed by chance. `TOLLHOUSE_FUZZ_SECONDS` and `TOLLHOUSE_FUZZ_SEED` run it for longer and
//! from elsewhere; how libFuzzer runs the same function, with coverage to guide it, is in core/fuzz/README.md.

#[path = "../../fuzz/entry.rs"]
mod entry;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use entry::{Became, THEN_A_STAY, tariff};

use super::mutants::{Chance, change, join};
use super::pieces::pieces;
use super::schema::json_of;
use super::{files, shown};

/// The least that one run looks at, however slow the machine.
const FEWEST: usize = 10_000;

/// A tariff of this size is answered within this, or a lane would wait.
const SLOWEST: Duration = Duration::from_secs(10);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Keys that a stay of its own has, so that its reader is reached too.
const STAY: &str = "enter = \"2026-03-02 08:00\"\nexit = \"2026-03-03 09:30:01\"\ncolour = \"green\"\nlost = true\n\
earlier = [{ enter = \"2026-03-02 06:00\", exit = \"2026-03-02 07:45\", paid = \"1.00\" }]\n\
payments = [{ at = \"2026-03-02 20:00\" }, { at = \"2026-03-03 07:00\", amount = \"0.50\" }]\n\
covered = [{ from = \"2026-03-02 09:00\", to = \"2026-03-02 12:00\" }]\n[calendar]\nholidays = [\"2026-03-02\"]\n";

fn corpus() -> Vec<String> {
    let mut corpus: Vec<String> = files("appliance/tariffs").into_iter().map(|(_, text)| text).collect();
    let json = corpus.iter().map(|text| format!("{:#}", json_of(text)));
    let with_stay = corpus.iter().map(|text| format!("{text}{THEN_A_STAY}{STAY}"));
    let more: Vec<String> = json.chain(with_stay).collect();
    corpus.extend(more);
    corpus.extend(files("core/tests/tariff_language/broken").into_iter().map(|(_, text)| text));
    corpus.extend(pieces().into_iter().map(|(_, text)| text));
    corpus
}

#[test]
fn the_fuzz_target_finds_nothing_in_a_bounded_time() {
    let seconds = number("TOLLHOUSE_FUZZ_SECONDS", 5);
    let mut chance = Chance(number("TOLLHOUSE_FUZZ_SEED", 0x7A11_F00D).max(1));
    let corpus = corpus();
    let began = Instant::now();
    let (mut read, mut refused, mut bytes) = (0_usize, 0_usize, 0_usize);
    let mut mutant = corpus[0].clone();
    while read + refused + bytes < FEWEST || began.elapsed() < Duration::from_secs(seconds) {
        let text = &corpus[chance.below(corpus.len())];
        // Changes add up for a while, then begin anew.
        mutant = match chance.below(6) {
            0 => text.clone(),
            1 => join(&mutant, text, &mut chance),
            _ => change(&mutant, &mut chance),
        };
        if mutant.is_empty() {
            mutant.clone_from(text);
        }
        let asked = Instant::now();
        let answered = catch_unwind(|| tariff(mutant.as_bytes()));
        match answered.unwrap_or_else(|_| panic!("on this text, after {} others:\n{mutant}", read + refused + bytes)) {
            Became::Priced => read += 1,
            Became::Refused => refused += 1,
            Became::Bytes => bytes += 1,
        }
        assert!(asked.elapsed() < SLOWEST, "answered after {:?}:\n{mutant}", asked.elapsed());
    }
    println!("{read} read and priced, {refused} refused");
    // Both are common, or the mutants would show nothing.
    assert!(read > FEWEST / 50 && refused > FEWEST / 4, "{read} read, {refused} refused");
}

#[test]
fn what_is_no_text_is_no_tariff_and_the_corpus_is_read_before_it_is_changed() {
    assert_eq!(tariff(&[0xff, 0xfe]), Became::Bytes);
    assert_eq!(tariff(b""), Became::Refused);
    for (name, text) in files("appliance/tariffs") {
        assert_eq!(tariff(text.as_bytes()), Became::Priced, "{name}");
        let file = tollhouse_core::tariff::parse::parse(&text).expect("a tariff");
        let stay = tollhouse_core::tariff::parse::parse_stay(STAY, &file);
        assert!(stay.is_ok(), "{name}: {}", shown(&stay.err().unwrap_or_default()));
    }
}
