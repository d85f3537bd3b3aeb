//! Each order in each situation: what it comes to, or the words of the refusal.

use chrono::{DateTime, Utc};

use super::*;

const ID: &str = "acme.barrier";

fn offered(version: &str, digest: &str) -> Offered {
    Offered {
        id: ID.to_owned(),
        version: version.to_owned(),
        digest: digest.to_owned(),
        vendor: Some("Acme".to_owned()),
        bytes: 16_000,
    }
}

fn two_instances() -> Vec<Instance> {
    ["north", "south"]
        .map(|name| Instance { name: name.to_owned(), driver: ID.to_owned(), lanes: vec![format!("out-{name}")] })
        .into()
}

/// Keeps these versions, and runs the last one of `course`.
fn record(kept: &[&str], course: &[&str]) -> DriverRecord {
    let mut record = DriverRecord::new(ID);
    for version in kept {
        record.keep(KeptVersion {
            version: (*version).to_owned(),
            digest: format!("digest of {version}"),
            vendor: Some("Acme".to_owned()),
            bytes: 1,
            installed_at: DateTime::UNIX_EPOCH,
            installed_by: "ann".to_owned(),
        });
    }
    let (first, rest) = course.split_first().expect("something runs");
    let mut way = Course::begin(first);
    for version in rest {
        way.go_on(version);
    }
    for version in course {
        record.ran(version);
    }
    record.chosen = Some(way);
    record
}

fn looked_at(order: &Order, record: &DriverRecord, offered: Option<&Offered>) -> Result<Plan, String> {
    let (instances, now) = (two_instances(), DateTime::<Utc>::UNIX_EPOCH);
    plan(order, &Scene { record, instances: &instances, from_files: &[], offered, by: "ann", now })
}

fn upgrade(kept: Option<&str>, instances: &[&str]) -> Order {
    let kept = kept.map(|version| Named { id: ID.to_owned(), version: version.to_owned() });
    Order::Upgrade { kept, instances: instances.iter().map(|name| (*name).to_owned()).collect() }
}

fn rollback(to: Option<&str>, instances: &[&str]) -> Order {
    let instances = instances.iter().map(|name| (*name).to_owned()).collect();
    Order::Rollback { id: ID.to_owned(), to: to.map(str::to_owned), instances }
}

fn remove(version: Option<&str>, force: Force) -> Order {
    Order::Remove { id: ID.to_owned(), version: version.map(str::to_owned), force }
}

fn moved(plan: &Plan) -> Vec<(&str, Option<&str>)> {
    plan.switches.iter().map(|switch| (switch.instance.as_str(), switch.to.as_deref())).collect()
}

#[test]
fn the_first_version_runs_at_once_and_a_later_one_is_only_kept() {
    let empty = DriverRecord::new(ID);
    let first = looked_at(&Order::Install, &empty, Some(&offered("1.0.0", "a"))).expect("a plan");
    assert_eq!(moved(&first), [("north", Some("1.0.0")), ("south", Some("1.0.0"))]);
    assert_eq!((first.keep.as_deref(), first.after.versions.len()), (Some("1.0.0"), 1));
    let later = looked_at(&Order::Install, &first.after, Some(&offered("1.1.0", "b"))).expect("a plan");
    assert_eq!((moved(&later), later.after.versions.len()), (vec![], 2));
    assert!(later.steps.iter().any(|step| step.contains("upgrade acme.barrier@1.1.0")), "{:?}", later.steps);
}

#[test]
fn an_upgrade_of_one_instance_leaves_the_other_and_of_all_brings_both_together() {
    let before = record(&["1.0.0", "1.1.0", "1.2.0"], &["1.0.0"]);
    let one = looked_at(&upgrade(Some("1.1.0"), &["north"]), &before, None).expect("a plan");
    assert_eq!(moved(&one), [("north", Some("1.1.0"))]);
    assert_eq!(one.after.course("south").map(|course| course.version.as_str()), Some("1.0.0"));
    let all = looked_at(&upgrade(Some("1.2.0"), &[]), &one.after, None).expect("a plan");
    assert_eq!(moved(&all), [("north", Some("1.2.0")), ("south", Some("1.2.0"))]);
    assert!(all.after.own.is_empty());
    let back = looked_at(&rollback(None, &[]), &all.after, None).expect("a plan");
    assert_eq!(moved(&back), [("north", Some("1.0.0")), ("south", Some("1.0.0"))]);
}

