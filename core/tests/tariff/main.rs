//! The engine against a second reading of docs/tariffs.md: random tariffs and stays with all their facts, the shipped tariffs
//! and the pieces of the page, planted faults that the comparison must find, properties, and holes that the linter must find. The same cases every time; `TOLLHOUSE_TARIFF_SEED`
//! begins elsewhere, `TOLLHOUSE_TARIFF_BATCHES` says how many hundred.

mod compare;
mod generate;
mod holes;
mod pieces;
mod plants;
mod properties;
mod reference;
mod shipped;
mod stays;

use compare::{Outcome, compare, known};
use generate::{Case, case};
use plants::{PLANTS, Planted};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// Cases of one seed.
const BATCH: u32 = 100;

/// Every planted fault has to be found within so many cases.
const MOST_CASES: u32 = 3_000;

fn runner(seed: u64, cases: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 800, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn shown(case: &Case) -> String {
    format!("--- tariff\n{}--- stay\n{:#?}", case.tariffs.join("--- and\n"), case.stay)
}

#[test]
fn engine_and_reference_agree_on_random_tariffs_and_stays() {
    let first = number("TOLLHOUSE_TARIFF_SEED").unwrap_or(1);
    let batches = number("TOLLHOUSE_TARIFF_BATCHES").unwrap_or(20);
    let (mut compared, mut refused) = (0_u64, 0_u64);
    for seed in first..first + batches {
        let counts = std::cell::Cell::new((compared, refused));
        let result = runner(seed, BATCH).run(&case(), |case| {
            let (compared, refused) = counts.get();
            match compare(&case) {
                Outcome::Agree => counts.set((compared + 1, refused)),
                Outcome::Refused => counts.set((compared, refused + 1)),
                Outcome::Differ(how) => return Err(TestCaseError::fail(how)),
            }
            Ok(())
        });
        if let Err(TestError::Fail(how, case)) = result {
            panic!("TOLLHOUSE_TARIFF_SEED={seed}: {how}\n{}", shown(&case));
        }
        (compared, refused) = counts.get();
    }
    println!("{batches} batches from seed {first}: {compared} compared, {refused} refused by the checks");
    assert!(compared > 10 * refused, "the generator makes tariffs that are no tariffs: {refused} beside {compared}");
}

#[test]
fn the_comparison_finds_every_planted_fault() {
    let mut runner = runner(7, 1);
    let mut missing: Vec<_> = PLANTS.iter().collect();
    for _ in 0..MOST_CASES {
        let case = case().new_tree(&mut runner).expect("a case").current();
        let Some(known) = known(&case) else { continue };
        // Only where the sound engine agrees a difference is the planted fault's.
        if known.hold_against(&known.given) == Outcome::Agree {
            missing.retain(|(_, plant)| {
                let mut given = known.given.clone();
                plant.spoil(&mut given) == Planted::Sound || known.hold_against(&given) == Outcome::Agree
            });
        }
        if missing.is_empty() {
            return;
        }
    }
    let names: Vec<_> = missing.into_iter().map(|(name, _)| name).collect();
    panic!("not found within {MOST_CASES} cases: {names:#?}");
}
