//! What the box remembers, and how a decision becomes durable: records in tables, changed by [`Change`]s.
//!
//! A change names the revisions that it relied on, and is taken whole or refused whole. [`resolve`] is the one place
//! that says what a change does; the store's writer, its replay, `tollhouse verify` and the in-memory model of the tests
//! all call it. How bytes reach a disk is the shell's business.

mod change;
mod memory;
mod once;
mod overlay;
mod resolve;
mod table;

pub use change::{Cause, Change, ChangeKind, Op, Relied};
pub use memory::Memory;
pub use once::{Answer, By, Once, OnceRefusal};
pub use overlay::Overlay;
pub use resolve::{Balance, Counter, Refusal, Write, resolve};
pub use table::{Kept, ReadError, Record, Records, Revision, Stored, Table};
