//! Who stands where on a tandem, triple or multi space, and who blocks whom.
//!
//! It follows from the order of entry and can be corrected. It never alters gate or fee.

use serde::{Deserialize, Serialize};

use super::attributes::Layout;
use crate::charging::label::SpaceNumber;
use crate::charging::timeline::Note;
use crate::plate::Plate;
use crate::record::{Record, Table};

/// The cars on one space, the innermost first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    layout: Layout,
    cars: Vec<Plate>,
}

/// Why a car cannot be put where somebody says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// All places are taken.
    #[error("all {0} places are taken")]
    Full(u8),
    /// It stands there already.
    #[error("{0} stands there already")]
    Already(Plate),
    /// It does not stand there.
    #[error("{0} does not stand there")]
    NotThere(Plate),
    /// A correction that does not name the cars that stand there, each once.
    #[error("a correction names the cars that stand there, each once")]
    OtherCars,
}

impl Row {
    /// Nobody stands there yet.
    pub fn new(layout: Layout) -> Self {
        Self { layout, cars: vec![] }
    }

    /// A car drives in: in front of those that are there. Its place, 0 being the innermost.
    pub fn enter(&mut self, plate: Plate) -> Result<usize, StandingError> {
        if self.cars.contains(&plate) {
            return Err(StandingError::Already(plate));
        }
        if self.cars.len() >= usize::from(self.layout.capacity()) {
            return Err(StandingError::Full(self.layout.capacity()));
        }
        self.cars.push(plate);
        Ok(self.cars.len() - 1)
    }

    /// A car drives out; those in front of it move up.
    pub fn leave(&mut self, plate: &Plate) -> Result<(), StandingError> {
        let found = self.place_of(plate)?;
        self.cars.remove(found);
        Ok(())
    }

    /// Somebody has looked: they stand in this order, the innermost first.
    pub fn correct(&mut self, order: Vec<Plate>) -> Result<(), StandingError> {
        let (mut there, mut said) = (self.cars.clone(), order.clone());
        there.sort();
        said.sort();
        if there != said {
            return Err(StandingError::OtherCars);
        }
        self.cars = order;
        Ok(())
    }

    /// Who has to move so that the car can drive out, the nearest first; nobody for the outermost.
    pub fn blocked_by(&self, plate: &Plate) -> Result<&[Plate], StandingError> {
        Ok(&self.cars[self.place_of(plate)? + 1..])
    }

    /// The cars, the innermost first.
    pub fn cars(&self) -> &[Plate] {
        &self.cars
    }

    fn place_of(&self, plate: &Plate) -> Result<usize, StandingError> {
        let found = self.cars.iter().position(|car| car == plate);
        found.ok_or_else(|| StandingError::NotThere(plate.clone()))
    }
}

/// How cars stood on a space when somebody looked, the innermost first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceStanding {
    /// The space.
    pub space: SpaceNumber,
    /// The cars, the innermost first.
    pub cars: Vec<Plate>,
    /// Who looked.
    pub note: Note,
}

impl Record for SpaceStanding {
    const TABLE: Table = Table::Standings;
    fn key(&self) -> String {
        self.space.to_string()
    }
}

/// Where the cars of a card stand that are `inside`, in the order of their entry, on its spaces. Who was seen on a space
/// and is still inside stands there, in the order that was seen; the others fill the spaces up, one after the other. Cars
/// for which there is no room stand nowhere.
pub fn stand(
    spaces: impl IntoIterator<Item = (SpaceNumber, Layout, Vec<Plate>)>,
    inside: &[Plate],
) -> Vec<(SpaceNumber, Row)> {
    let mut rows = Vec::new();
    let mut placed: Vec<Plate> = Vec::new();
    for (number, layout, seen) in spaces {
        let mut row = Row::new(layout);
        for plate in seen.into_iter().filter(|plate| inside.contains(plate)) {
            // One that was seen twice, or is one too many by now, is placed by its entry.
            if !placed.contains(&plate) && row.enter(plate.clone()).is_ok() {
                placed.push(plate);
            }
        }
        rows.push((number, row));
    }
    for plate in inside.iter().filter(|plate| !placed.contains(plate)) {
        let free = rows.iter_mut().find(|(_, row)| row.cars.len() < usize::from(row.layout.capacity()));
        if let Some((_, row)) = free {
            row.cars.push(plate.clone());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn car(number: u32) -> Plate {
        Plate::new(&format!("粤C{number:05}")).expect("a plate")
    }

    fn row(layout: Layout, cars: u32) -> Row {
        let mut row = Row::new(layout);
        for number in 0..cars {
            assert_eq!(row.enter(car(number)), Ok(number as usize));
        }
        row
    }

    #[test]
    fn a_space_holds_as_many_as_its_grade_and_the_inner_ones_are_blocked() {
        for (layout, capacity) in
            [(Layout::Ordinary, 1), (Layout::Tandem, 2), (Layout::Triple, 3), (Layout::Multi(6), 6)]
        {
            let mut row = row(layout, capacity);
            assert_eq!(row.enter(car(99)), Err(StandingError::Full(layout.capacity())));
            let blockers = row.blocked_by(&car(0)).expect("there").len();
            assert_eq!(blockers, capacity as usize - 1, "{layout:?}");
            assert_eq!(row.blocked_by(&car(capacity - 1)), Ok(&[][..]));
        }
    }

    #[test]
    fn when_the_outer_one_leaves_the_inner_one_is_free() {
        let mut row = row(Layout::Tandem, 2);
        assert_eq!(row.blocked_by(&car(0)), Ok(&[car(1)][..]));
        row.leave(&car(1)).expect("there");
        assert_eq!(row.blocked_by(&car(0)), Ok(&[][..]));
        assert_eq!(row.leave(&car(1)), Err(StandingError::NotThere(car(1))));
    }

    #[test]
    fn a_correction_reorders_and_never_invents_a_car() {
        let mut row = row(Layout::Triple, 3);
        row.correct(vec![car(2), car(0), car(1)]).expect("the same cars");
        assert_eq!(row.blocked_by(&car(2)), Ok(&[car(0), car(1)][..]));
        assert_eq!(row.correct(vec![car(2), car(0)]), Err(StandingError::OtherCars));
        assert_eq!(row.correct(vec![car(2), car(0), car(0)]), Err(StandingError::OtherCars));
        assert_eq!(row.enter(car(0)), Err(StandingError::Already(car(0))));
    }

    #[test]
    fn cars_stand_in_the_order_of_their_entry_unless_somebody_saw_otherwise() {
        let number = |text: &str| SpaceNumber::new(text).expect("a number");
        let two = |seen: Vec<Plate>| vec![(number("A"), Layout::Tandem, seen), (number("B"), Layout::Ordinary, vec![])];
        let places = |rows: &[(SpaceNumber, Row)]| rows.iter().map(|(_, row)| row.cars().to_vec()).collect::<Vec<_>>();
        let inside = [car(1), car(2), car(3), car(4)];
        assert_eq!(
            places(&stand(two(vec![]), &inside)),
            [vec![car(1), car(2)], vec![car(3)]],
            "the fourth stands nowhere"
        );
        let seen = stand(two(vec![car(3), car(1)]), &inside);
        assert_eq!(places(&seen), [vec![car(3), car(1)], vec![car(2)]]);
        assert_eq!(seen[0].1.blocked_by(&car(3)), Ok(&[car(1)][..]));
        let left = stand(two(vec![car(3), car(1)]), &[car(1), car(5)]);
        assert_eq!(places(&left), [vec![car(1), car(5)], vec![]], "who was seen has left; who came stands in front");
    }
}
