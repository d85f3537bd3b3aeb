//! From what a device said to what a lane can be told.

use tollhouse_core::id::{CommandId, DeviceId};
use tollhouse_core::lane::{Answer, Answered, Arm, Input, LaneRules, Mark, OnLoop, Passed, Read, Way};
use tollhouse_drivers::What;
use tollhouse_drivers::event::{
    AckState, Approach, Availability, Backlog, ChannelState, EventHead, NoticeKind, Occupancy, PassedDirection,
    Position, Presence,
};

/// The input for the lane; `None` when the lane need not know.
pub(super) fn input(rules: &LaneRules, device: &DeviceId, what: What) -> Option<Input> {
    Some(match what {
        What::Plate(read) if read.direction == Approach::Depart => Input::Noted(mark(device, &read.head)),
        What::Plate(read) => {
            Input::Read(Read { mark: mark(device, &read.head), plate: read.plate, colour: read.colour })
        }
        What::Passed(passed) => {
            let way = match passed.direction {
                PassedDirection::Forward => Way::Through,
                PassedDirection::Backward => Way::Back,
            };
            Input::Passed(Passed { mark: mark(device, &passed.head), way })
        }
        // What a scanner has read may be money: only a keyed hash of it is kept, to tell a repetition.
        What::Notice(notice) if notice.kind == NoticeKind::Code => {
            let mark = mark(device, &notice.head);
            let fingerprint = CommandId::derive(&rules.key, &["code", &mark.fingerprint]).to_string();
            Input::Noted(Mark { fingerprint, ..mark })
        }
        What::Notice(notice) => Input::Noted(mark(device, &notice.head)),
        What::State(ChannelState::Barrier(position)) if *device == rules.barrier => Input::Arm(arm(position)),
        What::Stood(ChannelState::Barrier(position)) if *device == rules.barrier => Input::ArmStood(arm(position)),
        What::State(ChannelState::Loop(occupancy)) | What::Stood(ChannelState::Loop(occupancy)) => {
            Input::Loop(match occupancy {
                Occupancy::Occupied => OnLoop::Occupied,
                Occupancy::Clear => OnLoop::Clear,
            })
        }
        What::Ack(ack) => {
            Input::Answered(Answered { cmd_id: ack.cmd_id, answer: answer(ack.state), reason: ack.reason })
        }
        What::Availability(Availability { presence: Presence::Online, boot_id }) if *device == rules.barrier => {
            Input::BarrierOnline(boot_id)
        }
        What::State(ChannelState::Barrier(_)) | What::Stood(ChannelState::Barrier(_)) | What::Availability(_) => {
            return None;
        }
    })
}

/// Whether an event is of now, or was kept by its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    Yes,
    No,
}

/// Whether somebody still stands there who has just shown something.
pub(super) fn is_fresh(rules: &LaneRules, head: &EventHead) -> Fresh {
    if head.backlog == Backlog::Unmarked && head.age <= rules.stale_after { Fresh::Yes } else { Fresh::No }
}

fn mark(device: &DeviceId, head: &EventHead) -> Mark {
    Mark {
        device: device.clone(),
        event_id: head.event_id.clone(),
        fingerprint: hexadecimal(&head.fingerprint),
        captured_at: head.captured_at,
        age: match head.backlog {
            // Marked by the device itself, it is late whatever its clock says.
            Backlog::Marked => chrono::TimeDelta::MAX,
            Backlog::Unmarked => head.age,
        },
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn arm(position: Position) -> Arm {
    match position {
        Position::Up => Arm::Up,
        Position::Down => Arm::Down,
        Position::Moving => Arm::Moving,
        Position::Unknown => Arm::Unknown,
    }
}

fn answer(state: AckState) -> Answer {
    match state {
        AckState::Accepted => Answer::Accepted,
        AckState::Confirmed => Answer::Confirmed,
        AckState::Rejected => Answer::Rejected,
        AckState::Failed => Answer::Failed,
        AckState::OutcomeUnknown => Answer::Unknown,
    }
}
