//! All that the gate knows of one plate: the list that it stands on, and a pass for each card that it is on.
//!
//! Owns the order in which they count. A plate may stand on a list and on several cards at once; nothing of one hides
//! another for good. It must not know the lane.

use chrono::{DateTime, Utc};

use super::{GatePass, Grants, Says};
use crate::plate::Plate;
use crate::record::{Change, Kept, ReadError, Record, Records};
use crate::stay::Cover;

/// So many cards and visits of one plate are looked at; a plate that is on more goes by the first.
const MOST: usize = 16;

/// The passes of one plate.
#[derive(Debug, Clone, Default)]
pub struct Passes {
    all: Vec<(String, Kept<GatePass>)>,
}

/// What a plate's passes come to at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'p> {
    /// A list or a card's dates decide it alone.
    Says(Says),
    /// Cards let the car in; the one that says so with the fewest reservations comes first. Never empty.
    Cards(Vec<(Says, &'p GatePass)>),
}

impl Passes {
    /// The passes of a plate, by its keys: no walk.
    pub fn of(plate: &Plate, records: &impl Records) -> Result<Self, ReadError> {
        // People's lists stand under the plate alone; so did, in an earlier release, the pass of its card.
        let listed = records.get::<GatePass>(plate.as_str())?.map(|kept| (plate.to_string(), kept));
        let others = records.list_under::<GatePass>(&GatePass::key_of(plate, ""), MOST)?;
        let all = listed.into_iter().chain(others.into_iter().map(|kept| (kept.record.key(), kept))).collect();
        Ok(Self { all })
    }

    /// A change that goes by them relies on them.
    pub fn relied_on_by(&self, change: &mut Change) {
        for (key, kept) in &self.all {
            change.rely_on(key, Some(kept));
        }
    }

    fn each(&self) -> impl Iterator<Item = &GatePass> {
        self.all.iter().map(|(_, kept)| &kept.record)
    }

    /// The pass of one card.
    pub fn of_card(&self, card: &str) -> Option<&GatePass> {
        self.each().find(|pass| pass.is_of(card))
    }

    /// Whether people have put the plate on the block list.
    pub fn blocks(&self) -> bool {
        self.each().any(|pass| matches!(pass.grants, Grants::Blocked { .. }))
    }

    /// What they come to: the block list goes before the free list, and that before cards. Of several cards one that
    /// lets the car in counts, and of these the first by the fewest reservations, then by number.
    pub fn verdict(&self, at: DateTime<Utc>) -> Verdict<'_> {
        if self.blocks() {
            return Verdict::Says(Says::Blocks);
        }
        let mut said: Vec<(Says, &GatePass)> = self.each().map(|pass| (pass.says(at), pass)).collect();
        if said.iter().any(|(says, _)| *says == Says::Free) {
            return Verdict::Says(Says::Free);
        }
        said.sort_by_key(|(says, _)| reservations(says));
        match said.first() {
            None => Verdict::Says(Says::Nothing),
            Some((Says::Lets(_) | Says::LetsInGrace(_) | Says::LetsAndWarns(_), _)) => {
                said.retain(|(says, _)| reservations(says) <= MOST_THAT_LETS);
                Verdict::Cards(said)
            }
            Some((says, _)) => Verdict::Says(says.clone()),
        }
    }

    /// A term of a letting that was bought or renewed while the car stood inside as a temporary one: what it covers.
    pub fn bought_meanwhile(&self, until: DateTime<Utc>) -> Option<(&GatePass, Cover)> {
        let Verdict::Cards(cards) = self.verdict(until) else { return None };
        cards.into_iter().find_map(|(_, pass)| match &pass.grants {
            Grants::Rented { from, .. } => {
                let Cover { coverage, until, .. } = pass.cover(until).unwrap_or_default();
                Some((pass, Cover { coverage, from: Some(*from), until }))
            }
            _ => None,
        })
    }

    /// Whether a camera may have let the car in by itself at that moment.
    pub fn admit_at(&self, at: DateTime<Utc>) -> bool {
        !self.blocks() && self.each().filter_map(GatePass::admits).any(|admission| admission.holds_at(at))
    }
}

/// Up to here a card lets its car in.
const MOST_THAT_LETS: u8 = 2;

