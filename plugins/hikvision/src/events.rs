//! How plates come: the alert stream that is pulled, and the posts that are pushed.
//!
//! It owns reading them. It must not know what a plate is.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tollhouse_field::http::{Answer, Delivery, Handler, Request, Response};
use tollhouse_field::{Backoff, StopSignal};
use tollhouse_sdk::LogLevel;

use crate::device::{AskError, Device};
use crate::gate::{Gate, Pictures};
use crate::multipart::{MAX_PART_BYTES, Multipart, Part};

const ALERT_STREAM: &str = "/ISAPI/Event/notification/alertStream";
/// How often a silent stream is left to look whether the driver stops.
const LOOK: Duration = Duration::from_millis(300);
/// The longest post: an alert with its pictures.
pub(crate) const MOST_POST_BYTES: usize = 3 * MAX_PART_BYTES;

/// Pulls the alert stream until the driver stops.
pub(crate) fn pull(gate: &Gate, device: &Device, stop: &StopSignal) {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
    while !stop.is_stopped() {
        match device.ask("GET", ALERT_STREAM, "") {
            Ok(answer) if answer.head.status == 200 => {
                backoff.reset();
                gate.is_there();
                let why = listen(gate, answer, stop);
                gate.host.log(LogLevel::Info, &format!("the alert stream is opened anew: {why}"));
            }
            Ok(answer) => gate.is_away(&format!("its alert stream answers {}", answer.head.status)),
            // It will not be asked again: an account is soon locked.
            Err(AskError::LockedOut) => return gate.is_locked_out(),
            Err(fault) => gate.is_away(&fault.to_string()),
        }
        stop.pause(backoff.next_pause());
    }
}

/// Listens until the stream ends, falls silent, or the driver stops; says why.
fn listen(gate: &Gate, mut answer: Answer, stop: &StopSignal) -> String {
    let kind = answer.head.header("content-type").unwrap_or_default().to_owned();
    let Some(mut parts) = Multipart::of(&kind) else { return format!("it is {kind:?}, no multipart") };
    let silence = Duration::from_millis(gate.config.silent_after_ms.into());
    let (mut heard_at, mut pictures) = (Instant::now(), Pictures::default());
    while !stop.is_stopped() {
        match answer.piece(Instant::now() + LOOK) {
            Ok(Some(piece)) => {
                heard_at = Instant::now();
                for part in parts.push(&piece) {
                    if let Err(fault) = gate.part(&part, &mut pictures) {
                        gate.host.log(LogLevel::Warn, &format!("the host did not take an alert: {fault:?}"));
                    }
                }
            }
            Ok(None) => return "it ended".to_owned(),
            Err(fault) if fault.kind() == ErrorKind::TimedOut && heard_at.elapsed() < silence => {}
            Err(fault) if fault.kind() == ErrorKind::TimedOut => return format!("silent for {} s", silence.as_secs()),
            Err(fault) => return fault.to_string(),
        }
    }
    "the driver stops".to_owned()
}

/// Takes what the camera posts.
pub(crate) struct Posts(pub(crate) Arc<Gate>);

impl Handler for Posts {
    type Debt = ();

    /// First the box has it, then the camera is answered: it sends nothing twice.
    fn answer(&self, request: Request) -> (Response, ()) {
        self.0.is_there();
        let kind = request.head.header("content-type").unwrap_or_default();
        let parts = match Multipart::of(kind) {
            Some(mut multipart) => {
                let mut parts = multipart.push(&request.body);
                parts.extend(multipart.finish());
                parts
            }
            None => vec![Part { content_type: kind.to_ascii_lowercase(), body: request.body }],
        };
        let mut pictures = Pictures::default();
        let taken = parts.iter().try_for_each(|part| self.0.part(part, &mut pictures));
        let status = if let Err(fault) = taken {
            self.0.host.log(LogLevel::Warn, &format!("the host did not take a post: {fault:?}"));
            503
        } else {
            200
        };
        (Response { status, content_type: "text/plain", body: Vec::new() }, ())
    }

    fn delivered(&self, (): (), _delivery: Delivery) {}
}
