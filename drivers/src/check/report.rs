//! What a check found, and how the whole is told: to people as it goes, to programs as one JSON document.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

/// How much a finding matters, and so how a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing to say.
    Pass,
    /// It could not be tried, or there is nothing to try.
    Skipped,
    /// It works, and somebody should know.
    Warn,
    /// The rule is broken.
    Fail,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub weight: Outcome,
    /// What was seen.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    pub(crate) fn fail(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { weight: Outcome::Fail, what: what.into(), advice: advice.into() }
    }

    pub(crate) fn warn(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { weight: Outcome::Warn, what: what.into(), advice: advice.into() }
    }

    pub(crate) fn skipped(what: impl Into<String>) -> Self {
        Self { weight: Outcome::Skipped, what: what.into(), advice: String::new() }
    }
}

/// How one check ended.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The check's name, as `--only` takes it.
    pub id: &'static str,
    /// What it belongs to.
    pub group: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The worst of its findings.
    pub outcome: Outcome,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub millis: u64,
    /// The command that tries it again.
    pub again: String,
}

/// The whole examination.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether nothing failed.
    pub ok: bool,
    /// The file.
    pub library: String,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The driver's id and version, when its descriptor could be read.
    pub driver: Option<(String, String)>,
    /// What every chance was drawn from.
    pub seed: u64,
    /// The configuration that the checks began with.
    pub config: serde_json::Value,
    /// The devices that were spoken to.
    pub devices: Vec<String>,
    /// One after the other.
    pub checks: Vec<Verdict>,
}

/// Who hears of an examination while it goes on.
pub trait Audience {
    /// A check begins.
    fn begins(&mut self, id: &'static str, rule: &'static str);
    /// It has ended.
    fn ended(&mut self, verdict: &Verdict);
}

impl Report {
    /// How many checks ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.checks.iter().filter(|verdict| verdict.outcome == outcome).count()
    }

    /// The last lines for people.
    pub fn summary(&self) -> String {
        let driver = self.driver.as_ref().map_or_else(String::new, |(id, version)| format!("{id} {version}: "));
        let mut text = format!(
            "{driver}{} passed, {} failed, {} to look at, {} not tried (seed {})",
            self.count(Outcome::Pass),
            self.count(Outcome::Fail),
            self.count(Outcome::Warn),
            self.count(Outcome::Skipped),
            self.seed,
        );
        if self.ok {
            text.push_str("\nThe driver keeps the rules. 驱动通过检查。");
        } else {
            text.push_str(
                "\nThe driver breaks rules; each is told above, with the command that tries it again. 驱动未通过检查。",
            );
        }
        text
    }
}

impl Verdict {
    /// For people: one line, and what was found below it.
    pub fn words(&self) -> String {
        let mark = match self.outcome {
            Outcome::Pass => "  ok   ",
            Outcome::Skipped => "  --   ",
            Outcome::Warn => "  look ",
            Outcome::Fail => "  FAIL ",
        };
        let mut text = format!("{mark} {:<20} {}", self.id, self.rule);
        if self.outcome != Outcome::Skipped && self.millis >= 1000 {
            let _ = write!(text, " ({:.1} s)", Duration::from_millis(self.millis).as_secs_f64());
        }
        for finding in &self.findings {
            let _ = write!(text, "\n            {}", finding.what);
            if !finding.advice.is_empty() {
                let _ = write!(text, "\n            -> {}", finding.advice);
            }
        }
        if self.outcome == Outcome::Fail {
            let _ = write!(text, "\n            again: {}", self.again);
        }
        text
    }
}
