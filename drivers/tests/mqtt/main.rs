//! The MQTT link against a real mosquitto, and against a broker played by the test where the order of bytes matters.
//! Every test has its own broker on its own port.

mod acknowledging;
mod commands;
mod cutting;
mod mosquitto;
mod refusing;
mod scripted;
mod stage;
