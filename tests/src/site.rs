//! Owns a whole site: a box, its broker, its data, its phones. The same tests run on the demo with its own broker and on
//! an installed box with a real mosquitto.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::broker::Mosquitto;
use crate::http::{Answer, Http};
use crate::installed::configuration;
use crate::lane::{Entry, Exit};
use crate::the_box::{Estate, TheBox};
use crate::wait::{PATIENCE, eventually};

/// A box with all that it stands on.
#[derive(Debug)]
pub struct Site {
    /// The box.
    pub the_box: TheBox,
    /// The broker of an installed box.
    pub mosquitto: Option<Mosquitto>,
    /// Where its devices connect.
    pub broker: SocketAddr,
    /// The box's data.
    pub data: PathBuf,
    _folder: TempDir,
}

impl Site {
    /// The demo with nobody driving, and its own broker.
    pub fn demo() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("demo");
        let the_box = TheBox::demo(&data, Estate::Quiet);
        let broker = the_box.broker();
        Self { the_box, mosquitto: None, broker, data, _folder: folder }
    }

    /// An installed box of so many entries and exits, with a real mosquitto.
    pub fn installed(lanes: usize) -> Self {
        Self::installed_with(Mosquitto::start(), lanes)
    }

    /// An installed box of so many entries and exits, with this mosquitto.
    pub fn installed_with(mosquitto: Mosquitto, lanes: usize) -> Self {
        Self::configured(mosquitto, lanes, |text| text)
    }

    /// An installed box whose configuration the test has changed.
    pub fn configured(mosquitto: Mosquitto, lanes: usize, change: impl Fn(String) -> String) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("data");
        let broker = mosquitto.address();
        let the_box = TheBox::run(folder.path(), |http| change(configuration(http, broker, &data, lanes)));
        Self { the_box, mosquitto: Some(mosquitto), broker, data, _folder: folder }
    }

    /// Starts the box again after it has ended; the demo's broker is another one then.
    pub fn start_again(&mut self) {
        self.the_box.start_again();
        self.broker = self.the_box.mqtt.unwrap_or(self.broker);
    }

    /// What serves its pages and calls.
    pub fn http(&self) -> &Http {
        &self.the_box.http
    }

    /// The devices of `in-1`.
    pub fn entry(&self) -> Entry {
        Entry::connect(self.broker, 1)
    }

    /// The devices of `out-1`.
    pub fn exit(&self) -> Exit {
        Exit::connect(self.broker, 1)
    }

    /// How much of what this device sent was refused.
    pub fn refused(&self, device: &str) -> f64 {
        self.http().metrics().sum("tollhouse_events_refused_total", &[("device", device)])
    }

    /// The bill behind the QR code of `out-1` as soon as this car waits there with something due.
    ///
    /// # Panics
    /// When that does not come.
    pub fn bill_at_the_exit(&self, plate: &str) -> Value {
        eventually(&format!("a bill for {plate} at out-1"), PATIENCE, || {
            let answer = self.http().get("/api/v1/pay/lanes/out-1");
            let bill = (answer.status == 200).then(|| answer.json())?;
            (bill["plate"] == plate && bill["state"] == "due").then_some(bill)
        })
    }

    /// Asks for an order of the sandbox provider under an idempotency key.
    pub fn order(&self, bill: &Value, key: &str) -> Answer {
        let id = bill["bill_id"].as_str().expect("a bill has an id");
        self.http().post(&format!("/api/v1/pay/bills/{id}/orders"), key, &json!({"provider": "sandbox"}))
    }

    /// What the driver's wallet would do.
    pub fn pay(&self, order_id: &str) -> Answer {
        self.http().post(&format!("/sandbox/orders/{order_id}/pay"), &format!("pay-{order_id}"), &json!({}))
    }

    /// Waits until an order has come to this state.
    ///
    /// # Panics
    /// When it does not.
    pub fn await_order(&self, order_id: &str, state: &str) {
        eventually(&format!("order {order_id} to be {state}"), PATIENCE, || {
            let answer = self.http().get(&format!("/api/v1/pay/orders/{order_id}"));
            (answer.field("state") == state).then_some(())
        });
    }

    /// Ends the box as systemd would and lets `tollhouse verify` judge what it leaves.
    ///
    /// # Panics
    /// When it does not end well, or its data is not true.
    pub fn end_and_verify(&mut self) {
        let (status, _) = self.the_box.terminate();
        assert!(status.success(), "the box ended with {status}");
        TheBox::verify(&self.data).unwrap_or_else(|fault| panic!("verify: {fault}"));
    }
}
