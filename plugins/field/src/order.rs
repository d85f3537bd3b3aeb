//! Commands that a device has taken, and where the arm must be seen before they count as done.
//!
//! It owns what is still owed to the lane. It must not know the device.

use tollhouse_sdk::{Completion, Confirmation, Pending, Refusal, Status};

use crate::Position;

/// Where an arm is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Up.
    Up,
    /// Down.
    Down,
    /// Nothing can be seen of it.
    Nowhere,
}

impl Goal {
    fn reached(self, position: Position) -> bool {
        matches!((self, position), (Self::Up, Position::Up) | (Self::Down, Position::Down))
    }

    fn words(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Nowhere => "done",
        }
    }
}

#[derive(Debug)]
struct Order<Owed> {
    owed: Owed,
    barrier: usize,
    goal: Goal,
    until_ms: u64,
}

/// See the module. The host bounds how many commands are under way.
#[derive(Debug, Default)]
pub struct Orders {
    /// The device has taken them.
    taken: Vec<Order<Confirmation>>,
    /// Nobody knows whether the device has: it did not answer.
    doubtful: Vec<Order<Pending>>,
}

impl Orders {
    /// The device has taken a command; seen from now on, its goal confirms it.
    pub fn taken(&mut self, pending: Pending, device: &str, barrier: usize, goal: Goal, until_ms: u64) {
        let owed = pending.accept(device);
        // A later order replaces an earlier one that wants the arm elsewhere.
        for order in self.taken.extract_if(.., |order| order.barrier == barrier && order.goal != goal) {
            order.owed.fail("another command turned the arm round");
        }
        if goal != Goal::Nowhere {
            self.taken.push(Order { owed, barrier, goal, until_ms });
        }
    }

    /// The device did not answer; only the arm can tell.
    pub fn doubtful(&mut self, owed: Pending, barrier: usize, goal: Goal, until_ms: u64) {
        self.doubtful.push(Order { owed, barrier, goal, until_ms });
    }

    /// The arms have been seen.
    pub fn stand(&mut self, now_ms: u64, position: impl Fn(usize) -> Position) {
        let reached = |barrier, goal: Goal| goal.reached(position(barrier));
        for order in self.taken.extract_if(.., |order| reached(order.barrier, order.goal)) {
            order.owed.confirm();
        }
        for order in self.doubtful.extract_if(.., |order| reached(order.barrier, order.goal)) {
            order.owed.complete(Completion::Confirmed);
        }
        self.time_passed(now_ms);
    }

    /// Gives up what is overdue.
    pub fn time_passed(&mut self, now_ms: u64) {
        for order in self.taken.extract_if(.., |order| order.until_ms <= now_ms) {
            order.owed.fail(&format!("the arm was not seen {} in time", order.goal.words()));
        }
        for order in self.doubtful.extract_if(.., |order| order.until_ms <= now_ms) {
            let words = "the device did not answer: nobody knows whether it has done it";
            order.owed.refuse(&Refusal::new(Status::Timeout, words));
        }
    }
}
