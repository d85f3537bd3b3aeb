//! Tables in and out: the sample estate, round trips of every kind, and an estate that moves in from another system.

use std::path::{Path, PathBuf};

use tollhouse::charging::cards::CardFilter;
use tollhouse::charging::estate::SpaceFilter;
use tollhouse::charging::exchange::{Imported, Kind, Mode};
use tollhouse::charging::sheets::{Format, Sheet, read, write};
use tollhouse::coupons::NewMerchant;
use tollhouse_core::charging::label::MerchantId;
use tollhouse_core::coupons::{BatchOrder, Contact, FreeEntry, FreeReason, Limits, MerchantTerms, Worth};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::Records;
use tollhouse_core::stay::{Basis, Inside, Stay};

use crate::office::{Office, by};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("estates/sample")
}

fn sheet(name: &str, text: &str) -> Sheet {
    let mut sheets = read(text.as_bytes(), Format::Csv).expect("a table");
    Sheet { name: name.into(), rows: sheets.remove(0).rows }
}

fn sample_sheets() -> Vec<Sheet> {
    let files = std::fs::read_dir(sample()).expect("the sample is there");
    let mut sheets: Vec<Sheet> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            sheet(&name, &std::fs::read_to_string(&path).expect("read"))
        })
        .collect();
    sheets.sort_by(|a, b| a.name.cmp(&b.name));
    sheets
}

fn import(office: &Office, kind: Kind, sheets: Vec<Sheet>, mode: Mode) -> Imported {
    office.run(office.charging().exchange.import_sheets(&by("import"), kind, sheets, mode)).expect("carried out")
}

fn moves_in(office: &Office, kind: Kind, sheets: Vec<Sheet>) -> Imported {
    let imported = import(office, kind, sheets, Mode::Write);
    assert_eq!(imported.faults, [], "no fault");
    imported
}

/// What came from the other system: cards in mid-term, debts, deposits, balances and cars inside.
fn from_elsewhere(office: &Office) -> Vec<Sheet> {
    let (before, after) = (office.today() - chrono::Days::new(10), office.in_days(20));
    let ahead = office.in_days(40);
    vec![
        sheet(
            "cards",
            &format!(
                "number,holder,payer,room,state,opened_on,places,vehicles,billed_until,term_of,term_from,term_until,term_price\n\
                 K1,H001,,1-1-101,active,2026-01-01,BO-1,粤C10001; 粤C10002,{ahead},,,,\n\
                 K2,H002,H003,,active,2026-02-01,BR-1; pool/monthly/1,粤C20001 new_energy,,,{before},{after},600.00\n\
                 K3,H003,,,suspended,2026-02-01,BR-2,,,quarter,{before},{after},900.00\n\
                 K4,H004,,,closed,2026-02-01,AR-1 2026-02-01..2026-03-01,粤C40001 2026-02-01..2026-03-01,,,,,\n"
            ),
        ),
        sheet(
            "bills",
            "card,due_on,amount,text\nK1,2026-03-15,160.00,二月管理费\nK1,2026-03-15,160.00,二月管理费\nK2,2026-04-01,12.50,\n",
        ),
        sheet("deposits", "card,amount,item,taken_on\nK2,500.00,deposit,2026-02-01\n"),
        sheet("balances", "holder,credit\nH002,33.00\n"),
        sheet(
            "inside",
            &format!("plate,colour,entered_at,area\n粤C10001,蓝,{before} 08:30,B1\n粤B99999,,{before} 09:00,A1\n"),
        ),
    ]
}

#[test]
fn the_sample_estate_has_every_class_and_comes_in_once() {
    let office = Office::new();
    let would = import(&office, Kind::Estate, sample_sheets(), Mode::DryRun);
    assert_eq!((would.faults.len(), would.written, office.charging().estate.pools().expect("read").len()), (0, 68, 0));
    let done = moves_in(&office, Kind::Estate, sample_sheets());
    assert_eq!((done.written, done.there_already), (would.written, 0));
    let spaces = office.charging().estate.spaces(&SpaceFilter::default(), None, 100).expect("read").items;
    let classes: std::collections::BTreeSet<_> = spaces.iter().map(|space| space.class.clone()).collect();
    assert_eq!((spaces.len(), classes.len()), (40, 36));
    let again = moves_in(&office, Kind::Estate, sample_sheets());
    assert_eq!((again.written, again.there_already), (0, would.written));
    office.is_in_order();
}

