//! Cards, bills, deposits, balances and cars inside: rows that need other records, and post to the books. What comes from
//! elsewhere stands against the account `opening`.

use std::collections::BTreeMap;

use tollhouse_core::books::{Account, Posting};
use tollhouse_core::charging::bills::{Bounds, CardBill, Moved, Source, credit_counter};
use tollhouse_core::charging::cards::{
    Act, Card, CardAct, CardState, Holding, MoveIn, StateChange, Term, TermElsewhere, TermKind,
};
use tollhouse_core::charging::estate::{Space, Tenure};
use tollhouse_core::charging::fees::FeeKind;
use tollhouse_core::charging::holders::Holder;
use tollhouse_core::charging::label::SpaceNumber;
use tollhouse_core::charging::packages::{Package, SoldPlace};
use tollhouse_core::charging::place::Place;
use tollhouse_core::charging::tables::{
    CardRow, DepositRow, InsideRow, Rows, read_balances, read_bills, read_cards, read_deposits, read_inside,
};
use tollhouse_core::id::{LaneId, StayId};
use tollhouse_core::pass::{GatePass, Grants};
use tollhouse_core::record::{By, Change, Record, Records};
use tollhouse_core::stay::{Basis, Inside, Stay, StayState, inside_counter};
use tollhouse_core::words::Words;

use super::run::is_there;
use super::write::{Over, Row, Wrote, once};
use super::{ExchangeDesk, Kind};
use crate::charging::booking::book;
use crate::charging::fault::ChargingFault;
use crate::charging::form::of_rows;
use crate::charging::held::index;
use crate::charging::parts::ChargingParts;
use crate::charging::prices::{fees, kind_of, sold_places};

impl ExchangeDesk {
    pub(super) fn card_rows(&self, by: &By, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let read = read_cards(table).map_err(of_rows)?;
        let row = |row: CardRow| {
            let (parts, by) = (self.parts.clone(), by.clone());
            Row {
                kind: Kind::Cards,
                line: row.row,
                write: Box::new(move |records, change| card(&parts, &by, &row, records, change)),
            }
        };
        Ok(read.into_iter().map(row).collect())
    }

    pub(super) fn bill_rows(&self, by: &By, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let read = read_bills(table, self.parts.currency()).map_err(of_rows)?;
        let mut alike: BTreeMap<String, usize> = BTreeMap::new();
        let mut rows = vec![];
        for row in read {
            let (parts, by, place) = (self.parts.clone(), by.clone(), row.row);
            if let Some(bill) = row.record {
                let write = move |records: &Over<'_>, change: &mut Change| whole_bill(&parts, &bill, records, change);
                rows.push(Row { kind: Kind::Bills, line: place, write: Box::new(write) });
                continue;
            }
            let text = row.text.clone().unwrap_or_else(|| "期初欠费".to_owned());
            let says = [row.card.to_string(), row.due_on.to_string(), row.amount.amount(), text.clone()].join("\u{1f}");
            let before = alike.entry(says.clone()).or_default();
            let nth = *before;
            *before += 1;
            let write = move |records: &Over<'_>, change: &mut Change| {
                once(records, change, Kind::Bills, &[&says, &nth.to_string()], |change| {
                    let card = known_card(records, row.card.as_str())?;
                    let note = parts.note(&by);
                    let on = parts.today();
                    let currency = parts.currency();
                    let moves = MoveIn { on, currency, key: &parts.key, note: &note };
                    let dates = (row.issued_on.unwrap_or(row.due_on), row.due_on);
                    let english = if row.text.is_some() { text.clone() } else { "Opening arrears".to_owned() };
                    let bill = moves.arrears(&card, row.amount, dates, &Words::new(text.clone(), english), nth);
                    book(change, records, vec![Moved::drawn(bill)], &Account::Opening, on)
                })
            };
            rows.push(Row { kind: Kind::Bills, line: place, write: Box::new(write) });
        }
        Ok(rows)
    }

    pub(super) fn deposit_rows(&self, by: &By, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let read = read_deposits(table, self.parts.currency()).map_err(of_rows)?;
        let mut alike: BTreeMap<String, usize> = BTreeMap::new();
        let row = |row: DepositRow| {
            let (parts, by, place) = (self.parts.clone(), by.clone(), row.row);
            let taken_on = row.taken_on.unwrap_or_else(|| parts.today());
            let says = [
                row.card.to_string(),
                row.taken_on.map(|day| day.to_string()).unwrap_or_default(),
                row.amount.amount(),
            ];
            let says = says.join("\u{1f}");
            let before = alike.entry(says.clone()).or_default();
            let nth = *before;
            *before += 1;
            let write = move |records: &Over<'_>, change: &mut Change| {
                once(records, change, Kind::Deposits, &[&says, &nth.to_string()], |change| {
                    let card = known_card(records, row.card.as_str())?;
                    let note = parts.note(&by);
                    let on = parts.today();
                    let moves = MoveIn { on, currency: parts.currency(), key: &parts.key, note: &note };
                    let bill = moves.deposit(&card, row.amount, row.item.as_ref(), taken_on, nth);
                    book(change, records, vec![Moved::drawn(bill)], &Account::Opening, on)
                })
            };
            Row { kind: Kind::Deposits, line: place, write: Box::new(write) }
        };
        Ok(read.into_iter().map(row).collect())
    }

    pub(super) fn balance_rows(&self, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let read = read_balances(table, self.parts.currency()).map_err(of_rows)?;
        let row = |row: tollhouse_core::charging::tables::BalanceRow| {
            let place = row.row;
            let write = move |records: &Over<'_>, change: &mut Change| {
                let says = [row.holder.as_str(), &row.credit.amount()];
                once(records, change, Kind::Balances, &says, |change| {
                    if !is_there::<Holder>(records, row.holder.as_str())? {
                        return Err(ChargingFault::unknown("holder", &row.holder));
                    }
                    change.postings.push(Posting::debit(Account::Opening, row.credit));
                    change.postings.push(Posting::credit(Account::Credit, row.credit));
                    change.count(&credit_counter(&row.holder), row.credit.minor(), None);
                    Ok(())
                })
            };
            Row { kind: Kind::Balances, line: place, write: Box::new(write) }
        };
        Ok(read.into_iter().map(row).collect())
    }

    pub(super) fn inside_rows(&self, table: &Rows) -> Result<Vec<Row>, ChargingFault> {
        let read = read_inside(table, self.parts.lot.zone, self.parts.now()).map_err(of_rows)?;
        let row = |car: InsideRow| {
            let (parts, row) = (self.parts.clone(), car.row);
            let write = move |records: &Over<'_>, change: &mut Change| car_inside(&parts, &car, records, change);
            Row { kind: Kind::Inside, line: row, write: Box::new(write) }
        };
        Ok(read.into_iter().map(row).collect())
    }
}

