//! A broker played by the test, byte by byte (MQTT 3.1.1, chapter 3), to see what a real one does not tell.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::stage::{soon, topic};

const CONNECT: u8 = 0x10;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const PINGREQ: u8 = 0xc0;

/// Listens, and plays the broker for one connection at a time.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    listener: TcpListener,
    stream: Option<TcpStream>,
}

impl Scripted {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        Self { port, listener, stream: None }
    }

    /// Ends the connection that stands, accepts the next, and answers until the link is up.
    pub(crate) async fn accept(&mut self) {
        self.stream = None;
        let (stream, _) = soon("a connection", self.listener.accept()).await.expect("a connection");
        self.stream = Some(stream);
        assert_eq!(self.read().await.0, CONNECT);
        self.write(&[0x20, 2, 1, 0]).await;
        let (kind, body) = self.read().await;
        assert_eq!(kind, SUBSCRIBE);
        self.write(&[0x90, 9, body[0], body[1], 1, 1, 1, 1, 1, 0, 0]).await;
        assert_eq!(self.read().await.0, PINGREQ);
        self.write(&[0xd0, 0]).await;
    }

    pub(crate) async fn publish(&mut self, packet: u8, tail: &str, body: &str) {
        let topic = topic(tail);
        let length = 2 + topic.len() + 2 + body.len();
        assert!(length < 128, "one byte of length is enough for the test");
        let mut bytes = vec![0x32, u8::try_from(length).expect("short"), 0, u8::try_from(topic.len()).expect("short")];
        bytes.extend(topic.bytes());
        bytes.extend([0, packet]);
        bytes.extend(body.bytes());
        self.write(&bytes).await;
    }

    /// The packet ids of the next acknowledgements, in the order in which they come.
    pub(crate) async fn acknowledged(&mut self, count: usize) -> Vec<u16> {
        let mut packets = Vec::new();
        while packets.len() < count {
            let (kind, body) = self.read().await;
            match kind {
                PUBACK => packets.push(u16::from_be_bytes([body[0], body[1]])),
                PINGREQ => self.write(&[0xd0, 0]).await,
                other => panic!("unexpected packet {other:#x}"),
            }
        }
        packets
    }

    async fn read(&mut self) -> (u8, Vec<u8>) {
        let stream = self.stream.as_mut().expect("a connection");
        let read = async {
            let kind = stream.read_u8().await?;
            let mut length = 0;
            for place in 0..4 {
                let byte = stream.read_u8().await?;
                length |= usize::from(byte & 0x7f) << (7 * place);
                if byte < 0x80 {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await?;
            Ok::<_, std::io::Error>((kind, body))
        };
        soon("a packet", read).await.expect("the link stays connected")
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.as_mut().expect("a connection").write_all(bytes).await.expect("the link stays connected");
    }
}
