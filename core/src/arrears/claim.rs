//! Claims: noted from what the gate wrote, looked up by plate.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::bill::{Bill, BillState};
use crate::id::{BillId, IdKey, LaneId, PassageId, StayId};
use crate::lane::{Case, CaseKind, GrantCause, LaneFault, Passage};
use crate::money::Money;
use crate::plate::Plate;
use crate::record::{Change, Kept, ReadError, Record, Records, Table};
use crate::stay::{Basis, Stay, StayState};
use crate::tariff::TariffBook;

/// The most claims on one car that are asked for at once, the oldest first.
const MOST_ASKED: usize = 50;

/// How a car got away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HowItLeft {
    /// A person opened for it.
    ByHand,
    /// It is a holder's, and the lot lets holders owe.
    OnAPass,
    /// Nobody opened for it: free flow, a broken barrier, a car close behind another.
    Unopened,
    /// It came in again without having been seen to leave.
    ExitMissed,
}

impl HowItLeft {
    /// The word in records and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::OnAPass => "on_a_pass",
            Self::Unopened => "unopened",
            Self::ExitMissed => "exit_missed",
        }
    }
}

/// A claim that a person has given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgiven {
    /// How much of it.
    pub amount: Money,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A claim on a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrears {
    /// Which car.
    pub plate: Plate,
    /// The bill of its stay: what is owed stands there.
    pub bill: BillId,
    /// The stay.
    pub stay: StayId,
    /// Whose card, if it came in on one: then the holder owes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// When it came.
    pub entered_at: DateTime<Utc>,
    /// When it left, as far as known.
    #[serde(default)]
    pub left_at: Option<DateTime<Utc>>,
    /// Through which lane.
    #[serde(default)]
    pub lane: Option<LaneId>,
    /// The passage: its picture shows the car.
    pub passage: PassageId,
    /// How it got away.
    pub how: HowItLeft,
    /// When the claim was noted.
    pub noted_at: DateTime<Utc>,
    /// What was given up of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgiven: Vec<Forgiven>,
}

impl Arrears {
    /// The key of a claim.
    pub fn key_of(plate: &Plate, bill: BillId) -> String {
        format!("{plate}/{bill}")
    }
}

impl Record for Arrears {
    const TABLE: Table = Table::Arrears;
    fn key(&self) -> String {
        Self::key_of(&self.plate, self.bill)
    }
}

/// A claim and what is owed of it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The claim.
    pub claim: Arrears,
    /// The bill as it stands.
    pub bill: Bill,
}

/// Notes a claim for a case that the gate wrote, if there is money in it and it is not noted yet. What the books do not
/// know of its bill is posted.
pub fn note(case: &Case, change: &mut Change, records: &impl Records) -> Result<(), LaneFault> {
    let Some(stay) = case.stay.filter(|_| matches!(case.kind, CaseKind::LeftUnpaid | CaseKind::ExitMissed)) else {
        return Ok(());
    };
    let Some(stay) = records.get::<Stay>(&stay.to_string())?.map(|kept| kept.record) else { return Ok(()) };
    let Some(bill) = stay.bill else { return Ok(()) };
    let Some(kept) = records.get::<Bill>(&bill.to_string())? else { return Ok(()) };
    let known = records.get::<Arrears>(&Arrears::key_of(&stay.plate, bill))?;
    if kept.record.due().is_zero() || known.is_some() {
        return Ok(());
    }
    let how = how_it_left(case, records)?;
    change.rely_on(&bill.to_string(), Some(&kept));
    write(change, &stay, kept.record.clone(), Some(kept.record.state), case.passage, how)?;
    Ok(())
}

/// Draws up what a car owes that was not seen to leave, up to when it must have left: a person decides that time.
pub fn missed_exit(
    stay: &Kept<Stay>,
    until: DateTime<Utc>,
    passage: PassageId,
    (tariff, tax_rate, key): (&TariffBook, Decimal, &IdKey),
    change: &mut Change,
    records: &impl Records,
) -> Result<Option<Arrears>, LaneFault> {
    if stay.record.state != StayState::ExitMissed || until <= stay.record.entered_at {
        return Ok(None);
    }
    let before: Option<Kept<Bill>> = match stay.record.bill {
        Some(bill) => records.get(&bill.to_string())?,
        None => None,
    };
    let known = before.as_ref().map(|kept| &kept.record);
    let bill = Bill::assessed(known, &stay.record, until, tariff, tax_rate, key)?;
    if bill.due().is_zero() {
        return Ok(None);
    }
    change.rely_on(&stay.record.id.to_string(), Some(stay));
    change.rely_on(&bill.id.to_string(), before.as_ref());
    let stay = Stay { bill: Some(bill.id), ..stay.record.clone() };
    change.put(&stay);
    let state = known.map(|bill| bill.state);
    write(change, &stay, bill, state, passage, HowItLeft::ExitMissed).map(Some)
}

/// Writes the claim, and fixes its bill.
fn write(
    change: &mut Change,
    stay: &Stay,
    mut bill: Bill,
    state: Option<BillState>,
    passage: PassageId,
    how: HowItLeft,
) -> Result<Arrears, LaneFault> {
    let card = match &stay.basis {
        Basis::Pass { card } => Some(card.clone()),
        Basis::Temporary | Basis::Free => None,
    };
    let claim = Arrears {
        plate: stay.plate.clone(),
        bill: bill.id,
        stay: stay.id,
        card,
        entered_at: stay.entered_at,
        left_at: stay.exited_at,
        lane: stay.exit_lane.clone(),
        passage,
        how,
        noted_at: change.at,
        forgiven: vec![],
    };
    change.rely_on::<Arrears>(&claim.key(), None);
    change.postings.extend(bill.fix(change.at)?);
    bill.write(change, state);
    change.put(&claim);
    Ok(claim)
}

fn how_it_left(case: &Case, records: &impl Records) -> Result<HowItLeft, ReadError> {
    if case.kind == CaseKind::ExitMissed {
        return Ok(HowItLeft::ExitMissed);
    }
    let passage = records.get::<Passage>(&case.passage.to_string())?;
    let granted = passage.and_then(|kept| kept.record.grant).map(|grant| grant.cause);
    Ok(match granted {
        Some(GrantCause::Manual) => HowItLeft::ByHand,
        Some(GrantCause::Pass) => HowItLeft::OnAPass,
        Some(GrantCause::Settled | GrantCause::NothingDue | GrantCause::Policy) | None => HowItLeft::Unopened,
    })
}

/// The claims on a car, the oldest first, settled ones too.
pub fn claims_of(plate: &Plate, records: &impl Records) -> Result<Vec<Arrears>, ReadError> {
    let prefix = format!("{plate}/");
    let page = records.list::<Arrears>(&prefix, MOST_ASKED)?;
    let mut claims: Vec<Arrears> =
        page.into_iter().map(|kept| kept.record).take_while(|claim| claim.plate == *plate).collect();
    claims.sort_by_key(|claim| claim.entered_at);
    Ok(claims)
}

/// What is asked of a car now beside its fee: claims with something due. What a holder owes is the holder's, and is not
/// asked of whoever drives.
pub fn look(plate: &Plate, records: &impl Records) -> Result<Vec<Owed>, ReadError> {
    let mut owed = vec![];
    for claim in claims_of(plate, records)?.into_iter().filter(|claim| claim.card.is_none()) {
        if let Some(bill) = records.get::<Bill>(&claim.bill.to_string())?
            && bill.record.due().is_positive()
        {
            owed.push(Owed { claim, bill: bill.record });
        }
    }
    Ok(owed)
}
