//! The box's side of one conversation over MQTT: everything below the device's own topic, in order, and commands to it.
//!
//! It owns connection, record and waiting. It must not know rules.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, NetworkOptions, QoS};
use serde_json::{Value, json};

use super::{MqttExamination, Says};
use crate::wire::{Meta, parse_meta};

/// What a broker passes, so that a device that says too much is heard.
const MOST_BYTES: usize = 3 << 20;
/// More than any device says in a run.
const MOST_HEARD: usize = 100_000;
/// A broker on the other side of a lot answers within this.
const BROKER_ANSWERS: Duration = Duration::from_secs(5);

/// One message below the device's topic.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    /// The topic, without what all of the device's topics begin with.
    pub(super) below: String,
    pub(super) body: Vec<u8>,
    /// Whether the broker had kept it.
    pub(super) kept: Kept,
    pub(super) qos: QoS,
    pub(super) at: DateTime<Utc>,
}

/// Whether a message came because it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    No,
}

/// Whether the broker is to keep a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Yes,
    No,
}

/// See the module.
pub(super) struct Bench {
    pub(super) examination: MqttExamination,
    root: String,
    client: Client,
    hears: Receiver<Heard>,
    pub(super) log: Vec<Heard>,
    /// Ids of commands that were sent.
    pub(super) sent: Vec<String>,
    run: String,
}

/// A thread that listens until its client is gone; it tells when it has subscribed.
fn listen(mut connection: Connection, root: String, tell: Sender<Heard>, ready: Sender<Result<(), String>>) {
    std::thread::spawn(move || {
        let mut told = 0;
        for news in connection.iter() {
            match news {
                Ok(Event::Incoming(Incoming::SubAck(_))) => drop(ready.send(Ok(()))),
                Ok(Event::Incoming(Incoming::Publish(publish))) => {
                    let Some(below) = publish.topic.strip_prefix(&root) else { continue };
                    let kept = if publish.retain { Kept::Yes } else { Kept::No };
                    let (below, body) = (below.to_owned(), publish.payload.to_vec());
                    told += 1;
                    let heard = Heard { below, body, kept, qos: publish.qos, at: Utc::now() };
                    if told > MOST_HEARD || tell.send(heard).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(fault) => {
                    drop(ready.send(Err(fault.to_string())));
                    return;
                }
            }
        }
    });
}

fn options(examination: &MqttExamination, client_id: &str, login: Option<(&str, &str)>) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, examination.host.clone(), examination.port);
    options.set_keep_alive(Duration::from_secs(20)).set_clean_session(true);
    options.set_max_packet_size(MOST_BYTES, MOST_BYTES).set_inflight(100);
    if let Some((name, password)) = login {
        options.set_credentials(name, password);
    }
    options
}

fn open(options: MqttOptions) -> (Client, Connection) {
    let (client, mut connection) = Client::new(options, 64);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(BROKER_ANSWERS.as_secs());
    connection.eventloop.set_network_options(network);
    (client, connection)
}

impl Bench {
    /// Signs in at the broker and listens to all that the device says.
    pub(super) fn connect(examination: &MqttExamination) -> Result<Self, String> {
        let root = format!("tollhouse/v1/{}/{}/", examination.lot, examination.device);
        let run = format!("{:08x}", fastrand::u32(..));
        let (client, hears) = Self::listener(examination, &root, "#", &run)?;
        Ok(Self { examination: examination.clone(), root, client, hears, log: Vec::new(), sent: Vec::new(), run })
    }

    fn listener(
        examination: &MqttExamination,
        root: &str,
        filter: &str,
        name: &str,
    ) -> Result<(Client, Receiver<Heard>), String> {
        let login = examination.login.as_ref().map(|(name, password)| (name.as_str(), password.as_str()));
        let (client, connection) = open(options(examination, &format!("tollhouse-check-{name}"), login));
        let (tell, heard) = channel();
        let (ready, is_ready) = channel();
        let away = |why: String| format!("the broker at {}:{}: {why}", examination.host, examination.port);
        client.try_subscribe(format!("{root}{filter}"), QoS::AtLeastOnce).map_err(|fault| away(fault.to_string()))?;
        listen(connection, root.to_owned(), tell, ready);
        match is_ready.recv_timeout(BROKER_ANSWERS) {
            Ok(Ok(())) => Ok((client, heard)),
            Ok(Err(why)) => Err(away(why)),
            Err(_) => Err(away("it does not answer".to_owned())),
        }
    }

    /// How long it is listened before something counts as not happening.
    pub(super) fn settle(&self) -> Duration {
        (self.examination.patience / 5).max(Duration::from_millis(400))
    }

    /// Waits until the device has said something.
    pub(super) fn await_device(&mut self) {
        self.wait(0, |heard| (heard.below == "availability").then_some(()));
    }

    /// Whether nothing at all has come from it.
    pub(super) fn heard_nothing(&self) -> bool {
        self.log.iter().all(|heard| heard.below.starts_with("cmd/"))
    }

    fn take_in(&mut self, patience: Duration) -> Option<()> {
        let heard = self.hears.recv_timeout(patience).ok()?;
        self.log.push(heard);
        Some(())
    }

