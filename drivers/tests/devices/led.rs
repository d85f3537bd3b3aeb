//! The LED driver against a board behind a serial server and on a serial line, one that answers and one that does not.

use serde_json::{Value, json};

use crate::emulator::{Emulator, driver};
use crate::rig::Rig;

fn start(board: &Emulator) -> Rig {
    let serial = board.address.starts_with('/');
    let line = if serial {
        json!({"kind": "serial", "path": board.address})
    } else {
        json!({"kind": "tcp", "address": board.address})
    };
    let config = json!({"display": "display-in-1", "line": line, "answer_ms": 200});
    if serial {
        return Rig::start_with_port(&driver("led"), config, &["display-in-1"], board.address.as_ref());
    }
    Rig::start(&driver("led"), config, &["display-in-1"])
}

async fn speaks_and_shows(options: &Value, outcome: &str) {
    let mut board = Emulator::start("led_board.py", options).await;
    let mut rig = start(&board);
    assert_eq!(rig.next().await, "display-in-1 Online");
    rig.send("display-in-1", "speak", json!({"text": "欢迎光临"}));
    let said = board.hears("speaks").await;
    assert_eq!((&said["speaks"], &said["frame"]), (&json!("欢迎光临"), &json!("0064ffff300901bbb6d3adb9e2c1d93258")));
    assert_eq!(rig.next().await, outcome);
    rig.send("display-in-1", "display", json!({"lines": ["粤A12345", "请缴费 15.00 元"]}));
    assert_eq!(board.hears("shows").await["shows"], json!(["粤A12345", "请缴费 15.00 元"]));
    assert_eq!(rig.next().await, outcome);
    rig.send("display-in-1", "open", json!({}));
    assert_eq!(rig.next().await, "display-in-1 Rejected");
    rig.host.shutdown().await;
}

#[tokio::test]
async fn a_board_that_answers_has_done_it_and_one_that_does_not_has_taken_it() {
    speaks_and_shows(&json!({"answers": true}), "display-in-1 Confirmed").await;
    speaks_and_shows(&json!({}), "display-in-1 Accepted").await;
}

#[tokio::test]
async fn on_a_serial_line_it_is_the_same() {
    speaks_and_shows(&json!({"serial": true, "answers": true}), "display-in-1 Confirmed").await;
}

#[tokio::test]
async fn a_line_that_was_cut_is_opened_anew() {
    let mut board = Emulator::start("led_board.py", &json!({})).await;
    let mut rig = start(&board);
    assert_eq!(rig.next().await, "display-in-1 Online");
    board.hears("connected").await;
    board.tell(&json!({"do": "hang_up"}));
    assert_eq!(board.hears("connected").await["connected"], 2);
    rig.send("display-in-1", "speak", json!({"text": "一路平安"}));
    assert_eq!(board.hears("speaks").await["speaks"], "一路平安");
    assert_eq!(rig.next().await, "display-in-1 Accepted");
    drop(board);
    assert_eq!(rig.next().await, "display-in-1 Offline");
    rig.host.shutdown().await;
}
