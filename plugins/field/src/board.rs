//! LED and voice boards on an RS-485 line: frames of `DA VR PN[2] CMD DL data CRC16`, text in GBK.
//!
//! It owns the bytes, and must not know the way that they take: a serial port, a network, or a camera that passes them on.
//! The layout of a line follows the makers' public protocol for 0x6E.

use encoding_rs::GBK;

use crate::crc16;

const VERSION: u8 = 0x64;
/// The packet's number: the board does not count.
const PACKET: [u8; 2] = [0xFF, 0xFF];
const SPEAK: u8 = 0x30;
const LINES: u8 = 0x6E;
const MAX_DATA_BYTES: usize = 255;
/// The most lines that a board shows.
pub const MAX_LINES: usize = 4;
const MAX_LINE_BYTES: usize = 32;
const MAX_VOICE_BYTES: usize = 64;
/// Longer answers are none.
pub const MAX_ANSWER_BYTES: usize = 6 + MAX_DATA_BYTES + 2;

/// How a line is shown.
#[derive(Debug, Clone, Copy)]
pub struct LedStyle {
    /// How long, in seconds; 0 leaves it to the board.
    pub seconds: u8,
    /// Red, green, blue.
    pub colour: [u8; 3],
}

/// A frame that makes the board speak, at most 127 Chinese characters; the rest is cut.
pub fn speak(address: u8, text: &str) -> Vec<u8> {
    let mut data = vec![0x01];
    data.extend(gbk(text, MAX_DATA_BYTES - 1));
    frame(address, SPEAK, &data)
}

/// A frame that shows lines of text, and speaks if there is something to say. More than [`MAX_LINES`] lines and more than
/// 16 Chinese characters in a line are cut.
pub fn lines<T: AsRef<str>>(address: u8, texts: &[T], voice: &str, style: LedStyle) -> Vec<u8> {
    let texts = &texts[..texts.len().min(MAX_LINES)];
    let [red, green, blue] = style.colour;
    // Into the board's temporary area, so many lines.
    let mut data = vec![0, u8::try_from(texts.len()).unwrap_or_default()];
    for (number, text) in texts.iter().enumerate() {
        let text = gbk(text.as_ref(), MAX_LINE_BYTES);
        // A line that does not fit stands, a longer one runs to the left without end.
        let mode = if text.len() > 8 { 0x15 } else { 0x00 };
        let number_byte = u8::try_from(number).unwrap_or_default();
        data.extend([number_byte, mode, 1, style.seconds, 0, red, green, blue, 0, length(&text)]);
        data.extend(text);
        data.push(if number + 1 == texts.len() { 0x00 } else { 0x0D });
    }
    let voice = gbk(voice, MAX_VOICE_BYTES);
    data.extend([0x0A, length(&voice)]);
    data.extend(voice);
    data.push(0x00);
    frame(address, LINES, &data)
}

/// Whether bytes are a board's answer to a frame of ours: the same command from the same address, with a good checksum.
pub fn is_answer(bytes: &[u8], to: &[u8]) -> bool {
    let Some((body, crc)) = bytes.split_last_chunk::<2>() else { return false };
    let same = bytes.first() == to.first() && bytes.get(4) == to.get(4);
    same && answer_length(bytes) == Some(bytes.len()) && crc16(body) == u16::from_le_bytes(*crc)
}

/// How long a frame is whose beginning is known; `None` when too little is.
pub fn answer_length(bytes: &[u8]) -> Option<usize> {
    bytes.get(5).map(|data| 6 + usize::from(*data) + 2)
}

fn length(bytes: &[u8]) -> u8 {
    u8::try_from(bytes.len()).unwrap_or(u8::MAX)
}

fn frame(address: u8, command: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![address, VERSION, PACKET[0], PACKET[1], command, length(data)];
    frame.extend(data);
    let crc = crc16(&frame);
    frame.extend(crc.to_le_bytes());
    frame
}

/// Text as the board reads it, cut after a whole character. What GBK does not have becomes a question mark, and so does
/// what would end the text.
fn gbk(text: &str, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for character in text.chars() {
        let one = character.to_string();
        let (coded, _, unmappable) = GBK.encode(&one);
        let coded: &[u8] = if unmappable || character.is_control() { b"?" } else { &coded };
        if bytes.len() + coded.len() > most {
            break;
        }
        bytes.extend_from_slice(coded);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STYLE: LedStyle = LedStyle { seconds: 10, colour: [255, 0, 0] };

    #[test]
    fn the_golden_frame_welcomes() {
        let golden =
            [0x00, 0x64, 0xFF, 0xFF, 0x30, 0x09, 0x01, 0xBB, 0xB6, 0xD3, 0xAD, 0xB9, 0xE2, 0xC1, 0xD9, 0x32, 0x58];
        assert_eq!(speak(0, "欢迎光临"), golden);
    }

    #[test]
    fn lines_stand_one_behind_the_other_with_the_voice_at_the_end() {
        let frame = lines(0, &["粤A1", "请通行"], "欢迎", STYLE);
        let data = [
            [0, 2].as_slice(),
            &[0, 0, 1, 10, 0, 255, 0, 0, 0, 4, 0xD4, 0xC1, b'A', b'1', 0x0D],
            &[1, 0, 1, 10, 0, 255, 0, 0, 0, 6, 0xC7, 0xEB, 0xCD, 0xA8, 0xD0, 0xD0, 0x00],
            &[0x0A, 4, 0xBB, 0xB6, 0xD3, 0xAD, 0x00],
        ]
        .concat();
        assert_eq!(frame[..6], [0, 0x64, 0xFF, 0xFF, 0x6E, u8::try_from(data.len()).expect("short")]);
        assert_eq!(frame[6..frame.len() - 2], data);
        let crc = crc16(&frame[..frame.len() - 2]);
        assert_eq!(frame[frame.len() - 2..], crc.to_le_bytes());
    }

    #[test]
    fn an_answer_has_the_same_command_and_a_good_checksum() {
        let asked = speak(0, "欢迎");
        let answer = super::frame(0, SPEAK, &[0]);
        assert!(is_answer(&answer, &asked));
        assert!(!is_answer(&super::frame(0, LINES, &[0]), &asked), "another command");
        assert!(!is_answer(&super::frame(1, SPEAK, &[0]), &asked), "another board");
        let mut spoilt = answer;
        spoilt[6] ^= 1;
        assert!(!is_answer(&spoilt, &asked));
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_frame_that_is_whole(texts in prop::collection::vec(".{0,80}", 0..8), voice in ".{0,300}") {
            for frame in [speak(0, &voice), lines(0, &texts, &voice, STYLE)] {
                prop_assert_eq!(answer_length(&frame), Some(frame.len()));
                prop_assert_eq!(usize::from(frame[5]) + 8, frame.len());
            }
        }

        #[test]
        fn any_bytes_are_an_answer_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            is_answer(&bytes, &speak(0, ""));
        }
    }
}
