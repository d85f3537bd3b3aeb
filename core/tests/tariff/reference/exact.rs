//! Exact fractions: the reference never rounds but where the documentation says so.

use std::cmp::Ordering;
use std::ops::{Add, Mul, Sub};

use tollhouse_core::tariff::model::{Direction, Price};

/// A fraction in lowest terms with a positive denominator; of a unit of currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact {
    over: i128,
    under: i128,
}

impl Exact {
    pub(crate) const ZERO: Self = Self { over: 0, under: 1 };

    pub(crate) fn ratio(over: i128, under: i128) -> Self {
        let mut common = (over.abs(), under.abs());
        while common.1 != 0 {
            common = (common.1, common.0 % common.1);
        }
        let sign = under.signum();
        Self { over: sign * over / common.0.max(1), under: sign * under / common.0.max(1) }
    }

    pub(crate) fn price(price: Price) -> Self {
        Self::ratio(i128::from(price.micros()), i128::from(Price::UNIT))
    }

    /// To a multiple of `to`.
    pub(crate) fn rounded(self, to: Exact, direction: Direction) -> Self {
        let steps = Self::ratio(self.over * to.under, self.under * to.over);
        let (whole, rest) = (steps.over.abs() / steps.under, steps.over.abs() % steps.under);
        let up = match direction {
            Direction::Up => rest > 0,
            Direction::Down => false,
            Direction::HalfUp => 2 * rest >= steps.under,
            Direction::HalfEven => 2 * rest > steps.under || (2 * rest == steps.under && whole % 2 == 1),
        };
        let whole = (whole + i128::from(up)) * steps.over.signum();
        Self::ratio(whole * to.over, to.under)
    }

    /// In so many smallest units; it has to be whole.
    pub(crate) fn minor(self, decimals: u32) -> i64 {
        let scaled = Self::ratio(self.over * 10_i128.pow(decimals), self.under);
        assert_eq!(scaled.under, 1, "{self:?} was to be rounded before");
        i64::try_from(scaled.over).expect("a fee of a test fits")
    }
}

impl Add for Exact {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::ratio(self.over * other.under + other.over * self.under, self.under * other.under)
    }
}

impl Sub for Exact {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::ratio(self.over * other.under - other.over * self.under, self.under * other.under)
    }
}

impl Mul for Exact {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::ratio(self.over * other.over, self.under * other.under)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.over * other.under).cmp(&(other.over * self.under))
    }
}

impl std::iter::Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}
