//! Owns a real Prometheus that scrapes the box, and promtool's opinion of what it serves.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::http::Http;
use crate::process::{Running, free_port};
use crate::wait::{PATIENCE, eventually};

/// A Prometheus that scrapes one box every second.
#[derive(Debug)]
pub struct Prometheus {
    process: Running,
    _folder: TempDir,
    http: Http,
}

impl Prometheus {
    /// Starts one that scrapes `target`, a host and port, and loads the project's alert rules.
    pub fn scraping(target: &str, rules: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{rules}']\nscrape_configs:\n\
             - job_name: tollhouse\n  static_configs: [{{targets: ['{target}']}}]\n"
        );
        fs::write(&config, text).expect("a configuration can be written");
        for _ in 0..5 {
            let port = free_port();
            let mut process = Running::start(
                "prometheus",
                Command::new("prometheus")
                    .arg(format!("--config.file={}", config.display()))
                    .arg(format!("--storage.tsdb.path={}", folder.path().join("tsdb").display()))
                    .arg(format!("--web.listen-address=127.0.0.1:{port}")),
            );
            let http = Http::new(&format!("http://127.0.0.1:{port}"));
            let ready = eventually("Prometheus to be ready", PATIENCE, || match process.ended() {
                Some(_) => Some(false),
                None => http.try_get("/-/ready").ok().filter(|answer| answer.status == 200).map(|_| true),
            });
            if ready {
                return Self { process, _folder: folder, http };
            }
        }
        panic!("Prometheus did not start");
    }

    /// The value of a query that has one result; nothing when it has none.
    pub fn value(&self, query: &str) -> Option<f64> {
        let answer = self.http.get(&format!("/api/v1/query?query={query}")).json();
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// What it says of its only target.
    pub fn target(&self) -> Value {
        self.http.get("/api/v1/targets").json()["data"]["activeTargets"][0].clone()
    }
}

/// What `promtool check metrics` complains about; nothing when it is content.
pub fn promtool_check_metrics(text: &str) -> Option<String> {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed: `tests/run setup`");
    child.stdin.take().expect("stdin is piped").write_all(text.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    let complaint = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (!output.status.success() || !complaint.trim().is_empty()).then_some(complaint)
}
