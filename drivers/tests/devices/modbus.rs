//! The Modbus driver against pymodbus: opens, confirms, loses the line in mid-pulse, comes back safe.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::emulator::{Emulator, driver};
use crate::rig::Rig;

fn config(address: &str, pulse: &Value) -> Value {
    let serial = address.starts_with('/');
    let line =
        if serial { json!({"kind": "serial", "path": address}) } else { json!({"kind": "tcp", "address": address}) };
    json!({
        "line": line,
        "answer_ms": 300,
        "poll_ms": 10,
        "outputs": {"count": 8, "on": [7]},
        "barriers": [{
            "device": "gate-in-1", "travel_ms": 5000,
            "open": {"coil": 0, "pulse": pulse},
            "close": {"coil": 1, "pulse": pulse},
            "hold": 2, "up": {"input": 0}, "down": {"input": 1},
        }],
        "loops": [{"device": "gate-in-1", "input": 2, "passed": "when_clear"}],
        "buttons": [{"device": "gate-in-1", "input": 3, "name": "help"}],
        "alarms": [{"device": "gate-in-1", "input": 4, "name": "fire", "active": "on"}],
    })
}

fn start(board: &Emulator, pulse: &Value) -> Rig {
    let config = config(&board.address, pulse);
    if board.address.starts_with('/') {
        return Rig::start_with_port(&driver("modbus"), config, &["gate-in-1"], board.address.as_ref());
    }
    Rig::start(&driver("modbus"), config, &["gate-in-1"])
}

const HELLO: [&str; 3] = ["gate-in-1 Online", "gate-in-1 down", "gate-in-1 clear"];

/// The board as it rests, told by the driver in its first words.
async fn at_rest(rig: &mut Rig, board: &mut Emulator) {
    assert_eq!(rig.take(3).await, HELLO);
    assert_eq!(board.hears("coil").await, json!({"coil": 7, "on": true}), "the coil that rests on");
}

async fn coils(board: &mut Emulator) -> Value {
    board.tell(&json!({"do": "coils"}));
    board.hears("coils").await["coils"].clone()
}

/// Opens, and sees that the coil went on and off and the arm up.
async fn opens(rig: &mut Rig, board: &mut Emulator) {
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(rig.take(3).await, ["gate-in-1 Accepted", "gate-in-1 moving", "gate-in-1 up"]);
    assert_eq!(rig.next().await, "gate-in-1 Confirmed");
    assert_eq!(board.hears("coil").await, json!({"coil": 0, "on": true}));
    assert_eq!(board.hears("coil").await, json!({"coil": 0, "on": false}));
}

#[tokio::test]
async fn every_way_to_pulse_opens_and_is_confirmed_by_the_arm() {
    let cases = [
        (json!({"by": "board", "ms": 100}), json!({"auto_off_ms": 100})),
        (json!({"by": "registers", "first": 3, "stride": 5, "mode": 4, "unit_ms": 100, "ms": 100}), json!({})),
        (json!({"by": "coil_value", "offset": 512, "unit_ms": 100, "ms": 100}), json!({})),
        (json!({"by": "driver", "ms": 100}), json!({})),
    ];
    for (pulse, board) in cases {
        let mut board = Emulator::start("modbus_board.py", &board).await;
        let mut rig = start(&board, &pulse);
        if board_switches_off_the_resting_coil(&pulse) {
            assert_eq!(rig.take(3).await, HELLO);
            board.hears_that("the coil off again", |said| *said == json!({"coil": 7, "on": false})).await;
        } else {
            at_rest(&mut rig, &mut board).await;
        }
        opens(&mut rig, &mut board).await;
        rig.host.shutdown().await;
    }
}

/// The emulator's auto-off is for all its coils.
fn board_switches_off_the_resting_coil(pulse: &Value) -> bool {
    pulse["by"] == "board"
}

#[tokio::test]
async fn over_a_serial_line_it_is_the_same() {
    let mut board = Emulator::start("modbus_board.py", &json!({"serial": true})).await;
    let mut rig = start(&board, &json!({"by": "driver", "ms": 100}));
    at_rest(&mut rig, &mut board).await;
    opens(&mut rig, &mut board).await;
    rig.host.shutdown().await;
}

#[tokio::test]
async fn on_connect_and_at_the_end_every_output_is_in_its_safe_state() {
    let mut board = Emulator::start("modbus_board.py", &json!({"coils": [0, 1, 5]})).await;
    let mut rig = start(&board, &json!({"by": "driver", "ms": 100}));
    rig.take(3).await;
    assert_eq!(coils(&mut board).await, json!([7]), "what a dead predecessor left on");
    rig.send("gate-in-1", "hold", json!({}));
    assert_eq!(rig.take(4).await.last().map(String::as_str), Some("gate-in-1 Confirmed"));
    assert_eq!(coils(&mut board).await, json!([2, 7]));
    rig.host.shutdown().await;
    assert_eq!(coils(&mut board).await, json!([7]));
}