#[test]
fn an_estate_moves_in_with_debts_deposits_balances_and_cars() {
    let office = Office::new();
    let mut sheets = sample_sheets();
    sheets.extend(from_elsewhere(&office));
    let would = import(&office, Kind::Estate, sheets.clone(), Mode::DryRun);
    assert_eq!(would.faults, [], "everything in one workbook knows everything else");
    moves_in(&office, Kind::Estate, sheets.clone());
    let card = |number: &str| office.charging().cards.card(number).expect("there");
    assert_eq!((card("K1").due.as_str(), card("K1").state.as_str()), ("320.00", "active"));
    assert_eq!((card("K2").due.as_str(), card("K2").terms.len()), ("12.50", 1));
    assert_eq!((card("K3").state.as_str(), card("K4").state.as_str()), ("suspended", "closed"));
    // Two thirds of the terms are left: 400.00 and 600.00; of K1's fees what lies between today and then.
    let deferred = -office.balance("deferred");
    assert!(deferred > 100_000, "{deferred}");
    assert_eq!(
        (office.balance("receivable"), office.balance("deposit"), office.balance("credit")),
        (33_250, -50_000, -3_300)
    );
    assert_eq!(office.balance("opening"), deferred + 50_000 + 3_300 - 33_250);
    let records = office.desks.store.snapshot();
    let basis = |plate: &str| {
        let inside = records.get::<Inside>(plate).expect("read").expect("inside").record;
        records.get::<Stay>(&inside.stay.to_string()).expect("read").expect("a stay").record.basis
    };
    assert_eq!(basis("粤C10001"), Basis::Pass { card: "K1".into() });
    assert_eq!(basis("粤B99999"), Basis::Temporary);
    let again = moves_in(&office, Kind::Estate, sheets);
    assert_eq!(again.written, 0, "the same workbook does nothing");
    office.is_in_order();
}

#[test]
fn every_fault_is_told_by_sheet_row_and_column_and_nothing_comes_in() {
    let office = Office::new();
    let mut sheets = sample_sheets();
    sheets.push(sheet(
        "cards",
        "number,holder,places,term_from\nK1,H999,BO-1,\nK2,H001,BR-1,\nK3,H001,BT-1,\nK4,H001,nowhere,\nK5,H001,BO-2,x\nK6,H001,BO-1,\n",
    ));
    sheets.push(sheet("holidays", "x\n1\n"));
    let told = import(&office, Kind::Estate, sheets, Mode::Write);
    assert_eq!(
        (told.written, office.charging().cards.find(&CardFilter::default(), None, 9).expect("read").items.len()),
        (0, 0)
    );
    let where_: Vec<(Option<&str>, Option<usize>)> =
        told.faults.iter().map(|fault| (fault.sheet.as_deref(), fault.row)).collect();
    assert!(where_.contains(&(Some("holidays"), None)), "{where_:?}");
    assert!(where_.contains(&(Some("cards"), Some(6))), "a cell that cannot be read: {where_:?}");
    let office = Office::new();
    let mut sheets = sample_sheets();
    sheets.push(sheet(
        "cards",
        "number,holder,places\nK1,H999,BO-1\nK2,H001,BR-1\nK3,H001,BT-1\nK4,H001,nowhere\nK5,H001,BO-2\nK6,H001,BO-2\n",
    ));
    let told = import(&office, Kind::Estate, sheets, Mode::Write);
    let rows: Vec<usize> = told.faults.iter().filter_map(|fault| fault.row).collect();
    assert_eq!(rows, [2, 3, 4, 5, 7], "{:#?}", told.faults);
    assert!(told.faults[1].en.contains("needs its term") && told.faults[4].en.contains("held by card K5"));
    assert_eq!(office.charging().estate.pools().expect("read").len(), 0, "all or nothing");
}

fn exported(office: &Office, kind: Kind, format: Format) -> Vec<u8> {
    office.charging().exchange.export(kind, format).expect("exported")
}

/// A merchant of each kind, batches of which some coupons are spent, and a mover on the free list.
fn merchants(office: &Office) {
    let desk = &office.desks.coupons;
    let yuan = |fen: i64| Money::new(fen, Currency::Cny);
    let limits =
        Limits { coupons_per_day: Some(9), most_per_coupon: Some(yuan(1_000)), per_stay: Some(2), ..Limits::default() };
    let shop = NewMerchant {
        name: Some("万象书店".into()),
        contact: Some(Contact { name: "林一".into(), phone: "13900001111".into() }),
        terms: Some(MerchantTerms::Monthly { credit: Some(yuan(50_000)) }),
        limits: Some(limits),
        ..NewMerchant::default()
    };
    for (id, new) in [("bookshop", shop), ("cinema", NewMerchant::default())] {
        let id = MerchantId::new(id).expect("an id");
        office.run(desk.open(&id, &new, &by("new"))).expect("opened");
        for worth in [Worth::Minutes(60), Worth::Amount(yuan(550)), Worth::Percent(50), Worth::Free] {
            let order = BatchOrder {
                merchant: id.clone(),
                worth,
                most: Some(yuan(2_000)),
                pays_percent: 80,
                count: 7,
                valid_from: office.today(),
                valid_until: office.in_days(30),
                note: "节日 holiday".into(),
            };
            office.run(desk.issue(&order, &by("new"))).expect("issued");
        }
        for (place, one) in desk.coupons(&id, 2, 0, 9).expect("listed").iter().enumerate() {
            if [0, 1, 5].contains(&place) {
                office.run(desk.void(one.id, "misprinted", &by("void"))).expect("withdrawn");
            }
        }
    }
    let entry = FreeEntry {
        plate: Plate::new("粤B12121").expect("a plate"),
        reason: FreeReason::Mover,
        note: "flat 3-1-101".into(),
        until: desk.end_of(office.in_days(3)),
        since: chrono::DateTime::UNIX_EPOCH,
        by: String::new(),
    };
    office.run(desk.list_free(&entry, &by("movers"))).expect("listed");
}

