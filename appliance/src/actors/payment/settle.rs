//! Settling orders: the provider is asked, and what it says is booked. Asked twice or at once, it is booked once.
//!
//! Owns the steps 'ask, close, ask again'; what follows from an answer is `core::pay`'s.

use chrono::{DateTime, Utc};
use tollhouse_core::bill::Bill;
use tollhouse_core::charging::bills;
use tollhouse_core::id::{BillId, OrderId};
use tollhouse_core::lane::Tone;
use tollhouse_core::money::Money;
use tollhouse_core::pay::{
    self, Act, Captured, DIFFERING_ANSWERS, Ending, Evidence, Fits, OpenOrder, Order, OrderState, Payment, Tried,
};
use tollhouse_core::record::{Change, Kept, Records, Revision};
use tollhouse_core::words::Words;

use super::desk::{MOST_TRIES, PaymentDesk, again, busy};
use super::messages::PayProblem;
use super::provider::{Provider, ProviderError};
use super::watch::Turn;
use crate::actors::lot::messages::BillMoved;
use crate::live::Happening;

/// So many open orders are looked after at most. At 2,000 payments an hour there are a few hundred.
const AT_ONCE: usize = 10_000;

/// What a step has come to.
enum Step {
    /// Commit this; the payment is what it captures.
    Commit(Box<Change>, Option<Payment>),
    /// The provider was told to close the order: ask again.
    AskAgain,
    /// Nothing more to do for now.
    Done,
}

impl PaymentDesk {
    /// The open orders whose turn it is. Whoever takes one calls [`Self::settle_in_turn`].
    pub fn due_orders(&self) -> Vec<OrderId> {
        let now = self.parts.clock.now();
        match self.parts.store.snapshot().list::<OpenOrder>("", AT_ONCE) {
            Ok(open) => {
                let ids = open.into_iter().map(|kept| kept.record.order);
                ids.filter(|id| self.orders.turn(*id, now) == Turn::Ask).collect()
            }
            Err(fault) => {
                tracing::error!(%fault, "open orders cannot be read");
                vec![]
            }
        }
    }

    /// Asks about an order whose turn it is, and arms its next turn.
    pub async fn settle_in_turn(&self, id: OrderId) {
        let asked_at = self.parts.clock.now();
        if let Err(fault) = self.settle(id).await {
            tracing::warn!(%fault, order = %id, "an open order could not be settled");
        }
        let next = self.order(id).map_or(asked_at, |order| pay::ask_again_at(&order.record, asked_at));
        self.orders.over(id, self.parts.clock.now(), next);
    }

    /// Asks the provider how the order stands, and books what it says.
    pub async fn settle(&self, id: OrderId) -> Result<(), PayProblem> {
        let mut tried = Tried::Nothing;
        for _ in 0..MOST_TRIES {
            let order = self.order(id)?;
            if matches!(order.record.state, OrderState::Paid | OrderState::Refunded) {
                return Ok(());
            }
            let account = self.account(&order.record)?;
            let asked_at = self.parts.clock.now();
            let heard = match account.query(&order.record).await {
                Ok(heard) => heard,
                Err(fault) => {
                    // Not known: nothing is concluded from it, and the next round asks again.
                    self.unknown(&order.record, &fault);
                    return Ok(());
                }
            };
            let act = pay::act(&order.record, heard, tried, asked_at);
            match self.carry_out(&order, act, account.as_ref()).await? {
                Step::Done => return Ok(()),
                Step::AskAgain => tried = Tried::Close,
                Step::Commit(change, payment) => match self.parts.store.commit(*change).await {
                    Ok(position) => {
                        self.settled(&order.record, payment, position);
                        return Ok(());
                    }
                    Err(fault) => again(&fault)?,
                },
            }
        }
        Err(PayProblem::Busy)
    }

    async fn carry_out(&self, order: &Kept<Order>, act: Act, account: &dyn Provider) -> Result<Step, PayProblem> {
        let now = self.parts.clock.now();
        let or_done = |change: Option<Change>| change.map_or(Step::Done, |change| Step::Commit(Box::new(change), None));
        Ok(match act {
            Act::Wait => Step::Done,
            Act::End => or_done(pay::end(order, now)),
            Act::Leave => or_done(pay::leave(order, now)),
            Act::Close => told(&order.record, account.close(&order.record).await),
            Act::Reverse => told(&order.record, account.reverse(&order.record).await),
            Act::Capture(evidence) => self.capture(order, &evidence)?,
        })
    }

    fn capture(&self, order: &Kept<Order>, evidence: &Evidence) -> Result<Step, PayProblem> {
        let parts = &self.parts;
        let id = order.record.id;
        if pay::fits(&order.record, evidence) == Fits::Yes {
            self.orders.fitted(id);
        } else if self.orders.differed(id, parts.clock.now()) < DIFFERING_ANSWERS {
            // Said once it may be a mistake of the line; money is moved to suspense when it is said again and again.
            self.alarm(
                account_name(self, order),
                "differs",
                id,
                evidence.amount,
                Words::new(
                    "支付平台返回的金额或应用与订单不符，正在核实",
                    "The provider names another amount or application than the order's: asking again",
                ),
            );
            return Ok(Step::Done);
        }
        let (now, records) = (parts.clock.now(), parts.store.snapshot());
        let today = now.with_timezone(&parts.zone).date_naive();
        match pay::capture(order, evidence, &parts.tariff, now, today, &parts.key, &records) {
            Ok(Captured::Before) => Ok(Step::Done),
            Ok(Captured::Now(change, payment)) => Ok(Step::Commit(change, Some(payment))),
            Err(fault) => Err(busy(&fault)),
        }
    }

