//! How requests and answers travel: the TCP header with its transaction number, or the serial frame with its checksum.
//!
//! It owns one talk: a request goes out, one answer comes in, by its deadline. After any fault other than an exception the
//! caller drops the line, for a late answer would be taken for the next one's. It must not know what is asked.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use tollhouse_field::{Endpoint, Line, crc16};

use crate::pdu::{MAX_PDU_BYTES, Nonsense, Request, Response};

const TCP_HEADER_BYTES: usize = 7;
/// The shortest answer on a serial line: unit, function, exception, checksum.
const SERIAL_HEAD_BYTES: usize = 3;
const CRC_BYTES: usize = 2;

/// Why a talk failed. The line is to be dropped.
#[derive(Debug)]
pub(crate) enum TalkError {
    /// Nothing came in time.
    Silent,
    /// The line broke.
    Broken(io::Error),
    /// What came is no answer.
    Nonsense(Nonsense),
}

impl From<io::Error> for TalkError {
    fn from(fault: io::Error) -> Self {
        if fault.kind() == ErrorKind::TimedOut { Self::Silent } else { Self::Broken(fault) }
    }
}

impl From<Nonsense> for TalkError {
    fn from(nonsense: Nonsense) -> Self {
        Self::Nonsense(nonsense)
    }
}

impl std::fmt::Display for TalkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silent => f.write_str("no answer in time"),
            Self::Broken(fault) => write!(f, "the line broke: {fault}"),
            Self::Nonsense(Nonsense(words)) => write!(f, "no answer to what was asked: {words}"),
        }
    }
}

/// A board at the end of a line.
#[derive(Debug)]
pub(crate) struct Board {
    line: Line,
    framing: Framing,
    unit: u8,
    answer_within: Duration,
}

#[derive(Debug)]
enum Framing {
    Tcp {
        transaction: u16,
    },
    Serial {
        /// Silence before a frame (Modbus over Serial Line 1.02, 2.5.1.1).
        gap: Duration,
        quiet_since: Instant,
    },
}

