//! The power goes at any moment, several times in a row, over a medium that keeps only what was synced.
//!
//! What anybody was told of has to be there afterwards, and what is there has to be the outcome of a whole number of
//! changes. The same harness is run over planted bugs, which it has to find: otherwise it would prove nothing.

use std::sync::{Arc, Mutex};

use tollhouse_core::record::{Change, Memory};

use super::changes::{Dice, model_rows, random_change, rows};
use super::simulated::SimulatedDisk;
use crate::store::journal::{Chain, Sync, list};
use crate::store::verify::verify_on;
use crate::store::{Busy, Store, StoreOptions, Told};

const SEEDS: u64 = 150;
const CUTS: usize = 3;
/// More than a whole run takes.
const AMPLE: u64 = 1 << 40;

fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes: 8 << 10,
        apply_after: 40,
        hold_at_most: 200,
        cache_bytes: 1 << 20,
        on_failure: Arc::new(|_| {}),
        ..StoreOptions::default()
    }
}

/// Runs one seed; an error says what was lost or wrong.
fn run(seed: u64, sync: Sync) -> Result<(), String> {
    let mut dice = Dice(seed);
    let power = 20 + dice.below(400);
    let mut disk = SimulatedDisk::new(power);
    let mut taken: Vec<Change> = vec![];
    for _ in 0..CUTS {
        let told = Arc::new(Mutex::new(vec![]));
        let submitted = drive(&disk, &mut dice, &taken, sync, &told);
        let power = 20 + dice.below(400);
        disk = disk.after_cut(&mut dice, power);
        taken = settle(&disk, taken, submitted, &told.lock().expect("whole"))?;
    }
    Ok(())
}

/// Submits changes until the power goes, one burst after the other; what was told is noted.
fn drive(
    disk: &SimulatedDisk,
    dice: &mut Dice,
    taken: &[Change],
    sync: Sync,
    told: &Arc<Mutex<Vec<(usize, Told)>>>,
) -> Vec<Change> {
    let mut submitted = vec![];
    // The power may go while it opens: then nothing is submitted.
    let Ok(store) = Store::open_on(Arc::new(disk.clone()), options(), sync) else { return submitted };
    let model = fold(taken);
    while !disk.is_cut() && submitted.len() < 300 {
        let change = random_change(dice, &model);
        let (index, told) = (submitted.len(), told.clone());
        match store.submit(change.clone(), move |outcome| told.lock().expect("whole").push((index, outcome))) {
            Ok(()) => submitted.push(change),
            Err(Busy::Full) => std::thread::yield_now(),
            Err(Busy::Stopped) => break,
        }
    }
    store.close();
    submitted
}

/// Opens what the cut has left, and holds it against the model.
fn settle(
    cut: &SimulatedDisk,
    mut taken: Vec<Change>,
    submitted: Vec<Change>,
    told: &[(usize, Told)],
) -> Result<Vec<Change>, String> {
    // Looked at on a copy, so that the medium goes on as the cut has left it.
    let copy: Arc<SimulatedDisk> = Arc::new(cut.after_cut(&mut Dice(0), AMPLE));
    let verdict = verify_on(copy.clone(), vec![]).map_err(|fault| format!("verify: {fault}"))?;
    let only_missing = verdict.checks.iter().all(|check| check.ok || check.detail.contains("store.redb is missing"));
    if !only_missing && !verdict.checks.iter().any(|check| check.name.contains("can be opened")) {
        return Err(format!("{:?}", verdict.checks));
    }
    let store = Store::open_on(copy.clone(), options(), Sync::Durable).map_err(|fault| format!("opening: {fault}"))?;
    let snapshot = store.snapshot();
    let position = snapshot.position();
    // The submitter's order is the writer's: replaying it through the model says which changes were taken.
    let mut model = fold(&taken);
    if model.revision() > position {
        return Err(format!("{} entries of an earlier run are gone", model.revision() - position));
    }
    for (index, change) in submitted.into_iter().enumerate() {
        let outcome = model.clone().take(&change);
        let heard = told.iter().find(|(number, _)| *number == index).map(|(_, told)| told);
        if model.revision() == position {
            if let Some(Told::Durable { position: lost }) = heard {
                return Err(format!("entry {lost} was told of and is lost: the journal ends at {position}"));
            }
            continue;
        }
        match (&outcome, heard) {
            (Ok(revision), Some(Told::Durable { position })) if revision != position => {
                return Err(format!("told {position}, should be {revision}"));
            }
            (Ok(_), Some(Told::Refused(refusal))) => return Err(format!("refused without need: {refusal}")),
            (Err(_), Some(Told::Durable { .. })) => return Err("taken against the rules".into()),
            _ => {}
        }
        if outcome.is_ok() {
            model.take(&change).map_err(|fault| fault.to_string())?;
            taken.push(change);
        }
    }
    if model.revision() != position {
        return Err(format!("the store is at {position}, the model at {}", model.revision()));
    }
    if rows(&snapshot) != model_rows(&model) {
        return Err(format!("at {position} the records are not those of the model"));
    }
    drop((snapshot, store));
    whole_chain(copy, position).map(|()| taken)
}

fn whole_chain(disk: Arc<SimulatedDisk>, position: u64) -> Result<(), String> {
    let segments = list(&*disk).map_err(|fault| fault.to_string())?;
    let mut chain = Chain::new(disk, segments, 0, u64::MAX);
    while chain.next().map_err(|fault| fault.to_string())?.is_some() {}
    if chain.position() == position { Ok(()) } else { Err(format!("the chain ends at {}", chain.position())) }
}

fn fold(changes: &[Change]) -> Memory {
    let mut model = Memory::new();
    for change in changes {
        model.take(change).expect("it was taken before");
    }
    model
}

#[test]
fn what_was_told_survives_any_power_cut_and_the_state_is_a_whole_number_of_changes() {
    for seed in 0..SEEDS {
        if let Err(fault) = run(seed, Sync::Durable) {
            panic!("seed {seed}: {fault}");
        }
    }
}

#[test]
fn a_store_that_forgets_to_sync_is_caught() {
    assert!((0..SEEDS).any(|seed| run(seed, Sync::Forgotten).is_err()), "no seed found it");
}

#[test]
fn a_store_that_tells_before_it_writes_is_caught() {
    assert!((0..SEEDS).any(|seed| run(seed, Sync::ToldFirst).is_err()), "no seed found it");
}
