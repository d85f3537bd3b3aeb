//! 大写金额: an amount of yuan in capital Chinese numerals, as invoices and receipts carry it beside the figures
//! (支付结算办法, annex 1). Such a text cannot be altered by a stroke.

use crate::money::{Currency, Money};

const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
const PLACES: [&str; 4] = ["", "拾", "佰", "仟"];
const WAN: u64 = 10_000;
const YI: u64 = 100_000_000;

/// An amount that is not written in these numerals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("only renminbi is written in capital numerals, not {0}")]
pub struct CapitalError(Currency);

/// The amount in words: `1004.50` is 壹仟零肆元伍角整.
pub fn in_capitals(amount: Money) -> Result<String, CapitalError> {
    if amount.currency() != Currency::Cny {
        return Err(CapitalError(amount.currency()));
    }
    let minor = amount.minor().unsigned_abs();
    let (yuan, fen) = (minor / 100, minor % 100);
    let (jiao, fen) = (fen / 10, fen % 10);
    let mut text = String::new();
    if amount.minor() < 0 {
        text.push('负');
    }
    if yuan > 0 || minor == 0 {
        text.push_str(&whole(yuan));
        text.push('元');
    }
    match (jiao, fen) {
        (0, 0) => text.push('整'),
        (jiao, 0) => text.extend([digit(jiao), "角整"]),
        // Without whole yuan there is nothing that a zero could keep apart.
        (0, fen) => text.extend([if yuan > 0 { "零" } else { "" }, digit(fen), "分"]),
        (jiao, fen) => text.extend([digit(jiao), "角", digit(fen), "分"]),
    }
    Ok(text)
}

fn digit(value: u64) -> &'static str {
    DIGITS[usize::try_from(value % 10).expect("a digit")]
}

/// A whole number; a zero stands once between two parts where places are empty.
fn whole(number: u64) -> String {
    let (unit, sign) = if number >= YI {
        (YI, "亿")
    } else if number >= WAN {
        (WAN, "万")
    } else {
        return below_wan(number);
    };
    let (high, low) = (number / unit, number % unit);
    let zero = if low > 0 && low < unit / 10 { "零" } else { "" };
    let low = if low > 0 { whole(low) } else { String::new() };
    format!("{}{sign}{zero}{low}", whole(high))
}

fn below_wan(number: u64) -> String {
    if number == 0 {
        return DIGITS[0].to_owned();
    }
    let mut text = String::new();
    let mut gap = Gap::None;
    for place in (0..4u32).rev() {
        let value = number / 10_u64.pow(place) % 10;
        if value == 0 {
            gap = if text.is_empty() { Gap::None } else { Gap::Open };
            continue;
        }
        if gap == Gap::Open {
            text.push('零');
        }
        gap = Gap::None;
        text.push_str(digit(value));
        text.push_str(PLACES[place as usize]);
    }
    text
}

/// Whether empty places stand before the next digit.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    None,
    Open,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capitals(minor: i64) -> String {
        in_capitals(Money::new(minor, Currency::Cny)).expect("renminbi")
    }

    #[test]
    fn amounts_are_written_as_the_rules_say() {
        let cases = [
            (0, "零元整"),
            (5, "伍分"),
            (50, "伍角整"),
            (55, "伍角伍分"),
            (100, "壹元整"),
            (105, "壹元零伍分"),
            (150, "壹元伍角整"),
            (1_000, "壹拾元整"),
            (1_500, "壹拾伍元整"),
            (10_900, "壹佰零玖元整"),
            (100_450, "壹仟零肆元伍角整"),
            (140_950, "壹仟肆佰零玖元伍角整"),
            (600_714, "陆仟零柒元壹角肆分"),
            (168_032, "壹仟陆佰捌拾元叁角贰分"),
            (32_504, "叁佰贰拾伍元零肆分"),
            (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
            (10_700_053, "壹拾万柒仟元伍角叁分"),
            (1_000_000, "壹万元整"),
            (1_000_100, "壹万零壹元整"),
            (1_001_000, "壹万零壹拾元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (10_001_000_000, "壹亿零壹万元整"),
            (100_000_000_000_000, "壹万亿元整"),
            (-1_500, "负壹拾伍元整"),
        ];
        for (minor, text) in cases {
            assert_eq!(capitals(minor), text, "{minor}");
        }
    }

    #[test]
    fn other_currencies_are_not_written_so() {
        assert_eq!(in_capitals(Money::new(1, Currency::Eur)), Err(CapitalError(Currency::Eur)));
    }

    /// Reads the numerals back, by rules of its own: place by place from the left.
    fn read(text: &str) -> i64 {
        let (text, sign) = text.strip_prefix('负').map_or((text, 1), |rest| (rest, -1));
        let (mut whole, mut section, mut last, mut minor) = (0_i64, 0_i64, 0_i64, 0_i64);
        for c in text.chars() {
            if let Some(value) = DIGITS.iter().position(|digit| digit.chars().eq([c])) {
                last = i64::try_from(value).expect("a digit");
                continue;
            }
            match c {
                '拾' | '佰' | '仟' => {
                    section += last
                        * 10_i64.pow(match c {
                            '拾' => 1,
                            '佰' => 2,
                            _ => 3,
                        });
                }
                '万' => (whole, section) = (whole + (section + last) * 10_000, 0),
                '亿' => (whole, section) = ((whole + section + last) * 100_000_000, 0),
                '元' => (minor, whole, section) = ((whole + section + last) * 100, 0, 0),
                '角' => minor += last * 10,
                '分' => minor += last,
                '整' => {}
                other => panic!("{other} is no numeral"),
            }
            last = 0;
        }
        sign * minor
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same_amount(minor in -99_999_999_999_999i64..99_999_999_999_999) {
            prop_assert_eq!(read(&capitals(minor)), minor);
        }

        #[test]
        fn no_zero_stands_twice_or_before_a_unit(minor in 0i64..99_999_999_999_999) {
            let text = capitals(minor);
            for wrong in ["零零", "零万", "零亿", "零角", "零拾", "零佰", "零仟"] {
                prop_assert!(!text.contains(wrong), "{}", text);
            }
            prop_assert!(minor < 100 || !text.contains("零元"), "{}", text);
        }

        #[test]
        fn every_amount_there_is_can_be_written(minor: i64) {
            prop_assert!(!capitals(minor).is_empty());
        }
    }
}
