//! The decision at an exit: open when nothing is owed or all is paid, else show what is due and wait.

use chrono::{DateTime, Utc};

use super::commit::Draft;
use super::{
    CaseKind, DecisionCode, ExitWithoutEntry, GrantCause, HolderOwes, LOOK_AT_BILL_EVERY, Lane, LaneFault, Passage,
    PassageState, Read, Timer, TimerKind,
};
use crate::bill::Bill;
use crate::lane::Effect;
use crate::record::{Cause, ChangeKind, Kept, Records};
use crate::stay::{Basis, Inside, Stay};

impl Lane {
    pub(super) fn decide_exit(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let plate = read.plate.as_str();
        let inside = records.get::<Inside>(plate)?;
        draft.change.rely_on(plate, inside.as_ref());
        let stay = match inside {
            Some(kept) => records.get::<Stay>(&kept.record.stay.to_string())?,
            None => None,
        };
        let Some(mut stay) = stay else {
            self.decide_without_entry(draft, now, read);
            return Ok(());
        };
        draft.change.rely_on(&stay.record.id.to_string(), Some(&stay));
        Self::look_at_pass(draft, &mut stay.record, read.mark.captured_at, records)?;
        if stay.record.is_charged() {
            self.decide_charged_exit(draft, now, read, stay.record, records)
        } else {
            let mut passage = self.new_passage(now, read, DecisionCode::ExitPass);
            passage.stay = Some(stay.record.id);
            if !stay.record.unplaced.is_empty() {
                draft.change.put(&stay.record);
            }
            self.announce(draft, now, &passage);
            self.grant(draft, now, passage, GrantCause::Pass);
            Ok(())
        }
    }

    fn decide_without_entry(&self, draft: &mut Draft, now: DateTime<Utc>, read: &Read) {
        let mut passage = self.new_passage(now, read, DecisionCode::ExitWithoutEntry);
        draft.case(CaseKind::EntryMissed, &passage, None, now);
        match self.rules.exit_without_entry {
            ExitWithoutEntry::Open => {
                self.announce(draft, now, &passage);
                self.grant(draft, now, passage, GrantCause::Policy);
            }
            ExitWithoutEntry::Attend => {
                passage.code = DecisionCode::ExitWithoutEntryAttend;
                self.announce(draft, now, &passage);
                draft.keep(passage);
            }
        }
    }

    /// The fee clock stops at the arrival at the exit. Paid early and here in time, the car owes no more.
    fn decide_charged_exit(
        &self,
        draft: &mut Draft,
        now: DateTime<Utc>,
        read: &Read,
        mut stay: Stay,
        records: &impl Records,
    ) -> Result<(), LaneFault> {
        let arrival = read.mark.captured_at;
        let mut passage = self.new_passage(now, read, DecisionCode::ExitNothingDue);
        passage.stay = Some(stay.id);
        if !stay.moves.is_empty() && stay.area != self.rules.area {
            draft.case(CaseKind::MoveMissed, &passage, Some(stay.id), now);
        }
        let before: Option<Kept<Bill>> = match stay.bill {
            Some(id) => records.get(&id.to_string())?,
            None => None,
        };
        let rules = &self.rules;
        let known = before.as_ref().map(|kept| &kept.record);
        let bill = Bill::assessed(known, &stay, arrival, rules.tariff.as_ref(), rules.tax_rate, &rules.key)?;
        draft.change.rely_on(&bill.id.to_string(), before.as_ref());
        if bill.due().is_zero() {
            let (code, cause) = match (bill.paid.is_positive(), &stay.basis) {
                (true, _) => (DecisionCode::ExitPaid, GrantCause::Settled),
                (false, Basis::Pass { .. }) => (DecisionCode::ExitPass, GrantCause::Pass),
                (false, _) => (DecisionCode::ExitNothingDue, GrantCause::NothingDue),
            };
            passage.code = code;
            Self::fix_reduced(draft, now, bill, before.as_ref(), &mut stay)?;
            passage.bill = stay.bill;
            stay.clock_stopped_at = Some(arrival);
            draft.change.put(&stay);
            self.announce(draft, now, &passage);
            self.grant(draft, now, passage, cause);
            return Ok(());
        }
        let arrears = stay.basis != Basis::Temporary && rules.holder_owes == HolderOwes::Arrears;
        passage.code = if arrears { DecisionCode::ExitPassArrears } else { DecisionCode::ExitPaymentDue };
        passage.due = Some(bill.due());
        passage.bill = Some(bill.id);
        bill.write(&mut draft.change, before.as_ref().map(|kept| kept.record.state));
        stay.bill = Some(bill.id);
        stay.clock_stopped_at = Some(arrival);
        draft.change.put(&stay);
        self.announce(draft, now, &passage);
        if arrears {
            self.grant(draft, now, passage, GrantCause::Pass);
            return Ok(());
        }
        draft.then.push(look_at_bill_later(&passage, now));
        draft.keep(passage);
        Ok(())
    }

    /// What coupons pay in full is a bill all the same: the exit fixes it, and the merchants are charged.
    fn fix_reduced(
        draft: &mut Draft,
        now: DateTime<Utc>,
        mut bill: Bill,
        before: Option<&Kept<Bill>>,
        stay: &mut Stay,
    ) -> Result<(), LaneFault> {
        if !bill.has_reductions_to_post() {
            return Ok(());
        }
        draft.change.postings.extend(bill.fix(now)?);
        bill.write(&mut draft.change, before.map(|kept| kept.record.state));
        stay.bill = Some(bill.id);
        Ok(())
    }

