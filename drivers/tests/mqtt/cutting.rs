//! The story of a bad cable: the connection is cut again and again in the middle of traffic, lanes drop events now and
//! then, receipts come late and in any order. Every event that the broker took has to be finished by somebody, and in the end
//! the broker has nothing left.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::mosquitto::{Memory, Mosquitto};
use crate::stage::{Client, Stage, plate};

const EVENTS: usize = 3_000;
const CUT_EVERY: usize = 600;

/// A wire to the broker that can be cut; it mends itself for the next connection.
struct Cable {
    port: u16,
    cut: Arc<Notify>,
}

impl Cable {
    async fn to(broker: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let cut = Arc::new(Notify::new());
        let scissors = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let Ok(mut far) = TcpStream::connect(("127.0.0.1", broker)).await else { continue };
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    () = scissors.notified() => {}
                }
            }
        });
        Self { port, cut }
    }
}

#[tokio::test]
async fn no_event_is_lost_on_a_cable_that_is_cut_again_and_again() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let cable = Cable::to(broker.port).await;
    let mut stage = Stage::connected(cable.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    let feeding = tokio::spawn(async move {
        for n in 0..EVENTS {
            camera.publish("cam/event/plate", plate(&format!("e{n}"))).await;
        }
        camera
    });

    let (mut finished, mut dropped, mut held) = (HashSet::new(), HashSet::new(), Vec::new());
    let (mut seen, mut next_cut) = (0, CUT_EVERY);
    while finished.len() < EVENTS {
        let (id, event) = stage.event_id().await;
        seen += 1;
        // Each seventh is dropped the first time, as by an actor that panics; the others are finished late, last first.
        if seen % 7 == 0 && !finished.contains(&id) && dropped.insert(id.clone()) {
            drop(event);
        } else {
            finished.insert(id);
            held.push(event.receipt);
        }
        if held.len() == 40 || finished.len() == EVENTS {
            held.drain(..).rev().for_each(tollhouse_drivers::Receipt::done);
        }
        if finished.len() == next_cut && next_cut < EVENTS {
            cable.cut.notify_one();
            next_cut += CUT_EVERY;
        }
    }
    assert!(seen >= EVENTS + dropped.len(), "what was dropped came again");
    drop(stage);

    // What was finished but not yet acknowledged comes once more, and after that nothing.
    let mut camera = feeding.await.expect("the camera does not panic");
    camera.publish("cam/event/plate", plate("end")).await;
    let mut stage = Stage::connected(broker.port).await;
    finish_until("end", &mut stage).await;
    stage.link.shutdown().await;
    camera.publish("cam/event/plate", plate("sentinel")).await;
    assert_eq!(Stage::connected(broker.port).await.event_id().await.0, "sentinel", "the broker has nothing left");
}

async fn finish_until(last: &str, stage: &mut Stage) {
    loop {
        let (id, event) = stage.event_id().await;
        event.receipt.done();
        if id == last {
            return;
        }
    }
}
