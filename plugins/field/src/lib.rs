//! What the first-party drivers share: a serial or TCP line with a deadline on every byte, HTTP over it, pauses that a
//! stop cuts short, the arm of a barrier and what is owed to the lane about it, LED boards.
//!
//! Everything here blocks, and is bounded: a driver's thread that uses it can be joined within the second that the ABI
//! leaves for `stop`. It must not know any one device.

mod arm;
pub mod board;
mod crc;
pub mod http;
mod line;
mod order;
mod pause;
mod presence;

pub use arm::{Arm, Position, Switches};
pub use crc::crc16;
pub use line::{Endpoint, Line, Parity};
pub use order::{Goal, Orders};
pub use pause::{Backoff, Pause, StopSignal};
pub use presence::Presence;
