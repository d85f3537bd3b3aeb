//! The conformance run over MQTT: the example device passes it, and each planted defect is found by the check that it
//! breaks. Real mosquitto, devices in Python (paho-mqtt), side by side.

#[path = "../mqtt/mosquitto.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod mosquitto;
mod planted;
mod stage;
