//! How much one lane may have in hand: a link that finds no place keeps its event, in order, and offers it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Events that one lane has in hand at most, its mailbox included.
const MOST_IN_HAND: usize = 64;

/// The places of one lane.
#[derive(Debug, Clone, Default)]
pub struct Places(Arc<AtomicUsize>);

/// One of them, taken until it is dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Places {
    /// A place, if one is free.
    pub fn take(&self) -> Option<Place> {
        let taken = |taken| (taken < MOST_IN_HAND).then_some(taken + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).ok()?;
        Some(Place(Arc::clone(&self.0)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let places = Places::default();
        let mut taken: Vec<Place> = (0..MOST_IN_HAND).filter_map(|_| places.take()).collect();
        assert_eq!(taken.len(), MOST_IN_HAND);
        assert!(places.take().is_none());
        taken.pop();
        assert!(places.take().is_some());
    }
}
