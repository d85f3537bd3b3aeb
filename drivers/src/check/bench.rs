//! The bench that checks work at: the driver's file, what it says of itself, a configuration, and trials by script.
//!
//! Every trial is a process of its own. Some trials are of use to several checks, and are held once. It owns what all
//! checks would otherwise do each for itself; it must not know any one of them.

use std::path::PathBuf;

use fastrand::Rng;
use serde_json::{Value, json};

use super::configuration;
use super::report::Finding;
use super::script::{Call, Order, Record, Script, Step};
use super::trial::{self, End, Trial};

/// Deadlines as a lane sets them.
pub(crate) const WITHIN_MS: u64 = 5000;
/// At most so many pairs of command and device are tried.
const MOST_PAIRS: usize = 40;
/// How long the driver is listened to after the last command.
const LISTEN_MS: u64 = 1200;

/// What the descriptor says, as far as checks need it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) commands: Vec<String>,
    pub(crate) events: Vec<String>,
    pub(crate) options: Vec<String>,
    pub(crate) whole: Value,
}

/// See the module.
pub(crate) struct Bench {
    pub(crate) executable: PathBuf,
    pub(crate) library: PathBuf,
    pub(crate) seed: u64,
    pub(crate) described: Described,
    /// What every check begins with.
    pub(crate) config: Value,
    /// Why there is no such configuration.
    pub(crate) no_config: Option<String>,
    pub(crate) devices: Vec<String>,
    load: Option<Trial>,
    exercise: Option<Trial>,
    memory: Option<Trial>,
    counts: Option<Trial>,
}

impl Bench {
    /// Reads the descriptor in a process of its own, and makes the configuration where none is given.
    pub(crate) fn new(
        executable: PathBuf,
        library: PathBuf,
        seed: u64,
        config: Option<Value>,
        devices: Vec<String>,
    ) -> Self {
        let described = Described::default();
        let given = Value::Null;
        let (load, exercise, memory, counts) = (None, None, None, None);
        let mut bench = Self {
            executable,
            library,
            seed,
            described,
            config: given,
            no_config: None,
            devices,
            load,
            exercise,
            memory,
            counts,
        };
        let load = bench.load_trial();
        let descriptor = load.of(|told| match &told.what {
            Record::Descriptor(said) => Some(said.text.as_str()),
            _ => None,
        });
        if let Some(whole) = descriptor.last().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            bench.described = Described::read(whole);
        }
        let schema = bench.schema();
        match config.map_or_else(|| configuration::plain(&schema), Ok) {
            Ok(config) => bench.config = config,
            Err(why) => (bench.config, bench.no_config) = (json!({}), Some(why)),
        }
        if bench.devices.is_empty() {
            bench.devices = configuration::devices(&schema, &bench.config);
        }
        bench
    }

    /// Why there is no descriptor.
    pub(crate) fn refusal(&self) -> Option<String> {
        let load = self.load.as_ref()?;
        let died = || ended(load).map(|finding| finding.what);
        let silent = || self.described.whole.is_null().then(|| "its descriptor is no JSON".to_owned());
        load.refusal().map(str::to_owned).or_else(died).or_else(silent)
    }

    /// The schema of the configuration; one that lets everything pass where there is none.
    pub(crate) fn schema(&self) -> Value {
        self.described.whole.get("config").cloned().unwrap_or_else(|| json!({"type": "object"}))
    }

    /// A source of chance that is a check's own, so that it draws the same alone and among others.
    pub(crate) fn chance(&self, check: &str) -> Rng {
        let salt = check.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Rng::with_seed(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt))
    }

    /// Holds a trial.
    pub(crate) fn hold(&self, steps: Vec<Step>) -> Trial {
        self.hold_with(steps, 0)
    }

    /// The same with a host that takes its time.
    pub(crate) fn hold_with(&self, steps: Vec<Step>, host_takes_ms: u64) -> Trial {
        let library = self.library.to_string_lossy().into_owned();
        trial::hold(&self.executable, &Script { library, host_takes_ms, steps })
    }

    /// A whole life around these steps, with the usual configuration.
    pub(crate) fn life(&self, middle: Vec<Step>) -> Vec<Step> {
        let mut steps = vec![Step::Load, self.create(), Step::Start];
        steps.extend(middle);
        steps.extend([Step::Stop, Step::Destroy]);
        steps
    }

    /// Create with the usual configuration.
    pub(crate) fn create(&self) -> Step {
        Step::Create { config: self.config.to_string() }
    }

    /// Only loaded, looked at before and after, and asked for its options.
    pub(crate) fn load_trial(&mut self) -> Trial {
        if let Some(load) = &self.load {
            return load.clone();
        }
        let mut steps = vec![measure("before"), Step::Load, measure("loaded")];
        for id in [tollhouse_abi::WHITELIST, "tollhouse.none/9", "", tollhouse_abi::WHITELIST] {
            steps.push(Step::Extension { id: id.to_owned() });
        }
        let trial = self.hold(steps);
        self.load.insert(trial).clone()
    }

    /// Every command on every device, one after the other, and some time to say what it has to say.
    pub(crate) fn exercise(&mut self) -> Trial {
        if let Some(exercise) = &self.exercise {
            return exercise.clone();
        }
        let mut middle = vec![measure("started"), Step::Settle { most_ms: 1000 }, Step::Wait { ms: 200 }];
        for order in self.orders("e") {
            middle.extend([Step::Command(order), Step::Settle { most_ms: WITHIN_MS + 300 }]);
        }
        middle.push(Step::Wait { ms: LISTEN_MS });
        let mut steps = vec![Step::Load, measure("loaded"), self.create(), Step::Start];
        steps.extend(middle);
        steps.extend([Step::Stop, Step::Wait { ms: 50 }, measure("stopped"), Step::Destroy, measure("destroyed")]);
        let trial = self.hold(steps);
        self.exercise.insert(trial).clone()
    }

    /// Three long stretches of commands, with a look at the process after each.
    pub(crate) fn memory_trial(&mut self) -> Trial {
        if let Some(memory) = &self.memory {
            return memory.clone();
        }
        let trial = self.stretches(&[(200, 1500), (400, 2500), (400, 2500)]);
        self.memory.insert(trial).clone()
    }

    /// Three short ones: what a process has few of would be used up in long ones before anybody looked.
    pub(crate) fn count_trial(&mut self) -> Trial {
        if let Some(counts) = &self.counts {
            return counts.clone();
        }
        let trial = self.stretches(&[(12, 4000); 3]);
        self.counts.insert(trial).clone()
    }

    fn stretches(&mut self, stretches: &[(u32, u64); 3]) -> Trial {
        let orders = self.taken_orders();
        let mut middle = Vec::new();
        for ((times, most_ms), label) in stretches.iter().zip(["first", "second", "third"]) {
            let repeat = Step::Repeat { orders: orders.clone(), times: *times, at_once: 4, most_ms: *most_ms };
            middle.extend([repeat, Step::Wait { ms: 150 }, measure(label)]);
        }
        self.hold(self.life(middle))
    }

    /// Each declared command for each device, as a lane would give it.
    pub(crate) fn orders(&self, prefix: &str) -> Vec<Order> {
        let commands = self.described.commands.iter().filter(|name| *name != "reply");
        let pairs = commands.flat_map(|name| self.devices.iter().map(move |device| (name, device)));
        pairs
            .take(MOST_PAIRS)
            .enumerate()
            .map(|(number, (name, device))| order(&format!("{prefix}{number}"), name, device, WITHIN_MS))
            .collect()
    }

    /// Those of them that the driver takes; all of them when it takes none.
    pub(crate) fn taken_orders(&mut self) -> Vec<Order> {
        let trial = self.exercise();
        let orders = self.orders("e");
        let taken: Vec<Order> = orders
            .iter()
            .filter(|order| {
                trial.calls().any(|(call, id, answer, _)| call == Call::Command && id == order.cmd_id && answer == 0)
            })
            .cloned()
            .collect();
        if taken.is_empty() { orders } else { taken }
    }
}

