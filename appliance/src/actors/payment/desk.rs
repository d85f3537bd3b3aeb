//! The service behind payment's actor: makes orders, settles them by asking the provider, gives back what is too much.
//!
//! Every step is decided in `core` against a snapshot and committed; refused as stale it is decided again.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::Recipient;
use chrono::TimeDelta;
use rust_decimal::Decimal;
use tollhouse_core::id::{IdKey, OrderId, RefundId};
use tollhouse_core::lane::Tone;
use tollhouse_core::pay::{
    self, Captured, FreshOrder, Made, OpenOrder, OpenRefund, Order, OrderRefusal, OrderState, Payment, Refund, Wanted,
};
use tollhouse_core::record::{Kept, Records, Refusal, Revision};
use tollhouse_core::tariff::TariffBook;
use tollhouse_core::words::Words;

use super::messages::{MakeOrder, OrderView, PayProblem};
use super::provider::{AtProvider, Provider, RefundAt};
use super::sandbox::{SandboxBank, WalletError};
use crate::actors::lot::messages::BillMoved;
use crate::clock::BoxClock;
use crate::live::{Happening, Live};
use crate::metrics::Metrics;
use crate::store::{CommitError, Store};

/// So many open orders and refunds are looked after in one round.
const AT_ONCE: usize = 200;
/// So often a step is decided again when somebody else was faster.
const MOST_TRIES: usize = 50;

/// What payment works with.
pub struct PaymentParts {
    /// Where it reads and commits.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// From which ids are derived.
    pub key: IdKey,
    /// What a stay costs, for cars that pay while they are inside.
    pub tariff: Arc<TariffBook>,
    /// The tax rate of parking.
    pub tax_rate: Decimal,
    /// The lot's zone, for its days.
    pub zone: chrono_tz::Tz,
    /// How long an order can be paid.
    pub order_life: TimeDelta,
    /// Ways to pay, by name.
    pub providers: BTreeMap<&'static str, Arc<dyn Provider>>,
    /// The sandbox's bank, when there is one: its wallet pays through the box.
    pub bank: Option<Arc<SandboxBank>>,
    /// Whom it tells.
    pub live: Arc<Live>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Who wants to know that a bill was settled.
    pub bill_moved: Recipient<BillMoved>,
}

/// The service.
pub struct PaymentDesk {
    parts: PaymentParts,
}

impl PaymentDesk {
    /// With these parts.
    pub fn new(parts: PaymentParts) -> Self {
        Self { parts }
    }

    fn provider(&self, name: &str) -> Result<&Arc<dyn Provider>, PayProblem> {
        self.parts.providers.get(name).ok_or_else(|| PayProblem::UnknownProvider(name.chars().take(40).collect()))
    }

    /// Makes an order: on record first, then at the provider.
    pub async fn make_order(&self, ask: MakeOrder) -> Result<OrderView, PayProblem> {
        let provider = self.provider(&ask.provider)?;
        let wanted = Wanted {
            bill: ask.bill,
            provider: ask.provider.clone(),
            merchant: provider.merchant().to_owned(),
            idempotency_key: ask.idempotency_key,
            life: self.parts.order_life,
        };
        let order = self.order_on_record(&wanted).await?;
        let action = provider.create(&order).await.map_err(|fault| {
            tracing::warn!(%fault, order = %order.id, "the provider did not take the order");
            PayProblem::Busy
        })?;
        Ok(OrderView { order: order.id, expires_at: order.expires_at, amount: order.amount, action })
    }

    async fn order_on_record(&self, wanted: &Wanted) -> Result<Order, PayProblem> {
        let parts = &self.parts;
        for _ in 0..MOST_TRIES {
            let (now, records) = (parts.clock.now(), parts.store.snapshot());
            let tariff = parts.tariff.as_ref();
            let made = pay::make_order(wanted, fresh_order()?, now, tariff, parts.tax_rate, &parts.key, &records);
            match made.map_err(refused)? {
                Made::Before(order) => return Ok(order),
                Made::Now(order, change) => match parts.store.commit(*change).await {
                    Ok(_) => return Ok(order),
                    Err(fault) => again(&fault)?,
                },
            }
        }
        Err(PayProblem::Busy)
    }

    /// How an order stands: as the books have it, after asking the provider if it may have been paid.
    pub async fn order_state(&self, id: OrderId) -> Result<OrderState, PayProblem> {
        let order = self.order(id)?;
        if order.record.state == OrderState::Pending {
            self.settle(id).await?;
        }
        Ok(self.order(id)?.record.state)
    }

