//! The list of fee items: which one is charged for a class on a day. The most specific match wins; two that are equally
//! specific are refused when saved, and both are named.

use chrono::NaiveDate;

use super::item::{FeeItem, FeeKind, InvalidItem};
use crate::charging::calendar::{Span, without};
use crate::charging::estate::SpaceClass;
use crate::charging::label::FeeItemId;

/// Why a list, or a change of it, is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeeFault {
    /// Two items would be charged for one space, and none is more specific.
    #[error(
        "{one} ({selector}) and {other} ({other_selector}) both apply and neither is more specific: fix one more attribute, or end one of them"
    )]
    Ambiguous {
        /// The one.
        one: FeeItemId,
        /// Its selector.
        selector: String,
        /// The other.
        other: FeeItemId,
        /// Its selector.
        other_selector: String,
    },
    /// Two items of one id.
    #[error("there are two items {0}")]
    Twice(FeeItemId),
    /// An item makes no sense by itself.
    #[error("{item}: {why}")]
    Invalid {
        /// Which.
        item: FeeItemId,
        /// Why.
        why: InvalidItem,
    },
}

/// The fee items of an estate, without ambiguity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeeList {
    /// By charge, then the most specific first.
    items: Vec<FeeItem>,
}

/// An item that is charged, and on which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen<'f> {
    /// Which.
    pub item: &'f FeeItem,
    /// When.
    pub span: Span,
}

/// When an item is in force.
fn force(item: &FeeItem) -> Span {
    let until = item.until.unwrap_or(NaiveDate::MAX);
    Span { from: item.price.begins(), until }
}

/// Whether two items compete: the same charge, charged in the same way.
fn compete(one: &FeeItem, other: &FeeItem) -> bool {
    let same_kind = match (&one.kind, &other.kind) {
        (FeeKind::OneOff(occasion), FeeKind::OneOff(other)) => occasion == other,
        (kind, other) => std::mem::discriminant(kind) == std::mem::discriminant(other),
    };
    same_kind && one.charge == other.charge
}

fn ambiguous(one: &FeeItem, other: &FeeItem) -> bool {
    compete(one, other)
        && one.selector.specificity() == other.selector.specificity()
        && one.selector.meets(&other.selector)
        && force(one).and(force(other)).is_some()
}

impl FeeList {
    /// Takes the items, or tells everything that is wrong with them.
    pub fn new(mut items: Vec<FeeItem>) -> Result<Self, Vec<FeeFault>> {
        let mut faults: Vec<FeeFault> = items
            .iter()
            .flat_map(|item| item.faults().into_iter().map(|why| FeeFault::Invalid { item: item.id.clone(), why }))
            .collect();
        for (place, one) in items.iter().enumerate() {
            for other in &items[place + 1..] {
                if one.id == other.id {
                    faults.push(FeeFault::Twice(one.id.clone()));
                } else if ambiguous(one, other) {
                    faults.push(FeeFault::Ambiguous {
                        one: one.id.clone(),
                        selector: one.selector.to_string(),
                        other: other.id.clone(),
                        other_selector: other.selector.to_string(),
                    });
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        items.sort_by(|a, b| {
            let specific = b.selector.specificity().cmp(&a.selector.specificity());
            a.charge.cmp(&b.charge).then(specific).then(a.id.cmp(&b.id))
        });
        Ok(Self { items })
    }

    /// The list with one item new or changed, if that leaves it without fault.
    pub fn with(&self, item: FeeItem) -> Result<Self, Vec<FeeFault>> {
        let mut items: Vec<FeeItem> = self.items.iter().filter(|there| there.id != item.id).cloned().collect();
        items.push(item);
        Self::new(items)
    }

    /// All of them.
    pub fn items(&self) -> &[FeeItem] {
        &self.items
    }

    /// The item of that id.
    pub fn item(&self, id: &FeeItemId) -> Option<&FeeItem> {
        self.items.iter().find(|item| item.id == *id)
    }

    /// What is charged for a class within a span: for each charge, the most specific item in force on each day.
    pub fn charged(&self, class: &SpaceClass, within: Span) -> Vec<Chosen<'_>> {
        let matching: Vec<&FeeItem> = self.items.iter().filter(|item| item.is_for(class)).collect();
        let mut chosen: Vec<Chosen<'_>> = Vec::new();
        for item in matching {
            let Some(force) = force(item).and(within) else { continue };
            let rivals = chosen.iter().filter(|there| compete(there.item, item));
            let taken: Vec<Span> = rivals.map(|there| there.span).collect();
            chosen.extend(without(force, &taken).into_iter().map(|span| Chosen { item, span }));
        }
        chosen
    }
}
