//! What only the demo needs: a broker inside the process, a sample estate, simulated hardware behind MQTT, and cars. An
//! installed box has none of this, and nothing outside this folder may lean on what is here.

pub mod broker;
pub mod drive;
pub mod estate;
pub mod hardware;
pub mod phone;
pub mod screen;
pub mod seed;