impl Board {
    /// Connects. A serial line is first left silent for as long as an answer may take, so that one that comes late to who
    /// asked before is over.
    pub(crate) fn connect(endpoint: &Endpoint, unit: u8, answer_within: Duration) -> io::Result<Self> {
        let mut line = Line::open(endpoint, answer_within)?;
        let framing = match endpoint {
            Endpoint::Tcp { .. } => Framing::Tcp { transaction: 0 },
            Endpoint::Serial { baud, .. } => {
                listen_out(&mut line, answer_within)?;
                Framing::Serial { gap: gap(*baud), quiet_since: Instant::now() }
            }
        };
        Ok(Self { line, framing, unit, answer_within })
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Response, TalkError> {
        let until = Instant::now() + self.answer_within;
        let pdu = match &mut self.framing {
            Framing::Tcp { transaction } => {
                *transaction = transaction.wrapping_add(1);
                let number = *transaction;
                self.line.write_all(&tcp_frame(number, self.unit, &request.encode()), until)?;
                self.read_tcp(number, until)?
            }
            Framing::Serial { gap, quiet_since } => {
                std::thread::sleep(gap.saturating_sub(quiet_since.elapsed()));
                self.line.write_all(&serial_frame(self.unit, &request.encode()), until)?;
                self.read_serial(request, until)?
            }
        };
        if let Framing::Serial { quiet_since, .. } = &mut self.framing {
            *quiet_since = Instant::now();
        }
        Ok(request.decode(&pdu)?)
    }

    fn read_tcp(&mut self, number: u16, until: Instant) -> Result<Vec<u8>, TalkError> {
        let mut header = [0; TCP_HEADER_BYTES];
        self.line.read_exact(&mut header, until)?;
        let length = tcp_pdu_length(header, number, self.unit)?;
        let mut pdu = vec![0; length];
        self.line.read_exact(&mut pdu, until)?;
        Ok(pdu)
    }

    fn read_serial(&mut self, request: &Request, until: Instant) -> Result<Vec<u8>, TalkError> {
        let mut frame = vec![0; SERIAL_HEAD_BYTES];
        self.line.read_exact(&mut frame, until)?;
        let length = 1 + request.answer_length(frame[1], frame[2])? + CRC_BYTES;
        frame.resize(length, 0);
        self.line.read_exact(&mut frame[SERIAL_HEAD_BYTES..], until)?;
        Ok(serial_pdu(&frame, self.unit)?)
    }
}

/// Throws away what comes until nothing has come for so long; a line that never falls silent is left to the checksums.
fn listen_out(line: &mut Line, silence: Duration) -> io::Result<()> {
    let mut nothing = [0; 256];
    for _ in 0..3 {
        match line.read(&mut nothing, Instant::now() + silence) {
            Ok(_) => {}
            Err(fault) if fault.kind() == ErrorKind::TimedOut => break,
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Three and a half characters of 11 bits; 1.75 ms above 19200 bits a second.
fn gap(baud: u32) -> Duration {
    if baud > 19_200 {
        return Duration::from_micros(1750);
    }
    Duration::from_micros(u64::from(38_500_000 / baud.max(300)))
}

fn tcp_frame(number: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX);
    let mut frame = Vec::with_capacity(TCP_HEADER_BYTES + pdu.len());
    for word in [number, 0, length] {
        frame.extend(word.to_be_bytes());
    }
    frame.push(unit);
    frame.extend(pdu);
    frame
}

/// How long the PDU is that follows this header; `Err` when it does not belong to our request.
fn tcp_pdu_length(header: [u8; TCP_HEADER_BYTES], number: u16, unit: u8) -> Result<usize, Nonsense> {
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    if word(0) != number || word(2) != 0 {
        return Err(Nonsense(format!("transaction {} of protocol {}, not {number} of 0", word(0), word(2))));
    }
    // Some gateways answer as unit 0 or 255, whatever was asked; the transaction number tells enough.
    if header[6] != unit && !matches!(header[6], 0 | 255) {
        return Err(Nonsense(format!("unit {} answers for unit {unit}", header[6])));
    }
    let length = usize::from(word(4));
    if (2..=MAX_PDU_BYTES + 1).contains(&length) { Ok(length - 1) } else { Err(Nonsense(format!("{length} bytes"))) }
}

fn serial_frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(pdu);
    let crc = crc16(&frame);
    frame.extend(crc.to_le_bytes());
    frame
}

fn serial_pdu(frame: &[u8], unit: u8) -> Result<Vec<u8>, Nonsense> {
    let Some((body, crc)) = frame.split_last_chunk::<CRC_BYTES>() else {
        return Err(Nonsense("too short for a checksum".to_owned()));
    };
    if crc16(body) != u16::from_le_bytes(*crc) {
        return Err(Nonsense("the checksum is wrong".to_owned()));
    }
    match body.split_first() {
        Some((&from, pdu)) if from == unit => Ok(pdu.to_vec()),
        other => Err(Nonsense(format!("unit {:?} answers for unit {unit}", other.map(|(from, _)| *from)))),
    }
}

/// Reads an answer from bytes that lie ready, in both framings: for the fuzz target and the property test.
pub fn read_answer(request: &Request, bytes: &[u8]) -> [Option<Response>; 2] {
    let tcp = bytes.split_first_chunk::<TCP_HEADER_BYTES>().and_then(|(header, rest)| {
        let length = tcp_pdu_length(*header, 1, 1).ok()?;
        request.decode(rest.get(..length)?).ok()
    });
    let serial = bytes.get(..SERIAL_HEAD_BYTES).and_then(|head| {
        let length = 1 + request.answer_length(head[1], head[2]).ok()? + CRC_BYTES;
        request.decode(&serial_pdu(bytes.get(..length)?, 1).ok()?).ok()
    });
    [tcp, serial]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pdu::Level;

    fn request() -> Request {
        Request::WriteCoil { coil: 1, level: Level::On }
    }

    #[test]
    fn a_frame_of_either_kind_is_as_the_specifications_write_it() {
        let pdu = request().encode();
        assert_eq!(tcp_frame(0x1501, 0x11, &pdu), [0x15, 0x01, 0, 0, 0, 6, 0x11, 5, 0, 1, 0xFF, 0]);
        assert_eq!(serial_frame(1, &[1, 0, 0, 0, 8]), [1, 1, 0, 0, 0, 8, 0x3D, 0xCC]);
    }

    #[test]
    fn an_answer_is_read_in_either_framing() {
        let pdu = request().encode();
        let tcp = read_answer(&request(), &tcp_frame(1, 1, &pdu));
        let serial = read_answer(&request(), &serial_frame(1, &pdu));
        assert_eq!((&tcp[0], &serial[1]), (&Some(Response::Written), &Some(Response::Written)));
    }

    #[test]
    fn a_header_that_is_not_ours_is_nonsense() {
        for (words, header) in [
            ("a late answer", [0, 0, 0, 0, 0, 6, 1]),
            ("another protocol", [0, 1, 0, 1, 0, 6, 1]),
            ("another unit", [0, 1, 0, 0, 0, 6, 2]),
            ("too long", [0, 1, 0, 0, 1, 0, 1]),
            ("too short", [0, 1, 0, 0, 0, 1, 1]),
        ] {
            assert!(tcp_pdu_length(header, 1, 1).is_err(), "{words}");
        }
        assert_eq!(tcp_pdu_length([0, 1, 0, 0, 0, 6, 255], 1, 1), Ok(5), "a gateway's own number");
    }

    #[test]
    fn a_serial_frame_with_a_flipped_bit_or_of_another_unit_is_nonsense() {
        let good = serial_frame(1, &request().encode());
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(serial_pdu(&bad, 1).is_err(), "bit {bit}");
        }
        assert!(serial_pdu(&good, 2).is_err());
        assert!(serial_pdu(&[1], 1).is_err());
    }

    #[test]
    fn the_silence_before_a_frame_is_that_of_the_specification() {
        assert_eq!(gap(115_200), Duration::from_micros(1750));
        assert_eq!(gap(9600), Duration::from_micros(4010));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            read_answer(&request(), &bytes);
            read_answer(&Request::ReadInputs { first: 0, count: 16 }, &bytes);
        }
    }
}
