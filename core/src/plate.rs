//! A vehicle's plate: its text and colour, what kind of vehicle that suggests, and whether text and colour agree.
//!
//! Source of the forms: GA 36-2018. A plate that fits no form is still a plate (foreign, temporary, misread): the box
//! keeps what was read, bounded, and says that it is doubtful. Two reads are the same vehicle when their texts agree.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest plate text that is kept, in characters; the longest in use (`粤Z12345港`, `WJ粤12345X`) has eight.
pub const MAX_PLATE_CHARS: usize = 16;

/// Why a text is no plate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlateError {
    /// Nothing was read: the car gets a ticket (无牌车).
    #[error("the plate is empty")]
    Empty,
    /// Longer than any plate.
    #[error("a plate has at most {MAX_PLATE_CHARS} characters")]
    TooLong,
    /// A character that stands on no plate.
    #[error("a plate holds letters, digits and Chinese characters; found {0:?}")]
    Character(char),
}

/// The text of a plate: upper-case letters, digits and Chinese characters, 1 to 16 of them, without separators.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plate(Arc<str>);

impl Plate {
    /// Reads a plate as cameras and people write it: blanks, dots and dashes between the characters are dropped,
    /// letters become upper case.
    pub fn new(text: &str) -> Result<Self, PlateError> {
        let mut plain = String::new();
        for (kept, c) in text.chars().filter(|c| !matches!(c, ' ' | '·' | '•' | '.' | '-')).enumerate() {
            if kept == MAX_PLATE_CHARS {
                return Err(PlateError::TooLong);
            }
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' => plain.push(c.to_ascii_uppercase()),
                '\u{4e00}'..='\u{9fff}' => plain.push(c),
                other => return Err(PlateError::Character(other)),
            }
        }
        if plain.is_empty() { Err(PlateError::Empty) } else { Ok(Self(Arc::from(plain))) }
    }

    /// The text, without separators.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form of GA 36 that the text has.
    pub fn form(&self) -> Form {
        Form::of(&self.0)
    }

    /// The plate as the owner should see it while strangers look on: `粤C·1***5`.
    pub fn masked(&self) -> String {
        let count = self.0.chars().count();
        self.0.chars().enumerate().map(|(place, c)| if place < 3 || place + 1 == count { c } else { '*' }).collect()
    }
}

impl fmt::Display for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Plate {
    type Err = PlateError;
    fn from_str(text: &str) -> Result<Self, PlateError> {
        Self::new(text)
    }
}

impl Serialize for Plate {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Plate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// Plate colours of contracts.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Small vehicles.
    Blue,
    /// Large vehicles.
    Yellow,
    /// Small new-energy vehicles.
    Green,
    /// Large new-energy vehicles.
    YellowGreen,
    /// Police, armed police, military.
    White,
    /// Embassies, Hong Kong and Macao vehicles.
    Black,
    /// Not read, or a colour that this list does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Colour {
    /// The word used on the wire and in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::YellowGreen => "yellow_green",
            Self::White => "white",
            Self::Black => "black",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of vehicle that the colour stands for, unless the vehicle is registered as another (domain.md, 'Terms').
    pub fn vehicle_kind(self) -> VehicleKind {
        match self {
            Self::Yellow => VehicleKind::Large,
            Self::Green | Self::YellowGreen => VehicleKind::NewEnergy,
            Self::Blue | Self::White | Self::Black | Self::Unknown => VehicleKind::Small,
        }
    }
}

/// Kinds of vehicle that prices tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VehicleKind {
    /// 小型车
    Small,
    /// 大型车
    Large,
    /// 新能源车
    NewEnergy,
}

/// The forms of GA 36-2018, as far as text alone tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Province, letter, five characters; the last may be 挂学警港澳.
    Ordinary,
    /// Province, letter, six characters with a new-energy letter first or last.
    NewEnergy,
    /// Armed police (WJ...).
    ArmedPolice,
    /// None of these.
    Other,
}

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

/// Letters and digits that stand on plates: I and O do not.
fn plain(c: char) -> bool {
    letter(c) || c.is_ascii_digit()
}

fn letter(c: char) -> bool {
    c.is_ascii_uppercase() && !matches!(c, 'I' | 'O')
}

