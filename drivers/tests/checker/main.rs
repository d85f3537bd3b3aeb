//! The checker against a driver that keeps every rule, and against the same driver with one rule broken at a time: the
//! check that is made for it finds it, for the reason that was planted, and every check has something to find.

mod planted;
