//! Taking cash for the bill of a stay or for bills of a card: what is due is rounded to coins, change is given, the bill is settled, and the car
//! that waits for it goes as after any payment.

use super::{CashFor, CashReceipt, CashRefusal, CashTerms, Shift, Way, check_amount};
use crate::bill::Bill;
use crate::books::{Account, Posting};
use crate::charging::bills::{CardBill, PaidBills, PayFault, Receipt, due_on, pay, payable_bills};
use crate::id::BillId;
use crate::lane::LaneFault;
use crate::money::{Money, MoneyError};
use crate::pay::{OrderRefusal, as_of_now, leave_by, taken_counter};
use crate::record::{Cause, Change, ChangeKind, Kept, Records};

/// Whether what is given may be less than what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// All that is due, or nothing.
    All,
    /// A part is welcome.
    Part,
}

/// What a payer puts on the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tendered {
    /// For which bill.
    pub bill: BillId,
    /// How much was given.
    pub amount: Money,
    /// Whether it may be a part.
    pub taking: Taking,
}

impl From<LaneFault> for CashRefusal {
    fn from(fault: LaneFault) -> Self {
        match fault {
            LaneFault::Read(fault) => Self::Read(fault),
            LaneFault::Money(fault) => Self::Money(fault),
            LaneFault::Price(fault) => Self::Bill(OrderRefusal::Price(fault)),
            fault @ (LaneFault::Refused(_) | LaneFault::CommitOpen) => Self::Unfit(fault.to_string()),
        }
    }
}