fn reservations(says: &Says) -> u8 {
    match says {
        Says::Lets(_) => 0,
        Says::LetsInGrace(_) => 1,
        Says::LetsAndWarns(_) => MOST_THAT_LETS,
        Says::RefusesOverdue => 3,
        Says::ChargesOverdue => 4,
        Says::HasRunOut => 5,
        Says::Nothing | Says::Free | Says::Blocks => 6,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::pass::OverduePolicy;
    use crate::record::{Cause, ChangeKind, Memory};

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    fn plate(text: &str) -> Plate {
        Plate::new(text).expect("a plate")
    }

    fn owned(card: &str, paid: i64, overdue: OverduePolicy) -> Grants {
        Grants::Owned { card: card.into(), paid_until: day(paid), grace_days: 0, overdue }
    }

    fn rented(card: &str, until: i64) -> Grants {
        Grants::Rented { card: card.into(), from: day(0), until: day(until), grace_days: 0 }
    }

    fn with(all: &[(&str, Grants)]) -> Memory {
        let mut records = Memory::new();
        let mut change = Change::new(ChangeKind::PassWritten, day(0), Cause::Time);
        for (of, grants) in all {
            change.put(&GatePass::new(plate(of), grants.clone()));
        }
        records.take(&change).expect("sound");
        records
    }

    #[test]
    fn lists_go_before_cards_and_a_card_that_lets_in_before_one_that_does_not() {
        use OverduePolicy::{ChargeAsTemporary, OpenAndWarn, RefuseEntry};
        let blocked = || Grants::Blocked { reason: "stolen".into() };
        let free = |until| Grants::Free { until: Some(day(until)) };
        let cases: [(Vec<Grants>, &str); 7] = [
            (vec![blocked(), rented("C1", 9)], "blocks"),
            (vec![free(9), owned("C1", 1, RefuseEntry)], "free"),
            (vec![free(2), rented("C1", 9)], "C1"),
            (vec![owned("C1", 1, RefuseEntry), rented("C2", 9)], "C2"),
            (vec![owned("C1", 1, OpenAndWarn), rented("C2", 9)], "C2 C1"),
            (vec![owned("C1", 1, RefuseEntry), owned("C2", 1, ChargeAsTemporary)], "refuses"),
            (vec![rented("C1", 2)], "has run out"),
        ];
        for (grants, expected) in cases {
            let all: Vec<(&str, Grants)> = grants.into_iter().map(|one| ("粤C12345", one)).collect();
            let passes = Passes::of(&plate("粤C12345"), &with(&all)).expect("readable");
            let said = match passes.verdict(day(5)) {
                Verdict::Says(Says::Blocks) => "blocks".to_owned(),
                Verdict::Says(Says::Free) => "free".to_owned(),
                Verdict::Says(Says::RefusesOverdue) => "refuses".to_owned(),
                Verdict::Says(Says::HasRunOut) => "has run out".to_owned(),
                Verdict::Says(other) => format!("{other:?}"),
                Verdict::Cards(cards) => cards.iter().filter_map(|(_, pass)| pass.card()).collect::<Vec<_>>().join(" "),
            };
            assert_eq!(said, expected, "{all:?}");
        }
    }

    #[test]
    fn a_longer_plate_that_begins_alike_is_another_car() {
        let records = with(&[("粤C1234", rented("C1", 9)), ("粤C12345", rented("C2", 9))]);
        let passes = Passes::of(&plate("粤C1234"), &records).expect("readable");
        assert!(passes.of_card("C1").is_some() && passes.of_card("C2").is_none());
    }

    #[test]
    fn a_pass_that_an_earlier_release_wrote_under_the_plate_alone_still_counts() {
        let mut records = Memory::new();
        let json = r#"{"plate":"粤C12345","grants":{"rented":{"card":"C1","from":"1970-01-01T00:00:00Z","until":"1970-01-09T00:00:00Z","grace_days":0}}}"#;
        let mut change = Change::new(ChangeKind::PassWritten, day(0), Cause::Time);
        change.ops.push(crate::record::Op::Put {
            table: "passes".into(),
            key: "粤C12345".into(),
            record: serde_json::value::RawValue::from_string(json.into()).expect("JSON"),
        });
        records.take(&change).expect("sound");
        let passes = Passes::of(&plate("粤C12345"), &records).expect("readable");
        assert!(matches!(passes.verdict(day(5)), Verdict::Cards(_)));
        let mut next = Change::new(ChangeKind::PassWritten, day(1), Cause::Time);
        passes.relied_on_by(&mut next);
        assert!(records.take(&next).is_ok(), "it relies on the key under which it stands");
    }
}
