//! The ledger's actor: closes days of the books, reconciles yesterday at its hour, notes arrears. It owns no decision: each is
//! a desk's.

mod actor;

pub use actor::{LedgerActor, LedgerParts};