fn known_card(records: &impl Records, number: &str) -> Result<Card, ChargingFault> {
    Ok(records.get::<Card>(number)?.ok_or_else(|| ChargingFault::unknown("card", number))?.record)
}

/// A card: as an export wrote it, or one that comes from elsewhere.
fn card(
    parts: &ChargingParts,
    by: &By,
    row: &CardRow,
    records: &Over<'_>,
    change: &mut Change,
) -> Result<Wrote, ChargingFault> {
    let there = records.get::<Card>(row.number.as_str())?;
    if let Some(record) = &row.record {
        if let Some(there) = there {
            if there.record == **record {
                return Ok(Wrote::ThereAlready);
            }
            return Err(ChargingFault::exists("card", &row.number));
        }
        holders_are_there(records, record)?;
        index(change, records, None, record)?;
        change.rely_on::<Card>(row.number.as_str(), None);
        change.put(record.as_ref());
        return Ok(Wrote::Written);
    }
    let says = format!("{row:?}");
    let says = says.split_once(", number").map_or(says.as_str(), |(_, rest)| rest).to_owned();
    once(records, change, Kind::Cards, &[&says], |change| {
        if there.is_some() {
            return Err(ChargingFault::exists("card", &row.number));
        }
        let note = parts.note(by);
        let on = parts.today();
        let moves = MoveIn { on, currency: parts.currency(), key: &parts.key, note: &note };
        let mut card = bare(parts, row, records, &note)?;
        holders_are_there(records, &card)?;
        let bills = mid_term(row, records, &mut card, &moves)?;
        index(change, records, None, &card)?;
        change.rely_on::<Card>(row.number.as_str(), None);
        change.put(&card);
        change.put(&CardAct {
            card: card.number.clone(),
            number: 1,
            what: "moved_in".to_owned(),
            note: note.clone(),
            orders: vec![],
            opposite: vec![],
            drew: bills.iter().map(|bill| bill.id).collect(),
            credited: vec![],
            freed: None,
            undoes: None,
            undone_by: None,
        });
        let drawn = bills.into_iter().map(Moved::drawn).collect();
        book(change, records, drawn, &Account::Opening, on)
    })
}

