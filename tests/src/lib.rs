//! Owns the harness of the whole-box tests: the real box, real brokers, a real Prometheus, and devices that a test plays.
//! It must not know the box's code beyond what people and machines outside rely on; what it knows, contracts tell.

mod broker;
mod browser;
mod clerk;
mod device;
mod front;
mod http;
mod installed;
mod journal;
mod lane;
pub mod large_estate;
mod paying;
mod payment_providers;
mod process;
mod prometheus;
mod site;
pub mod story;
mod the_box;
mod up_time;
mod wait;

pub use broker::Mosquitto;
pub use browser::Page;
pub use clerk::Clerk;
pub use device::{Command, DeviceEvent, LOT, Manners, Retained, TestDevice, plate_number, plate_on_a_screen};
pub use front::Front;
pub use http::{Answer, Http, Metrics};
pub use installed::configuration;
pub use journal::{DriverChange, Journal};
pub use lane::{Entry, Exit};
pub use paying::{Paying, Way};
pub use payment_providers::{PaymentProviders, packages_of_the_tests};
pub use process::{Running, Signal, free_port, program_of_the_box};
pub use prometheus::{Prometheus, promtool_check_metrics};
pub use site::Site;
pub use story::STAYS;
pub use the_box::{Estate, TheBox};
pub use up_time::UpTime;
pub use wait::{Gathered, PATIENCE, eventually};