#[test]
fn going_back_takes_the_way_that_was_come_and_makes_the_older_one_welcome() {
    let before = record(&["1.0.0", "1.1.0", "1.2.0"], &["1.0.0", "1.2.0"]);
    let back = looked_at(&rollback(None, &[]), &before, None).expect("a plan");
    assert_eq!(back.after.chosen, Some(Course::begin("1.0.0")));
    assert_eq!((back.after.floor.as_deref(), back.after.newest.as_deref()), (Some("1.0.0"), Some("1.2.0")));
    let named = looked_at(&rollback(Some("1.1.0"), &["south"]), &before, None).expect("a plan");
    assert_eq!(moved(&named), [("south", Some("1.1.0"))]);
    let brought = looked_at(&rollback(Some("0.9.0"), &[]), &before, Some(&offered("0.9.0", "z"))).expect("a plan");
    assert_eq!((brought.keep.as_deref(), brought.after.floor.as_deref()), (Some("0.9.0"), Some("0.9.0")));
}

#[test]
fn where_the_configuration_names_the_file_going_back_only_makes_it_welcome() {
    let mut seen = DriverRecord::new(ID);
    assert!(looked_at(&rollback(Some("1.0.0"), &[]), &seen, None).expect_err("unknown").contains("is not known"));
    seen.ran("1.2.0");
    let back = looked_at(&rollback(Some("1.1.0"), &[]), &seen, None).expect("a plan");
    assert_eq!((back.after.floor.as_deref(), moved(&back)), (Some("1.1.0"), vec![]));
    assert!(looked_at(&rollback(Some("1.3.0"), &[]), &seen, None).expect_err("newer").contains("is not older"));
}

#[test]
fn a_version_that_a_lane_needs_is_removed_by_force_alone_and_one_that_nobody_runs_as_it_is() {
    let before = record(&["1.0.0", "1.1.0"], &["1.0.0", "1.1.0"]);
    let spare = looked_at(&remove(Some("1.0.0"), Force::No), &before, None).expect("nobody runs it");
    assert_eq!((spare.drop.as_slice(), moved(&spare)), (&["1.0.0".to_owned()][..], vec![]));
    assert_eq!(spare.after.chosen, Some(Course::begin("1.1.0")), "there is no way back to it any more");
    let whole = looked_at(&remove(None, Force::Yes), &before, None).expect("by force");
    assert_eq!(moved(&whole), [("north", None), ("south", None)]);
    assert_eq!((whole.after.versions.len(), whole.after.floor.as_deref()), (0, Some("1.1.0")), "the floor stays");
}

#[test]
fn what_is_refused_is_refused_with_what_to_do() {
    let before = record(&["1.0.0", "1.1.0"], &["1.0.0", "1.1.0"]);
    let (changed, older) = (offered("1.1.0", "another"), offered("1.0.5", "o"));
    let full = record(&["1.0.0"; MOST_KEPT], &["1.0.0"]);
    let next = offered("1.2.0", "n");
    let cases = [
        (Order::Install, &before, Some(&changed), "a file that changed is another version; ask Acme"),
        (Order::Install, &full, Some(&next), "tollhouse driver remove acme.barrier@1.0.0"),
        (upgrade(None, &[]), &before, Some(&older), "tollhouse driver rollback acme.barrier --to 1.0.5"),
        (upgrade(Some("1.1.0"), &[]), &before, None, "runs already"),
        (upgrade(Some("3.0.0"), &[]), &before, None, "is not kept on this box: 1.0.0, 1.1.0 are"),
        (upgrade(Some("1.1.0"), &["east"]), &before, None, "no instance east runs acme.barrier: north, south"),
        (rollback(Some("0.5.0"), &[]), &before, None, "give its library with --file"),
        (rollback(Some("1.1.0"), &[]), &before, None, "is not older"),
        (remove(None, Force::No), &before, None, "north (lane out-north) and south (lane out-south) needs it"),
        (remove(Some("1.1.0"), Force::No), &before, None, "or say --force"),
        (remove(Some("4.0.0"), Force::No), &before, None, "is not kept"),
    ];
    for (order, record, offered, words) in cases {
        let refusal = looked_at(&order, record, offered).expect_err(words);
        assert!(refusal.contains(words), "{refusal}");
    }
    let first = record_of_one();
    let refusal = looked_at(&rollback(None, &[]), &first, None).expect_err("nothing before it");
    assert!(refusal.contains("no version ran before 1.0.0"), "{refusal}");
}

fn record_of_one() -> DriverRecord {
    record(&["1.0.0"], &["1.0.0"])
}
