//! What a check asks a driver's process to do, and what that process tells of it: the words between the two sides.
//!
//! Both sides are ours (`drivers/src/plugin/probe` carries a script out), so the form may change with any release. It
//! must not know what is right or wrong.

use serde::{Deserialize, Serialize};

/// What one process does with one driver, from loading it to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Script {
    /// The library.
    pub(crate) library: String,
    /// The host's functions take so long each: a busy box.
    pub(crate) host_takes_ms: u64,
    pub(crate) steps: Vec<Step>,
}

/// One step of a script.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Load,
    Extension {
        id: String,
    },
    Create {
        config: String,
    },
    Start,
    Command(Order),
    /// A part for the option `tollhouse.whitelist/1`.
    Replace(Order),
    Capacity {
        device: String,
    },
    /// Commands again and again, so many at once, until `times` are done or `most_ms` have passed.
    Repeat {
        orders: Vec<Order>,
        times: u32,
        at_once: u32,
        most_ms: u64,
    },
    /// Until every command that was taken is completed, or so long.
    Settle {
        most_ms: u64,
    },
    /// Time passes.
    Wait {
        ms: u64,
    },
    /// The other side looks at the process.
    Measure {
        label: String,
    },
    Stop,
    Destroy,
}

/// A command to hand over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) cmd_id: String,
    pub(crate) name: String,
    /// As the driver gets it: `{"device","args"}`.
    pub(crate) args: String,
    /// The deadline, from when it is handed over.
    pub(crate) within_ms: u64,
}

/// Where in its life the driver is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Before,
    Loading,
    Loaded,
    Creating,
    Created,
    Starting,
    Running,
    Stopping,
    Stopped,
    Destroying,
    Destroyed,
}

impl Phase {
    /// All of them, in the order of a life.
    pub(crate) const ALL: [Self; 11] = [
        Self::Before,
        Self::Loading,
        Self::Loaded,
        Self::Creating,
        Self::Created,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::Destroying,
        Self::Destroyed,
    ];

    /// When that is, in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Before => "before it was loaded",
            Self::Loading => "while it was loaded",
            Self::Loaded => "between loading and create",
            Self::Creating => "in create",
            Self::Created => "between create and start",
            Self::Starting => "in start",
            Self::Running => "while it ran",
            Self::Stopping => "in stop",
            Self::Stopped => "after stop had returned",
            Self::Destroying => "in destroy",
            Self::Destroyed => "after destroy",
        }
    }
}

/// A call into the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Call {
    Load,
    Extension,
    Create,
    Start,
    Command,
    Replace,
    Capacity,
    Stop,
    Destroy,
}

impl Call {
    /// The function's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Load => "its constructors",
            Self::Extension => "extension",
            Self::Create => "create",
            Self::Start => "start",
            Self::Command => "command",
            Self::Replace => "whitelist.replace",
            Self::Capacity => "whitelist.capacity",
            Self::Stop => "stop",
            Self::Destroy => "destroy",
        }
    }
}

/// A text that a driver handed over: as far as it can be shown, and what it was in truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// Wrong bytes replaced, cut at 64 KiB.
    pub(crate) text: String,
    pub(crate) length: u64,
    pub(crate) encoding: Encoding,
}

/// Whether bytes are a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    Utf8,
    Broken,
    /// A null pointer with a length.
    Null,
}

/// What the process tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The library is no driver for this box.
    Refused {
        reason: String,
    },
    /// Loaded; the descriptor as it stands in the table.
    Descriptor(Said),
    Enter {
        call: Call,
        cmd_id: String,
    },
    /// `answer`: the status, or 1 where `extension` found something, or the capacity.
    Leave {
        call: Call,
        cmd_id: String,
        answer: i64,
        took_us: u64,
    },
    /// What `extension` led to: `struct_size` of the table, and whether its functions are there.
    Option {
        id: String,
        struct_size: u32,
        functions: u32,
    },
    Emit {
        event: Said,
        picture_bytes: u64,
        picture_head: Vec<u8>,
        answer: i32,
    },
    Completed {
        cmd_id: Said,
        status: i32,
        json: Said,
        deadline_passed_ms: Option<u64>,
        open: bool,
    },
    Logged {
        level: i32,
        message: Said,
    },
    /// A system call that says something about manners.
    System {
        call: String,
        what: String,
    },
    Repeated {
        done: u32,
    },
    Settled {
        still_open: u32,
    },
    Measure {
        label: String,
        heap_bytes: u64,
        locale: String,
    },
    Done,
}

/// A record with its time and place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Since the process began.
    pub(crate) us: u64,
    pub(crate) phase: Phase,
    /// On the thread that the host calls on.
    pub(crate) control: bool,
    pub(crate) what: Record,
}
