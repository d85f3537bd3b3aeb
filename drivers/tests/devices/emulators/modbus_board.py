"""A relay and input board with a barrier's arm behind it, on pymodbus: a Modbus server that we did not write.

Started with one JSON object: {"port": 0} for TCP, {"serial": true} for RTU over a pair of pseudo-terminals.
  "auto_off_ms": coils switch off by themselves after so long   "travel_ms": the arm's way
  "coils": those that are on at the start                       "refuses": coils that it refuses to write
Says what happens, a JSON object a line: {"ready": ADDRESS}, {"connected": N}, {"coil": N, "on": true}.
Takes orders the same way: {"do": "input", "input": 2, "on": true}, {"do": "drop"}, {"do": "mute"}, {"do": "speak"},
{"do": "late", "ms": 600} (the next answer to a write comes so late), {"do": "coils"}.

Coils 0 and 2 raise the arm (inputs 0 up, 1 down), coil 1 lowers it. Writing {4, tenths of a second} to the registers at
3 + 5 * coil, or any value to coil 512 + coil, pulses that coil, as relay boards of two makes do.
"""

import asyncio
import json
import logging
import os
import sys
import threading
import tty

from pymodbus import FramerType, pymodbus_apply_logging_config
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

OPTIONS = json.loads(sys.argv[1])
COILS, INPUTS, REGISTERS = 1024, 64, 64
FLASH = 512


def say(**what):
    print(json.dumps(what), flush=True)


class Board:
    def __init__(self):
        self.server = None
        self.mute = False
        self.late_ms = 0
        self.connections = 0
        self.off_at = {}
        # Asynchronous tasks that nobody holds are collected.
        self.tasks = set()
        coils = [n in OPTIONS.get("coils", []) for n in range(COILS)]
        self.on = {n for n, on in enumerate(coils) if on}
        bits = DataType.BITS
        self.device = SimDevice(
            id=1,
            simdata=(
                [SimData(0, values=coils, datatype=bits)],
                [SimData(0, values=[n == 1 for n in range(INPUTS)], datatype=bits)],
                [SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)],
                [SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)],
            ),
            action=self.asked,
        )

    def later(self, seconds, work):
        async def wait():
            await asyncio.sleep(seconds)
            await work()

        task = asyncio.create_task(wait())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def asked(self, function, _start, address, _count, _registers, values):
        """Called by the server for each access, also for the board's own."""
        if values is None:
            return None
        if self.late_ms:
            late, self.late_ms = self.late_ms, 0
            await asyncio.sleep(late / 1000)
        if function in (5, 15):
            for place, on in enumerate(values):
                coil = address + place
                if coil in OPTIONS.get("refuses", []) and on:
                    return ExcCodes.ILLEGAL_VALUE
                if coil >= FLASH and on:
                    self.later(0, lambda coil=coil: self.pulse(coil - FLASH, 100))
                else:
                    self.switched(coil, on)
        if function == 16 and len(values) == 2 and values[0] == 4:
            self.later(0, lambda: self.pulse((address - 3) // 5, values[1] * 100))
        return None

    def switched(self, coil, on):
        if (coil in self.on) == on:
            return
        (self.on.add if on else self.on.discard)(coil)
        say(coil=coil, on=on)
        if on and coil in (0, 1, 2):
            self.moves(up=coil != 1)
        if on and "auto_off_ms" in OPTIONS:
            self.later(OPTIONS["auto_off_ms"] / 1000, lambda: self.set_coil(coil, False))

    async def set_coil(self, coil, on):
        await self.server.async_setValues(1, 5, coil, [on])

    async def pulse(self, coil, ms):
        await self.set_coil(coil, True)
        self.later(ms / 1000, lambda: self.set_coil(coil, False))

    async def set_input(self, place, on):
        await self.server.async_setValues(1, 2, place, [on])

    def moves(self, up):
        async def leaves():
            await self.set_input(1 if up else 0, False)

        async def arrives():
            await self.set_input(0 if up else 1, True)

        self.later(0, leaves)
        self.later(OPTIONS.get("travel_ms", 60) / 1000, arrives)

    def trace_packet(self, sending, data):
        return b"" if sending and self.mute else data

    def trace_connect(self, connected):
        if connected:
            self.connections += 1
            say(connected=self.connections)

    async def order(self, order):
        match order["do"]:
            case "input":
                await self.set_input(order["input"], order["on"])
            case "drop":
                for connection in list(self.server.active_connections.values()):
                    connection.close()
            case "mute":
                self.mute = True
            case "speak":
                self.mute = False
            case "late":
                self.late_ms = order["ms"]
            case "coils":
                say(coils=sorted(self.on))

    async def serve(self):
        traces = {"trace_packet": self.trace_packet, "trace_connect": self.trace_connect}
        if OPTIONS.get("serial"):
            ours, theirs = joined_terminals()
            self.server = ModbusSerialServer(self.device, framer=FramerType.RTU, port=ours, baudrate=9600, **traces)
            address = theirs
            await self.server.serve_forever(background=True)
        else:
            port = OPTIONS.get("port", 0)
            self.server = ModbusTcpServer(self.device, address=("127.0.0.1", port), **traces)
            await self.server.serve_forever(background=True)
            address = f"127.0.0.1:{self.server.transport.sockets[0].getsockname()[1]}"
        say(ready=address)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await self.order(json.loads(line))


def joined_terminals():
    """Two pseudo-terminals, what is written to one is read from the other: a cable."""
    (left, left_port), (right, right_port) = os.openpty(), os.openpty()
    for port in (left_port, right_port):
        tty.setraw(port)

    def carry(source, target):
        while data := os.read(source, 256):
            os.write(target, data)

    threading.Thread(target=carry, args=(left, right), daemon=True).start()
    threading.Thread(target=carry, args=(right, left), daemon=True).start()
    return os.ttyname(left_port), os.ttyname(right_port)


# A connection that is cut is what we want here, and no news.
pymodbus_apply_logging_config(logging.CRITICAL)
asyncio.run(Board().serve())
