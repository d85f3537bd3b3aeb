//! How far a role may go where money is given up: discounts, arrears, bad debts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Role;
use crate::money::Money;

/// A way to give up money that has a limit by role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GivenUp {
    /// A discount by hand on one bill.
    Discount,
    /// Arrears forgiven to one car at a time.
    Forgiveness,
    /// A bill written off.
    WriteOff,
}

impl GivenUp {
    /// In a sentence: "a ... of at most".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discount => "discount",
            Self::Forgiveness => "forgiveness",
            Self::WriteOff => "write-off",
        }
    }
}

/// The limits of one role. A limit is an amount in the smallest unit of the lot's currency; `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// A discount by hand on one bill.
    pub discount: Option<i64>,
    /// Arrears forgiven at a time.
    pub forgiveness: Option<i64>,
    /// A bill written off.
    pub write_off: Option<i64>,
}

impl Limits {
    /// No limits.
    pub const ANY: Self = Self { discount: None, forgiveness: None, write_off: None };
    /// Nothing at all.
    pub const NOTHING: Self = Self::up_to(0, 0, 0);

    /// Up to so much, in the smallest unit.
    pub const fn up_to(discount: i64, forgiveness: i64, write_off: i64) -> Self {
        Self { discount: Some(discount), forgiveness: Some(forgiveness), write_off: Some(write_off) }
    }

    /// The limit of one way; `None`: no limit.
    pub fn of(self, way: GivenUp) -> Option<i64> {
        match way {
            GivenUp::Discount => self.discount,
            GivenUp::Forgiveness => self.forgiveness,
            GivenUp::WriteOff => self.write_off,
        }
    }

    /// Whether so much may be given up in this way.
    pub fn allow(self, way: GivenUp, amount: Money) -> bool {
        self.of(way).is_none_or(|most| amount.minor() <= most)
    }

    /// The wider of both, way by way: for who has several roles.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let wider = |a: Option<i64>, b: Option<i64>| a.and_then(|a| b.map(|b| a.max(b)));
        Self {
            discount: wider(self.discount, other.discount),
            forgiveness: wider(self.forgiveness, other.forgiveness),
            write_off: wider(self.write_off, other.write_off),
        }
    }
}

/// The limits that the configuration sets; a role that it does not name has its own ([`Role::limits`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleLimits(pub BTreeMap<Role, Limits>);

impl RoleLimits {
    /// The limits of who has these roles.
    pub fn of(&self, roles: &[Role]) -> Limits {
        let of = |role: &Role| self.0.get(role).copied().unwrap_or_else(|| role.limits());
        roles.iter().map(of).fold(Limits::NOTHING, Limits::or)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn who_has_two_roles_has_the_wider_limit_of_each_way() {
        let limits = RoleLimits::default().of(&[Role::Clerk, Role::Accountant]);
        let yuan = |minor| Money::new(minor, Currency::Cny);
        assert!(limits.allow(GivenUp::Discount, yuan(5_000)) && !limits.allow(GivenUp::Discount, yuan(5_001)));
        assert!(limits.allow(GivenUp::WriteOff, yuan(100_000)));
        assert!(RoleLimits::default().of(&[Role::Administrator]).allow(GivenUp::WriteOff, yuan(i64::MAX)));
    }

    #[test]
    fn the_configuration_has_the_last_word() {
        let set = RoleLimits(BTreeMap::from([(Role::Clerk, Limits::up_to(100, 0, 0))]));
        assert_eq!(set.of(&[Role::Clerk]).discount, Some(100));
        assert_eq!(set.of(&[Role::Manager]), Role::Manager.limits());
        assert_eq!(set.of(&[]), Limits::NOTHING);
    }
}