    fn unknown(&self, order: &Order, fault: &ProviderError) {
        if *fault == ProviderError::ForeignMerchant {
            let name = self.parts.accounts.of(&order.provider, &order.merchant).map_or("unknown", |at| at.name());
            let words = Words::new("支付平台返回其他商户的订单", "The provider answers about another merchant's order");
            self.alarm(name, "foreign", order.id, order.amount, words);
        }
        tracing::warn!(%fault, order = %order.id, "the provider does not say how the order stands");
    }

    fn settled(&self, order: &Order, payment: Option<Payment>, position: Revision) {
        let name = self.parts.accounts.of(&order.provider, &order.merchant).map_or("unknown", |at| at.name());
        match payment {
            Some(payment) => self.captured(name, &payment, position),
            None => self.parts.metrics.payment(name, "ended"),
        }
    }

    pub(super) fn captured(&self, name: &'static str, payment: &Payment, position: Revision) {
        let parts = &self.parts;
        let (outcome, words, tone) = if payment.suspense.is_positive() {
            let words = Words::new("收到无法匹配的款项", "Money came that fits no order: it is in suspense");
            ("suspense", words, Tone::Alarm)
        } else if payment.to_bill.is_zero() {
            ("excess", Words::new("重复支付，将自动退款", "Paid again: it goes back by itself"), Tone::Money)
        } else {
            ("captured", Words::new("收到停车费", "Parking fee received"), Tone::Money)
        };
        parts.metrics.payment(name, outcome);
        tracing::info!(code = outcome, order = %payment.order, amount = %payment.amount, "{}", words.en);
        self.tell(position, outcome, tone, words, payment.amount);
        // Lost, it costs time: a waiting lane looks at its bill by itself as well.
        parts.bill_moved.do_send(BillMoved);
    }

    /// Something that a person has to see.
    pub(super) fn alarm(&self, name: &'static str, code: &'static str, order: OrderId, amount: Money, words: Words) {
        self.parts.metrics.payment(name, code);
        tracing::error!(code, %order, provider = name, "{}", words.en);
        self.tell(0, code, Tone::Alarm, words, amount);
    }

    pub(super) fn tell(&self, position: Revision, code: &str, tone: Tone, words: Words, amount: Money) {
        self.parts.live.happened(Happening {
            id: position,
            at: self.parts.clock.now(),
            lane: None,
            plate: None,
            code: code.to_owned(),
            tone,
            words,
            money: Some(amount),
        });
    }

    /// The phone pays in another way: its order is asked about, closed, and asked about again first.
    pub(super) async fn switch_from(&self, id: OrderId) -> Result<(), PayProblem> {
        self.end_order(id, Ending::Switched).await?;
        match self.order(id)?.record.state {
            OrderState::Paid => Err(PayProblem::NothingDue),
            _ => Ok(()),
        }
    }

    /// No order of this bill is to be paid from now on. What is paid all the same goes back by itself.
    pub async fn release(&self, bill: BillId, why: Ending) -> Result<(), PayProblem> {
        for order in self.live_orders_of(bill)? {
            self.end_order(order, why).await?;
        }
        let (records, now) = (self.parts.store.snapshot(), self.parts.clock.now());
        let kept = records.get::<Bill>(&bill.to_string()).map_err(|fault| busy(&fault))?;
        let due = if let Some(kept) = kept {
            Some(kept.record.due())
        } else {
            let today = now.with_timezone(&self.parts.zone).date_naive();
            let bills = bills::payable_bills(bill, &records).map_err(|fault| busy(&fault))?;
            bills.and_then(|bills| bills::due_on(&bills, today))
        };
        if due.is_some_and(Money::is_positive) { Ok(()) } else { Err(PayProblem::NothingDue) }
    }

    /// The orders of a bill that may still be paid.
    fn live_orders_of(&self, bill: BillId) -> Result<Vec<OrderId>, PayProblem> {
        let records = self.parts.store.snapshot();
        let open = records.list::<OpenOrder>("", AT_ONCE).map_err(|fault| busy(&fault))?;
        let mut orders = vec![];
        for open in open {
            let order = self.order(open.record.order)?.record;
            if order.pays.bill() == Some(bill) {
                orders.push(order.id);
            }
        }
        Ok(orders)
    }

    /// Query, close, query; and where the provider cannot be asked, the order counts as closed and is looked after.
    pub(super) async fn end_order(&self, id: OrderId, why: Ending) -> Result<(), PayProblem> {
        self.commit_about(id, |order, now| pay::end_early(order, why, now)).await?;
        self.settle(id).await?;
        self.commit_about(id, pay::leave).await
    }

    async fn commit_about(
        &self,
        id: OrderId,
        decide: impl Fn(&Kept<Order>, DateTime<Utc>) -> Option<Change>,
    ) -> Result<(), PayProblem> {
        for _ in 0..MOST_TRIES {
            let Some(change) = decide(&self.order(id)?, self.parts.clock.now()) else { return Ok(()) };
            match self.parts.store.commit(change).await {
                Ok(_) => return Ok(()),
                Err(fault) => again(&fault)?,
            }
        }
        Err(PayProblem::Busy)
    }
}

fn account_name(desk: &PaymentDesk, order: &Kept<Order>) -> &'static str {
    let Order { provider, merchant, .. } = &order.record;
    desk.parts.accounts.of(provider, merchant).map_or("unknown", |at| at.name())
}

/// The provider was told to end an order. That it refuses says something about the order, which the next question tells;
/// silence says nothing.
fn told(order: &Order, answer: Result<(), ProviderError>) -> Step {
    match answer {
        Ok(()) | Err(ProviderError::Refused(_)) => Step::AskAgain,
        Err(fault) => {
            tracing::warn!(%fault, order = %order.id, "the provider does not say whether the order is closed");
            Step::Done
        }
    }
}
