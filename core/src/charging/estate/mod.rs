//! The estate: rooms, numbered spaces with their attributes over time, pools, who stands where, and how full it is.
//! It must not know what a space costs.

mod attributes;
mod import;
mod numbers;
mod occupancy;
mod pool;
mod room;
mod space;
mod standing;
mod uses;

pub use attributes::{Attributes, AttributesError, Grade, Layout, Location, SpaceClass, SquareMetres, Tenure};
pub use import::{Columns, export_spaces, import_spaces};
pub use numbers::{MAX_RANGE, NumbersError, numbers};
pub use occupancy::{Occupied, Places, occupancy};
pub use pool::{Pool, PoolTerms};
pub use room::{Room, RoomError};
pub use space::Space;
pub use standing::{Row, SpaceStanding, StandingError, stand};
pub use uses::{Use, UseList};