impl Described {
    fn read(whole: Value) -> Self {
        let text = |key: &str| whole[key].as_str().unwrap_or_default().to_owned();
        let list = |key: &str| {
            let items = whole[key].as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            id: text("id"),
            version: text("version"),
            commands: list("commands"),
            events: list("events"),
            options: list("options"),
            whole,
        }
    }
}

/// A command as a lane would give it.
pub(crate) fn order(cmd_id: &str, name: &str, device: &str, within_ms: u64) -> Order {
    let args = match name {
        "display" => json!({"lines": ["欢迎光临", "粤C12345", "5.00"]}),
        "speak" => json!({"text": "欢迎光临"}),
        // What the driver's own commands want nobody knows: something of everything.
        own if own.starts_with("x-") => {
            json!({"plate": "粤C12345", "colour": "blue", "text": "text", "lines": ["text"], "number": 1})
        }
        _ => json!({}),
    };
    let args = json!({"device": device, "args": args}).to_string();
    Order { cmd_id: cmd_id.to_owned(), name: name.to_owned(), args, within_ms }
}

pub(crate) fn measure(label: &str) -> Step {
    Step::Measure { label: label.to_owned() }
}

/// What went wrong with the process as a whole, if something did. Every check asks this first.
pub(crate) fn ended(trial: &Trial) -> Option<Finding> {
    let place = |during: Option<Call>| {
        during
            .map_or_else(|| "between calls, so in a thread of its own".to_owned(), |call| format!("in {}", call.name()))
    };
    let words = if trial.last_words.trim().is_empty() {
        String::new()
    } else {
        let last: Vec<char> = trial.last_words.trim().chars().rev().take(300).collect();
        format!("; it said last: {}", last.into_iter().rev().collect::<String>())
    };
    match &trial.end {
        End::Finished => None,
        End::Died { how, during } => Some(Finding::fail(
            format!("the process died {}: {how}{words}", place(*during)),
            "build with debug symbols, run the command below, and look at what the driver does there",
        )),
        End::Hung { during } => Some(Finding::fail(
            format!("nothing came back {}: it was killed{words}", place(*during)),
            "a call of the host's must return: give waiting to a thread of the driver, with a time limit on everything",
        )),
        End::Flooded => Some(Finding::fail(
            "it says so much (events, completions, log) that nobody can listen",
            "emit what changes, when it changes",
        )),
        End::Broken(why) => Some(Finding::fail(why.clone(), "this is a fault of this machine or of the checker")),
    }
}
