//! The actor: answers what a lane's car, a car inside or a bill owes.

use std::collections::HashMap;
use std::sync::Arc;

use actix::{Actor, Context, Handler, ResponseFuture};
use rust_decimal::Decimal;
use tollhouse_core::bill::Bill;
use tollhouse_core::id::{IdKey, LaneId};
use tollhouse_core::lane::{Direction, LaneHand, Passage, PassageState};
use tollhouse_core::money::Money;
use tollhouse_core::pay::{Early, look_early};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{ReadError, Records, Refusal};
use tollhouse_core::stay::Stay;
use tollhouse_core::tariff::TariffBook;

use super::messages::{AskBill, AskLane, AskPlate, PayState, PayView};
use crate::actors::payment::messages::PayProblem;
use crate::clock::BoxClock;
use crate::store::{CommitError, Snapshot, Store};

/// So often the bill of a car inside is drawn up again when somebody else was faster.
const MOST_TRIES: usize = 50;

/// What billing works with.
#[derive(Clone)]
pub struct BillingParts {
    /// Where it reads and commits.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// From which ids are derived.
    pub key: IdKey,
    /// What a stay costs.
    pub tariff: Arc<TariffBook>,
    /// The tax rate of parking.
    pub tax_rate: Decimal,
    /// Lanes by the code that their QR codes say.
    pub lane_codes: Arc<HashMap<String, LaneId>>,
    /// The token of the QR codes inside the lot; without one nobody asks by plate.
    pub inside_token: Option<String>,
}

/// Billing's actor.
pub struct BillingActor {
    parts: BillingParts,
}

impl BillingActor {
    /// With these parts.
    pub fn new(parts: BillingParts) -> Self {
        Self { parts }
    }
}

impl Actor for BillingActor {
    type Context = Context<Self>;
}

impl BillingParts {
    fn lane(&self, code: &str) -> Result<PayView, PayProblem> {
        let lane = self.lane_codes.get(code).ok_or(PayProblem::Unknown)?;
        let records = self.store.snapshot();
        let hand = records.get::<LaneHand>(lane.as_str()).map_err(|fault| damaged(&fault))?;
        let Some(passage) = hand.and_then(|kept| kept.record.passage) else { return Err(PayProblem::NoCarWaits) };
        let passage = records
            .get::<Passage>(&passage.to_string())
            .map_err(|fault| damaged(&fault))?
            .ok_or(PayProblem::NoCarWaits)?;
        let passage = passage.record;
        let there = matches!(passage.state, PassageState::Waiting | PassageState::Granted);
        let plate = passage.plate.clone().filter(|_| there && passage.direction == Direction::Exit);
        let plate = plate.ok_or(PayProblem::NoCarWaits)?;
        let stay = match passage.stay {
            Some(id) => records.get::<Stay>(&id.to_string()).map_err(|fault| damaged(&fault))?.map(|kept| kept.record),
            None => None,
        };
        let mut view = match passage.bill {
            Some(id) => {
                let bill = records
                    .get::<Bill>(&id.to_string())
                    .map_err(|fault| damaged(&fault))?
                    .ok_or(PayProblem::Unknown)?;
                view(&bill.record, stay.as_ref())
            }
            None => self.nothing_due(plate),
        };
        if let Some(stay) = stay {
            view.entered_at = Some(stay.entered_at);
        }
        view.exited_at = Some(passage.captured_at);
        Ok(view)
    }

    fn bill(&self, ask: &AskBill) -> Result<PayView, PayProblem> {
        let records = self.store.snapshot();
        let bill =
            records.get::<Bill>(&ask.bill.to_string()).map_err(|fault| damaged(&fault))?.ok_or(PayProblem::Unknown)?;
        let stay = Self::stay_of(&bill.record, &records)?;
        Ok(view(&bill.record, stay.as_ref()))
    }

    fn stay_of(bill: &Bill, records: &Snapshot) -> Result<Option<Stay>, PayProblem> {
        Ok(records.get::<Stay>(&bill.stay.to_string()).map_err(|fault| damaged(&fault))?.map(|kept| kept.record))
    }

    async fn plate(&self, ask: AskPlate) -> Result<PayView, PayProblem> {
        if self.inside_token.as_deref() != Some(ask.token.as_str()) {
            return Err(PayProblem::WrongToken);
        }
        for _ in 0..MOST_TRIES {
            let (now, records) = (self.clock.now(), self.store.snapshot());
            let looked = look_early(&ask.plate, now, self.tariff.as_ref(), self.tax_rate, &self.key, &records);
            let early = looked.map_err(|fault| {
                tracing::error!(%fault, "the price of a stay cannot be told");
                PayProblem::Busy
            })?;
            let (stay, bill, change) = match early {
                Early::NothingDue => return Ok(self.nothing_due(ask.plate)),
                Early::Owes { stay, bill, change } => (stay, bill, change),
            };
            let Some(change) = change else { return Ok(view(&bill, Some(&stay))) };
            match self.store.commit(*change).await {
                Ok(_) => return Ok(view(&bill, Some(&stay))),
                Err(CommitError::Refused(Refusal::Stale { .. } | Refusal::Full(_))) => {}
                Err(fault) => {
                    tracing::error!(%fault, "a bill could not be drawn up");
                    return Err(PayProblem::Busy);
                }
            }
        }
        Err(PayProblem::Busy)
    }

    fn nothing_due(&self, plate: Plate) -> PayView {
        let zero = Money::zero(self.tariff.currency());
        PayView {
            bill: None,
            plate,
            entered_at: None,
            exited_at: None,
            total: zero,
            paid: zero,
            amount: zero,
            lines: vec![],
            state: PayState::NothingDue,
            leave_by: None,
        }
    }
}

fn view(bill: &Bill, stay: Option<&Stay>) -> PayView {
    let due = bill.due();
    let state = match (due.is_positive(), bill.paid.is_positive()) {
        (true, _) => PayState::Due,
        (false, true) => PayState::Paid,
        (false, false) => PayState::NothingDue,
    };
    PayView {
        bill: Some(bill.id),
        plate: bill.plate.clone(),
        entered_at: stay.map(|stay| stay.entered_at),
        exited_at: stay.and_then(|stay| stay.exited_at.or(stay.clock_stopped_at)),
        total: bill.total,
        paid: bill.paid,
        amount: due,
        lines: bill.lines.iter().map(|line| (line.text.clone(), line.amount)).collect(),
        state,
        leave_by: stay.and_then(|stay| stay.leave_by).filter(|_| state == PayState::Paid),
    }
}

fn damaged(fault: &ReadError) -> PayProblem {
    tracing::error!(%fault, "a record cannot be read");
    PayProblem::Busy
}

impl Handler<AskLane> for BillingActor {
    type Result = Result<PayView, PayProblem>;

    fn handle(&mut self, ask: AskLane, _: &mut Self::Context) -> Self::Result {
        self.parts.lane(&ask.lane_code)
    }
}

impl Handler<AskBill> for BillingActor {
    type Result = Result<PayView, PayProblem>;

    fn handle(&mut self, ask: AskBill, _: &mut Self::Context) -> Self::Result {
        self.parts.bill(&ask)
    }
}

impl Handler<AskPlate> for BillingActor {
    type Result = ResponseFuture<Result<PayView, PayProblem>>;

    fn handle(&mut self, ask: AskPlate, _: &mut Self::Context) -> Self::Result {
        let parts = self.parts.clone();
        Box::pin(async move { parts.plate(ask).await })
    }
}