    /// The bill that a car waits for may have been paid: then the lane opens, once.
    pub(super) fn look_at_bill(&self, now: DateTime<Utc>, records: &impl Records) -> Result<Option<Draft>, LaneFault> {
        let hand = self.hand.as_ref().filter(|hand| hand.state == PassageState::Waiting);
        if let Some((passage, bill)) = hand.map(|hand| Self::paid(hand, records)).transpose()?.flatten() {
            let mut draft = self.let_out(now, passage, &bill);
            self.lapse_also(&mut draft, now, records)?;
            return Ok(Some(draft));
        }
        self.look_at_bill_of_also(now, records)
    }

    /// The card of a car that waits for its bill was renewed, or changed otherwise: if it owes nothing any more, the lane
    /// opens. A bill that was fixed meanwhile stays as it is, and a case tells of it when the car has left.
    pub(super) fn look_at_pass_of_waiting(
        &self,
        now: DateTime<Utc>,
        records: &impl Records,
    ) -> Result<Option<Draft>, LaneFault> {
        let waiting = |hand: &&Passage| hand.state == PassageState::Waiting && hand.bill.is_some();
        let Some(hand) = self.hand.as_ref().filter(waiting) else { return Ok(None) };
        let (Some(stay), Some(bill)) = (hand.stay, hand.bill) else { return Ok(None) };
        let (Some(stay), Some(kept)) =
            (records.get::<Stay>(&stay.to_string())?, records.get::<Bill>(&bill.to_string())?)
        else {
            return Ok(None);
        };
        if !Self::is_still_here(hand, records)? {
            return Ok(None);
        }
        let cause = Cause::Box("the pass of the car that waits has changed".into());
        let mut draft = self.draft(ChangeKind::PassageGranted, now, cause);
        draft.change.rely_on(&stay.record.id.to_string(), Some(&stay));
        draft.change.rely_on(&kept.record.id.to_string(), Some(&kept));
        let mut stay = stay.record;
        Self::look_at_pass(&mut draft, &mut stay, hand.captured_at, records)?;
        let rules = &self.rules;
        let known = Some(&kept.record);
        let bill = Bill::assessed(known, &stay, hand.captured_at, rules.tariff.as_ref(), rules.tax_rate, &rules.key)?;
        if stay.is_charged() && bill.due().is_positive() {
            return Ok(None);
        }
        let passage = Passage { code: DecisionCode::ExitPass, due: None, ..hand.clone() };
        bill.write(&mut draft.change, Some(kept.record.state));
        draft.change.put(&stay);
        self.announce(&mut draft, now, &passage);
        self.grant(&mut draft, now, passage, GrantCause::Pass);
        self.lapse_also(&mut draft, now, records)?;
        Ok(Some(draft))
    }

    /// A car that waits, ready to pass, with its bill, if that is paid and the car is still here.
    pub(super) fn paid(waiting: &Passage, records: &impl Records) -> Result<Option<(Passage, Kept<Bill>)>, LaneFault> {
        let Some(bill) = waiting.bill else { return Ok(None) };
        let Some(bill) = records.get::<Bill>(&bill.to_string())? else { return Ok(None) };
        if bill.record.due().is_positive() || !Self::is_still_here(waiting, records)? {
            return Ok(None);
        }
        Ok(Some((Passage { code: DecisionCode::ExitPaid, ..waiting.clone() }, bill)))
    }

    /// What was paid opens for the car that waited for it.
    pub(super) fn let_out(&self, now: DateTime<Utc>, passage: Passage, bill: &Kept<Bill>) -> Draft {
        let cause = Cause::Payment(bill.record.id.to_string());
        let mut draft = self.draft(ChangeKind::PassageGranted, now, cause);
        draft.change.rely_on(&bill.record.id.to_string(), Some(bill));
        self.announce(&mut draft, now, &passage);
        self.grant(&mut draft, now, passage, GrantCause::Settled);
        draft
    }

    /// Whether a car that waits has not been read at another exit since: the fee clock stopped where it stands. What is
    /// paid opens the lane in which the car is, and no other.
    pub(super) fn is_still_here(waiting: &Passage, records: &impl Records) -> Result<bool, LaneFault> {
        let (Some(stay), Some(_)) = (waiting.stay, waiting.bill) else { return Ok(true) };
        let stay = records.get::<Stay>(&stay.to_string())?;
        Ok(stay.is_none_or(|kept| kept.record.clock_stopped_at == Some(waiting.captured_at)))
    }

    /// While a car waits for its bill, the lane looks at it again and again.
    pub(super) fn look_again_later(&self, now: DateTime<Utc>) -> Option<Effect> {
        self.look_again_at(now + LOOK_AT_BILL_EVERY)
    }

    /// A lane that starts again looks at once: the message that a bill was paid may have died with the box, and a box that
    /// is restarted again and again may never be up for as long as the next look would take.
    pub(super) fn look_again_at(&self, at: DateTime<Utc>) -> Option<Effect> {
        let hand = self.hand.as_ref()?;
        let waits = hand.state == PassageState::Waiting && hand.bill.is_some();
        let also = hand.state != PassageState::Granted && self.also.is_some();
        (waits || also).then(|| look_at_bill_at(hand, at))
    }
}

/// The lane looks by itself, in case the message that a bill was paid gets lost.
pub(super) fn look_at_bill_later(hand: &Passage, now: DateTime<Utc>) -> Effect {
    look_at_bill_at(hand, now + LOOK_AT_BILL_EVERY)
}

fn look_at_bill_at(hand: &Passage, at: DateTime<Utc>) -> Effect {
    let attempt = hand.grant.as_ref().map_or(0, |grant| grant.command.attempt);
    Effect::Arm(Timer { kind: TimerKind::LookAtBill, passage: hand.id, attempt }, at)
}
