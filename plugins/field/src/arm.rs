//! A barrier's arm as its limit switches show it. Pure.

/// Where an arm is, as the wire format has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Open.
    Up,
    /// Closed.
    Down,
    /// Between the two, and not for long.
    Moving,
    /// No signal, or two that contradict each other.
    Unknown,
}

impl Position {
    /// The wire format's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Moving => "moving",
            Self::Unknown => "unknown",
        }
    }
}

/// What the limit switches say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// 'The arm is up' says yes.
    pub up: bool,
    /// 'The arm is down' says yes.
    pub down: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Arm {
    travel_ms: u64,
    told: Option<Position>,
    moving_until_ms: u64,
}

impl Arm {
    /// An arm whose way up or down takes at most so long.
    pub fn new(travel_ms: u64) -> Self {
        Self { travel_ms, told: None, moving_until_ms: 0 }
    }

    /// Where it was last seen.
    pub fn position(&self) -> Position {
        self.told.unwrap_or(Position::Unknown)
    }

    /// What was seen is out of date.
    pub fn forget(&mut self) {
        self.told = None;
    }

    /// A command has set it in motion.
    pub fn moves(&mut self, now_ms: u64) {
        self.moving_until_ms = now_ms + self.travel_ms;
    }

    /// What its switches say now; the position, if that is another than before. Two switches that both say yes prove
    /// nothing; one that says no proves nothing about the other end.
    pub fn seen(&mut self, now_ms: u64, switches: Switches) -> Option<Position> {
        let position = match (switches.up, switches.down) {
            (true, true) => Position::Unknown,
            (true, false) => Position::Up,
            (false, true) => Position::Down,
            (false, false) => {
                if matches!(self.told, Some(Position::Up | Position::Down)) {
                    self.moves(now_ms);
                }
                if now_ms < self.moving_until_ms { Position::Moving } else { Position::Unknown }
            }
        };
        (self.told.replace(position) != Some(position)).then_some(position)
    }
}
