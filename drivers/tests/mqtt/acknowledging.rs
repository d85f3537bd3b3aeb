//! When the broker may forget an event, and when it comes again.

use chrono::TimeDelta;
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::{Refused, What};

use crate::mosquitto::{Memory, Mosquitto};
use crate::scripted::Scripted;
use crate::stage::{Client, Noticed, Stage, plate, start_time};

#[tokio::test]
async fn an_event_is_delivered_once_when_its_receipt_is_done() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    camera.publish("cam/event/plate", plate("first")).await;
    let (id, event) = stage.event_id().await;
    assert_eq!(id, "first");
    event.receipt.done();
    stage.link.shutdown().await;

    let mut stage = Stage::connected(broker.port).await;
    camera.publish("cam/event/plate", plate("second")).await;
    assert_eq!(stage.event_id().await.0, "second", "the first is forgotten");
}

#[tokio::test]
async fn an_event_without_a_receipt_comes_again_after_a_restart_of_the_link() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    camera.publish("cam/event/plate", plate("unfinished")).await;
    let (_, unfinished) = stage.event_id().await;
    drop(stage);

    let mut stage = Stage::connected(broker.port).await;
    assert_eq!(stage.event_id().await.0, "unfinished");
    unfinished.receipt.done();
}

#[tokio::test]
async fn an_event_that_waits_while_the_box_is_down_arrives_when_it_is_back() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    Stage::connected(broker.port).await.link.shutdown().await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    camera.publish("cam/event/passed", r#"{"event_id":"meanwhile"}"#).await;
    assert_eq!(Stage::connected(broker.port).await.event_id().await.0, "meanwhile");
}

#[tokio::test]
async fn what_the_broker_kept_while_the_box_was_away_is_as_old_as_it_is() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    Stage::connected(broker.port).await.link.shutdown().await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    let sent_at = (start_time() - TimeDelta::minutes(10)).to_rfc3339();
    let read = format!(r#"{{"event_id":"kept","plate":"粤C12345","at":"{sent_at}","sent_at":"{sent_at}"}}"#);
    camera.publish("cam/event/plate", read).await;
    let (_, event) = Stage::connected(broker.port).await.event_id().await;
    let What::Plate(read) = event.what else { panic!("a plate") };
    assert_eq!(read.head.age, TimeDelta::minutes(10));
    assert_eq!(read.head.captured_at, start_time() - TimeDelta::minutes(10));
}

#[tokio::test]
async fn an_event_without_a_receipt_comes_again_when_the_broker_was_killed() {
    let mut broker = Mosquitto::start(Memory::Lasting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    camera.publish("cam/event/plate", plate("unfinished")).await;
    let (_, old) = stage.event_id().await;
    broker.kill();
    stage.until(&Noticed::Link(LinkState::Down)).await;
    broker.start_again().await;
    stage.until(&Noticed::Link(LinkState::Up)).await;
    // The broker's copy or the link's own: what nobody finished is not lost.
    drop(old);
    let (id, again) = stage.event_id().await;
    assert_eq!(id, "unfinished");
    again.receipt.done();
}

#[tokio::test]
async fn an_abandoned_event_is_offered_again_and_refused_as_poison_in_the_end() {
    let broker = Mosquitto::start(Memory::Fleeting).await;
    let mut stage = Stage::connected(broker.port).await;
    let mut camera = Client::speaking(broker.port, "cam").await;
    camera.publish("cam/event/plate", plate("fatal")).await;
    for _ in 0..5 {
        let (id, event) = stage.event_id().await;
        assert_eq!(id, "fatal");
        drop(event);
    }
    stage.until(&Noticed::Refused(Some("cam".to_owned()), Refused::Poison)).await;
    stage.link.shutdown().await;

    let mut stage = Stage::connected(broker.port).await;
    camera.publish("cam/event/plate", plate("harmless")).await;
    assert_eq!(stage.event_id().await.0, "harmless", "the broker has forgotten the poison");
}

#[tokio::test]
async fn acknowledgements_reach_the_broker_in_the_order_of_its_messages() {
    let mut broker = Scripted::listen().await;
    let mut stage = Stage::start(broker.port);
    broker.accept().await;
    for (packet, tail, body) in [
        (11, "cam/event/plate", plate("a")),
        (12, "cam/event/plate", "junk".to_owned()),
        (13, "bar/event/passed", plate("b")),
        (14, "cam/event/plate", plate("c")),
    ] {
        broker.publish(packet, tail, &body).await;
    }
    let mut receipts = Vec::new();
    for _ in 0..3 {
        receipts.push(stage.event_id().await.1.receipt);
    }
    while let Some(receipt) = receipts.pop() {
        receipt.done();
    }
    assert_eq!(broker.acknowledged(4).await, [11, 12, 13, 14]);
}

#[tokio::test]
async fn an_acknowledgement_is_never_sent_over_a_later_connection() {
    let mut broker = Scripted::listen().await;
    let mut stage = Stage::start(broker.port);
    broker.accept().await;
    broker.publish(5, "cam/event/plate", &plate("old")).await;
    let (_, old) = stage.event_id().await;
    broker.accept().await;
    broker.publish(9, "cam/event/plate", &plate("new")).await;
    let (id, new) = stage.event_id().await;
    assert_eq!(id, "new");
    old.receipt.done();
    new.receipt.done();
    assert_eq!(broker.acknowledged(1).await, [9], "and no 5 before it");
}
