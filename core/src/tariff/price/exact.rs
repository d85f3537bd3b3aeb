//! Exact amounts while a price is worked out: fractions of whole numbers, in millionths of the currency's unit.
//!
//! 0.10 × 40/60 has no end as a decimal; as a fraction nothing is lost before the tariff says where to round.
//! It must not know what is rounded, nor when.

use std::cmp::Ordering;

use super::PriceError;
use crate::tariff::model::{Direction, Price};

/// An amount in millionths of the currency's unit, as a fraction in its lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Exact {
    top: i128,
    /// Always positive.
    bottom: i128,
}

fn common(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}

impl Exact {
    pub(super) const ZERO: Self = Self::micros(0);

    /// Of so many millionths.
    pub(super) const fn micros(micros: i64) -> Self {
        Self { top: micros as i128, bottom: 1 }
    }

    fn reduced(top: i128, bottom: i128) -> Self {
        let shared = common(top, bottom).max(1);
        Self { top: top / shared, bottom: bottom / shared }
    }

    pub(super) fn plus(self, other: Self) -> Result<Self, PriceError> {
        let sum = if self.bottom == other.bottom {
            let top = self.top.checked_add(other.top);
            if self.bottom == 1 {
                return top.map(|top| Self { top, bottom: 1 }).ok_or(PriceError::TooLarge);
            }
            top.map(|top| Self::reduced(top, self.bottom))
        } else {
            (|| {
                let left = self.top.checked_mul(other.bottom)?;
                let right = other.top.checked_mul(self.bottom)?;
                Some(Self::reduced(left.checked_add(right)?, self.bottom.checked_mul(other.bottom)?))
            })()
        };
        sum.ok_or(PriceError::TooLarge)
    }

    pub(super) const fn negated(self) -> Self {
        Self { top: -self.top, bottom: self.bottom }
    }

    pub(super) fn minus(self, other: Self) -> Result<Self, PriceError> {
        self.plus(other.negated())
    }

    /// So many times the amount.
    pub(super) fn times(self, count: i64) -> Result<Self, PriceError> {
        let top = self.top.checked_mul(i128::from(count)).ok_or(PriceError::TooLarge)?;
        Ok(if self.bottom == 1 { Self { top, bottom: 1 } } else { Self::reduced(top, self.bottom) })
    }

    /// That share of the amount: `of` is positive.
    pub(super) fn share(self, part: i64, of: i64) -> Result<Self, PriceError> {
        let top = self.top.checked_mul(i128::from(part)).ok_or(PriceError::TooLarge)?;
        let bottom = self.bottom.checked_mul(i128::from(of)).ok_or(PriceError::TooLarge)?;
        Ok(Self::reduced(top, bottom))
    }

    /// To a multiple of `to`, which is positive; `Up` is away from zero.
    pub(super) fn rounded(self, to: Price, direction: Direction) -> Result<Self, PriceError> {
        let step = self.bottom.checked_mul(i128::from(to.micros().max(1))).ok_or(PriceError::TooLarge)?;
        let size = self.top.abs();
        let (whole, rest) = (size / step, size % step);
        let more = match direction {
            Direction::Up => rest > 0,
            Direction::Down => false,
            Direction::HalfUp => rest >= step - rest,
            Direction::HalfEven => rest > step - rest || (rest == step - rest && whole % 2 == 1),
        };
        let multiples = (whole + i128::from(more)) * self.top.signum();
        let top = multiples.checked_mul(i128::from(to.micros().max(1))).ok_or(PriceError::TooLarge)?;
        Ok(Self { top, bottom: 1 })
    }

    pub(super) fn is_zero(self) -> bool {
        self.top == 0
    }

    pub(super) fn is_positive(self) -> bool {
        self.top > 0
    }

    pub(super) fn is_negative(self) -> bool {
        self.top < 0
    }

    pub(super) fn least(self, other: Self) -> Result<Self, PriceError> {
        Ok(if self.compare(other)? == Ordering::Greater { other } else { self })
    }

    pub(super) fn compare(self, other: Self) -> Result<Ordering, PriceError> {
        if self.bottom == other.bottom {
            return Ok(self.top.cmp(&other.top));
        }
        Ok(self.minus(other)?.top.cmp(&0))
    }

    /// The millionths, if it is a whole number of them.
    pub(super) fn whole_micros(self) -> Option<i128> {
        (self.bottom == 1).then_some(self.top)
    }

    /// Numerator and denominator, for keys.
    pub(super) fn parts(self) -> (i128, i128) {
        (self.top, self.bottom)
    }
}

impl From<Price> for Exact {
    fn from(price: Price) -> Self {
        Self::micros(price.micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEN: Price = Price::from_micros(10_000);

    #[test]
    fn thirds_add_up_to_a_whole() {
        let third = Exact::micros(1_000_000).share(1, 3).expect("small");
        let sum = third.plus(third).and_then(|two| two.plus(third)).expect("small");
        assert_eq!(sum, Exact::micros(1_000_000));
    }

    #[test]
    fn rounding_goes_where_it_is_told() {
        let cases = [
            (15_000, Direction::HalfUp, 20_000),
            (15_000, Direction::HalfEven, 20_000),
            (25_000, Direction::HalfEven, 20_000),
            (14_999, Direction::HalfUp, 10_000),
            (10_001, Direction::Up, 20_000),
            (19_999, Direction::Down, 10_000),
            (-15_000, Direction::HalfUp, -20_000),
            (-10_001, Direction::Up, -20_000),
            (0, Direction::Up, 0),
        ];
        for (micros, direction, expected) in cases {
            let rounded = Exact::micros(micros).rounded(FEN, direction);
            assert_eq!(rounded, Ok(Exact::micros(expected)), "{micros} {direction:?}");
        }
    }

    #[test]
    fn a_half_that_is_no_decimal_is_told_from_one_a_hair_below() {
        let hair_below = Exact::micros(15_000).minus(Exact::micros(1).share(1, 1_000_000_007).expect("small"));
        assert_eq!(hair_below.and_then(|amount| amount.rounded(FEN, Direction::HalfUp)), Ok(Exact::micros(10_000)));
    }

    #[test]
    fn what_is_too_large_is_an_error_and_not_a_wrong_amount() {
        let mut amount = Exact::micros(i64::MAX);
        let mut last = Ok(amount);
        for _ in 0..3 {
            last = amount.times(i64::MAX);
            let Ok(more) = last else { break };
            amount = more;
        }
        assert_eq!(last, Err(PriceError::TooLarge));
    }
}