#[tokio::test]
async fn a_line_lost_in_mid_pulse_comes_back_safe_and_the_open_is_still_confirmed() {
    let mut board = Emulator::start("modbus_board.py", &json!({"travel_ms": 400})).await;
    let mut rig = start(&board, &json!({"by": "driver", "ms": 5000}));
    at_rest(&mut rig, &mut board).await;
    let began = Instant::now();
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(board.hears("coil").await, json!({"coil": 0, "on": true}));
    board.tell(&json!({"do": "drop"}));
    assert_eq!(board.hears("connected").await["connected"], 2);
    assert_eq!(board.hears("coil").await, json!({"coil": 0, "on": false}));
    assert!(began.elapsed() < Duration::from_secs(4), "switched off by the safe state, not at the pulse's end");
    rig.wait_for("gate-in-1 Confirmed").await;
    rig.host.shutdown().await;
}

#[tokio::test]
async fn after_a_time_out_the_line_is_dropped_and_the_late_answer_is_nobodys() {
    for address in [json!({"travel_ms": 900}), json!({"travel_ms": 900, "serial": true})] {
        let mut board = Emulator::start("modbus_board.py", &address).await;
        let mut rig = start(&board, &json!({"by": "driver", "ms": 200}));
        at_rest(&mut rig, &mut board).await;
        board.tell(&json!({"do": "late", "ms": 500}));
        rig.send("gate-in-1", "open", json!({}));
        // Whatever the late answer was taken for, the arm's way would be told wrongly or not at all.
        rig.wait_for("gate-in-1 up").await;
        rig.wait_for("gate-in-1 Confirmed").await;
        rig.host.shutdown().await;
    }
}

#[tokio::test]
async fn a_board_that_falls_silent_is_offline_refuses_commands_and_comes_back() {
    let mut board = Emulator::start("modbus_board.py", &json!({})).await;
    let mut rig = start(&board, &json!({"by": "driver", "ms": 100}));
    at_rest(&mut rig, &mut board).await;
    board.tell(&json!({"do": "mute"}));
    assert_eq!(rig.next().await, "gate-in-1 Offline");
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-1 Failed");
    board.tell(&json!({"do": "speak"}));
    let back = ["gate-in-1 down", "gate-in-1 clear", "gate-in-1 Online"];
    assert_eq!(rig.take(3).await, back);
    assert_eq!(coils(&mut board).await, json!([7]), "the open that was refused never happens");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn what_the_board_refuses_is_rejected_and_the_line_stays() {
    let mut board = Emulator::start("modbus_board.py", &json!({"refuses": [0]})).await;
    let mut rig = start(&board, &json!({"by": "driver", "ms": 100}));
    at_rest(&mut rig, &mut board).await;
    rig.send("gate-in-1", "open", json!({}));
    assert_eq!(rig.next().await, "gate-in-1 Rejected");
    rig.send("gate-in-1", "display", json!({"lines": ["x"]}));
    assert_eq!(rig.next().await, "gate-in-1 Rejected", "a board has no display");
    rig.send("gate-in-1", "close", json!({}));
    assert_eq!(rig.take(2).await, ["gate-in-1 Accepted", "gate-in-1 Confirmed"], "it is down already");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_coil_that_the_board_should_switch_off_and_does_not_is_switched_off_and_told() {
    let mut board = Emulator::start("modbus_board.py", &json!({})).await;
    let mut rig = start(&board, &json!({"by": "board", "ms": 100}));
    at_rest(&mut rig, &mut board).await;
    rig.send("gate-in-1", "open", json!({}));
    rig.wait_for("gate-in-1 Confirmed").await;
    assert_eq!(rig.next().await, "gate-in-1 Alarm");
    assert_eq!(coils(&mut board).await, json!([7]));
    rig.host.shutdown().await;
}

#[tokio::test]
async fn loops_buttons_and_alarm_contacts_are_told() {
    let mut board = Emulator::start("modbus_board.py", &json!({})).await;
    let mut rig = start(&board, &json!({"by": "driver", "ms": 100}));
    at_rest(&mut rig, &mut board).await;
    for (input, on, words) in [
        (2, true, vec!["gate-in-1 occupied"]),
        (2, false, vec!["gate-in-1 passed forward", "gate-in-1 clear"]),
        (3, true, vec!["gate-in-1 Button"]),
        (4, true, vec!["gate-in-1 Alarm"]),
    ] {
        board.tell(&json!({"do": "input", "input": input, "on": on}));
        assert_eq!(rig.take(words.len()).await, words);
    }
    rig.host.shutdown().await;
}
