//! Which commands are the box's own, as they come back through its subscription to `cmd/+`.
//!
//! A broker marks a retained message only for who subscribes later, so a stranger's command may be a retained one: the session then
//! subscribes anew to find out. Pure: no socket.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// So many of the newest commands are known again; they come back within a round trip.
const MOST_KNOWN: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct OwnCommands {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

/// Whose a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    Strange,
}

impl OwnCommands {
    /// This is sent.
    pub(super) fn sent(&mut self, topic: &str, body: &[u8]) {
        let mark = mark(topic, body);
        if self.known.insert(mark) {
            self.order.push_back(mark);
        }
        if self.order.len() > MOST_KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Whose this is.
    pub(super) fn whose(&self, topic: &str, body: &[u8]) -> Whose {
        if self.known.contains(&mark(topic, body)) { Whose::Ours } else { Whose::Strange }
    }
}

fn mark(topic: &str, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (topic, body).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_ours_as_long_as_it_may_come_back() {
        let mut own = OwnCommands::default();
        own.sent("cmd/open", b"1");
        assert_eq!(own.whose("cmd/open", b"1"), Whose::Ours);
        assert_eq!(own.whose("cmd/open", b"2"), Whose::Strange);
        for number in 0..MOST_KNOWN {
            own.sent("cmd/open", format!("later {number}").as_bytes());
        }
        assert_eq!(own.whose("cmd/open", b"1"), Whose::Strange);
    }
}
