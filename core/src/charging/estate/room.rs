//! A room (房号): building, unit and room as the estate writes it: what clerks search, bill and dun by.
//! It must not know who lives there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest part, in characters.
const MAX_PART: usize = 16;

/// Why a text is no room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no room; write building-unit-room, or building-room")]
pub struct RoomError(String);

/// Building, unit (empty where the estate has none) and room. Ordered as people count: 2 before 10.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Room {
    building: Part,
    unit: Part,
    door: Part,
}

/// A part of a room's number: digits count as a number first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Part {
    number: u64,
    text: String,
}

impl Part {
    fn new(text: &str, suffixes: &[char]) -> Option<Self> {
        let text = text.trim().trim_end_matches(suffixes);
        let fits = text.chars().count() <= MAX_PART && text.chars().all(char::is_alphanumeric);
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        fits.then(|| Self { number: digits.parse().unwrap_or(u64::MAX), text: text.to_owned() })
    }
}

impl Room {
    /// The building's number, by which notices are printed.
    pub fn building(&self) -> &str {
        &self.building.text
    }

    /// The unit; empty where the estate has none.
    pub fn unit(&self) -> &str {
        &self.unit.text
    }

    /// The room within.
    pub fn number(&self) -> &str {
        &self.door.text
    }
}

impl FromStr for Room {
    type Err = RoomError;
    fn from_str(text: &str) -> Result<Self, RoomError> {
        let wrong = || RoomError(text.chars().take(40).collect());
        let parts: Vec<&str> = text.split('-').collect();
        let (building, unit, room) = match parts[..] {
            [building, room] => (building, "", room),
            [building, unit, room] => (building, unit, room),
            _ => return Err(wrong()),
        };
        let building = Part::new(building, &['栋', '幢', '座']).ok_or_else(wrong)?;
        let unit = Part::new(unit, &['单', '元']).ok_or_else(wrong)?;
        let door = Part::new(room, &['室', '号']).ok_or_else(wrong)?;
        if building.text.is_empty() || door.text.is_empty() {
            return Err(wrong());
        }
        Ok(Self { building, unit, door })
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unit.text.is_empty() {
            return write!(f, "{}-{}", self.building.text, self.door.text);
        }
        write!(f, "{}-{}-{}", self.building.text, self.unit.text, self.door.text)
    }
}

impl Serialize for Room {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Room {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_read_as_estates_write_it() {
        let cases =
            [("3-2-1201", "3-2-1201"), ("3栋-2单元-1201室", "3-2-1201"), ("A座-301", "A-301"), (" 3 - 301 ", "3-301")];
        for (text, shown) in cases {
            assert_eq!(text.parse::<Room>().expect("a room").to_string(), shown);
        }
        for text in ["", "3", "3-", "-2-1", "3-2-1-1", "3-2-a/b", "3-2-12345678901234567"] {
            assert!(text.parse::<Room>().is_err(), "{text}");
        }
    }

    #[test]
    fn rooms_are_ordered_as_people_count() {
        let mut rooms: Vec<Room> =
            ["10-1-101", "2-1-1001", "2-1-201", "A-1-1"].iter().map(|text| text.parse().expect("a room")).collect();
        rooms.sort();
        let shown: Vec<String> = rooms.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["2-1-201", "2-1-1001", "10-1-101", "A-1-1"]);
    }
}
