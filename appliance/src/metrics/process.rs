//! What the process uses, under the names that every exporter uses. Reads `/proc` when asked and at no other time.

use prometheus::core::Collector;
use prometheus::{Counter, Gauge, IntGauge, Opts, Registry};

/// Linux tells programs hundredths of a second, on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: i64 = 4096;

pub(super) struct ProcessGauges {
    cpu: Counter,
    resident: IntGauge,
    open_files: IntGauge,
    start_time: Gauge,
}

impl ProcessGauges {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let keep = |metric: Box<dyn Collector>| registry.register(metric);
        let gauges = Self {
            cpu: Counter::with_opts(Opts::new("process_cpu_seconds_total", "Processor time used."))?,
            resident: IntGauge::with_opts(Opts::new("process_resident_memory_bytes", "Memory in use."))?,
            open_files: IntGauge::with_opts(Opts::new("process_open_fds", "Open file descriptors."))?,
            start_time: Gauge::with_opts(Opts::new(
                "process_start_time_seconds",
                "When the process started, in seconds since 1970.",
            ))?,
        };
        keep(Box::new(gauges.cpu.clone()))?;
        keep(Box::new(gauges.resident.clone()))?;
        keep(Box::new(gauges.open_files.clone()))?;
        keep(Box::new(gauges.start_time.clone()))?;
        Ok(gauges)
    }

    /// Takes what `/proc` says now; what cannot be read stays as it was.
    pub(super) fn read(&self) {
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            self.open_files.set(i64::try_from(files.count()).unwrap_or(i64::MAX));
        }
        let Some(usage) = std::fs::read_to_string("/proc/self/stat").ok().and_then(|text| Usage::of(&text)) else {
            return;
        };
        self.cpu.inc_by((usage.cpu_s - self.cpu.get()).max(0.0));
        self.resident.set(usage.resident_bytes);
        if let Some(booted) = std::fs::read_to_string("/proc/stat").ok().and_then(|text| boot_time_s(&text)) {
            self.start_time.set(booted + usage.started_after_boot_s);
        }
    }
}

struct Usage {
    cpu_s: f64,
    resident_bytes: i64,
    started_after_boot_s: f64,
}

impl Usage {
    /// Reads a line of `/proc/PID/stat` (proc(5)). The name in brackets may hold blanks, so fields count after it.
    fn of(line: &str) -> Option<Self> {
        let (_, after_name) = line.rsplit_once(')')?;
        let field = |number: usize| after_name.split_ascii_whitespace().nth(number - 3);
        let ticks = |number: usize| field(number)?.parse::<f64>().ok();
        Some(Self {
            cpu_s: (ticks(14)? + ticks(15)?) / TICKS_PER_SECOND,
            started_after_boot_s: ticks(22)? / TICKS_PER_SECOND,
            resident_bytes: field(24)?.parse::<i64>().ok()? * PAGE_BYTES,
        })
    }
}

fn boot_time_s(text: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_blank_in_its_name_is_read_rightly() {
        let line =
            "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 4 0 12300 1000000 256 18446744073709551615";
        let usage = Usage::of(line).expect("a line of proc(5)");
        assert!((usage.cpu_s - 2.0).abs() < 1e-9);
        assert!((usage.started_after_boot_s - 123.0).abs() < 1e-9);
        assert_eq!(usage.resident_bytes, 256 * PAGE_BYTES);
    }
}
