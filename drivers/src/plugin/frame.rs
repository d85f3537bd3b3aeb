//! What travels over the socket between host and child: length-prefixed frames, and the messages in them.
//!
//! A frame is two little-endian `u32` (length of the header, length of the blob), the header as JSON, the blob as raw
//! bytes. Both sides refuse a frame beyond the limits before they reserve memory for it.

use std::io::Read;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::confine::Allowance;

/// The longest header, in bytes.
pub(super) const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The longest blob, in bytes.
pub(super) const MAX_BLOB_BYTES: usize = tollhouse_abi::MAX_PICTURE_BYTES;
const PREFIX_BYTES: usize = 8;

/// From the host to the child.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ToChild {
    /// The first frame: lock yourself up, load the library that lies at your standard output, and say who it is.
    Load {
        /// The file's name, for people.
        library: String,
        /// What it may use beyond what every driver may.
        allowance: Allowance,
    },
    /// The second: the host agrees with who it is. Create and start it.
    Create {
        /// The driver's configuration.
        config: Box<RawValue>,
    },
    /// Hand a command to the driver.
    Command {
        cmd_id: String,
        name: String,
        /// The ABI's `args`, device included.
        args: Box<RawValue>,
        /// Time to its deadline when it was sent.
        remaining_ms: u64,
    },
    /// Answer through the control thread.
    Ping { number: u64 },
    /// Stop and destroy the driver, and end.
    Stop,
}

/// From the child to the host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FromChild {
    /// Loaded. Nothing was created yet.
    Described { descriptor: Box<RawValue> },
    /// `create` has returned, `start` is next.
    Created,
    /// Created and started.
    Ready,
    /// It cannot be; the child ends.
    Failed {
        reason: String,
        /// Whether another try would end otherwise.
        again: Again,
    },
    /// The control thread is alive.
    Pong { number: u64 },
    /// `emit`; the picture is the frame's blob.
    Event(Box<RawValue>),
    /// `complete`, or a command that was not even taken.
    Completed { cmd_id: String, status: i32, json: String },
    /// `log`.
    Log { level: i32, message: String },
}

/// Whether another try may end otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Again {
    /// The device or the network may be back by then.
    Perhaps,
    /// The same file will fail in the same way.
    Useless,
}

/// Why bytes are no frame. Whoever sends such a thing is not talked to any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("a header of {0} bytes, at most {MAX_HEADER_BYTES} allowed")]
    Header(usize),
    #[error("a blob of {0} bytes, at most {MAX_BLOB_BYTES} allowed")]
    Blob(usize),
    #[error("a header that is no message: {0}")]
    Message(#[from] serde_json::Error),
    #[error("the socket broke: {0}")]
    Socket(#[from] std::io::Error),
}

/// Writes a message and its blob as one frame.
pub(super) fn encode(message: &impl Serialize, blob: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; PREFIX_BYTES];
    serde_json::to_writer(&mut frame, message)?;
    let header_bytes = frame.len() - PREFIX_BYTES;
    let header = u32::try_from(header_bytes).ok().filter(|_| header_bytes <= MAX_HEADER_BYTES);
    let header = header.ok_or(FrameError::Header(header_bytes))?;
    let blob_length = u32::try_from(blob.len()).ok().filter(|_| blob.len() <= MAX_BLOB_BYTES);
    let blob_length = blob_length.ok_or(FrameError::Blob(blob.len()))?;
    frame[..4].copy_from_slice(&header.to_le_bytes());
    frame[4..PREFIX_BYTES].copy_from_slice(&blob_length.to_le_bytes());
    frame.extend_from_slice(blob);
    Ok(frame)
}

fn lengths(prefix: [u8; PREFIX_BYTES]) -> Result<(usize, usize), FrameError> {
    let little_endian = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    let (header, blob) = (little_endian(&prefix[..4]), little_endian(&prefix[4..]));
    if header > MAX_HEADER_BYTES {
        return Err(FrameError::Header(header));
    }
    if blob > MAX_BLOB_BYTES {
        return Err(FrameError::Blob(blob));
    }
    Ok((header, blob))
}

/// Takes the first whole frame off the front of what has been received, if there is one.
pub(super) fn take<T: DeserializeOwned>(received: &mut Vec<u8>) -> Result<Option<(T, Vec<u8>)>, FrameError> {
    let Some(prefix) = received.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let (header, blob) = lengths(*prefix)?;
    let whole = PREFIX_BYTES + header + blob;
    if received.len() < whole {
        received.reserve(whole - received.len());
        return Ok(None);
    }
    let message = serde_json::from_slice(&received[PREFIX_BYTES..PREFIX_BYTES + header])?;
    let blob = received[PREFIX_BYTES + header..whole].to_vec();
    received.drain(..whole);
    Ok(Some((message, blob)))
}

/// Reads one frame, and waits for it.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<(T, Vec<u8>), FrameError> {
    let mut prefix = [0; PREFIX_BYTES];
    from.read_exact(&mut prefix)?;
    let (header, blob) = lengths(prefix)?;
    let mut bytes = vec![0; header + blob];
    from.read_exact(&mut bytes)?;
    let blob = bytes.split_off(header);
    Ok((serde_json::from_slice(&bytes)?, blob))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_also_in_pieces() {
        let frame = encode(&FromChild::Pong { number: 7 }, b"picture").expect("a frame");
        let mut received = Vec::new();
        for byte in &frame[..frame.len() - 1] {
            received.push(*byte);
            assert!(take::<FromChild>(&mut received).expect("no fault yet").is_none());
        }
        received.push(frame[frame.len() - 1]);
        received.push(9);
        let (message, blob) = take::<FromChild>(&mut received).expect("a frame").expect("whole");
        assert!(matches!(message, FromChild::Pong { number: 7 }));
        assert_eq!((blob.as_slice(), received.as_slice()), (b"picture".as_slice(), [9].as_slice()));
        let (message, blob) = read::<FromChild>(&mut frame.as_slice()).expect("a frame");
        assert!(matches!(message, FromChild::Pong { number: 7 }) && blob == b"picture");
    }

    #[test]
    fn a_frame_beyond_the_limits_is_refused_on_both_sides() {
        let reason = "x".repeat(MAX_HEADER_BYTES);
        let long = FromChild::Failed { reason, again: Again::Perhaps };
        assert!(matches!(encode(&long, &[]), Err(FrameError::Header(_))));
        let blob = vec![0; MAX_BLOB_BYTES + 1];
        assert!(matches!(encode(&FromChild::Pong { number: 0 }, &blob), Err(FrameError::Blob(_))));
        let mut long_header = [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0].to_vec();
        assert!(matches!(take::<FromChild>(&mut long_header), Err(FrameError::Header(_))));
        let mut long_blob = [2, 0, 0, 0, 0, 0, 0x40, 0].to_vec();
        assert!(matches!(take::<FromChild>(&mut long_blob), Err(FrameError::Blob(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_not_yet_one_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            while let Ok(Some(_)) = take::<FromChild>(&mut bytes) {}
        }
    }
}
