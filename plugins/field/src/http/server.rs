//! A listener for devices that push: a thread for each of a few connections, each request answered by the handler.
//!
//! It ends within a moment when it is told to: connections are shut, threads joined.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::message::{Head, MessageKind, Wire};
use crate::{Line, StopSignal};

/// A device keeps one or two connections open; more are turned away.
const MOST_CONNECTIONS: usize = 8;
/// A connection that says nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(120);
/// From a request's first byte to its last, and for an answer to be taken.
const MESSAGE_WITHIN: Duration = Duration::from_secs(10);
/// How often the listener looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// A request, read in full.
#[derive(Debug)]
pub struct Request {
    /// Who sent it.
    pub from: IpAddr,
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 200, or why not.
    pub status: u16,
    /// `application/json`, say.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether an answer reached the system's buffers, from where the device takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It did.
    Sent,
    /// The device had hung up.
    Lost,
}

/// Who answers.
pub trait Handler: Send + Sync + 'static {
    /// What goes with an answer until it is known whether it was delivered.
    type Debt;
    /// Answers a request. It may wait, and has to return soon after the signal to stop.
    fn answer(&self, request: Request) -> (Response, Self::Debt);
    /// The answer was delivered, or not.
    fn delivered(&self, debt: Self::Debt, delivery: Delivery);
}

/// Where to listen, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Listener {
    /// The box's own address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Others than this are turned away.
    pub from: Option<IpAddr>,
    /// The longest body.
    pub most_body_bytes: usize,
}

/// A running listener.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: StopSignal,
    open: Open,
    accepting: Option<JoinHandle<()>>,
}

/// Open connections, so that they can be shut.
type Open = Arc<Mutex<BTreeMap<u64, TcpStream>>>;

impl Server {
    /// Listens.
    pub fn start<H: Handler>(listener: Listener, handler: Arc<H>, stop: StopSignal) -> io::Result<Self> {
        let socket = TcpListener::bind(listener.address)?;
        socket.set_nonblocking(true)?;
        let (address, open) = (socket.local_addr()?, Open::default());
        let (ours, theirs) = (stop.clone(), Arc::clone(&open));
        let accepting = std::thread::Builder::new()
            .name("http-accept".to_owned())
            .spawn(move || accept(&socket, listener, &handler, &ours, &theirs))?;
        Ok(Self { address, stop, open, accepting: Some(accepting) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.stop();
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).values() {
            // It may be shut already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(accepting) = self.accepting.take() {
            // A panic was logged by its own hook.
            let _ = accepting.join();
        }
    }
}

fn accept<H: Handler>(socket: &TcpListener, listener: Listener, handler: &Arc<H>, stop: &StopSignal, open: &Open) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let timeout = Timespec::try_from(LOOK).expect("a tenth of a second is a time");
    let mut number = 0;
    while !stop.is_stopped() {
        // A fault shows again in accept.
        let _ = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&timeout));
        let Ok((stream, peer)) = socket.accept() else { continue };
        threads.retain(|thread| !thread.is_finished());
        let welcome = listener.from.is_none_or(|from| from == peer.ip().to_canonical());
        if !welcome || threads.len() >= MOST_CONNECTIONS {
            continue;
        }
        number += 1;
        let Ok(shut_by) = stream.try_clone() else { continue };
        open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, shut_by);
        let (handler, stop, still_open, most) =
            (Arc::clone(handler), stop.clone(), Arc::clone(open), listener.most_body_bytes);
        let begun = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            // However a connection ends, its device will come again.
            let _ = serve(stream, peer.ip().to_canonical(), &*handler, &stop, most);
            still_open.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        });
        threads.extend(begun.ok());
    }
    for stream in open.lock().unwrap_or_else(PoisonError::into_inner).values() {
        // One that was taken while the others were shut.
        let _ = stream.shutdown(Shutdown::Both);
    }
    for thread in threads {
        // As above.
        let _ = thread.join();
    }
}

