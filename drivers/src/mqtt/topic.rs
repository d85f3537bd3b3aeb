//! Topics of the contract: `tollhouse/v1/{lot}/{device}/...`, taken apart and put together. Pure.

use tollhouse_core::id::{DeviceId, LotId};

use crate::wire::EventKind;

/// What a topic speaks of, after the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    Meta,
    Availability,
    State(&'a str),
    Event(EventKind),
    Ack(&'a str),
    Command,
    Picture(&'a str),
}

/// `tollhouse/v1/{lot}/`
pub(super) fn root(lot: &LotId) -> String {
    format!("tollhouse/v1/{lot}/")
}

/// The device and the subject of a topic, if the contract knows it.
pub(super) fn split<'a>(root: &str, topic: &'a str) -> Option<(&'a str, Subject<'a>)> {
    let (device, tail) = topic.strip_prefix(root)?.split_once('/')?;
    let subject = match tail.split_once('/') {
        None if tail == "meta" => Subject::Meta,
        None if tail == "availability" => Subject::Availability,
        Some(("state", channel)) => Subject::State(channel),
        Some(("event", kind)) => Subject::Event(EventKind::from_word(kind)?),
        Some(("ack", cmd_id)) => Subject::Ack(cmd_id),
        Some(("cmd", _)) => Subject::Command,
        Some(("blob", event_id)) => Subject::Picture(event_id),
        _ => return None,
    };
    Some((device, subject))
}

/// Where a device listens for the command `name`.
pub(super) fn command(root: &str, device: &DeviceId, name: &str) -> String {
    format!("{root}{device}/cmd/{name}")
}

/// How surely the broker hands over what a filter matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// QoS 0.
    Once,
    /// QoS 1.
    UntilAcknowledged,
}

/// Every device's commands.
pub(super) fn commands(root: &str) -> String {
    format!("{root}+/cmd/+")
}

/// What the box subscribes to. Its own live commands come back through `cmd/+`, which is there for retained ones only,
/// so QoS 0 does.
pub(super) fn filters(root: &str) -> Vec<(String, Delivery)> {
    [
        ("meta", Delivery::UntilAcknowledged),
        ("availability", Delivery::UntilAcknowledged),
        ("state/+", Delivery::UntilAcknowledged),
        ("event/+", Delivery::UntilAcknowledged),
        ("ack/+", Delivery::UntilAcknowledged),
        ("cmd/+", Delivery::Once),
        ("blob/+", Delivery::Once),
    ]
    .into_iter()
    .map(|(tail, delivery)| (format!("{root}+/{tail}"), delivery))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_the_contract_are_understood_and_others_are_not() {
        let root = root(&LotId::new("lot-1").expect("a name"));
        let cases = [
            ("tollhouse/v1/lot-1/cam/meta", Some(("cam", Subject::Meta))),
            ("tollhouse/v1/lot-1/cam/availability", Some(("cam", Subject::Availability))),
            ("tollhouse/v1/lot-1/bar/state/arm", Some(("bar", Subject::State("arm")))),
            ("tollhouse/v1/lot-1/cam/event/plate", Some(("cam", Subject::Event(EventKind::Plate)))),
            ("tollhouse/v1/lot-1/bar/ack/c1", Some(("bar", Subject::Ack("c1")))),
            ("tollhouse/v1/lot-1/bar/cmd/open", Some(("bar", Subject::Command))),
            ("tollhouse/v1/lot-1/cam/blob/e1", Some(("cam", Subject::Picture("e1")))),
            ("tollhouse/v1/lot-1/cam/event/party", None),
            ("tollhouse/v1/lot-1/cam/meta/more", None),
            ("tollhouse/v1/lot-2/cam/meta", None),
            ("tollhouse/v1/lot-1/cam", None),
            ("", None),
        ];
        for (topic, expected) in cases {
            assert_eq!(split(&root, topic), expected, "{topic}");
        }
        assert_eq!(command(&root, &DeviceId::new("bar").expect("a name"), "open"), "tollhouse/v1/lot-1/bar/cmd/open");
    }
}
