//! A line to a device: a TCP connection, or a serial port, with a deadline on everything.
//!
//! Addresses are numbers: a name would have to be asked for, and no resolver keeps a deadline. It must not know what is
//! said on the line.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::{ControlModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
use serde::Deserialize;

/// Where a device is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Endpoint {
    /// A network address.
    Tcp {
        /// Address and port, as in `192.168.1.50:502`.
        address: SocketAddr,
    },
    /// A serial port, 8 data bits.
    Serial {
        /// The device, as in `/dev/ttyS1`.
        path: PathBuf,
        /// Bits a second.
        #[serde(default = "usual_baud")]
        baud: u32,
        /// Parity.
        #[serde(default)]
        parity: Parity,
        /// 1 or 2.
        #[serde(default = "one_stop_bit")]
        stop_bits: u8,
    },
}

/// A serial port's parity bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

fn usual_baud() -> u32 {
    9600
}

fn one_stop_bit() -> u8 {
    1
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { address } => write!(f, "{address}"),
            Self::Serial { path, .. } => write!(f, "{}", path.display()),
        }
    }
}

/// An open line.
#[derive(Debug)]
pub struct Line(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Serial(File),
}

impl Line {
    /// Opens the line; what an earlier talk left in a serial port is thrown away.
    pub fn open(endpoint: &Endpoint, within: Duration) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp { address } => Self::accepted(TcpStream::connect_timeout(address, within)?),
            Endpoint::Serial { path, baud, parity, stop_bits } => {
                let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
                let custom = i32::try_from(flags.bits()).map_err(io::Error::other)?;
                let port = OpenOptions::new().read(true).write(true).custom_flags(custom).open(path)?;
                set_up(&port, *baud, *parity, *stop_bits)?;
                tcflush(&port, QueueSelector::IOFlush)?;
                Ok(Self(Kind::Serial(port)))
            }
        }
    }

    /// A connection that a device has opened.
    pub fn accepted(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self(Kind::Tcp(stream)))
    }

    /// Reads what there is, at least one byte, by then.
    pub fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        loop {
            let read = match &mut self.0 {
                Kind::Tcp(stream) => stream.read(buffer),
                Kind::Serial(port) => port.read(buffer),
            };
            match read {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => return Ok(count),
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::IN, until)?,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Fills the buffer by then.
    pub fn read_exact(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            filled += self.read(&mut buffer[filled..], until)?;
        }
        Ok(())
    }

    /// Hands all bytes to the system by then.
    pub fn write_all(&mut self, mut bytes: &[u8], until: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match &mut self.0 {
                Kind::Tcp(stream) => stream.write(bytes),
                Kind::Serial(port) => port.write(bytes),
            };
            match written {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::OUT, until)?,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    fn wait(&self, what_for: PollFlags, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::from_borrowed_fd(self.as_fd(), what_for)], Some(&timeout)) {
            Ok(0) => Err(ErrorKind::TimedOut.into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Kind::Tcp(stream) => stream.as_fd(),
            Kind::Serial(port) => port.as_fd(),
        }
    }
}

fn set_up(port: &File, baud: u32, parity: Parity, stop_bits: u8) -> io::Result<()> {
    let mut settings = tcgetattr(port)?;
    settings.make_raw();
    settings.set_speed(baud)?;
    settings.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    settings.control_modes.set(ControlModes::CRTSCTS, false);
    settings.control_modes.set(ControlModes::PARENB, parity != Parity::None);
    settings.control_modes.set(ControlModes::PARODD, parity == Parity::Odd);
    settings.control_modes.set(ControlModes::CSTOPB, stop_bits == 2);
    tcsetattr(port, OptionalActions::Now, &settings)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn pair() -> (Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let line = Line::open(&Endpoint::Tcp { address }, SOON).expect("a line");
        (line, listener.accept().expect("a caller").0)
    }

    #[test]
    fn bytes_come_and_go_and_an_end_is_an_error() {
        let (mut line, mut peer) = pair();
        peer.write_all(b"hello").expect("written");
        let mut five = [0; 5];
        line.read_exact(&mut five, Instant::now() + SOON).expect("read");
        line.write_all(b"world", Instant::now() + SOON).expect("written");
        let mut heard = [0; 5];
        peer.read_exact(&mut heard).expect("read");
        assert_eq!((&five, &heard), (b"hello", b"world"));
        drop(peer);
        let ended = line.read(&mut five, Instant::now() + SOON).expect_err("an end");
        assert_eq!(ended.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn nothing_by_the_deadline_is_a_timeout_in_both_directions() {
        let (mut line, _peer) = pair();
        let soon = Instant::now() + Duration::from_millis(20);
        assert_eq!(line.read(&mut [0; 8], soon).expect_err("silence").kind(), ErrorKind::TimedOut);
        // Nobody reads at the other end, so its buffers fill.
        let much = vec![0; 64 * 1024 * 1024];
        let soon = Instant::now() + Duration::from_millis(20);
        assert_eq!(line.write_all(&much, soon).expect_err("full").kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn an_endpoint_is_an_address_or_a_port_with_the_usual_settings() {
        let tcp: Endpoint =
            serde_json::from_str(r#"{"kind":"tcp","address":"192.168.1.50:502"}"#).expect("an endpoint");
        assert_eq!(tcp.to_string(), "192.168.1.50:502");
        let serial: Endpoint = serde_json::from_str(r#"{"kind":"serial","path":"/dev/ttyS1"}"#).expect("an endpoint");
        let usual = Endpoint::Serial { path: "/dev/ttyS1".into(), baud: 9600, parity: Parity::None, stop_bits: 1 };
        assert_eq!(serial, usual);
        for wrong in [r#"{"kind":"tcp","address":"board.local:502"}"#, r#"{"kind":"tcp","address":"1.2.3.4:1","x":1}"#]
        {
            assert!(serde_json::from_str::<Endpoint>(wrong).is_err(), "{wrong}");
        }
    }
}
