//! What a driver says of itself: its descriptor, bounded, and believed for no more than words.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::short;

const MOST_NAME_CHARS: usize = 64;

/// A driver's descriptor.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    /// Which driver it is.
    pub id: String,
    /// In which version.
    pub version: String,
    /// All that it says, its id and version included.
    pub json: serde_json::Value,
}

// Values of JSON are equal or not; no number in them is compared with itself.
impl Eq for Descriptor {}

impl Descriptor {
    /// Reads what a child passed on; in words, why it is no descriptor.
    pub(super) fn read(json: &RawValue) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Names {
            id: String,
            version: String,
        }
        let unfit = |fault: serde_json::Error| format!("its descriptor does not fit: {fault}");
        let names: Names = serde_json::from_str(json.get()).map_err(unfit)?;
        for (what, name) in [("id", &names.id), ("version", &names.version)] {
            if name.is_empty() || short(name, MOST_NAME_CHARS) != *name {
                return Err(format!("its descriptor does not fit: {what} has 1 to {MOST_NAME_CHARS} characters"));
            }
        }
        let json = serde_json::from_str(json.get()).map_err(unfit)?;
        Ok(Self { id: names.id, version: names.version, json })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_names_are_believed_and_the_rest_is_kept_as_it_is() {
        let read = |json: &str| Descriptor::read(&serde_json::from_str::<Box<RawValue>>(json).expect("JSON"));
        let descriptor = read(r#"{"id":"acme.barrier","version":"1.0.0","kinds":["barrier"]}"#).expect("a descriptor");
        assert_eq!((descriptor.id.as_str(), descriptor.version.as_str()), ("acme.barrier", "1.0.0"));
        assert_eq!(descriptor.json["kinds"][0], "barrier");
        let long = format!(r#"{{"id":"{}","version":"1"}}"#, "x".repeat(65));
        for wrong in ["[]", r#"{"id":"a"}"#, r#"{"id":"","version":"1"}"#, r#"{"id":"a\nb","version":"1"}"#, &long] {
            assert!(read(wrong).expect_err(wrong).contains("does not fit"), "{wrong}");
        }
    }
}
