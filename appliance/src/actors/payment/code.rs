//! The driver's payment code, scanned at the lane: the order is on record first, the code goes to the provider once and is
//! forgotten. Nobody can send it again, so whatever came of it is found out by asking, and in the end taken back.

use tollhouse_core::bill::Bill;
use tollhouse_core::id::LaneId;
use tollhouse_core::lane::{Direction, LaneHand, Passage, PassageState};
use tollhouse_core::pay::{self, Ending, Payable, Wanted, Way};
use tollhouse_core::record::Records;
use tollhouse_providers::Wallet;

use super::alipay::ALIPAY;
use super::desk::{PaymentDesk, busy, refused};
use super::messages::{CodeScanned, PayProblem};
use super::provider::{CodeAnswer, ProviderError};
use super::wechat::WECHAT;

impl PaymentDesk {
    /// Pays what the car that waits at the lane owes.
    pub async fn code_scanned(&self, scanned: CodeScanned) -> Result<(), PayProblem> {
        let name = match scanned.code.wallet() {
            Wallet::WeChat => WECHAT,
            Wallet::Alipay => ALIPAY,
        };
        let not_offered = || PayProblem::NotOffered(name.to_owned());
        let account = self.parts.accounts.for_payee(name, self.parts.temporary_payee).ok_or_else(not_offered)?;
        if !account.ways().contains(&Way::Code) {
            return Err(not_offered());
        }
        let pays = Payable::Bill(self.bill_at(&scanned.lane)?);
        let idempotency = Some((format!("code/{}/{}", scanned.device, scanned.event_id), name.to_owned()));
        let records = self.parts.store.snapshot();
        if let Some(order) = pay::made_before(&pays, idempotency.as_ref(), &records).map_err(refused)? {
            return self.settle(order.id).await;
        }
        let mut terms = self.bare_terms(account.as_ref());
        terms.lane = scanned.lane.as_str().chars().take(32).collect();
        let wanted = Wanted {
            pays,
            provider: name.to_owned(),
            merchant: account.merchant().to_owned(),
            way: Way::Code,
            terms,
            idempotency,
            life: self.parts.code_life,
        };
        let order = self.order_on_record(&wanted).await?;
        match account.pay_by_code(&order, &scanned.code).await {
            Ok(CodeAnswer::Taken) => self.settle(order.id).await,
            Ok(CodeAnswer::NotTaken) | Err(ProviderError::Refused(_) | ProviderError::NotOffered) => {
                self.parts.metrics.payment(name, "code_refused");
                self.end_order(order.id, Ending::CodeRefused).await
            }
            Err(fault) => {
                tracing::warn!(%fault, order = %order.id, "nobody knows yet what became of a payment code");
                Ok(())
            }
        }
    }

    /// The bill of the car that waits at a lane.
    fn bill_at(&self, lane: &LaneId) -> Result<tollhouse_core::id::BillId, PayProblem> {
        let records = self.parts.store.snapshot();
        let hand = records.get::<LaneHand>(lane.as_str()).map_err(|fault| busy(&fault))?;
        let passage = hand.and_then(|kept| kept.record.passage).ok_or(PayProblem::NoCarWaits)?;
        let passage = records.get::<Passage>(&passage.to_string()).map_err(|fault| busy(&fault))?;
        let passage = passage.ok_or(PayProblem::NoCarWaits)?.record;
        let waits = passage.state == PassageState::Waiting && passage.direction == Direction::Exit;
        let bill = passage.bill.filter(|_| waits).ok_or(PayProblem::NoCarWaits)?;
        let kept = records.get::<Bill>(&bill.to_string()).map_err(|fault| busy(&fault))?;
        match kept {
            Some(kept) if kept.record.due().is_positive() => Ok(bill),
            _ => Err(PayProblem::NothingDue),
        }
    }
}
