//! Arrears at work: claims are noted by following the journal, forgiven by people, and drawn up where an exit was missed.
//!
//! The gate writes its cases and knows nothing of claims; what is read here late is noted late, never twice.

mod desk;

pub use desk::{ArrearsDesk, ArrearsParts, ArrearsRefusal, Claim, ClaimState};