/// The bill of a stay as of now, fixed, ready to take money. Its postings so far are in the change.
pub(super) fn ready(
    change: &mut Change,
    bill: BillId,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(Kept<Bill>, Bill), CashRefusal> {
    let key = bill.to_string();
    let kept: Kept<Bill> = records.get(&key)?.ok_or(OrderRefusal::UnknownBill)?;
    change.rely_on(&key, Some(&kept));
    let now = as_of_now(&kept.record, change, terms.now, terms.tariff, terms.tax_rate, terms.key, records)?;
    if now.due().is_zero() {
        return Err(OrderRefusal::NothingDue.into());
    }
    Ok((kept, now))
}

/// Settles `amount` of the bill: fixed, accepted, written; a car inside may leave within the grace. Who pays is the
/// caller's to post against the receivable.
pub(super) fn settle(
    change: &mut Change,
    before: &Kept<Bill>,
    mut bill: Bill,
    amount: Money,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(), CashRefusal> {
    change.postings.extend(bill.fix(change.at)?);
    let accepted = bill.accept(amount)?;
    change.postings.push(Posting::credit(Account::Receivable, accepted));
    bill.write(change, Some(before.record.state));
    if bill.due().is_zero() {
        leave_by(change, &bill, terms.now, terms.tariff, records)?;
    }
    change.count(&taken_counter(terms.today), accepted.minor(), None);
    Ok(())
}

/// How what is given divides: what the bill takes, what the drawer keeps, the change.
struct Divided {
    to_bill: Money,
    kept: Money,
    change: Money,
}

fn divide(due: Money, tendered: &Tendered, terms: &CashTerms<'_>) -> Result<Divided, CashRefusal> {
    let rounded = terms.coin.round(due);
    let given = tendered.amount;
    if given.minus(rounded)?.minor() >= 0 {
        return Ok(Divided { to_bill: due, kept: rounded, change: given.minus(rounded)? });
    }
    if tendered.taking == Taking::All || !given.is_positive() {
        return Err(CashRefusal::NotEnough { due: rounded, tendered: given });
    }
    Ok(Divided { to_bill: given, kept: given, change: Money::zero(given.currency()) })
}

impl From<PayFault> for CashRefusal {
    fn from(fault: PayFault) -> Self {
        match fault {
            PayFault::NoBills | PayFault::Amount => Self::Bill(OrderRefusal::NothingDue),
            PayFault::Currency => Self::Unfit(fault.to_string()),
            PayFault::Read(fault) => Self::Read(fault),
        }
    }
}

/// Settles card bills from one account: `amount` of what is due on them.
pub(super) fn settle_card(
    change: &mut Change,
    bills: Vec<Kept<CardBill>>,
    amount: Money,
    from: &Account,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<PaidBills, CashRefusal> {
    // No more than what is due is handed in, so that nothing is left over.
    let receipt = Receipt { amount, on: terms.today, from: from.clone(), excess: Account::RefundDue };
    Ok(pay(change, bills, &receipt, records)?)
}

/// What is due on card bills now; nothing is a refusal.
pub(super) fn due_on_card(bills: &[Kept<CardBill>], terms: &CashTerms<'_>) -> Result<Money, CashRefusal> {
    let due = due_on(bills, terms.today).filter(|due| due.is_positive());
    due.ok_or(CashRefusal::Bill(OrderRefusal::NothingDue))
}

/// Takes cash for bills of a card, the one that fell due first first.
fn take_card(
    mut shift: Shift,
    mut change: Change,
    bills: Vec<Kept<CardBill>>,
    tendered: &Tendered,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(Change, CashReceipt), CashRefusal> {
    let due = due_on_card(&bills, terms)?;
    let divided = divide(due, tendered, terms)?;
    let rounding = divided.to_bill.minus(divided.kept)?;
    let drawer = shift.account();
    let card = bills[0].record.heading.card.clone();
    let paid = settle_card(&mut change, bills, divided.to_bill, &drawer, terms, records)?;
    if !rounding.is_zero() {
        change.postings.extend([Posting::debit(Account::Rounding, rounding), Posting::credit(drawer, rounding)]);
    }
    change.count(&taken_counter(terms.today), paid.accepted.minor(), None);
    let subject = CashFor::CardBills { card, bills: paid.to };
    let receipt = shift.receipt(terms.now, Way::In, divided.kept, subject);
    let receipt = CashReceipt { tendered: tendered.amount, change: divided.change, rounding, ..receipt };
    let receipt = shift.book(&mut change, receipt)?;
    Ok((change, receipt))
}

/// Takes cash for a stay's bill or for bills of a card, into the drawer of the attendant's open shift. Orders of the bill that a provider still
/// takes money for are to be closed before; money that comes late all the same goes back by itself.
pub fn take(
    attendant: &str,
    tendered: &Tendered,
    terms: &CashTerms<'_>,
    records: &impl Records,
) -> Result<(Change, CashReceipt), CashRefusal> {
    let kept = Shift::of(attendant, records)?;
    check_amount(tendered.amount, kept.record.float.currency(), 0)?;
    let cause = Cause::Person { name: attendant.to_owned(), reason: "cash".to_owned() };
    let mut change = Change::new(ChangeKind::CashTaken, terms.now, cause);
    change.rely_on(&kept.record.id.to_string(), Some(&kept));
    let mut shift = kept.record;
    if let Some(bills) = payable_bills(tendered.bill, records)? {
        return take_card(shift, change, bills, tendered, terms, records);
    }
    let (before, bill) = ready(&mut change, tendered.bill, terms, records)?;
    let divided = divide(bill.due(), tendered, terms)?;
    let rounding: Result<Money, MoneyError> = divided.to_bill.minus(divided.kept);
    let rounding = rounding?;
    settle(&mut change, &before, bill, divided.to_bill, terms, records)?;
    let sides = [Posting::debit(shift.account(), divided.kept), Posting::debit(Account::Rounding, rounding)];
    change.postings.extend(sides.into_iter().filter(|posting| !posting.amount.is_zero()));
    let receipt = shift.receipt(terms.now, Way::In, divided.kept, CashFor::StayBill { bill: tendered.bill });
    let receipt = CashReceipt { tendered: tendered.amount, change: divided.change, rounding, ..receipt };
    let receipt = shift.book(&mut change, receipt)?;
    Ok((change, receipt))
}
