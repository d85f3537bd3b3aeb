//! The four attributes of a space, and the space class (细分车位) that follows from them: the grain at which fees are set.
//! It must not know where a space is kept or what it costs.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::charging::label::UseId;

/// Declares an attribute with the word that it is written as, its Chinese one and what it means.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal $chinese:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word in records and tables.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// 中文
            pub const fn chinese(self) -> &'static str {
                match self { $($name::$variant => $chinese,)* }
            }

            /// Reads either word.
            pub fn by_word(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str().eq_ignore_ascii_case(text) || one.chinese() == text)
            }
        }
    };
}

words! {
    /// Where a space is (车位位置).
    Location {
        /// 露天
        OpenAir = "open_air" "露天",
        /// 地下
        Underground = "underground" "地下",
        /// 停车楼
        Structure = "structure" "停车楼",
    }
}

words! {
    /// Who uses it on what ground (车位类别).
    Tenure {
        /// 产权
        Owned = "owned" "产权",
        /// 出租
        Rented = "rented" "出租",
        /// 临停
        Temporary = "temporary" "临停",
    }
}

words! {
    /// For how many cars it is built (车位分级).
    Grade {
        /// 普通: one car
        Ordinary = "ordinary" "普通",
        /// 子母: two, one behind the other
        Tandem = "tandem" "子母",
        /// 三连: three
        Triple = "triple" "三连",
        /// 多连: n
        Multi = "multi" "多连",
    }
}

/// A grade with the number of cars that it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One car.
    Ordinary,
    /// Two, one behind the other.
    Tandem,
    /// Three.
    Triple,
    /// So many, from 2 to 99.
    Multi(u8),
}

impl Layout {
    /// Joins a grade with a capacity; only `multi` takes one, and needs it.
    pub fn new(grade: Grade, capacity: Option<u8>) -> Result<Self, AttributesError> {
        let layout = match (grade, capacity) {
            (Grade::Multi, Some(n @ 2..=99)) => return Ok(Self::Multi(n)),
            (Grade::Multi, _) => return Err(AttributesError::Capacity { grade, wanted: "2 to 99" }),
            (Grade::Ordinary, _) => Self::Ordinary,
            (Grade::Tandem, _) => Self::Tandem,
            (Grade::Triple, _) => Self::Triple,
        };
        let wanted = ["1", "2", "3"][usize::from(layout.capacity() - 1)];
        if capacity.is_some_and(|given| given != layout.capacity()) {
            return Err(AttributesError::Capacity { grade, wanted });
        }
        Ok(layout)
    }

    /// The grade.
    pub fn grade(self) -> Grade {
        match self {
            Self::Ordinary => Grade::Ordinary,
            Self::Tandem => Grade::Tandem,
            Self::Triple => Grade::Triple,
            Self::Multi(_) => Grade::Multi,
        }
    }

    /// For how many cars.
    pub fn capacity(self) -> u8 {
        match self {
            Self::Ordinary => 1,
            Self::Tandem => 2,
            Self::Triple => 3,
            Self::Multi(n) => n,
        }
    }
}

/// A size in hundredths of a square metre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SquareMetres(u32);

impl SquareMetres {
    /// From hundredths; at most 1,000 m².
    pub fn hundredths(number: u32) -> Option<Self> {
        (number <= 100_000).then_some(Self(number))
    }

    /// As a decimal with two places.
    pub fn decimal(self) -> Decimal {
        Decimal::new(i64::from(self.0), 2)
    }
}

impl fmt::Display for SquareMetres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl FromStr for SquareMetres {
    type Err = AttributesError;
    fn from_str(text: &str) -> Result<Self, AttributesError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number = text.parse::<Decimal>().ok().filter(|_| plain).filter(|number| number.normalize().scale() <= 2);
        let hundredths = number.and_then(|number| (number * Decimal::ONE_HUNDRED).try_into().ok());
        hundredths.and_then(Self::hundredths).ok_or(AttributesError::Size)
    }
}

impl Serialize for SquareMetres {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SquareMetres {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a space is, on a day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attributes {
    /// Where.
    pub location: Location,
    /// Whose.
    pub tenure: Tenure,
    /// For what.
    #[serde(rename = "use")]
    pub usage: UseId,
    /// For how many cars.
    pub layout: Layout,
    /// How large.
    pub size: SquareMetres,
}

/// Why attributes do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    /// A capacity that the grade does not have.
    #[error("a space of grade {} holds {wanted} cars", grade.as_str())]
    Capacity {
        /// The grade.
        grade: Grade,
        /// What it holds.
        wanted: &'static str,
    },
    /// Not a size.
    #[error("a size is 0 to 1000 m² with at most two decimals")]
    Size,
    /// A use that is not in the operator's list.
    #[error("there is no use {0}; add it to the list of uses first")]
    UnknownUse(UseId),
    /// A use that does not allow the tenure.
    #[error("the use {usage} does not allow the tenure {}", tenure.as_str())]
    TenureNotAllowed {
        /// The use.
        usage: UseId,
        /// The tenure.
        tenure: Tenure,
    },
}

impl Attributes {
    /// The class that follows.
    pub fn class(&self) -> SpaceClass {
        SpaceClass {
            location: self.location,
            tenure: self.tenure,
            usage: self.usage.clone(),
            grade: self.layout.grade(),
        }
    }
}

/// The combination of the four attributes (细分车位).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SpaceClass {
    /// Where.
    pub location: Location,
    /// Whose.
    pub tenure: Tenure,
    /// For what.
    #[serde(rename = "use")]
    pub usage: UseId,
    /// Of which grade.
    pub grade: Grade,
}

impl fmt::Display for SpaceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.location.as_str(), self.tenure.as_str(), self.usage, self.grade.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grade_has_its_capacity() {
        let cases = [
            (Grade::Ordinary, None, Some(1)),
            (Grade::Tandem, None, Some(2)),
            (Grade::Triple, Some(3), Some(3)),
            (Grade::Multi, Some(5), Some(5)),
            (Grade::Multi, None, None),
            (Grade::Multi, Some(1), None),
            (Grade::Tandem, Some(3), None),
        ];
        for (grade, given, capacity) in cases {
            assert_eq!(Layout::new(grade, given).ok().map(Layout::capacity), capacity, "{grade:?} {given:?}");
        }
    }

    #[test]
    fn a_size_has_at_most_two_decimals() {
        for (text, shown) in [("12.5", "12.50"), ("12.500", "12.50"), ("0", "0.00"), ("1000", "1000.00")] {
            assert_eq!(text.parse::<SquareMetres>().expect("a size").to_string(), shown);
        }
        for text in ["12.505", "-1", "1000.01", "", "m", "1e3"] {
            assert_eq!(text.parse::<SquareMetres>(), Err(AttributesError::Size), "{text}");
        }
    }

    #[test]
    fn an_attribute_is_read_in_either_language() {
        assert_eq!(Location::by_word("地下"), Some(Location::Underground));
        assert_eq!(Location::by_word("Open_Air"), Some(Location::OpenAir));
        assert_eq!(Tenure::by_word("sold"), None);
    }
}
