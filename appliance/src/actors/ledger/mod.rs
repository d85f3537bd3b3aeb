//! The ledger's actor: closes days of the books and notes arrears. It owns no decision: each is a desk's.

mod actor;

pub use actor::{LedgerActor, LedgerParts};
