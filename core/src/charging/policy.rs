//! What a lot decides about property charging: what fee items, packages and lettings go by that do not say it themselves,
//! and what overdue bills and further cars mean at the gate. It must not know who configures it.

use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bills::Retention;
use super::cards::{MorePolicy, PassPolicy};
use super::fees::{Alignment, LateFeeRule};
use super::gate::{GateAreas, PassGround};
use crate::pass::OverduePolicy;

/// What the lot decides about property charging. The defaults are those of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChargingPolicy {
    /// Where periods begin, for fee items that do not say so.
    pub alignment: Alignment,
    /// How many days before its period a fee is billed, for fee items that do not say so.
    pub lead_days: u16,
    /// Days from the issue of a bill to its due date, for fee items, packages and lettings that do not say so.
    pub due_days: u16,
    /// What being late costs, for fee items and packages that do not say so.
    pub late_fee: Option<LateFeeRule>,
    /// What an overdue bill of an owned space means at the entry.
    pub overdue: OverduePolicy,
    /// Days of grace at the gate after a bill is due, or a term over.
    pub grace_days: u16,
    /// What is done with a car of a card whose places are taken.
    pub more_cars: MorePolicy,
    /// Where passes cover a card's cars.
    pub pass_ground: PassGround,
    /// What the estate keeps of what was paid for days that a holder gives up: 0 to 1.
    pub retention: Decimal,
}

impl Default for ChargingPolicy {
    fn default() -> Self {
        Self {
            alignment: Alignment::Calendar,
            lead_days: 15,
            due_days: 15,
            late_fee: None,
            overdue: OverduePolicy::OpenAndWarn,
            grace_days: 7,
            more_cars: MorePolicy::ChargeAsTemporary,
            pass_ground: PassGround::OwnAreas,
            retention: Decimal::ZERO,
        }
    }
}

impl ChargingPolicy {
    /// What decides about passes, at a gate that tells these areas apart.
    pub fn passes(&self, zone: Tz, areas: GateAreas) -> PassPolicy {
        let areas = match self.pass_ground {
            PassGround::OwnAreas => areas,
            PassGround::Everywhere => GateAreas::default(),
        };
        PassPolicy { zone, grace_days: self.grace_days, overdue: self.overdue, more: self.more_cars, areas }
    }

    /// What is kept of what is given back.
    pub fn retention(&self) -> Retention {
        Retention(self.retention)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual() {
        let read: ChargingPolicy = serde_json::from_str(r#"{"grace_days":3}"#).expect("a policy");
        assert_eq!(read, ChargingPolicy { grace_days: 3, ..ChargingPolicy::default() });
    }
}
