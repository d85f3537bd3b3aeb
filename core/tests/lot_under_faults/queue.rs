//! The virtual clock: what happens when. Nothing here knows what it means.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::lane::{Command, Effect, Input, Timer, Way};
use tollhouse_core::plate::Plate;

use crate::desk::{DeskChange, DeskJob};

/// Something that a device saw. What the box makes of its age is known when it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) device: String,
    pub(crate) id: String,
    pub(crate) captured_at: DateTime<Utc>,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Read(Plate),
    Passed(Way),
}

/// What a lane is handed: a device's event comes again until it is done with; the rest is lost with the process.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Seen(Seen),
    Input(Input),
}

/// What can happen.
#[derive(Debug)]
pub(crate) enum Happens {
    /// A message reaches the box. With a token the sender keeps it until it is done with.
    Told { lane: usize, told: Told, token: Option<u64> },
    /// A timer of a run of the process goes off.
    Timer { run: u32, lane: usize, timer: Timer },
    /// The store answers a lane's commit.
    Commit { run: u32, lane: usize },
    /// The shell carries out one effect.
    Carry { run: u32, lane: usize, effect: Effect },
    /// The barrier receives a command.
    Hears { lane: usize, command: Command },
    /// The arm has reached its end.
    Arm { lane: usize, up: Arm },
    /// A car and its driver do something.
    Car { car: usize },
    /// The driver pays an order in a wallet.
    Wallet { order: tollhouse_core::id::OrderId },
    /// Payment's round.
    Round { run: u32 },
    /// The desk takes up a job.
    Desk { run: u32, job: DeskJob },
    /// The store answers the desk.
    DeskCommit { run: u32, job: DeskJob, change: Box<DeskChange> },
    /// The provider calls back.
    Callback { order: tollhouse_core::id::OrderId },
    /// The process dies.
    Crash,
    /// It is started again.
    Start,
}

/// Where the arm ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arm {
    Up,
    Down,
}

/// The clock and what is to come, in order.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) now: DateTime<Utc>,
    number: u64,
    waiting: BTreeMap<(DateTime<Utc>, u64), Happens>,
}

impl Queue {
    pub(crate) fn starting_at(now: DateTime<Utc>) -> Self {
        Self { now, number: 0, waiting: BTreeMap::new() }
    }

    pub(crate) fn after(&mut self, wait: TimeDelta, happens: Happens) {
        self.at(self.now + wait, happens);
    }

    pub(crate) fn at(&mut self, at: DateTime<Utc>, happens: Happens) {
        self.number += 1;
        self.waiting.insert((at.max(self.now), self.number), happens);
    }

    /// The next thing; the clock moves on to it.
    pub(crate) fn next(&mut self) -> Option<Happens> {
        let ((at, _), happens) = self.waiting.pop_first()?;
        self.now = at;
        Some(happens)
    }
}
