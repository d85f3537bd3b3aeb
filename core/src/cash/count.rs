//! Counting: pieces of money, and rounding to the smallest coin.

use serde::{Deserialize, Serialize};

use super::CashRefusal;
use crate::money::{Currency, Money};

/// The smallest coin that the till gives and takes, in smallest units of the currency: 1 does not round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin(i64);

impl Coin {
    /// A coin of 1 to 1,000 smallest units.
    pub fn new(minor: i64) -> Option<Self> {
        (1..=1_000).contains(&minor).then_some(Self(minor))
    }

    /// The amount in coins: to the nearest one, half of one in favour of who pays.
    pub fn round(self, amount: Money) -> Money {
        let Self(coin) = self;
        let below = amount.minor().div_euclid(coin) * coin;
        let up = amount.minor() - below > coin / 2;
        Money::new(if up { below + coin } else { below }, amount.currency())
    }
}

impl Default for Coin {
    fn default() -> Self {
        Self(1)
    }
}

/// So many pieces of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pieces {
    /// What one is worth.
    pub value: Money,
    /// How many.
    pub pieces: u32,
}

/// What the pieces come to.
pub fn sum(pieces: &[Pieces], currency: Currency) -> Result<Money, CashRefusal> {
    pieces.iter().try_fold(Money::zero(currency), |sum, one| {
        let minor = one.value.minor().checked_mul(i64::from(one.pieces));
        let worth = minor.filter(|minor| *minor >= 0).ok_or(CashRefusal::Amount(one.value))?;
        Ok(sum.plus(Money::new(worth, one.value.currency()))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cash_is_rounded_to_the_nearest_coin_half_in_favour_of_who_pays() {
        let yuan = |minor| Money::new(minor, Currency::Cny);
        let cases =
            [(1, 1234, 1234), (10, 1234, 1230), (10, 1235, 1230), (10, 1236, 1240), (50, 1224, 1200), (50, 1226, 1250)];
        for (coin, amount, rounded) in cases {
            let coin = Coin::new(coin).expect("a coin");
            assert_eq!(coin.round(yuan(amount)), yuan(rounded), "{amount} in {coin:?}");
        }
        assert_eq!(Coin::new(0), None);
    }

    #[test]
    fn pieces_come_to_their_sum() {
        let piece = |minor, pieces| Pieces { value: Money::new(minor, Currency::Cny), pieces };
        let drawer = [piece(10_000, 3), piece(100, 7), piece(10, 0)];
        assert_eq!(sum(&drawer, Currency::Cny), Ok(Money::new(30_700, Currency::Cny)));
        assert!(sum(&[piece(-100, 1)], Currency::Cny).is_err());
        assert!(sum(&[piece(i64::MAX, 2)], Currency::Cny).is_err());
    }
}