    fn order(&self, id: OrderId) -> Result<Kept<Order>, PayProblem> {
        let order = self.parts.store.snapshot().get::<Order>(&id.to_string());
        order.map_err(|fault| busy(&fault))?.ok_or(PayProblem::Unknown)
    }

    /// What a driver's wallet does at the sandbox; the provider's callback then makes payment ask.
    pub async fn sandbox_pay(&self, id: OrderId) -> Result<(), PayProblem> {
        let bank = self.parts.bank.as_ref().ok_or(PayProblem::Unknown)?;
        let order = self.order(id)?.record;
        if order.provider != super::sandbox::SANDBOX {
            return Err(PayProblem::Unknown);
        }
        match bank.pay(&order.number, self.parts.clock.now()) {
            Ok(()) => {}
            Err(WalletError::Unknown) => return Err(PayProblem::Unknown),
            Err(WalletError::Paid) => return Err(PayProblem::NotPayable("paid already")),
            Err(WalletError::Expired) => return Err(PayProblem::NotPayable("expired")),
            Err(WalletError::Book(fault)) => return Err(busy(&fault)),
        }
        self.settle(id).await
    }

    /// Asks the provider how the order stands, and books what it says. Asked twice or at once, it is booked once.
    pub async fn settle(&self, id: OrderId) -> Result<(), PayProblem> {
        let parts = &self.parts;
        for _ in 0..MOST_TRIES {
            let order = self.order(id)?;
            let provider = self.provider(&order.record.provider)?;
            // An answer says how it was when it was asked for: 'not paid' from before the expiry ends nothing after it.
            let over = parts.clock.now() > order.record.expires_at;
            let at_provider = match provider.query(&order.record).await {
                Ok(answer) => answer,
                Err(fault) => {
                    // Not known: nothing is concluded from it, and the next round asks again.
                    tracing::warn!(%fault, order = %id, "the provider does not say how the order stands");
                    return Ok(());
                }
            };
            let (now, records) = (parts.clock.now(), parts.store.snapshot());
            let (change, payment) = match at_provider {
                AtProvider::Paid(evidence) => {
                    let today = now.with_timezone(&parts.zone).date_naive();
                    match pay::capture(&order, &evidence, &parts.tariff, now, today, &parts.key, &records) {
                        Ok(Captured::Before) => return Ok(()),
                        Ok(Captured::Now(change, payment)) => (*change, Some(payment)),
                        Err(fault) => return Err(busy(&fault)),
                    }
                }
                AtProvider::Ended | AtProvider::NotPaid if over || at_provider == AtProvider::Ended => {
                    match pay::expire(&order, now) {
                        Some(change) => (change, None),
                        None => return Ok(()),
                    }
                }
                AtProvider::Ended | AtProvider::NotPaid => return Ok(()),
            };
            match parts.store.commit(change).await {
                Ok(position) => {
                    if let Some(payment) = payment {
                        self.captured(&payment, position).await;
                    }
                    return Ok(());
                }
                Err(fault) => again(&fault)?,
            }
        }
        Err(PayProblem::Busy)
    }

    async fn captured(&self, payment: &Payment, position: Revision) {
        let parts = &self.parts;
        let name = parts.providers.get(payment.provider.as_str()).map_or("unknown", |provider| provider.name());
        let (outcome, words, tone) = if payment.suspense.is_positive() {
            let words = Words::new("收到无法匹配的款项", "Money came that fits no order: it is in suspense");
            ("suspense", words, Tone::Alarm)
        } else if payment.to_bill.is_zero() {
            ("excess", Words::new("重复支付，将自动退款", "Paid again: it goes back by itself"), Tone::Money)
        } else {
            ("captured", Words::new("收到停车费", "Parking fee received"), Tone::Money)
        };
        parts.metrics.payment(name, outcome);
        self.tell(position, outcome, tone, words, payment);
        // Lost, it costs time: a waiting lane looks at its bill by itself as well.
        parts.bill_moved.do_send(BillMoved);
        if payment.excess.is_positive() {
            self.refunds().await;
        }
    }

    fn tell(&self, position: Revision, code: &str, tone: Tone, words: Words, payment: &Payment) {
        tracing::info!(code, order = %payment.order, amount = %payment.amount, "{}", words.en);
        self.parts.live.happened(Happening {
            id: position,
            at: self.parts.clock.now(),
            lane: None,
            plate: None,
            code: code.to_owned(),
            tone,
            words,
            money: Some(payment.amount),
        });
    }

