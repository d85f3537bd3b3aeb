//! Spaces, pools and uses: made, changed on dates, taken back; and who stands where.

use tollhouse::charging::ChargingFault;
use tollhouse::charging::estate::{NewSpaces, PoolChange, SpaceChange, SpaceFilter, UseView};

use crate::office::{Office, by, day};

fn range() -> NewSpaces {
    NewSpaces {
        number: "B1-001..B1-240".into(),
        area: "B1".into(),
        room: Some("3-2-1201".into()),
        location: "underground".into(),
        tenure: "owned".into(),
        usage: "residential".into(),
        grade: "tandem".into(),
        capacity: None,
        size: "24".into(),
        from: Some(day("2026-01-01")),
    }
}

#[test]
fn a_range_of_spaces_is_made_in_one_entry_and_not_twice() {
    let office = Office::new();
    let estate = &office.charging().estate;
    let before = *office.desks.store.durable().borrow();
    let made = office.run(estate.add_spaces(&by("new"), &range())).expect("made");
    assert_eq!((made.count, made.first.as_str(), made.last.as_str()), (240, "B1-001", "B1-240"));
    assert_eq!(*office.desks.store.durable().borrow(), before + 1);
    let again = office.run(estate.add_spaces(&by("new"), &range())).expect_err("they are there");
    assert!(again.to_string().contains("B1-001 exists already"), "{again}");
    let page =
        estate.spaces(&SpaceFilter { room: Some("3-2".into()), ..SpaceFilter::default() }, None, 100).expect("read");
    assert_eq!((page.items.len(), page.next.as_deref()), (100, Some("B1-100")));
}

#[test]
fn every_fault_of_a_call_is_told_at_once() {
    let office = Office::new();
    let body = NewSpaces {
        number: "B1-9..A1-1".into(),
        location: "海底".into(),
        tenure: "sold".into(),
        size: "12.555".into(),
        ..range()
    };
    let ChargingFault::Wrong(found) =
        office.run(office.charging().estate.add_spaces(&by("new"), &body)).expect_err("faults")
    else {
        panic!("faults of fields")
    };
    let mut fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["location", "number", "size", "tenure"]);
}

#[test]
fn a_change_has_a_date_and_a_history_and_is_taken_back() {
    let office = Office::small();
    let estate = &office.charging().estate;
    let change = SpaceChange { from: day("2026-06-01"), tenure: Some("rented".into()), ..SpaceChange::default() };
    let space = office.run(estate.change_space(&by("let out"), "O-1", &change)).expect("changed");
    let tenures: Vec<&str> = space.history.iter().map(|is| is.tenure.as_str()).collect();
    assert_eq!(tenures, ["owned", "rented"]);
    assert_eq!((space.history[1].note.by.as_str(), space.history[1].note.why.as_str()), ("anna", "let out"));
    let back = office.run(estate.take_back_change(&by("a mistake"), "O-1", day("2026-06-01"))).expect("taken back");
    assert_eq!(back.history.len(), 1);
    let none = office.run(estate.take_back_change(&by("again"), "O-1", day("2026-06-01")));
    assert!(matches!(none, Err(ChargingFault::Conflict(_))), "{none:?}");
    let wrong = SpaceChange { usage: Some("visitor".into()), ..change };
    let why =
        office.run(estate.change_space(&by("visitors"), "O-1", &wrong)).expect_err("visitors have no rented space");
    assert!(why.to_string().contains("does not allow the tenure"), "{why}");
}

#[test]
fn a_pool_grows_on_a_day_and_a_use_keeps_the_tenures_that_spaces_have() {
    let office = Office::small();
    let estate = &office.charging().estate;
    let change = PoolChange { from: office.today(), places: Some(5), location: None, usage: None };
    assert_eq!(office.run(estate.change_pool(&by("more"), "monthly", &change)).expect("changed").free, 5);
    let narrowed = UseView {
        id: "residential".into(),
        name_zh: "住宅".into(),
        name_en: "Residential".into(),
        tenures: vec!["rented".into()],
    };
    let why = office.run(estate.put_use(&by("narrower"), &narrowed)).expect_err("owned spaces are of it");
    assert!(why.to_string().contains("O-1"), "{why}");
    let new = UseView { id: "guests".into(), ..narrowed };
    office.run(estate.put_use(&by("new"), &new)).expect("written");
    let names: Vec<String> = estate.uses().expect("read").into_iter().map(|one| one.id).collect();
    assert!(names.contains(&"guests".to_owned()) && names.contains(&"visitor".to_owned()), "{names:?}");
    assert_eq!(estate.standing("OT-1").expect("nobody holds it").cars, []);
    let areas = estate.areas().expect("counted");
    assert_eq!((areas[0].area.as_str(), areas[0].spaces, areas[0].places), ("B1", 8, 14));
}
