//! Owns what can go wrong in one seed, and the bugs that can be planted in the shell around the core.

use crate::chance::Chance;

/// Chances in a thousand, drawn per seed, so that some seeds are quiet and some are hell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// The process dies within milliseconds of a step that commits.
    pub(crate) crash: u64,
    /// A message that may be lost is lost.
    pub(crate) lost: u64,
    /// An event is sent twice under the same id.
    pub(crate) twice: u64,
    /// Something arrives seconds to minutes late.
    pub(crate) late: u64,
    /// An event lies with its device for hours.
    pub(crate) backlog: u64,
    /// A plate is misread.
    pub(crate) misread: u64,
    /// A camera reads once more, under a new id.
    pub(crate) read_again: u64,
    /// The barrier rejects, fails or stays silent.
    pub(crate) barrier: u64,
    /// A person opens for no good reason.
    pub(crate) person: u64,
    /// A commit takes long.
    pub(crate) slow_commit: u64,
}

impl Faults {
    /// Some of each, or none of a kind.
    pub(crate) fn drawn(chance: &mut Chance) -> Self {
        let mut some = |most: usize| if chance.happens(350) { 0 } else { chance.below(most) as u64 };
        Self {
            crash: some(60),
            lost: some(250),
            twice: some(250),
            late: some(250),
            backlog: some(60),
            misread: some(60),
            read_again: some(500),
            barrier: some(400),
            person: some(60),
            slow_commit: some(200),
        }
    }

    /// Without what keeps the box from hearing in time which car stands where.
    pub(crate) fn without_those_of_reads(self) -> Self {
        Self { crash: 0, lost: 0, late: 0, backlog: 0, misread: 0, person: 0, ..self }
    }

    /// Whether the box hears in time which car stands where.
    pub(crate) fn leave_reads_alone(&self) -> bool {
        self.crash + self.lost + self.late + self.backlog + self.misread + self.person == 0
    }
}

/// A bug planted in the shell, outside production code. Each must be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// None: the code as it is.
    Nothing,
    /// The opening command goes out before the decision is durable.
    PublishBeforeCommit,
    /// A change is taken without the revisions that it relied on.
    ReliedDropped,
    /// Events are not marked as taken.
    EventNotMarked,
    /// A capture does not look whether the transaction was captured.
    CaptureUnchecked,
    /// The postings of what a passing or a capture fixes are lost.
    PostingsDropped,
    /// A command that goes out again gets a new id.
    ResentUnderNewId,
    /// An answer 'not paid' from before the expiry ends an order after it.
    StaleAnswerExpires,
    /// A refund that is asked for again gets a new number.
    RefundUnderNewNumber,
    /// The message of a further attempt carries the first attempt's id.
    RetryUnderOldId,
    /// Who passes out gives up no place.
    PlacesKept,
    /// A stay forgets through which lanes between areas it went.
    MovesForgotten,
}
