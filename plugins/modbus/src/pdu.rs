//! The six requests that a relay board needs, and their answers: bytes in, bytes out (Modbus Application Protocol 1.1b3).
//!
//! Any bytes may come as an answer; what fits the request is read, everything else is a fault that ends the connection.
//! It must not know how frames travel.

/// The longest PDU (4.1).
pub(crate) const MAX_PDU_BYTES: usize = 253;
/// The most bits that one request reads (6.1, 6.2).
pub(crate) const MAX_BITS: u16 = 2000;

/// A request to a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// 6.1 Read Coils (0x01).
    ReadCoils {
        /// The first.
        first: u16,
        /// How many, 1 to [`MAX_BITS`].
        count: u16,
    },
    /// 6.2 Read Discrete Inputs (0x02).
    ReadInputs {
        /// The first.
        first: u16,
        /// How many, 1 to [`MAX_BITS`].
        count: u16,
    },
    /// 6.5 Write Single Coil (0x05).
    WriteCoil {
        /// Which.
        coil: u16,
        /// On or off.
        level: Level,
    },
    /// 0x05 with a value of the board's own making, as some take it for a pulse.
    WriteCoilValue {
        /// Which.
        coil: u16,
        /// What the board makes of it is its affair.
        value: u16,
    },
    /// 6.11 Write Multiple Coils (0x0F).
    WriteCoils {
        /// The first.
        first: u16,
        /// One for each coil.
        levels: Vec<Level>,
    },
    /// 6.12 Write Multiple Registers (0x10).
    WriteRegisters {
        /// The first.
        first: u16,
        /// One for each register.
        values: Vec<u16>,
    },
}

/// A coil or an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Contact open, no voltage.
    Off,
    /// Contact closed.
    On,
}

impl From<bool> for Level {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// What a board answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The bits that were asked for.
    Bits(Vec<Level>),
    /// Written.
    Written,
    /// 7 MODBUS Exception Responses: the board does not do it. The connection is good.
    Exception(u8),
}

/// Bytes that are no answer to what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonsense(pub String);

impl Request {
    /// The function code.
    pub fn function(&self) -> u8 {
        match self {
            Self::ReadCoils { .. } => 0x01,
            Self::ReadInputs { .. } => 0x02,
            Self::WriteCoil { .. } | Self::WriteCoilValue { .. } => 0x05,
            Self::WriteCoils { .. } => 0x0F,
            Self::WriteRegisters { .. } => 0x10,
        }
    }

    /// The bytes of the request. Counts are checked where the configuration is read.
    pub fn encode(&self) -> Vec<u8> {
        let mut pdu = vec![self.function()];
        let mut word = |value: u16| pdu.extend(value.to_be_bytes());
        match self {
            Self::ReadCoils { first, count } | Self::ReadInputs { first, count } => {
                word(*first);
                word(*count);
            }
            Self::WriteCoil { coil, level } => {
                word(*coil);
                word(coil_word(*level));
            }
            Self::WriteCoilValue { coil, value } => {
                word(*coil);
                word(*value);
            }
            Self::WriteCoils { first, levels } => {
                word(*first);
                word(length(levels.len()));
                let bytes = pack(levels);
                pdu.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
                pdu.extend(bytes);
            }
            Self::WriteRegisters { first, values } => {
                word(*first);
                word(length(values.len()));
                pdu.push(u8::try_from(values.len() * 2).unwrap_or(u8::MAX));
                pdu.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            }
        }
        pdu
    }

    /// How many bytes the answer has that begins with this function code and this byte after it. A serial line has no
    /// other way to tell.
    pub fn answer_length(&self, function: u8, next: u8) -> Result<usize, Nonsense> {
        if function == self.function() | 0x80 {
            return Ok(2);
        }
        if function != self.function() {
            return Err(Nonsense(format!("asked for function {:#04x}, answered for {function:#04x}", self.function())));
        }
        match self {
            Self::ReadCoils { .. } | Self::ReadInputs { .. } => Ok(2 + usize::from(next)),
            _ => Ok(5),
        }
    }

    /// Reads the answer.
    pub fn decode(&self, pdu: &[u8]) -> Result<Response, Nonsense> {
        let (&function, rest) = pdu.split_first().ok_or_else(|| Nonsense("an empty answer".to_owned()))?;
        let next = rest.first().copied().unwrap_or_default();
        let expected = self.answer_length(function, next)?;
        if pdu.len() != expected {
            return Err(Nonsense(format!("an answer of {} bytes, {expected} expected", pdu.len())));
        }
        if function & 0x80 != 0 {
            return Ok(Response::Exception(next));
        }
        match self {
            Self::ReadCoils { count, .. } | Self::ReadInputs { count, .. } => unpack(&rest[1..], *count),
            _ => self.echoed(rest),
        }
    }

    fn echoed(&self, rest: &[u8]) -> Result<Response, Nonsense> {
        let sent = self.encode();
        // Of a value of the board's own making the board may echo what it likes.
        let compared = if matches!(self, Self::WriteCoilValue { .. }) { 2 } else { 4 };
        if rest[..compared] == sent[1..=compared] {
            Ok(Response::Written)
        } else {
            Err(Nonsense("the answer names another address or value than was written".to_owned()))
        }
    }
}

