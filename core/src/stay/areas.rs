//! Where a stay leads (场中场): from area to area, as lanes between them saw the car.
//!
//! Owns the order of these moves. It must not know what an area costs, nor whether a car may go there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Stay;
use crate::id::{AreaId, LaneId};
use crate::tariff::model::AreaVisit;

/// Lanes between areas that one stay is kept by; a car that drives to and fro more often stays where it was seen last.
const MOST_MOVES: usize = 1_000;

/// A car went into an area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaMove {
    /// Into which.
    pub into: AreaId,
    /// When it stood at the lane.
    pub at: DateTime<Utc>,
    /// Through which lane.
    pub lane: LaneId,
}

/// What a move changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The car now stands in another area than in this one.
    From(AreaId),
    /// Nothing of where it stands now: it was there already, or the move is older than what the books know.
    Nothing,
}

impl Stay {
    /// Puts a move in its place among the others. One that is heard of late goes before later ones.
    pub fn move_into(&mut self, into: &AreaId, at: DateTime<Utc>, lane: &LaneId) -> Moved {
        if self.moves.len() >= MOST_MOVES {
            return Moved::Nothing;
        }
        if self.moves.is_empty() {
            let entry = AreaMove { into: self.area.clone(), at: self.entered_at, lane: self.entry_lane.clone() };
            self.moves.push(entry);
        }
        // Seen here, it is not at the exit any more where the fee clock stopped.
        self.clock_stopped_at = self.clock_stopped_at.filter(|stopped| at <= *stopped);
        let place = self.moves.partition_point(|known| known.at <= at).max(1);
        self.moves.insert(place, AreaMove { into: into.clone(), at, lane: lane.clone() });
        self.stand_where_seen_last()
    }

    /// Takes back a move that was none: the car backed out of the lane.
    pub fn take_back_move(&mut self, at: DateTime<Utc>, lane: &LaneId) -> Moved {
        // The first is the entry, which this lane did not make.
        let entry = usize::from(!self.moves.is_empty());
        let found = self.moves[entry..].iter().rposition(|known| known.at == at && known.lane == *lane);
        let Some(found) = found else { return Moved::Nothing };
        self.moves.remove(entry + found);
        let moved = self.stand_where_seen_last();
        if self.moves.len() == 1 {
            self.moves.clear();
        }
        moved
    }

    fn stand_where_seen_last(&mut self) -> Moved {
        match self.moves.last() {
            Some(last) if last.into != self.area => Moved::From(std::mem::replace(&mut self.area, last.into.clone())),
            _ => Moved::Nothing,
        }
    }

    /// Whether the newest thing that is known of where it stands is this move.
    pub fn was_last_moved(&self, at: DateTime<Utc>, lane: &LaneId) -> bool {
        self.moves.last().is_some_and(|last| last.at == at && last.lane == *lane)
    }

    /// Where it stood from when to when, up to a moment.
    pub fn areas(&self, until: DateTime<Utc>) -> Vec<AreaVisit> {
        let visit = |area: &AreaId, enter: DateTime<Utc>, exit: DateTime<Utc>| {
            let enter = enter.min(until);
            AreaVisit { area: area.to_string(), enter, exit: exit.clamp(enter, until) }
        };
        if self.moves.is_empty() {
            return vec![visit(&self.area, self.entered_at, until)];
        }
        let ends = self.moves.iter().skip(1).map(|next| next.at).chain([until]);
        self.moves.iter().zip(ends).map(|(from, to)| visit(&from.into, from.at, to)).collect()
    }
}
