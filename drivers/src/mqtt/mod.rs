//! The link to devices over an MQTT broker (contracts.md, 'MQTT between box and devices').
//!
//! One task polls the connection; nobody else touches it. Events go to the [`EventSink`] with a receipt, and the broker is
//! told that they arrived only when that receipt is done, in the order of receipt. Commands wait in an outbox until the
//! broker has them. The link knows nothing of lanes, decisions or the store, and does not tell a repeated event from a
//! new one: that takes memory that survives a restart, which the lane has.
//!
//! What it must never do: wait inside the polling task for anything but the socket; acknowledge an event that nobody
//! finished; react to a retained command or event.

mod directory;
mod inbox;
mod mail;
mod outbox;
mod own;
mod receive;
mod session;
mod topic;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::SecondsFormat;
use serde::Serialize;
use tokio::task::JoinHandle;
use tollhouse_core::id::{CommandId, DeviceId, LotId};

pub use directory::DeviceStatus;

use crate::link::{Clock, DeviceCommand, DeviceLink, EventSink, LinkError, Observer};
use crate::wire::MAX_BODY_BYTES;
use directory::{DeviceIndex, Directory};
use mail::{Mail, NotTaken};
use outbox::Outgoing;
use session::Session;

/// Where the broker is, and who we are there.
#[derive(Clone)]
pub struct MqttConfig {
    /// Name or address of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Our client id. It names our session at the broker, so it must stay the same from start to start.
    pub client_id: String,
    /// With which name we sign in.
    pub username: Option<String>,
    /// And with which password.
    pub password: Option<String>,
    /// The car park, a part of every topic.
    pub lot: LotId,
    /// Devices that may speak. Others are counted and refused.
    pub devices: Vec<DeviceId>,
    /// At most so many events in hand, and at most so many commands.
    pub capacity: usize,
}

impl MqttConfig {
    /// Limits that go with a `max_inflight_messages` of 1000 to 4000; no credentials.
    pub fn new(host: impl Into<String>, port: u16, lot: LotId, devices: Vec<DeviceId>) -> Self {
        Self {
            host: host.into(),
            port,
            client_id: format!("tollhouse-{lot}"),
            username: None,
            password: None,
            lot,
            devices,
            capacity: 8192,
        }
    }
}

impl std::fmt::Debug for MqttConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MqttConfig({}:{} as {})", self.host, self.port, self.client_id)
    }
}

/// See the module. Dropping it ends the link at once; [`MqttLink::shutdown`] ends it in good order.
pub struct MqttLink {
    mail: Arc<Mail>,
    directory: Arc<Mutex<Directory>>,
    by_name: HashMap<DeviceId, DeviceIndex>,
    root: String,
    capacity: usize,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl MqttLink {
    /// Starts the link's task on the tokio runtime that this is called from. It connects, and connects again, for ever.
    pub fn start(config: MqttConfig, clock: Clock, sink: Arc<dyn EventSink>, observer: Arc<dyn Observer>) -> Self {
        let mail = Arc::new(Mail::default());
        let directory = Arc::new(Mutex::new(Directory::new(&config.devices)));
        let by_name = config.devices.iter().cloned().enumerate().map(|(index, device)| (device, index)).collect();
        let root = topic::root(&config.lot);
        let capacity = config.capacity;
        let session = Session::new(config, clock, sink, observer, Arc::clone(&mail), Arc::clone(&directory));
        let task = Mutex::new(Some(tokio::spawn(session.run())));
        Self { mail, directory, by_name, root, capacity, task }
    }

    /// What is known of each configured device.
    pub fn directory(&self) -> Vec<DeviceStatus> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner).statuses()
    }

    /// Takes no more events, lets commands and receipts under way be finished for at most a second, and signs off.
    /// Events that are not finished by then come again at the next start.
    pub async fn shutdown(&self) {
        self.mail.close();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // The task ends by its own deadline; if it panicked there is nothing left to end.
            let _ = task.await;
        }
    }
}

impl Drop for MqttLink {
    fn drop(&mut self) {
        self.mail.close();
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

/// The body of `cmd/{name}`.
#[derive(Serialize)]
struct CommandBody<'a> {
    cmd_id: CommandId,
    expires_at: String,
    args: &'a serde_json::Value,
}

impl DeviceLink for MqttLink {
    fn send(&self, command: DeviceCommand) -> Result<(), LinkError> {
        let Some(&index) = self.by_name.get(&command.device) else {
            return Err(LinkError::UnknownDevice(command.device));
        };
        let body = CommandBody {
            cmd_id: command.cmd_id,
            expires_at: command.expires_at.to_rfc3339_opts(SecondsFormat::Millis, false),
            args: &command.args,
        };
        let body = serde_json::to_vec(&body).expect("ids, texts and JSON values can be written as JSON");
        if body.len() > MAX_BODY_BYTES {
            return Err(LinkError::TooLarge { device: command.device, bytes: body.len() });
        }
        let outgoing = Outgoing {
            device: index,
            topic: topic::command(&self.root, &command.device, command.name),
            body,
            expires_at: command.expires_at,
        };
        self.mail.command(outgoing, self.capacity).map_err(|not_taken| match not_taken {
            NotTaken::Full => LinkError::Full(command.device),
            NotTaken::Closed => LinkError::Closed,
        })
    }
}