fn serve<H: Handler>(
    stream: TcpStream,
    from: IpAddr,
    handler: &H,
    stop: &StopSignal,
    most_body_bytes: usize,
) -> io::Result<()> {
    let mut wire = Wire::new(Line::accepted(stream)?);
    while !stop.is_stopped() {
        wire.begins(Instant::now() + IDLE)?;
        let until = Instant::now() + MESSAGE_WITHIN;
        let head = wire.head(MessageKind::Request, until)?;
        if head.expects_continue() {
            wire.line.write_all(b"HTTP/1.1 100 Continue\r\n\r\n", until)?;
        }
        let closes = head.closes();
        let body = head.body()?;
        let body = match wire.whole(body, most_body_bytes, until) {
            Ok(body) => body,
            Err(fault) if fault.kind() == io::ErrorKind::FileTooLarge => {
                let refusal = Response { status: 413, content_type: "text/plain", body: Vec::new() };
                return wire.line.write_all(&encode(&refusal), Instant::now() + MESSAGE_WITHIN);
            }
            Err(fault) => return Err(fault),
        };
        let (response, debt) = handler.answer(Request { from, head, body });
        let sent = wire.line.write_all(&encode(&response), Instant::now() + MESSAGE_WITHIN);
        handler.delivered(debt, if sent.is_ok() { Delivery::Sent } else { Delivery::Lost });
        sent?;
        if closes {
            break;
        }
    }
    Ok(())
}

/// Always with a length: some devices read no chunks.
fn encode(response: &Response) -> Vec<u8> {
    let words = match response.status {
        200 => "OK",
        400 => "Bad Request",
        413 => "Content Too Large",
        503 => "Service Unavailable",
        _ => "Refused",
    };
    let head = format!(
        "HTTP/1.1 {} {words}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        response.status,
        response.content_type,
        response.body.len()
    );
    [head.as_bytes(), &response.body].concat()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    struct Echo;

    impl Handler for Echo {
        type Debt = ();
        fn answer(&self, request: Request) -> (Response, ()) {
            (Response { status: 200, content_type: "text/plain", body: request.body }, ())
        }
        fn delivered(&self, (): (), _delivery: Delivery) {}
    }

    fn server(from: Option<IpAddr>) -> Server {
        let address = "127.0.0.1:0".parse().expect("an address");
        let listener = Listener { address, from, most_body_bytes: 10 };
        Server::start(listener, Arc::new(Echo), StopSignal::default()).expect("a listener")
    }

    fn talk(server: &Server, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(server.address()).expect("connected");
        stream.write_all(bytes).expect("written");
        stream.shutdown(Shutdown::Write).expect("shut");
        let mut heard = String::new();
        // A connection that is turned away may end in a reset.
        let _ = stream.read_to_string(&mut heard);
        heard
    }

    #[test]
    fn requests_on_one_connection_are_answered_in_turn() {
        let server = server(None);
        let twice = b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\
            POST /b HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nho";
        let heard = talk(&server, twice);
        assert!(heard.contains("\r\n\r\nhiHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), "{heard}");
        assert!(heard.ends_with("Content-Length: 2\r\n\r\nho"), "{heard}");
    }

    #[test]
    fn a_body_beyond_the_limit_and_a_stranger_are_turned_away() {
        let heard = talk(&server(None), b"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\nhello world");
        assert!(heard.starts_with("HTTP/1.1 413"), "{heard}");
        let elsewhere = server(Some("192.0.2.1".parse().expect("an address")));
        assert_eq!(talk(&elsewhere, b"GET / HTTP/1.1\r\n\r\n"), "");
    }

    #[test]
    fn it_ends_while_a_device_holds_a_connection() {
        let server = server(None);
        let mut held = TcpStream::connect(server.address()).expect("connected");
        held.write_all(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi").expect("written");
        held.read_exact(&mut [0; 12]).expect("an answer");
        let began = Instant::now();
        drop(server);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
