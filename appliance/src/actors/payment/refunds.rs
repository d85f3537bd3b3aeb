//! Refunds: asked for under one number until they are done. Accepted is not done, stuck is not final, and only a refund that
//! was asked about and found closed gets a new number.

use tollhouse_core::id::RefundId;
use tollhouse_core::lane::Tone;
use tollhouse_core::pay::{self, Back, OpenRefund, Order, Refund, RefundState};
use tollhouse_core::record::{Change, Kept, Records, Revision};
use tollhouse_core::words::Words;

use super::desk::{MOST_TRIES, PaymentDesk, again, busy};
use super::messages::PayProblem;
use super::provider::{ProviderError, RefundAt};
use super::watch::Turn;

/// So many open refunds are looked after at most.
const AT_ONCE: usize = 10_000;
/// A refund that was asked for so often and is nowhere needs a person.
const MOST_ATTEMPTS: u32 = 40;

impl PaymentDesk {
    /// The open refunds whose turn it is. Whoever takes one calls [`Self::refund_in_turn`].
    pub fn due_refunds(&self) -> Vec<RefundId> {
        let now = self.parts.clock.now();
        match self.parts.store.snapshot().list::<OpenRefund>("", AT_ONCE) {
            Ok(open) => {
                let ids = open.into_iter().map(|kept| kept.record.refund);
                ids.filter(|id| self.refunds.turn(*id, now) == Turn::Ask).collect()
            }
            Err(fault) => {
                tracing::error!(%fault, "open refunds cannot be read");
                vec![]
            }
        }
    }

    /// Goes a step further with a refund whose turn it is, and arms its next turn.
    pub async fn refund_in_turn(&self, id: RefundId) {
        let asked_at = self.parts.clock.now();
        if let Err(fault) = self.refund(id).await {
            tracing::warn!(%fault, refund = %id, "a refund could not be made");
        }
        let next = self.refund_on_record(id).map_or(asked_at, |kept| pay::ask_refund_again_at(&kept.record, asked_at));
        self.refunds.over(id, self.parts.clock.now(), next);
    }

    fn refund_on_record(&self, id: RefundId) -> Result<Kept<Refund>, PayProblem> {
        let refund = self.parts.store.snapshot().get::<Refund>(&id.to_string());
        refund.map_err(|fault| busy(&fault))?.ok_or(PayProblem::Unknown)
    }

    async fn refund(&self, id: RefundId) -> Result<(), PayProblem> {
        for _ in 0..MOST_TRIES {
            let refund = self.refund_on_record(id)?;
            if refund.record.state == RefundState::Done {
                return Ok(());
            }
            let order = self.order(refund.record.order)?.record;
            let answer = self.ask_about(&order, &refund.record).await?;
            let Some(change) = self.follows(&order, &refund, answer)? else { return Ok(()) };
            match self.parts.store.commit(change).await {
                Ok(position) => {
                    self.refund_moved(&order, id, position);
                    return Ok(());
                }
                Err(fault) => again(&fault)?,
            }
        }
        Err(PayProblem::Busy)
    }

    /// Asks for it, or about it when it is known to be there.
    async fn ask_about(&self, order: &Order, refund: &Refund) -> Result<Result<RefundAt, ProviderError>, PayProblem> {
        if refund.back == Back::Reversal {
            // The provider said that the money has gone back before it was captured.
            return Ok(Ok(RefundAt::Done));
        }
        let account = self.account(order)?;
        if refund.state == RefundState::Requested {
            return Ok(account.refund(order, refund).await);
        }
        Ok(match account.query_refund(order, refund).await {
            Ok(RefundAt::NotThere) => account.refund(order, refund).await,
            answer => answer,
        })
    }

    fn follows(
        &self,
        order: &Order,
        refund: &Kept<Refund>,
        answer: Result<RefundAt, ProviderError>,
    ) -> Result<Option<Change>, PayProblem> {
        let now = self.parts.clock.now();
        let name = self.parts.accounts.of(&order.provider, &order.merchant).map_or("unknown", |at| at.name());
        Ok(match answer {
            Ok(RefundAt::Done) => {
                pay::refund_done(refund, now, &self.parts.store.snapshot()).map_err(|fault| busy(&fault))?
            }
            Ok(RefundAt::Closed) => pay::refund_closed(refund, now),
            Ok(RefundAt::Pending | RefundAt::NotThere) if refund.record.state == RefundState::Requested => {
                pay::refund_accepted(refund, now)
            }
            // Asked for again and again without an end: counted, until a person has to look.
            Ok(RefundAt::Pending | RefundAt::NotThere) if refund.record.attempts < MOST_ATTEMPTS => {
                pay::refund_failed(refund, now)
            }
            Ok(RefundAt::Abnormal | RefundAt::Pending | RefundAt::NotThere) => self.stuck(name, refund),
            Err(fault @ ProviderError::Refused(_)) => {
                tracing::error!(%fault, refund = %refund.record.id, "the provider refuses the refund");
                if refund.record.attempts < MOST_ATTEMPTS {
                    pay::refund_failed(refund, now)
                } else {
                    self.stuck(name, refund)
                }
            }
            Err(fault) => {
                tracing::warn!(%fault, refund = %refund.record.id, "the provider does not say how the refund stands");
                None
            }
        })
    }

    fn stuck(&self, name: &'static str, refund: &Kept<Refund>) -> Option<Change> {
        let change = pay::refund_stuck(refund, self.parts.clock.now())?;
        let words = Words::new("退款异常，请在商户平台处理", "A refund is stuck: please act in the merchant's console");
        self.alarm(name, "refund_stuck", refund.record.order, refund.record.amount, words);
        Some(change)
    }

    fn refund_moved(&self, order: &Order, id: RefundId, position: Revision) {
        let Ok(refund) = self.refund_on_record(id) else { return };
        if refund.record.state != RefundState::Done {
            return;
        }
        let name = self.parts.accounts.of(&order.provider, &order.merchant).map_or("unknown", |at| at.name());
        self.parts.metrics.payment(name, "refunded");
        tracing::info!(code = "refunded", order = %order.id, amount = %refund.record.amount, "Refunded");
        let words = Words::new("已原路退款", "Refunded");
        self.tell(position, "refunded", Tone::Money, words, refund.record.amount.negated());
    }
}
