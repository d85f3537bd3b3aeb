//! The first-party drivers behind the real plugin host, against emulators in Python that share no code with them.
//!
//! The emulators of cameras and LED boards are written by us from the same facts as the drivers (devices.md of the
//! project's brief), so they are not independent; the Modbus board is pymodbus and the MQTT broker is mosquitto, which are.

mod emulator;
mod hikvision;
mod led;
mod modbus;
#[path = "../mqtt/mosquitto.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod mosquitto;
#[path = "../plugin/rig.rs"]
mod rig;
/// What the broker's module expects of its test program.
mod stage {
    pub(crate) use crate::rig::DEADLINE as PATIENCE;
}
mod vzenith;
mod vzenith_mqtt;
