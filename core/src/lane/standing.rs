//! How a lane stands, for people: on its display, on the live page, on the pay page.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::commit::Draft;
use super::{Command, Effect, Lane, Passage, PassageState, Tell, Tone};
use crate::id::CommandId;

/// How a lane stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// No car in it.
    Free,
    /// A car waits.
    Waiting(&'a Passage),
    /// The barrier opens for a car.
    Opening(&'a Passage),
    /// A car was refused.
    Refused(&'a Passage),
}

/// How long a display may show what it was told.
const SHOW_FOR: TimeDelta = TimeDelta::seconds(30);

impl Lane {
    /// How the lane stands now.
    pub fn standing(&self) -> Standing<'_> {
        match &self.hand {
            Some(hand) if hand.state == PassageState::Waiting => Standing::Waiting(hand),
            Some(hand) if hand.state == PassageState::Granted => Standing::Opening(hand),
            Some(hand) if hand.state == PassageState::Refused => Standing::Refused(hand),
            _ => Standing::Free,
        }
    }

    /// Tells people and the display what was decided.
    pub(super) fn announce(&self, draft: &mut Draft, now: DateTime<Utc>, passage: &Passage) {
        draft.then.push(Effect::Tell(Tell {
            code: passage.code.as_str(),
            tone: passage.code.tone(),
            plate: passage.plate.clone(),
            words: passage.code.words(passage.due),
            // Said where it is asked for; when it has been paid, payment has said so.
            money: passage.due.filter(|_| passage.code.tone() == Tone::Wait),
        }));
        self.show(draft, now, passage);
    }

    pub(super) fn show(&self, draft: &mut Draft, now: DateTime<Utc>, passage: &Passage) {
        draft.then.extend(self.display_effect(now, passage));
    }

    /// The display's lines: the plate, the sentence, and beside a sum the address that its QR code holds.
    pub(super) fn display_effect(&self, now: DateTime<Utc>, passage: &Passage) -> Option<Effect> {
        let device = self.rules.display.clone()?;
        let words = passage.code.words(passage.due);
        let plate = passage.plate.as_ref().map(ToString::to_string);
        let lines: Vec<String> = plate.into_iter().chain([words.zh]).collect();
        let mut args = json!({ "lines": lines });
        let due = passage.due.filter(|_| passage.code.tone() == Tone::Wait);
        if let (Some(url), Some(due)) = (&self.rules.pay_url, due) {
            args["qr"] = json!(url);
            args["amount"] = json!(due.amount());
        }
        let moment = now.timestamp_millis().to_string();
        let parts = ["display", &passage.id.to_string(), passage.code.as_str(), &moment];
        let cmd_id = CommandId::derive(&self.rules.key, &parts);
        Some(Effect::Command(Command { device, cmd_id, name: "display", args, expires_at: now + SHOW_FOR }))
    }
}
