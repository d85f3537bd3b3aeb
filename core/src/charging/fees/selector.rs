//! A selector over space classes: any attribute may be 'any', and the more it fixes, the more specific it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::charging::estate::{Grade, Location, SpaceClass, Tenure};
use crate::charging::label::UseId;

/// Which classes; `None` is 'any'.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Selector {
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenure: Option<Tenure>,
    /// For what.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<UseId>,
    /// Of which grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
}

fn fits<T: PartialEq>(wanted: Option<&T>, is: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == is)
}

fn meet<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    one.is_none() || other.is_none() || one == other
}

impl Selector {
    /// Whether the class is among them.
    pub fn matches(&self, class: &SpaceClass) -> bool {
        fits(self.location.as_ref(), &class.location)
            && fits(self.tenure.as_ref(), &class.tenure)
            && fits(self.usage.as_ref(), &class.usage)
            && fits(self.grade.as_ref(), &class.grade)
    }

    /// How many attributes it fixes: 0 to 4.
    pub fn specificity(&self) -> u8 {
        u8::from(self.location.is_some())
            + u8::from(self.tenure.is_some())
            + u8::from(self.usage.is_some())
            + u8::from(self.grade.is_some())
    }

    /// Whether some class is among those of both.
    pub fn meets(&self, other: &Self) -> bool {
        meet(self.location.as_ref(), other.location.as_ref())
            && meet(self.tenure.as_ref(), other.tenure.as_ref())
            && meet(self.usage.as_ref(), other.usage.as_ref())
            && meet(self.grade.as_ref(), other.grade.as_ref())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = self.location.map_or("any", Location::as_str);
        let tenure = self.tenure.map_or("any", Tenure::as_str);
        let usage = self.usage.as_ref().map_or("any", UseId::as_str);
        let grade = self.grade.map_or("any", Grade::as_str);
        write!(f, "{location}/{tenure}/{usage}/{grade}")
    }
}
