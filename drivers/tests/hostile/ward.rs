//! One hostile driver's course, and what it leaves behind.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use tollhouse_drivers::plugin::{Allowance, Patience, PluginStatus, Standing};

use crate::cases::{Case, Then};
use crate::rig::{DEADLINE, Rig};

const DEVICE: &str = "gate-bad";
const FIRST_BACKOFF: Duration = Duration::from_millis(20);
const LONGEST_BACKOFF: Duration = Duration::from_millis(80);
/// So many failures in a row, and it is left alone.
pub(crate) const MOST_FAILURES: u32 = 4;
/// How long a noisy driver is suffered.
const NOISE: Duration = Duration::from_millis(1500);

fn patience() -> Patience {
    // A busy machine needs a while to load a library; a driver that spins is waited for no longer than this.
    let step = Duration::from_secs(1);
    Patience {
        load: step,
        create: step / 2,
        start: step / 2,
        ping_every: Duration::from_millis(100),
        ping_answer: Duration::from_millis(500),
        stop: Duration::from_millis(300),
        first_backoff: FIRST_BACKOFF,
        longest_backoff: LONGEST_BACKOFF,
        most_failures: MOST_FAILURES,
        ..Patience::default()
    }
}

/// What became of a driver.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// How its commands ended.
    pub(crate) answers: Vec<String>,
    /// How long it was left alone after each failure; the last one may be the quarantine.
    pub(crate) waits: Vec<Duration>,
    /// Whether it is left alone.
    pub(crate) quarantined: bool,
    /// What the box said of it last.
    pub(crate) fault: Option<String>,
    /// Its processes.
    pub(crate) pids: Vec<u32>,
}

impl Course {
    fn note(&mut self, status: &PluginStatus) {
        if let Some(pid) = status.pid
            && self.pids.last() != Some(&pid)
        {
            self.pids.push(pid);
        }
        if status.failures > self.waits.len() as u64 {
            assert_eq!(status.failures, self.waits.len() as u64 + 1, "no failure goes unseen");
            self.waits.push(status.last_wait.expect("a failure has its wait"));
            self.fault.clone_from(&status.last_fault);
        }
        self.quarantined = status.standing == Standing::Quarantined;
    }

    /// Each wait is three to five quarters of the doubled one before; the last of too many is the quarantine.
    pub(crate) fn assert_backoff(&self, file: &str) {
        let ordinary = self.waits.len() - usize::from(self.quarantined);
        for (number, wait) in self.waits[..ordinary].iter().enumerate() {
            let middle = (FIRST_BACKOFF * (1 << number)).min(LONGEST_BACKOFF);
            assert!((middle * 3 / 4..=middle * 5 / 4).contains(wait), "{file}: wait {number} was {wait:?}");
        }
        if self.quarantined {
            let (wait, middle) = (self.waits[ordinary], Patience::default().quarantine);
            assert!((middle * 3 / 4..=middle * 5 / 4).contains(&wait), "{file}: quarantined for {wait:?}");
        }
    }
}

/// Plays one driver through.
pub(crate) async fn run(case: &Case, folder: &Path) -> Course {
    let library = folder.join(format!("{}.so", case.file));
    let allowance = Allowance { memory_mib: 64, ..Allowance::default() };
    let started = Rig::launch(&library, json!({"device": DEVICE}), &[DEVICE], patience(), allowance);
    let mut rig = started.expect("all of them are libraries");
    let mut course = Course::default();
    let commands = match case.then {
        Then::Falls => 3,
        _ => 1,
    };
    if matches!(case.then, Then::NeverReady | Then::Refused) {
        follow(&rig, &mut course, |course| course.quarantined).await;
    }
    for number in 0..commands {
        if !course.quarantined {
            follow_until_ready(&rig, &mut course).await;
        }
        rig.send_with(DEVICE, "open", json!({}), &format!("{}-{number}", case.file), TimeDelta::milliseconds(700));
        if case.then == Then::Noise {
            let until = Instant::now() + NOISE;
            follow(&rig, &mut course, |_| Instant::now() >= until).await;
            continue;
        }
        let answer = answer(&mut rig).await;
        course.answers.push(answer);
        if case.then == Then::Falls {
            follow(&rig, &mut course, |course| course.waits.len() > number).await;
        }
    }
    course.note(&rig.host.status());
    rig.host.shutdown().await;
    course
}

async fn follow_until_ready(rig: &Rig, course: &mut Course) {
    let mut ready = false;
    let followed = async {
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        while !ready {
            tick.tick().await;
            let status = rig.host.status();
            course.note(&status);
            ready = status.standing == Standing::Ready;
        }
    };
    tokio::time::timeout(DEADLINE, followed).await.expect("it becomes ready");
}

async fn follow(rig: &Rig, course: &mut Course, done: impl Fn(&Course) -> bool) {
    let followed = async {
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        while !done(course) {
            tick.tick().await;
            course.note(&rig.host.status());
        }
    };
    tokio::time::timeout(DEADLINE, followed).await.unwrap_or_else(|_| panic!("{:?}", rig.host.status()));
}

/// The next answer to a command, past everything else that it says.
async fn answer(rig: &mut Rig) -> String {
    let answers = ["Accepted", "Confirmed", "Rejected", "Failed", "OutcomeUnknown"];
    loop {
        let said = rig.next().await;
        if let Some(answer) = answers.iter().find(|answer| said == format!("{DEVICE} {answer}")) {
            return (*answer).to_owned();
        }
    }
}

/// What this process holds.
pub(crate) struct Left {
    descriptors: usize,
}

impl Left {
    pub(crate) fn now() -> Self {
        Self { descriptors: fs::read_dir("/proc/self/fd").expect("Linux").count() }
    }

    /// What is there that was not there before: descriptors of ours, and processes of a driver's groups, zombies included.
    pub(crate) fn since(&self, before: &Self, groups: &[u32]) -> Vec<String> {
        let mut left = Vec::new();
        if self.descriptors != before.descriptors {
            left.push(format!("{} descriptors instead of {}", self.descriptors, before.descriptors));
        }
        let stats = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
        let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        left.extend(stats.filter(|stat| {
            // After the name in parentheses: state, parent, group, session.
            let after = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ')).into_iter().flatten();
            let ids: Vec<u32> = after.skip(1).take(3).filter_map(|word| word.parse().ok()).collect();
            ids.iter().skip(1).any(|id| groups.contains(id))
        }));
        left
    }
}
