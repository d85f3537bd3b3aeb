"""An LED and voice board behind a serial server, or on a pseudo-terminal.

Written by the same hands as the driver, from devices.md of the project's brief; it shares no code with it and is not
independent of it. Only the standard library.

Started with {"serial": true} or {}, and {"answers": true} if it is a board that answers. Says {"ready": ADDRESS},
{"connected": N}, {"speaks": text}, {"shows": [lines]}, {"spoilt": hex}. Takes {"do": "hang_up"}.
"""

import json
import os
import socket
import sys
import threading
import tty

OPTIONS = json.loads(sys.argv[1])
STATE = {"connection": None, "count": 0}


def say(**what):
    print(json.dumps(what, ensure_ascii=False), flush=True)


def checksum(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return bytes((value & 0xFF, value >> 8))


def shown(data):
    """The lines of a 0x6E: save flag, count, then each line with its settings, text and end; the voice behind them."""
    lines, at = [], 2
    for _ in range(data[1]):
        length = data[at + 9]
        lines.append(data[at + 10 : at + 10 + length].decode("gbk"))
        assert data[at + 10 + length] in (0x00, 0x0D)
        at += 11 + length
    assert data[at] == 0x0A and data[-1] == 0x00 and at + 3 + data[at + 1] == len(data)
    return lines


def take(buffer, write):
    while len(buffer) >= 6 and len(buffer) >= buffer[5] + 8:
        frame, buffer = buffer[: buffer[5] + 8], buffer[buffer[5] + 8 :]
        if checksum(frame[:-2]) != frame[-2:] or frame[1:4] != b"\x64\xff\xff":
            say(spoilt=frame.hex())
            continue
        if frame[4] == 0x30:
            say(speaks=frame[7:-2].decode("gbk"), frame=frame.hex())
        else:
            say(shows=shown(frame[6:-2]))
        if OPTIONS.get("answers"):
            answer = frame[:5] + b"\x01\x00"
            write(answer + checksum(answer))
    return buffer


def serve_network():
    listener = socket.create_server(("127.0.0.1", 0))
    say(ready=f"127.0.0.1:{listener.getsockname()[1]}")
    while True:
        connection, _ = listener.accept()
        STATE["connection"], STATE["count"] = connection, STATE["count"] + 1
        say(connected=STATE["count"])
        buffer = b""
        try:
            while piece := connection.recv(256):
                buffer = take(buffer + piece, connection.sendall)
        except OSError:
            pass


def serve_terminal():
    ours, port = os.openpty()
    tty.setraw(port)
    say(ready=os.ttyname(port))
    buffer = b""
    while piece := os.read(ours, 256):
        buffer = take(buffer + piece, lambda answer: os.write(ours, answer))


threading.Thread(target=serve_terminal if OPTIONS.get("serial") else serve_network, daemon=True).start()
while line := sys.stdin.readline():
    if json.loads(line)["do"] == "hang_up":
        STATE["connection"].shutdown(socket.SHUT_RDWR)