fn coil_word(level: Level) -> u16 {
    match level {
        Level::On => 0xFF00,
        Level::Off => 0x0000,
    }
}

fn length(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn pack(levels: &[Level]) -> Vec<u8> {
    let byte = |eight: &[Level]| {
        eight.iter().enumerate().fold(0, |byte, (at, level)| byte | (u8::from(*level == Level::On) << at))
    };
    levels.chunks(8).map(byte).collect()
}

fn unpack(bytes: &[u8], count: u16) -> Result<Response, Nonsense> {
    let count = usize::from(count);
    if bytes.len() != count.div_ceil(8) {
        return Err(Nonsense(format!("{} bytes for {count} bits", bytes.len())));
    }
    let bit = |at: usize| Level::from(bytes[at / 8] >> (at % 8) & 1 == 1);
    Ok(Response::Bits((0..count).map(bit).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Level::{Off, On};
    use super::*;

    /// (request, its bytes, an answer, what that says): the examples of the specification, chapters 6.1 to 6.12.
    fn examples() -> Vec<(Request, Vec<u8>, Vec<u8>, Response)> {
        let mut bits = vec![On, Off, On, On, Off, Off, On, On];
        bits.extend([On, On, Off, Off, On, On, Off, On, Off, On, Off, On]);
        vec![
            (
                Request::ReadCoils { first: 0x13, count: 20 },
                vec![0x01, 0x00, 0x13, 0x00, 0x14],
                vec![0x01, 0x03, 0xCD, 0xB3, 0x0A],
                Response::Bits(bits),
            ),
            (
                Request::ReadInputs { first: 0xC4, count: 3 },
                vec![0x02, 0x00, 0xC4, 0x00, 0x03],
                vec![0x02, 0x01, 0x05],
                Response::Bits(vec![On, Off, On]),
            ),
            (
                Request::WriteCoil { coil: 0xAC, level: On },
                vec![0x05, 0x00, 0xAC, 0xFF, 0x00],
                vec![0x05, 0x00, 0xAC, 0xFF, 0x00],
                Response::Written,
            ),
            (
                Request::WriteCoilValue { coil: 0x200, value: 7 },
                vec![0x05, 0x02, 0x00, 0x00, 0x07],
                vec![0x05, 0x02, 0x00, 0xFF, 0x00],
                Response::Written,
            ),
            (
                Request::WriteCoils { first: 0x13, levels: vec![On, Off, On, On, Off, Off, On, On, On, Off] },
                vec![0x0F, 0x00, 0x13, 0x00, 0x0A, 0x02, 0xCD, 0x01],
                vec![0x0F, 0x00, 0x13, 0x00, 0x0A],
                Response::Written,
            ),
            (
                Request::WriteRegisters { first: 1, values: vec![0x000A, 0x0102] },
                vec![0x10, 0x00, 0x01, 0x00, 0x02, 0x04, 0x00, 0x0A, 0x01, 0x02],
                vec![0x10, 0x00, 0x01, 0x00, 0x02],
                Response::Written,
            ),
        ]
    }

    #[test]
    fn the_examples_of_the_specification_are_written_and_read() {
        for (request, bytes, answer, response) in examples() {
            assert_eq!(request.encode(), bytes, "{request:?}");
            assert_eq!(request.decode(&answer), Ok(response), "{request:?}");
            assert_eq!(request.answer_length(answer[0], answer[1]), Ok(answer.len()), "{request:?}");
        }
    }

    #[test]
    fn an_exception_is_an_answer_and_the_connection_is_good() {
        let request = Request::WriteCoil { coil: 99, level: On };
        assert_eq!(request.decode(&[0x85, 0x02]), Ok(Response::Exception(2)));
    }

    #[test]
    fn an_answer_to_another_request_is_nonsense() {
        let write = Request::WriteCoil { coil: 1, level: On };
        let read = Request::ReadInputs { first: 0, count: 8 };
        let cases: [(&Request, &[u8]); 8] = [
            (&write, &[]),
            (&write, &[0x05]),
            (&write, &[0x05, 0x00, 0x02, 0xFF, 0x00]),
            (&write, &[0x05, 0x00, 0x01, 0x00, 0x00]),
            (&write, &[0x02, 0x01, 0x05]),
            (&read, &[0x02, 0x02, 0x05, 0x00]),
            (&read, &[0x02, 0x01]),
            (&read, &[0x01, 0x01, 0x05]),
        ];
        for (request, answer) in cases {
            assert!(request.decode(answer).is_err(), "{request:?} {answer:02x?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0_usize..6) {
            let request = examples().swap_remove(which).0;
            if let Ok(Response::Bits(bits)) = request.decode(&bytes) {
                let (Request::ReadCoils { count, .. } | Request::ReadInputs { count, .. }) = request else {
                    panic!("bits for {request:?}")
                };
                prop_assert_eq!(bits.len(), usize::from(count));
            }
        }

        #[test]
        fn what_was_packed_is_unpacked(raw in prop::collection::vec(any::<bool>(), 1..200)) {
            let levels: Vec<Level> = raw.into_iter().map(Level::from).collect();
            let count = u16::try_from(levels.len()).expect("short");
            prop_assert_eq!(unpack(&pack(&levels), count), Ok(Response::Bits(levels)));
        }
    }
}