fn holders_are_there(records: &impl Records, card: &Card) -> Result<(), ChargingFault> {
    for holder in [Some(&card.holder), card.payer.as_ref()].into_iter().flatten() {
        if !is_there::<Holder>(records, holder.as_str())? {
            return Err(ChargingFault::unknown("holder", holder));
        }
    }
    Ok(())
}

/// The card with its places and vehicles, before anything of it is paid.
fn bare(
    parts: &ChargingParts,
    row: &CardRow,
    records: &impl Records,
    note: &tollhouse_core::charging::timeline::Note,
) -> Result<Card, ChargingFault> {
    let opened_on = row.opened_on.unwrap_or_else(|| parts.today());
    let card = Card {
        number: row.number.clone(),
        holder: row.holder.clone(),
        payer: row.payer.clone(),
        room: row.room.clone(),
        opened_on,
        states: vec![StateChange { state: row.state, note: note.clone() }],
        holdings: vec![],
        vehicles: vec![],
        terms: vec![],
        ahead_until: row.ahead_until,
        rests: vec![],
        billed: vec![],
    };
    let mut acts = vec![];
    for held in &row.places {
        let from = held.from.unwrap_or(opened_on);
        acts.push(Act::HoldPlace { place: held.what.clone(), from, until: held.until });
    }
    for held in &row.vehicles {
        let (plate, kind) = &held.what;
        let kind = kind_of(records, plate, *kind)?;
        let from = held.from.unwrap_or(opened_on);
        acts.push(Act::AddVehicle { plate: plate.clone(), kind, from, until: held.until });
    }
    // A card that is closed elsewhere takes places all the same: its state is put back after.
    let open = Card { states: vec![StateChange { state: CardState::Active, note: note.clone() }], ..card.clone() };
    let (filled, _) = open.apply(&Act::All(acts), note).map_err(ChargingFault::conflict)?;
    Ok(Card { states: card.states, ..filled })
}

/// What of a card was paid elsewhere: its fees up to a day, and its term.
fn mid_term(
    row: &CardRow,
    records: &Over<'_>,
    card: &mut Card,
    moves: &MoveIn<'_>,
) -> Result<Vec<CardBill>, ChargingFault> {
    let on = moves.on;
    let held: Vec<Place> =
        card.holdings.iter().filter(|held| is_current(held, on)).map(|held| held.place.clone()).collect();
    let sold = sold_places(records, &held, on)?;
    let (owned, rented): (Vec<_>, Vec<_>) = sold.into_iter().partition(|one| one.class.tenure == Tenure::Owned);
    let mut bills = vec![];
    match &row.mid.term {
        Some((span, price, of)) => {
            let places = if rented.is_empty() { &owned } else { &rented };
            let term = term_elsewhere(records, of.as_deref(), places, *span, *price, on)?;
            bills.push(moves.term(card, &term));
        }
        None if !rented.is_empty() && matches!(card.state(), CardState::Active | CardState::Lost) => {
            return Err(ChargingFault::wrong(
                "term_from",
                "出租车位需填写期始、期末、期价",
                "a rented place needs its term: term_from, term_until, term_price",
            ));
        }
        None => {}
    }
    if !owned.is_empty() {
        let list = fees(records)?;
        let estate = |number: &SpaceNumber| -> Option<Space> {
            records.get::<Space>(number.as_str()).ok().flatten().map(|kept| kept.record)
        };
        let until = row.mid.billed_until.unwrap_or(on);
        let paid = moves.fees_until(card, until, &estate, &list, Bounds::default());
        bills.extend(paid.map_err(ChargingFault::conflict)?);
    }
    Ok(bills)
}

fn is_current(held: &Holding, on: chrono::NaiveDate) -> bool {
    held.until.is_none_or(|until| on < until)
}

fn term_elsewhere(
    records: &impl Records,
    of: Option<&str>,
    places: &[SoldPlace],
    span: tollhouse_core::charging::calendar::Span,
    price: rust_decimal::Decimal,
    on: chrono::NaiveDate,
) -> Result<TermElsewhere, ChargingFault> {
    let Some(first) = places.first() else {
        return Err(ChargingFault::wrong("places", "此卡没有车位", "a term is for at least one place"));
    };
    let kind = if first.class.tenure == Tenure::Owned { TermKind::Package } else { TermKind::Letting };
    let names = places.iter().map(|one| one.place.clone()).collect();
    if let Some(id) = of {
        let package = records.get::<Package>(id)?.ok_or_else(|| ChargingFault::unknown("package", id))?.record;
        return Ok(TermElsewhere {
            kind,
            span,
            price,
            source: Source::Package(package.id),
            name: package.name,
            replaces: package.bundles,
            places: names,
        });
    }
    let today = tollhouse_core::charging::calendar::Span { from: on, until: on.succ_opt().unwrap_or(on) };
    let list = fees(records)?;
    let rent =
        list.charged(&first.class, today).into_iter().find(|chosen| matches!(chosen.item.kind, FeeKind::Rent(_)));
    let Some(rent) = rent.filter(|_| kind == TermKind::Letting) else {
        let (zh, en) = ("请填写套餐，或先设租金项目", "name the package, or enter a rent item for its class first");
        return Err(ChargingFault::wrong("term_of", zh, en));
    };
    Ok(TermElsewhere {
        kind,
        span,
        price,
        source: Source::Item(rent.item.id.clone()),
        name: rent.item.name.clone(),
        replaces: vec![],
        places: names,
    })
}