    /// One round: asks after every order that may have been paid, and about every refund that is not done.
    pub async fn round(&self) {
        let open = self.parts.store.snapshot().list::<OpenOrder>("", AT_ONCE);
        match open {
            Ok(open) => {
                for order in open {
                    if let Err(fault) = self.settle(order.record.order).await {
                        tracing::warn!(%fault, order = %order.record.order, "an open order could not be settled");
                    }
                }
            }
            Err(fault) => tracing::error!(%fault, "open orders cannot be read"),
        }
        self.refunds().await;
    }

    async fn refunds(&self) {
        match self.parts.store.snapshot().list::<OpenRefund>("", AT_ONCE) {
            Ok(open) => {
                for refund in open {
                    if let Err(fault) = self.refund(refund.record.refund).await {
                        tracing::warn!(%fault, refund = %refund.record.refund, "a refund could not be made");
                    }
                }
            }
            Err(fault) => tracing::error!(%fault, "open refunds cannot be read"),
        }
    }

    async fn refund(&self, id: RefundId) -> Result<(), PayProblem> {
        let parts = &self.parts;
        for _ in 0..MOST_TRIES {
            let records = parts.store.snapshot();
            let refund: Kept<Refund> =
                records.get(&id.to_string()).map_err(|fault| busy(&fault))?.ok_or(PayProblem::Unknown)?;
            let order = self.order(refund.record.order)?.record;
            let answer = self.provider(&order.provider)?.refund(&order, &refund.record).await;
            let now = parts.clock.now();
            let (change, done) = match answer {
                Ok(RefundAt::Done) => {
                    let change = pay::refund_done(&refund, now, &records).map_err(|fault| busy(&fault))?;
                    (change, Some(&refund.record))
                }
                Ok(RefundAt::Pending) => (None, None),
                Err(fault) => {
                    tracing::warn!(%fault, refund = %id, "the provider did not make the refund; it is asked again");
                    (pay::refund_failed(&refund, now), None)
                }
            };
            let Some(change) = change else { return Ok(()) };
            match parts.store.commit(change).await {
                Ok(position) => {
                    if let Some(refund) = done {
                        self.refunded(&order, refund, position);
                    }
                    return Ok(());
                }
                Err(fault) => again(&fault)?,
            }
        }
        Err(PayProblem::Busy)
    }

    fn refunded(&self, order: &Order, refund: &Refund, position: Revision) {
        let words = Words::new("已原路退款", "Refunded");
        let name = self.parts.providers.get(order.provider.as_str()).map_or("unknown", |provider| provider.name());
        self.parts.metrics.payment(name, "refunded");
        self.parts.live.happened(Happening {
            id: position,
            at: self.parts.clock.now(),
            lane: None,
            plate: None,
            code: "refunded".to_owned(),
            tone: Tone::Money,
            words,
            money: Some(refund.amount.negated()),
        });
    }
}

/// Public id and number of a new order: two numbers that say nothing of each other.
fn fresh_order() -> Result<FreshOrder, PayProblem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|fault| busy(&fault))?;
    let (mut id, mut number) = ([0; 16], [0; 16]);
    id.copy_from_slice(&bytes[..16]);
    number.copy_from_slice(&bytes[16..]);
    Ok(FreshOrder { id: OrderId::from_bytes(id), number: format!("TH{}", OrderId::from_bytes(number)) })
}

fn refused(refusal: OrderRefusal) -> PayProblem {
    match refusal {
        OrderRefusal::UnknownBill => PayProblem::Unknown,
        OrderRefusal::NothingDue => PayProblem::NothingDue,
        OrderRefusal::TooMany => PayProblem::TooManyOrders,
        OrderRefusal::KeyReused => PayProblem::KeyReused,
        fault @ (OrderRefusal::Read(_) | OrderRefusal::Money(_) | OrderRefusal::Price(_)) => busy(&fault),
    }
}

fn busy(fault: &dyn std::fmt::Display) -> PayProblem {
    tracing::error!(%fault, "payment cannot go on");
    PayProblem::Busy
}

/// Somebody else was faster: decide again. Anything else ends it.
fn again(fault: &CommitError) -> Result<(), PayProblem> {
    match fault {
        CommitError::Refused(Refusal::Stale { .. } | Refusal::Full(_)) => Ok(()),
        fault => Err(busy(fault)),
    }
}
