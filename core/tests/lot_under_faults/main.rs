//! The whole lot under a virtual clock with seeded faults, over the pure core: nothing here reads a clock or sleeps.
//!
//! A seed that fails is told with how to play it again: `LOT_SEED=N cargo test --release -p tollhouse-core --test
//! lot_under_faults one_seed -- --nocapture` prints its story. `LOT_SEEDS=N` plays so many seeds instead of the usual.

#![allow(clippy::similar_names, clippy::needless_pass_by_value, clippy::unnecessary_wraps, clippy::collapsible_match)] // one handler shape

mod bank;
mod cars;
mod chance;
mod desk;
mod faults;
mod hardware;
mod lot;
mod queue;
mod verdict;
mod watch;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use faults::Planted;

/// How many seeds are played when nobody says otherwise.
const SEEDS: u64 = 1_500;
/// How many seeds a planted bug has to be found in.
const SEEDS_FOR_A_BUG: u64 = 3_000;

/// A number that the caller gives in the environment.
fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn how_to_repeat(seed: u64, failure: &str) -> String {
    format!(
        "seed {seed}: {failure}\nto see its story: LOT_SEED={seed} cargo test --release -p tollhouse-core \
         --test lot_under_faults one_seed -- --nocapture"
    )
}

/// Plays seeds on two threads; the lowest that fails, if one does.
fn first_failure(from: u64, count: u64, planted: Planted) -> (Option<(u64, String)>, u64, u64) {
    let (next, commits, crashes) = (AtomicU64::new(from), AtomicU64::new(0), AtomicU64::new(0));
    let player = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count {
                return None;
            }
            let story = world::play(seed, planted, None);
            commits.fetch_add(story.commits, Ordering::Relaxed);
            crashes.fetch_add(u64::from(story.crashes), Ordering::Relaxed);
            if let Some(failure) = story.failure {
                next.store(from + count, Ordering::Relaxed);
                return Some((seed, failure));
            }
        }
    };
    let found = std::thread::scope(|scope| {
        let players = [scope.spawn(player), scope.spawn(player)];
        players.into_iter().filter_map(|player| player.join().expect("a player does not panic")).min()
    });
    (found, commits.into_inner(), crashes.into_inner())
}

#[test]
fn the_lot_keeps_its_promises_under_seeded_faults() {
    let count = given("LOT_SEEDS").unwrap_or(SEEDS);
    let (found, commits, crashes) = first_failure(given("LOT_FROM").unwrap_or(1), count, Planted::Nothing);
    if let Some((seed, failure)) = found {
        panic!("{}", how_to_repeat(seed, &failure));
    }
    println!("{count} seeds, {commits} commits, {crashes} crashes");
    assert!(commits > count * 20 && crashes > count / 10, "{commits} commits and {crashes} crashes: nothing happens");
}

#[test]
fn one_seed_tells_the_same_story_twice() {
    let seed = given("LOT_SEED").unwrap_or(1);
    let story = world::play(seed, Planted::Nothing, Some(()));
    if given("LOT_SEED").is_some() {
        println!("{}", story.trace.join("\n"));
    }
    assert_eq!(story.failure, None, "seed {seed}");
    assert_eq!(world::play(seed, Planted::Nothing, Some(())).trace, story.trace);
}

/// The failure that the planted bug leads to, within the seeds that every run plays.
fn caught(planted: Planted) -> String {
    let (found, _, _) = first_failure(1, SEEDS_FOR_A_BUG, planted);
    let (seed, failure) = found.unwrap_or_else(|| panic!("{planted:?} is not caught in {SEEDS_FOR_A_BUG} seeds"));
    println!("{planted:?}: seed {seed}: {failure}");
    failure
}

macro_rules! planted {
    ($($test:ident: $planted:ident, $says:literal;)*) => {$(
        #[test]
        fn $test() {
            let failure = caught(Planted::$planted);
            assert!(failure.contains($says), "caught for another reason: {failure}");
        }
    )*};
}

planted! {
    a_shell_that_opens_before_the_commit_is_caught: PublishBeforeCommit, "not on record";
    a_change_without_what_it_relied_on_is_caught: ReliedDropped, "";
    an_event_that_is_not_marked_is_caught: EventNotMarked, "a second time";
    a_capture_that_does_not_look_is_caught: CaptureUnchecked, "";
    postings_that_are_dropped_are_caught: PostingsDropped, "what providers hold is captured less refunded";
    a_command_that_goes_out_again_under_a_new_id_is_caught: ResentUnderNewId, "not on record";
    an_answer_from_before_the_expiry_that_ends_an_order_is_caught: StaleAnswerExpires, "never captured";
    a_refund_under_a_new_number_is_caught: RefundUnderNewNumber, "";
    a_stay_that_forgets_its_moves_is_caught: MovesForgotten, "";
    a_car_that_keeps_its_place_when_it_is_out_is_caught: PlacesKept, "";
    a_further_attempt_under_the_old_id_is_caught: RetryUnderOldId, "";
}
