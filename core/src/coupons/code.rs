//! The one-time code of a coupon: 80 bits in 16 characters, derived from the box's key, so that nobody can guess one and
//! no record holds one.

use std::fmt;
use std::str::FromStr;

use crate::charging::label::MerchantId;
use crate::id::{DiscountId, IdKey};

/// Characters of a code, without the dashes that people read it by.
const CODE_CHARS: usize = 16;
const GROUP: usize = 4;

/// What a driver types: `7k2p-9x0m-q4td-3vhc`.
#[derive(Clone, PartialEq, Eq)]
pub struct CouponCode(String);

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a coupon code has 16 letters and digits, such as 7k2p-9x0m-q4td-3vhc")]
pub struct CodeError;

impl CouponCode {
    /// The code of a coupon of a batch.
    pub fn derive(key: &IdKey, merchant: &MerchantId, batch: u32, number: u32) -> Self {
        let of = [merchant.as_str(), &batch.to_string(), &number.to_string()];
        let whole = DiscountId::derive(key, &["code", of[0], of[1], of[2]]).to_string();
        // The first characters of an id hold fewer bits.
        Self(whole[whole.len() - CODE_CHARS..].to_owned())
    }

    /// The id under which its coupon is kept; without the key it says nothing of the code.
    pub fn id(&self, key: &IdKey) -> DiscountId {
        DiscountId::derive(key, &["coupon", &self.0])
    }
}

impl FromStr for CouponCode {
    type Err = CodeError;
    /// Takes it with or without dashes and blanks, in either case, and with the letters that are read as digits.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        if text.len() > 64 {
            return Err(CodeError);
        }
        let plain: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            })
            .collect();
        let known = |c: char| c.is_ascii_digit() || (c.is_ascii_lowercase() && c != 'u');
        if plain.len() == CODE_CHARS && plain.chars().all(known) { Ok(Self(plain)) } else { Err(CodeError) }
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, c) in self.0.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{c}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CouponCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it_and_depends_on_the_key() {
        let merchant = MerchantId::new("书店").expect("a name");
        let code = CouponCode::derive(&IdKey::new([1; 32]), &merchant, 1, 7);
        let shown = code.to_string();
        assert_eq!(shown.len(), 19);
        for text in [shown.clone(), shown.to_uppercase(), shown.replace('-', " "), shown.replace('0', "O")] {
            assert_eq!(text.parse::<CouponCode>().as_ref(), Ok(&code), "{text}");
        }
        assert_ne!(code, CouponCode::derive(&IdKey::new([2; 32]), &merchant, 1, 7));
        assert_ne!(code, CouponCode::derive(&IdKey::new([1; 32]), &merchant, 1, 8));
        assert_eq!(format!("{code:?}"), "CouponCode(..)");
        for text in ["", "7k2p", "uuuu-uuuu-uuuu-uuuu", "7k2p-9x0m-q4td-3vhcc", "粤粤粤粤粤粤粤粤"] {
            assert_eq!(text.parse::<CouponCode>(), Err(CodeError), "{text}");
        }
    }
}