#[test]
fn what_is_exported_comes_in_again_and_is_exported_the_same() {
    let office = Office::new();
    moves_in(&office, Kind::Estate, sample_sheets());
    moves_in(&office, Kind::Estate, from_elsewhere(&office));
    office
        .run(office.charging().cards.extend(
            &by("ahead"),
            "K1",
            &tollhouse::charging::cards::WantedExtension { months: 2 },
        ))
        .expect("extended");
    merchants(&office);
    for format in [Format::Xlsx, Format::Csv, Format::Json] {
        let other = Office::new();
        for kind in Kind::OF_ESTATE.into_iter().filter(|kind| *kind != Kind::Deposits) {
            let bytes = exported(&office, kind, format);
            let imported =
                other.run(other.charging().exchange.import(&by("import"), kind, &bytes, format, Mode::Write));
            let imported = imported.expect("carried out");
            assert_eq!(imported.faults, [], "{kind} {format:?}");
            let again = exported(&other, kind, Format::Json);
            assert_eq!(
                String::from_utf8(again),
                String::from_utf8(exported(&office, kind, Format::Json)),
                "{kind} {format:?}"
            );
        }
        other.is_in_order();
    }
    let whole = exported(&office, Kind::Estate, Format::Xlsx);
    let other = Office::new();
    let imported =
        other.run(other.charging().exchange.import(&by("import"), Kind::Estate, &whole, Format::Xlsx, Mode::Write));
    assert_eq!(imported.expect("carried out").faults, []);
    assert_eq!(office.balance("receivable"), other.balance("receivable"));
}

#[test]
fn tariffs_and_the_journal_go_round_too() {
    let office = Office::small();
    office.open("C1", "R-1", "粤C12345");
    let tariff = vec![vec!["text".to_owned()], vec![tollhouse::demo::estate::TARIFF.to_owned()]];
    moves_in(&office, Kind::Tariffs, vec![Sheet { name: "tariffs".into(), rows: tariff }]);
    let journal = exported(&office, Kind::Journal, Format::Json);
    let other = Office::new();
    let exchange = &other.charging().exchange;
    let imported = other
        .run(exchange.import(&by("import"), Kind::Journal, &journal, Format::Json, Mode::Write))
        .expect("carried out");
    assert_eq!((imported.faults.len(), imported.there_already), (0, 0));
    assert_eq!(exported(&other, Kind::Journal, Format::Json), journal);
    for kind in [Kind::Tariffs, Kind::Cards, Kind::Bills, Kind::Spaces, Kind::FeeItems] {
        assert_eq!(exported(&other, kind, Format::Json), exported(&office, kind, Format::Json), "{kind}");
    }
    let again = other
        .run(exchange.import(&by("import"), Kind::Journal, &journal, Format::Json, Mode::Write))
        .expect("carried out");
    assert_eq!(again.written, 0);
    let into =
        office.run(office.charging().exchange.import(&by("import"), Kind::Journal, b"[]", Format::Json, Mode::Write));
    assert_eq!(into.expect("carried out").faults.len(), 1, "a box with entries of its own");
    other.is_in_order();
}

#[test]
fn a_record_whose_cells_were_changed_is_not_passed_over_in_silence() {
    let office = Office::small();
    office.open("C1", "R-1", "粤C12345");
    let mut sheets = office.charging().exchange.export_sheets(Kind::Cards).expect("exported");
    let at = sheets[0].rows[0].iter().position(|name| name == "holder").expect("a column");
    sheets[0].rows[1][at] = "H2".into();
    let told = import(&office, Kind::Cards, sheets, Mode::Write);
    assert_eq!((told.faults.len(), told.faults[0].field.as_str(), told.faults[0].row), (1, "holder", Some(2)));
    let bytes =
        write(&office.charging().exchange.export_sheets(Kind::Cards).expect("exported"), Format::Csv).expect("written");
    assert!(bytes.len() > 200);
}