    /// Takes in what has come, and tells how far the record reaches.
    pub(super) fn mark(&mut self) -> usize {
        while self.take_in(Duration::ZERO).is_some() {}
        self.log.len()
    }

    /// Waits for something in the record from `since` on, as long as the device may take.
    pub(super) fn wait<T>(&mut self, since: usize, wanted: impl Fn(&Heard) -> Option<T>) -> Option<T> {
        self.wait_for(self.examination.patience, since, wanted)
    }

    pub(super) fn wait_for<T>(
        &mut self,
        patience: Duration,
        since: usize,
        wanted: impl Fn(&Heard) -> Option<T>,
    ) -> Option<T> {
        let (until, mut next) = (Instant::now() + patience, since);
        loop {
            if let Some(found) = self.log.get(next..).into_iter().flatten().find_map(&wanted) {
                return Some(found);
            }
            next = self.log.len().max(since);
            self.take_in(until.saturating_duration_since(Instant::now()))?;
        }
    }

    /// Listens for so long.
    pub(super) fn listen_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while self.take_in(until.saturating_duration_since(Instant::now())).is_some() {}
    }

    /// Publishes any bytes below the device's topic.
    pub(super) fn publish(&mut self, below: &str, body: &[u8], keep: Keep) {
        // The queue of 64 is emptied by the connection's thread; one that is gone shows in what is not heard.
        let _ = self.client.publish(format!("{}{below}", self.root), QoS::AtLeastOnce, keep == Keep::Yes, body);
    }

    /// A new id for a command.
    pub(super) fn command_id(&mut self) -> String {
        let id = format!("check-{}-{}", self.run, self.sent.len() + 1);
        self.sent.push(id.clone());
        id
    }

    /// The body of a command that runs out then.
    pub(super) fn body(cmd_id: &str, args: &Value, expires_in: TimeDelta) -> Vec<u8> {
        let expires_at = (Utc::now() + expires_in).to_rfc3339_opts(SecondsFormat::Millis, false);
        json!({"cmd_id": cmd_id, "expires_at": expires_at, "args": args}).to_string().into_bytes()
    }

    /// Sends a command; tells its id and from where on its answer stands in the record.
    pub(super) fn command(&mut self, name: &str, args: &Value, expires_in: TimeDelta) -> (String, usize) {
        let (cmd_id, since) = (self.command_id(), self.mark());
        let body = Self::body(&cmd_id, args, expires_in);
        self.publish(&format!("cmd/{name}"), &body, Keep::No);
        (cmd_id, since)
    }

    /// The words of the answers to a command, from `since` on.
    pub(super) fn acks(&self, cmd_id: &str, since: usize) -> Vec<String> {
        let topic = format!("ack/{cmd_id}");
        let words = self.log.get(since..).into_iter().flatten().filter(|heard| heard.below == topic);
        words.map(|heard| word(&heard.body, "state")).collect()
    }

    /// Waits for the first answer to a command.
    pub(super) fn ack(&mut self, cmd_id: &str, since: usize) -> Option<String> {
        let topic = format!("ack/{cmd_id}");
        self.wait(since, |heard| (heard.below == topic).then(|| word(&heard.body, "state")))
    }

    /// Cuts the device's connection as the network would: the broker lets go of it when somebody else signs in under its
    /// client id. `Err` when that somebody is not let in.
    pub(super) fn cut(&mut self) -> Result<(), String> {
        let device = self.examination.device.to_string();
        let login = self.examination.device_password.as_deref().map(|password| (device.as_str(), password));
        let (_client, mut connection) = open(options(&self.examination, &device, login));
        loop {
            match connection.recv_timeout(BROKER_ANSWERS) {
                Ok(Ok(Event::Incoming(Incoming::ConnAck(_)))) => return Ok(()),
                Ok(Ok(_)) => {}
                Ok(Err(fault)) => return Err(fault.to_string()),
                Err(_) => return Err("the broker does not answer".to_owned()),
            }
        }
    }

    /// What the broker keeps below the device's topic, read by a connection of its own.
    pub(super) fn kept(&self) -> Vec<Heard> {
        let name = format!("{}-kept", self.run);
        let Ok((client, heard)) = Self::listener(&self.examination, &self.root, "#", &name) else { return vec![] };
        let until = Instant::now() + self.settle();
        let mut all = Vec::new();
        while let Ok(heard) = heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if heard.kept == Kept::Yes {
                all.push(heard);
            }
        }
        // It has heard what it wanted; the broker minds no connection that is simply closed.
        let _ = client.try_disconnect();
        all
    }

    /// What the device says of itself.
    pub(super) fn meta(&self) -> Option<Meta> {
        let last = self.log.iter().rev().find(|heard| heard.below == "meta")?;
        parse_meta(&last.body).ok()
    }

    /// The same, for the report.
    pub(super) fn says(&self) -> Option<Says> {
        self.meta().map(|meta| Says { kinds: meta.kinds, commands: meta.commands, events: meta.events })
    }

    /// Whether it lists this command.
    pub(super) fn takes(&self, command: &str) -> bool {
        self.meta().is_some_and(|meta| meta.commands.iter().any(|listed| listed == command))
    }
}

/// A field of a JSON body that is a text.
pub(super) fn word(body: &[u8], field: &str) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}
