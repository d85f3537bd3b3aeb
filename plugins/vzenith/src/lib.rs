//! Vzenith (臻识) plate cameras: they post their plates and open by the answer, or speak over an MQTT broker.
//!
//! One instance is one camera. It owns the driver's face to the host and its threads. It must not know the box.

mod config;
mod deed;
mod desk;
mod gate;
mod heard;
mod http;
mod list;
mod mqtt;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tollhouse_field::StopSignal;
use tollhouse_field::http::{Listener, Server};
use tollhouse_sdk::{Command, Driver, Host, LogLevel, Pending, Refusal, Status, Whitelist, WhitelistPart};

use config::{Config, Link};
use deed::{Deed, Relay, What};
use desk::Desk;
use gate::Gate;
use http::{MOST_POST_BYTES, Posts};
use mqtt::Talk;

/// For the fuzz target alone: the reader of what a camera says.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::heard::{License, read};
}

/// How often it is looked whether anything is overdue.
const LOOK: Duration = Duration::from_millis(100);

/// One camera.
struct Vzenith {
    gate: Arc<Gate>,
    running: Option<Running>,
}

struct Running {
    stop: StopSignal,
    way: Way,
    threads: Vec<JoinHandle<()>>,
}

/// The way to the camera.
#[derive(Clone)]
enum Way {
    Http { desk: Arc<Desk>, server: Arc<Server> },
    Mqtt(Arc<Talk>),
}

impl Driver for Vzenith {
    const DESCRIPTOR: &'static str = config::DESCRIPTOR;
    type Config = Config;

    fn create(host: Host, config: Config) -> Result<Self, Refusal> {
        match config.fault() {
            Some(fault) => Err(Refusal::new(Status::Invalid, fault)),
            None => Ok(Self { gate: Arc::new(Gate::new(host, config)), running: None }),
        }
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let stop = StopSignal::default();
        let mut threads = Vec::new();
        let way = match self.gate.config.link {
            Link::Http { .. } => self.listen(&stop)?,
            Link::Mqtt { .. } => {
                let (talk, connection) = Talk::new(Arc::clone(&self.gate))
                    .ok_or_else(|| Refusal::new(Status::Invalid, "no broker, or no serial number"))?;
                let talk = Arc::new(talk);
                let (theirs, until) = (Arc::clone(&talk), stop.clone());
                threads.push(thread("mqtt", move || theirs.run(connection, &until))?);
                Way::Mqtt(talk)
            }
        };
        let (gate, theirs, until) = (Arc::clone(&self.gate), way.clone(), stop.clone());
        threads.push(thread("watch", move || watch(&gate, &theirs, &until))?);
        self.running = Some(Running { stop, way, threads });
        Ok(())
    }

    fn command(&mut self, command: Command, pending: Pending) {
        let Some(Running { way, .. }) = &self.running else {
            return pending.refuse(&Refusal::new(Status::Offline, "the driver is not running"));
        };
        if command.name == "reply" {
            return self.reply(way, &command, pending);
        }
        let what = match deed::what(&self.gate.config, &command) {
            Ok(what) => what,
            Err(refusal) => return pending.refuse(&refusal),
        };
        let deed = Deed { pending, device: command.device, deadline_ms: command.deadline_ms, what };
        match way {
            Way::Http { desk, .. } => desk.leave(deed),
            Way::Mqtt(talk) => talk.send(deed),
        }
    }

    fn stop(&mut self) {
        let Some(Running { stop, way, threads }) = self.running.take() else { return };
        stop.stop();
        if let Way::Http { desk, server } = way {
            desk.close();
            drop(server);
        }
        for thread in threads {
            // A panic of a thread was logged by its own hook; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Whitelist for Vzenith {
    fn replace(&mut self, part: WhitelistPart, pending: Pending) {
        let refuse = |pending: Pending, status, words: &str| pending.refuse(&Refusal::new(status, words));
        if part.device != self.gate.config.camera {
            return refuse(pending, Status::Invalid, "that device keeps no list");
        }
        match &self.running {
            Some(Running { way: Way::Mqtt(talk), .. }) => talk.list(&part, pending),
            // Its polls carry a list too, and nothing tells whether the camera has taken it.
            Some(_) => refuse(pending, Status::Unsupported, "the camera's list is kept over MQTT alone"),
            None => refuse(pending, Status::Offline, "the driver is not running"),
        }
    }

    fn capacity(&self, _device: &str) -> Option<u64> {
        None
    }
}

impl Vzenith {
    fn listen(&self, stop: &StopSignal) -> Result<Way, Refusal> {
        let Link::Http { listen, from, answer_within_ms, comet_hold_ms } = self.gate.config.link else {
            return Err(Refusal::new(Status::Invalid, "no address to listen on"));
        };
        let desk = Arc::new(Desk::default());
        let posts = Posts {
            gate: Arc::clone(&self.gate),
            desk: Arc::clone(&desk),
            answer_within: Duration::from_millis(answer_within_ms.into()),
            comet_hold: Duration::from_millis(comet_hold_ms.into()),
            tokens: AtomicU64::new(0),
        };
        let listener = Listener { address: listen, from, most_body_bytes: MOST_POST_BYTES };
        let server = Server::start(listener, Arc::new(posts), stop.clone())
            .map_err(|fault| Refusal::new(Status::Invalid, format!("it cannot listen on {listen}: {fault}")))?;
        self.gate.host.log(LogLevel::Info, &format!("listening on {}", server.address()));
        Ok(Way::Http { desk, server: Arc::new(server) })
    }

    fn reply(&self, way: &Way, command: &Command, pending: Pending) {
        let token = command.args.get("reply_token").and_then(Value::as_str);
        let opens = command.args.get("open").and_then(Value::as_bool) == Some(true);
        match (way, token, &self.gate.config.barrier) {
            (Way::Http { desk, .. }, Some(token), Some(barrier)) if opens => {
                let what = What::Relay(Relay::Open);
                let deed = Deed { pending, device: barrier.clone(), deadline_ms: command.deadline_ms, what };
                desk.reply(token, deed);
            }
            _ => pending.refuse(&Refusal::new(Status::Invalid, "no plate waits under that token")),
        }
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Refusal> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|fault| Refusal::new(Status::Internal, format!("no thread: {fault}")))
}

fn watch(gate: &Gate, way: &Way, stop: &StopSignal) {
    while stop.pause(LOOK) == tollhouse_field::Pause::Over {
        gate.time_passed();
        match way {
            Way::Http { desk, .. } => desk.time_passed(gate.host),
            Way::Mqtt(talk) => talk.time_passed(),
        }
    }
}

tollhouse_sdk::export_driver!(Vzenith, whitelist);