impl Form {
    fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        if text.starts_with("WJ") && matches!(chars.len(), 7 | 8) {
            return Self::ArmedPolice;
        }
        let [province, office, rest @ ..] = chars.as_slice() else { return Self::Other };
        if !PROVINCES.contains(*province) || !letter(*office) {
            return Self::Other;
        }
        let energy = |c: char| ('A'..='K').contains(&c) && c != 'I';
        match rest {
            [head @ .., last] if rest.len() == 5 => {
                let tail = plain(*last) || "挂学警港澳".contains(*last);
                if tail && head.iter().all(|c| plain(*c)) { Self::Ordinary } else { Self::Other }
            }
            [first, second, tail @ ..] if rest.len() == 6 => {
                let front = energy(*first) && plain(*second) && tail.iter().all(char::is_ascii_digit);
                let back = energy(rest[5]) && rest[..5].iter().all(char::is_ascii_digit);
                if front || back { Self::NewEnergy } else { Self::Other }
            }
            _ => Self::Other,
        }
    }

    /// Whether a plate of this form may have this colour; an unread colour contradicts nothing.
    pub fn agrees_with(self, colour: Colour) -> Agreement {
        let fits = match (self, colour) {
            (_, Colour::Unknown) => true,
            (Self::NewEnergy, c) => matches!(c, Colour::Green | Colour::YellowGreen),
            (Self::Ordinary, c) => !matches!(c, Colour::Green | Colour::YellowGreen),
            (Self::ArmedPolice, c) => c == Colour::White,
            (Self::Other, _) => false,
        };
        if fits { Agreement::Agrees } else { Agreement::Doubtful }
    }
}

/// Whether form and colour of a plate agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// They do.
    Agrees,
    /// They do not, or the form is unknown: perhaps a misread.
    Doubtful,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_is_read_as_people_write_it() {
        for text in ["粤C12345", "粤c12345", "粤C·12345", " 粤C-123 45"] {
            assert_eq!(Plate::new(text).expect("a plate").as_str(), "粤C12345", "{text}");
        }
    }

    #[test]
    fn what_is_no_plate_is_refused_and_says_why() {
        assert_eq!(Plate::new(""), Err(PlateError::Empty));
        assert_eq!(Plate::new(" · "), Err(PlateError::Empty));
        assert_eq!(Plate::new(&"A".repeat(500)), Err(PlateError::TooLong));
        assert_eq!(Plate::new("粤C<b>"), Err(PlateError::Character('<')));
        assert_eq!(Plate::new("粤C1\u{0}"), Err(PlateError::Character('\u{0}')));
    }

    #[test]
    fn forms_follow_ga_36() {
        let cases = [
            ("粤C12345", Form::Ordinary),
            ("京A1234警", Form::Ordinary),
            ("粤Z1234港", Form::Ordinary),
            ("粤BD12345", Form::NewEnergy),
            ("粤BK12345", Form::NewEnergy),
            ("粤B12345D", Form::NewEnergy),
            ("粤BI12345", Form::Other),
            ("粤O12345", Form::Other),
            ("粤C1234I", Form::Other),
            ("WJ粤1234X", Form::ArmedPolice),
            ("ABC123", Form::Other),
        ];
        for (text, form) in cases {
            assert_eq!(Plate::new(text).expect("a plate").form(), form, "{text}");
        }
    }

    #[test]
    fn colour_and_form_must_agree() {
        assert_eq!(Form::NewEnergy.agrees_with(Colour::Green), Agreement::Agrees);
        assert_eq!(Form::NewEnergy.agrees_with(Colour::Blue), Agreement::Doubtful);
        assert_eq!(Form::Ordinary.agrees_with(Colour::Green), Agreement::Doubtful);
        assert_eq!(Form::Ordinary.agrees_with(Colour::Unknown), Agreement::Agrees);
    }

    #[test]
    fn a_masked_plate_hides_its_middle() {
        assert_eq!(Plate::new("粤C12345").expect("a plate").masked(), "粤C1***5");
    }

    #[test]
    fn an_unheard_of_colour_reads_as_unknown() {
        assert_eq!(serde_json::from_str::<Colour>("\"pink\"").expect("a colour"), Colour::Unknown);
    }
}
