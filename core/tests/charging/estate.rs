//! Spaces from tables and back, their classes over time, and how full the estate is.

use proptest::prelude::*;
use tollhouse_core::charging::estate::{
    Attributes, Columns, Grade, Layout, Location, Places, Pool, PoolTerms, Space, Tenure, UseList, export_spaces,
    import_spaces, occupancy,
};
use tollhouse_core::charging::label::PoolId;
use tollhouse_core::charging::table::RowFault;
use tollhouse_core::charging::timeline::Timeline;
use tollhouse_core::id::AreaId;

use crate::sample::{attributes, class, day, note, number, space, usage};

fn table(rows: &[&str]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

fn imported(rows: &[&str]) -> Result<Vec<Space>, Vec<RowFault>> {
    import_spaces(&table(rows), &UseList::usual(), |number| number.as_str() == "OLD", day("2026-01-01"), &note())
}

const HEADER: &str = "车位号,区域,房号,车位位置,车位类别,车位用途,车位分级,车位容量,面积,生效日期";

#[test]
fn a_sheet_in_chinese_makes_spaces_of_every_location_tenure_and_grade() {
    let mut rows = vec![HEADER.to_owned()];
    for (l, location) in Location::ALL.iter().enumerate() {
        for (t, tenure) in Tenure::ALL.iter().enumerate() {
            for (g, grade) in Grade::ALL.iter().enumerate() {
                let capacity = if *grade == Grade::Multi { "5" } else { "" };
                let (location, tenure, grade) = (location.chinese(), tenure.chinese(), grade.chinese());
                rows.push(format!(
                    "S{l}{t}{g},B1,3-2-1201,{location},{tenure},住宅,{grade},{capacity},12.5,2026/03/01"
                ));
            }
        }
    }
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let spaces = imported(&rows).expect("no fault");
    let classes: std::collections::BTreeSet<_> = spaces.iter().map(|one| one.class_on(day("2026-03-01"))).collect();
    assert_eq!((spaces.len(), classes.len()), (36, 36));
    assert_eq!(spaces[0].class_on(day("2026-02-28")), None, "it was not there yet");
    let places: u32 = spaces.iter().map(|one| u32::from(one.attributes.last().layout.capacity())).sum();
    assert_eq!(places, 9 * (1 + 2 + 3 + 5));
}

#[test]
fn every_fault_of_a_sheet_is_told_by_row_and_nothing_is_taken() {
    let rows = [
        HEADER,
        "B1-001..B1-003,B1,,地下,产权,住宅,普通,,12.5,",
        "B1-002,B1,,地下,产权,住宅,普通,,12.5,",
        "OLD,B1,,地下,产权,住宅,普通,,12.5,",
        "B1-9,B 1,x,海底,产权,没有,多连,,12.555,2026-13-01",
        "B1-10,B1,,地下,产权,visitor,普通,,12.5,",
        ",,,,,,,,,",
        "B1-11,B1,,地下,产权,住宅,子母,3,12.5,",
        "B1-12",
    ];
    let faults = imported(&rows).expect_err("faults");
    let told: Vec<(usize, &str)> = faults.iter().map(|fault| (fault.row, fault.column.as_str())).collect();
    let expected = [
        (3, "number"),
        (4, "number"),
        (5, "area"),
        (5, "room"),
        (5, "from"),
        (5, "location"),
        (5, "use"),
        (5, "size"),
        (5, "capacity"),
        (6, "use"),
        (8, "capacity"),
        (9, "area"),
        (9, "location"),
        (9, "tenure"),
        (9, "grade"),
        (9, "use"),
        (9, "size"),
    ];
    assert_eq!(told, expected);
    assert!(faults.iter().all(|fault| !fault.text.zh.is_empty() && !fault.text.en.is_empty()));
}

#[test]
fn a_header_that_does_not_fit_is_told_before_any_row() {
    let faults = imported(&["车位号,区域,颜色,区域", "x,y,z,w"]).expect_err("faults");
    let columns: Vec<&str> = faults.iter().map(|fault| fault.column.as_str()).collect();
    assert_eq!(columns, ["颜色", "区域", "location", "tenure", "use", "grade", "size"]);
    assert!(imported(&[]).is_err());
}

#[test]
fn rows_of_one_number_are_its_changes() {
    let rows = [HEADER, "B1-1,B1,,地下,产权,住宅,普通,,12.5,", "B1-1,B1,,地下,出租,住宅,普通,,12.5,2026-06-15"];
    let spaces = imported(&rows).expect("no fault");
    assert_eq!(spaces[0].class_on(day("2026-06-14")), Some(class(Tenure::Owned)));
    assert_eq!(spaces[0].class_on(day("2026-06-15")), Some(class(Tenure::Rented)));
    let twice = [rows[0], rows[1], rows[1]];
    assert_eq!(imported(&twice).expect_err("twice").len(), 1);
    let elsewhere = [rows[0], rows[1], "B1-1,B2,,地下,出租,住宅,普通,,12.5,2026-06-15"];
    assert_eq!(imported(&elsewhere).expect_err("two areas").len(), 1);
}

#[test]
fn a_change_of_attributes_keeps_its_history_and_is_undone_by_its_opposite() {
    let before = space("B1-1", attributes(Tenure::Owned));
    let mut after = before.clone();
    after.change(day("2026-05-10"), attributes(Tenure::Rented), &UseList::usual(), note()).expect("allowed");
    assert_eq!(after.class_on(day("2026-05-09")), Some(class(Tenure::Owned)));
    assert_eq!(after.class_on(day("2026-05-10")), Some(class(Tenure::Rented)));
    assert_eq!(after.attributes.changes()[1].note.by, "anna");
    let visitors = Attributes { usage: usage("visitor"), ..attributes(Tenure::Owned) };
    assert!(after.change(day("2026-06-01"), visitors, &UseList::usual(), note()).is_err());
    after.take_back(day("2026-05-10")).expect("a change");
    assert_eq!(after, before);
}

#[test]
fn occupancy_counts_places_by_area_and_class() {
    let tandem = Attributes { layout: Layout::Tandem, ..attributes(Tenure::Owned) };
    let spaces =
        [space("1", attributes(Tenure::Owned)), space("2", attributes(Tenure::Owned)), space("3", tandem.clone())];
    let terms = PoolTerms { places: 40, location: Location::Underground, usage: usage("residential") };
    let pool = Pool {
        id: PoolId::new("monthly").expect("an id"),
        area: AreaId::new("B1").expect("an area"),
        terms: Timeline::new(day("2026-01-01"), terms, note()),
    };
    let at = |class| Places { area: AreaId::new("B1").expect("an area"), class };
    let owned = at(class(Tenure::Owned));
    let inside = [owned.clone(), owned.clone(), owned.clone(), at(tandem.class())];
    let counts = occupancy(&spaces, [&pool], inside, day("2026-02-01"));
    let told: Vec<(u32, u32, u32, i64)> = [owned, at(tandem.class()), at(class(Tenure::Rented))]
        .iter()
        .map(|places| counts[places])
        .map(|count| (count.spaces, count.places, count.inside, count.free()))
        .collect();
    assert_eq!(told, [(2, 2, 3, -1), (1, 2, 1, 1), (0, 40, 0, 40)]);
    assert!(occupancy(&spaces, [&pool], [], day("1989-12-31")).is_empty(), "nothing was there yet");
    assert_eq!(pool.free_on(day("2026-02-01"), 41), -1);
    assert_eq!(number("3").as_str(), "3");
}

fn any_attributes() -> impl Strategy<Value = Attributes> {
    let layout = prop_oneof![
        Just(Layout::Ordinary),
        Just(Layout::Tandem),
        Just(Layout::Triple),
        (2u8..=99).prop_map(Layout::Multi)
    ];
    let (location, tenure) = (prop::sample::select(Location::ALL), prop::sample::select(Tenure::ALL));
    (location, tenure, layout, 0u32..=100_000).prop_map(|(location, tenure, layout, size)| Attributes {
        location,
        tenure,
        usage: usage("residential"),
        layout,
        size: tollhouse_core::charging::estate::SquareMetres::hundredths(size).expect("in bounds"),
    })
}

proptest! {
    /// Export and import round-trip, changes and all.
    #[test]
    fn an_estate_survives_being_exported_and_imported(
        all in prop::collection::vec((any_attributes(), prop::collection::vec((1u32..3000, any_attributes()), 0..3)), 0..12)
    ) {
        let mut spaces: Vec<Space> = Vec::new();
        for (place, (first, changes)) in all.into_iter().enumerate() {
            let mut one = space(&format!("S-{place:03}"), first);
            one.room = (place % 2 == 0).then(|| "3-2-1201".parse().expect("a room"));
            for (after, to) in changes {
                let from = tollhouse_core::charging::calendar::days_after(day("2020-01-01"), after);
                one.change(from, to, &UseList::usual(), note()).expect("allowed");
            }
            spaces.push(one);
        }
        let table = export_spaces(&spaces);
        prop_assert_eq!(&table[0], &Columns::names());
        let back = import_spaces(&table, &UseList::usual(), |_| false, day("1999-01-01"), &note());
        prop_assert_eq!(back, Ok(spaces));
    }

    /// Whatever a clerk's sheet holds, the answer is spaces or faults, never a panic.
    #[test]
    fn any_table_is_answered(rows in prop::collection::vec(prop::collection::vec(".{0,12}", 0..11), 0..6)) {
        let mut all = table(&[HEADER]);
        all.extend(rows);
        let _ = import_spaces(&all, &UseList::usual(), |_| false, day("2026-01-01"), &note());
    }
}
