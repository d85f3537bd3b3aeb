//! Callbacks: each is answered at once and makes payment ask, at most once in two seconds for an order. None of them is the
//! truth, and none posts money.

use tollhouse_core::id::OrderId;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::pay::{
    self, Evidence, Heard, NumberedOrder, OpenRefund, Order, OrderState, Payable, Refund, Terms, Way,
};
use tollhouse_core::record::Records;
use tollhouse_core::words::Words;

use super::desk::{MOST_TRIES, PaymentDesk, again, busy};
use super::messages::{PayProblem, ProviderCalls};
use super::provider::{About, Notified, NotifyAnswer, Provider};
use super::watch::Turn;

/// What is to be done after a callback was answered.
#[derive(Debug, PartialEq, Eq)]
pub enum AfterCall {
    /// Nothing.
    Nothing,
    /// Ask about this order.
    Ask(OrderId),
    /// Ask about a number that the records do not have, at this account.
    AskNumber {
        /// The account there.
        merchant: String,
        /// The number.
        number: String,
    },
}

/// How much a verdict says: the account that believes a callback is the one that it is for.
fn weight(notified: &Notified) -> u8 {
    match notified.answer.outcome {
        "taken" => 3,
        "foreign" => 2,
        "probe" => 1,
        _ => 0,
    }
}

impl PaymentDesk {
    /// Takes a callback: how it is answered, and what is to be done then.
    pub fn heard(&self, call: &ProviderCalls) -> (NotifyAnswer, AfterCall) {
        let headers: Vec<(&str, &str)> =
            call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let now = self.parts.clock.now();
        let verdicts = self.parts.accounts.at(call.provider).filter_map(|account| {
            account.callback(&headers, &call.body, now).map(|notified| (account.as_ref(), notified))
        });
        let Some((account, notified)) = verdicts.max_by_key(|(_, notified)| weight(notified)) else {
            let answer = NotifyAnswer { status: 404, body: "", outcome: "no_account" };
            return (answer, AfterCall::Nothing);
        };
        self.parts.metrics.payment_callback(account.name(), notified.answer.outcome);
        if notified.answer.outcome != "taken" {
            tracing::warn!(provider = account.name(), outcome = notified.answer.outcome, "a callback was not taken");
        }
        let after = self.after(account, &notified);
        (notified.answer, after)
    }

    fn after(&self, account: &dyn Provider, notified: &Notified) -> AfterCall {
        let now = self.parts.clock.now();
        let number = match &notified.about {
            About::Nothing => return AfterCall::Nothing,
            About::ForeignMerchant => {
                let words = Words::new(
                    "收到其他商户的支付通知",
                    "A callback about another merchant's money: nothing is posted",
                );
                let zero = Money::zero(Currency::Cny);
                self.alarm(account.name(), "foreign", OrderId::from_bytes([0; 16]), zero, words);
                return AfterCall::Nothing;
            }
            About::Order(number) => number,
            About::Refund(number) => {
                self.refunds_of(account.name(), number);
                return AfterCall::Nothing;
            }
        };
        let known = self.parts.store.snapshot().get::<NumberedOrder>(&NumberedOrder::key_of(account.name(), number));
        let known = match known {
            Ok(known) => known.map(|kept| kept.record.order),
            Err(fault) => {
                tracing::error!(%fault, "the numbers of orders cannot be read");
                return AfterCall::Nothing;
            }
        };
        // Only what the provider has signed is worth a question about a number that nobody knows.
        if known.is_none() && notified.answer.outcome != "taken" {
            return AfterCall::Nothing;
        }
        let derived = || OrderId::derive(&self.parts.key, &[account.name(), account.merchant(), number]);
        match (self.orders.hint(known.unwrap_or_else(derived), now), known) {
            (Turn::Wait, _) => AfterCall::Nothing,
            (Turn::Ask, Some(order)) => AfterCall::Ask(order),
            (Turn::Ask, None) => {
                AfterCall::AskNumber { merchant: account.merchant().to_owned(), number: number.clone() }
            }
        }
    }

    /// The refunds of an order are looked at in the next round.
    fn refunds_of(&self, provider: &str, number: &str) {
        let records = self.parts.store.snapshot();
        let Ok(Some(order)) = records.get::<NumberedOrder>(&NumberedOrder::key_of(provider, number)) else { return };
        let Ok(open) = records.list::<OpenRefund>("", 1_000) else { return };
        for refund in open {
            let kept = records.get::<Refund>(&refund.record.refund.to_string());
            if kept.is_ok_and(|kept| kept.is_some_and(|kept| kept.record.order == order.record.order)) {
                self.refunds.soon(refund.record.refund, self.parts.clock.now());
            }
        }
    }

    /// Asks about an order that made a callback, outside of its turn.
    pub async fn ask_after_call(&self, provider: &'static str, after: AfterCall) {
        match after {
            AfterCall::Nothing => {}
            AfterCall::Ask(order) => self.settle_in_turn(order).await,
            AfterCall::AskNumber { merchant, number } => {
                if let Err(fault) = self.look_for(provider, &merchant, &number).await {
                    tracing::warn!(%fault, number, "an order that the records do not have could not be looked up");
                }
                let (now, key) = (self.parts.clock.now(), &self.parts.key);
                self.orders.over(OrderId::derive(key, &[provider, &merchant, &number]), now, now);
            }
        }
    }

    /// An order that the records do not have: an old backup was put back. What was paid is captured, in suspense.
    async fn look_for(&self, provider: &'static str, merchant: &str, number: &str) -> Result<(), PayProblem> {
        let account = self.parts.accounts.of(provider, merchant).ok_or(PayProblem::Unknown)?;
        let stub = self.stub(account.as_ref(), number);
        let evidence: Evidence = match account.query(&stub).await {
            Ok(Heard::Paid(evidence)) => evidence,
            Ok(_) => return Ok(()),
            Err(fault) => {
                tracing::warn!(%fault, number, "the provider does not say how an order stands");
                return Ok(());
            }
        };
        for _ in 0..MOST_TRIES {
            let (now, records) = (self.parts.clock.now(), self.parts.store.snapshot());
            let found = pay::found(provider, number, &evidence, now, &self.parts.key, &records);
            let Some((change, payment)) = found.map_err(|fault| busy(&fault))? else { return Ok(()) };
            match self.parts.store.commit(change).await {
                Ok(position) => {
                    self.captured(account.name(), &payment, position);
                    return Ok(());
                }
                Err(fault) => again(&fault)?,
            }
        }
        Err(PayProblem::Busy)
    }

    fn stub(&self, account: &dyn Provider, number: &str) -> Order {
        let now = self.parts.clock.now();
        Order {
            id: OrderId::derive(&self.parts.key, &[account.name(), account.merchant(), number]),
            number: number.to_owned(),
            pays: Payable::Unknown {},
            provider: account.name().to_owned(),
            merchant: account.merchant().to_owned(),
            way: Way::default(),
            terms: Terms::default(),
            amount: Money::zero(Currency::Cny),
            made_at: now,
            expires_at: now,
            state: OrderState::Pending,
            ending: None,
            ended_at: None,
            transaction: None,
        }
    }
}