/// A bill as an export wrote it.
fn whole_bill(
    parts: &ChargingParts,
    bill: &CardBill,
    records: &Over<'_>,
    change: &mut Change,
) -> Result<Wrote, ChargingFault> {
    if let Some(there) = records.get::<CardBill>(&bill.key())? {
        if there.record == *bill {
            return Ok(Wrote::ThereAlready);
        }
        return Err(ChargingFault::exists("bill", bill.id));
    }
    known_card(records, bill.heading.card.as_str())?;
    book(change, records, vec![Moved::drawn(bill.clone())], &Account::Opening, parts.today())?;
    Ok(Wrote::Written)
}

/// A car that is inside: its stay begins with what is known of it.
fn car_inside(
    parts: &ChargingParts,
    row: &InsideRow,
    records: &Over<'_>,
    change: &mut Change,
) -> Result<Wrote, ChargingFault> {
    let plate = row.plate.as_str();
    if let Some(there) = records.get::<Inside>(plate)? {
        let stay = records.get::<Stay>(&there.record.stay.to_string())?;
        if stay.is_some_and(|stay| stay.record.entered_at == row.entered_at) {
            return Ok(Wrote::ThereAlready);
        }
        return Err(ChargingFault::conflict(format!("{plate} is inside already, with another time of entry")));
    }
    let pass = records.get::<GatePass>(plate)?.map(|kept| kept.record.grants);
    let basis = match pass {
        Some(Grants::Owned { card, .. } | Grants::Rented { card, .. }) => Basis::Pass { card },
        Some(Grants::Free { .. }) => Basis::Free,
        Some(Grants::Blocked { .. }) | None => on_card(parts, records, row)?,
    };
    let id = StayId::derive(&parts.key, &["moved in", plate, &row.entered_at.to_rfc3339()]);
    if is_there::<Stay>(records, &id.to_string())? {
        return Ok(Wrote::ThereAlready);
    }
    change.personal(plate);
    change.count(&inside_counter(&row.area, &basis), 1, None);
    let stay = Stay {
        id,
        plate: row.plate.clone(),
        colour: row.colour,
        kind: kind_of(records, &row.plate, Some(row.colour.vehicle_kind()))?,
        area: row.area.clone(),
        basis,
        entered_at: row.entered_at,
        entry_lane: LaneId::new("moved-in").expect("a plain name"),
        tariff: None,
        bill: None,
        leave_by: None,
        clock_stopped_at: None,
        state: StayState::Open,
        exited_at: None,
        exit_lane: None,
        moves: vec![],
        cover: None,
        earlier: vec![],
        unplaced: vec![],
        discounts: vec![],
    };
    change.rely_on::<Inside>(plate, None);
    change.put(&stay);
    change.put(&Inside { plate: row.plate.clone(), stay: id });
    Ok(Wrote::Written)
}

/// A car of a card that is in force stands on its card, though the gate has no pass of it yet.
fn on_card(parts: &ChargingParts, records: &impl Records, row: &InsideRow) -> Result<Basis, ChargingFault> {
    let today = parts.today();
    let held = records.get::<tollhouse_core::charging::holders::PlateCards>(row.plate.as_str())?;
    let cards = held.map(|kept| kept.record.cards).unwrap_or_default();
    for held in cards.iter().filter(|held| held.span().is_some_and(|span| span.has(today))) {
        let Some(card) = records.get::<Card>(held.card.as_str())? else { continue };
        let lets = card.record.terms.iter().any(|term| term.kind == TermKind::Letting);
        let runs = card.record.terms.iter().filter_map(Term::live).any(|live| live.has(today));
        if matches!(card.record.state(), CardState::Active | CardState::Lost) && (!lets || runs) {
            return Ok(Basis::Pass { card: held.card.to_string() });
        }
    }
    Ok(Basis::Temporary)
}
