//! A child outlives its parent by no more than its last grace, whatever its driver does.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use serde_json::{Value, json};
use tollhouse_drivers::plugin::CHILD_ARGUMENT;

use crate::rig::{DEADLINE, HOST_EXECUTABLE, c_library};

fn frame(message: &Value) -> Vec<u8> {
    let header = message.to_string();
    let length = u32::try_from(header.len()).expect("a short message");
    [&length.to_le_bytes(), &[0; 4], header.as_bytes()].concat()
}

fn read_frame(from: &mut UnixStream) -> Value {
    let mut prefix = [0; 8];
    from.read_exact(&mut prefix).expect("a frame");
    let mut header = vec![0; u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]) as usize];
    from.read_exact(&mut header).expect("a header");
    serde_json::from_slice(&header).expect("JSON")
}

/// As the host does: the library is a file in memory, which no rule about the disk's files concerns.
fn in_memory(library: &Path) -> File {
    let memory = memfd::MemfdOptions::default().create("library").expect("a memory file").into_file();
    (&memory).write_all(&std::fs::read(library).expect("a library")).expect("written");
    memory
}

fn spawn(library: &Path) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let child = Command::new(HOST_EXECUTABLE)
        .arg(CHILD_ARGUMENT)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(in_memory(library)))
        .spawn()
        .expect("a child");
    ours.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    (child, ours)
}

fn ends_in_time(mut child: Child, what: &str) {
    let (sender, ended) = channel();
    let pid = child.id();
    std::thread::spawn(move || sender.send(child.wait()));
    if ended.recv_timeout(DEADLINE).is_err() {
        crate::rig::kill(pid);
        panic!("{what}: the child lives on without its parent");
    }
}

#[test]
fn a_child_ends_when_its_socket_closes_also_with_a_driver_that_hangs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = c_library(folder.path(), "tests/plugin/hostile.c", &[]);
    for command in [None, Some("x-hang")] {
        let (child, mut socket) = spawn(&library);
        let allowance = json!({"read": [], "devices": [], "memory_mib": 64});
        socket.write_all(&frame(&json!({"load": {"library": library, "allowance": allowance}}))).expect("sent");
        assert!(read_frame(&mut socket).get("described").is_some(), "the driver says who it is");
        socket.write_all(&frame(&json!({"create": {"config": {}}}))).expect("sent");
        assert_eq!([read_frame(&mut socket), read_frame(&mut socket)], [json!("created"), json!("ready")]);
        if let Some(name) = command {
            let order = json!({"command": {"cmd_id": "c1", "name": name, "args": {}, "remaining_ms": 1000}});
            socket.write_all(&frame(&order)).expect("sent");
        }
        drop(socket);
        ends_in_time(child, command.unwrap_or("idle"));
    }
}

#[test]
fn a_child_that_is_told_nonsense_ends() {
    let (child, mut socket) = spawn(Path::new("/dev/null"));
    socket.write_all(&[0xff; 64]).expect("sent");
    ends_in_time(child, "nonsense");
}

#[test]
fn a_child_started_by_hand_says_so() {
    let output = Command::new(HOST_EXECUTABLE).arg(CHILD_ARGUMENT).stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not by hand"));
}
