//! What other threads leave for the link's task: commands, the outcomes of receipts, the word to stop. Bounded; leaving
//! something never blocks for longer than it takes to push it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::inbox::Token;
use super::outbox::Outgoing;
use crate::event::Outcome;

/// Whether the link takes part in traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// Events and commands flow.
    #[default]
    Open,
    /// No new ones; what is under way is finished.
    Closing,
}

/// What lies in the letter box.
#[derive(Debug, Default)]
pub(super) struct Letters {
    pub(super) commands: Vec<Outgoing>,
    /// At most one for each event in hand.
    pub(super) outcomes: Vec<(Token, Outcome)>,
    pub(super) phase: Phase,
    /// Commands that the task holds already: they count against the same limit.
    pub(super) held: usize,
}

/// Why a command was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    Full,
    Closed,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Mail {
    letters: Mutex<Letters>,
    pub(super) wake: Notify,
}

impl Mail {
    pub(super) fn letters(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn command(&self, command: Outgoing, limit: usize) -> Result<(), NotTaken> {
        let mut letters = self.letters();
        if letters.phase == Phase::Closing {
            return Err(NotTaken::Closed);
        }
        if letters.commands.len() + letters.held >= limit {
            return Err(NotTaken::Full);
        }
        letters.commands.push(command);
        drop(letters);
        self.wake.notify_one();
        Ok(())
    }

    pub(super) fn outcome(&self, token: Token, outcome: Outcome) {
        let mut letters = self.letters();
        letters.outcomes.push((token, outcome));
        // The task takes all of them at once, so only the first has to wake it.
        let first = letters.outcomes.len() == 1;
        drop(letters);
        if first {
            self.wake.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.letters().phase = Phase::Closing;
        self.wake.notify_one();
    }
}
