//! A holder's statement: it adds up, whatever was done to the card.

use chrono::Days;
use tollhouse::books::{BooksFault, HolderStatement};
use tollhouse::charging::cards::WantedClosing;
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::money::Currency;

use crate::office::{Office, by};

fn statement(office: &Office, holder: &str, from: u64, until: u64) -> HolderStatement {
    let began = office.today() - Days::new(1);
    let days = (began + Days::new(from), began + Days::new(until));
    let holder = HolderId::new(holder).expect("an id");
    let found = office.desks.books.holder_statement((&holder, Currency::Cny), days, 100).expect("read");
    let mut balance = found.opening.minor();
    for line in &found.lines {
        balance += line.charged.minor() - line.paid.minor() - line.lost.minor() - line.credit.minor();
        assert_eq!(line.balance.minor(), balance, "{line:?}");
    }
    assert_eq!(found.closing.minor(), balance);
    found
}

#[test]
fn a_holders_statement_adds_up_through_bills_payments_and_a_closing() {
    let office = Office::small();
    office.open("C1", "R-1", "粤C12345");
    let drawn = statement(&office, "H1", 1, 1);
    assert_eq!((drawn.opening.minor(), drawn.charged.minor(), drawn.closing.minor()), (0, 80_000, 80_000));
    office.pay("C1", 80_000);
    let paid = statement(&office, "H1", 1, 1);
    assert_eq!((paid.paid.minor(), paid.closing.minor(), paid.lines.len()), (80_000, 0, 2));
    office.run(office.charging().cards.close(&by("left"), "C1", &WantedClosing::default())).expect("closed");
    let closed = statement(&office, "H1", 1, 1);
    // The rent comes back; the deposit was paid, and is given back without being charged less.
    assert_eq!((closed.charged.minor(), closed.paid.minor(), closed.closing.minor()), (50_000, 50_000, 0));
    let before = statement(&office, "H1", 0, 0);
    assert!(before.lines.is_empty() && before.closing.is_zero());
    let after = statement(&office, "H1", 2, 2);
    assert_eq!((after.opening, after.lines.len()), (closed.closing, 0));
    assert!(statement(&office, "H2", 0, 2).lines.is_empty(), "another holder's is another one");
    let nobody = HolderId::new("H9").expect("an id");
    let days = (office.today(), office.today());
    let found = office.desks.books.holder_statement((&nobody, Currency::Cny), days, 100);
    assert!(
        matches!(found, Err(BooksFault::NoHolder(_))),
        "a name that is misspelt is told, not a statement of nothing"
    );
}
