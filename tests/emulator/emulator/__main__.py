"""Starts the emulator: `python -m emulator --keys FOLDER [--port 0] [--seed 1] [--defect NAME ...]`.

Prints one line of JSON when it listens: its address, and the folder with the merchant's part of the keys (client.json names
the files). With several defects there is one emulator for each, and a line for each in the same order. Ends when standard input
ends (or, with --with-parent, when its parent does), so that it cannot outlive the test that started it.
"""

import argparse
import json
import os
import sys
import threading
import time

from .admin import Admin
from .alipay.api import Alipay
from .cashier import Cashier
from .defects import DEFECTS, Defects
from .keys import Keys
from .server import Server
from .wechat.api import WeChat
from .world import World


def main():
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__.splitlines()[0])
    parser.add_argument("--keys", required=True, help="a folder for the keys; what is there already is used")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--defect", nargs="*", choices=sorted(DEFECTS), help="mistakes to plant, one in each emulator")
    parser.add_argument("--with-parent", action="store_true", help="end with the process that started it, not with standard input")
    chosen = parser.parse_args()
    if chosen.port and len(chosen.defect or []) > 1:
        parser.error("one port is not enough for several emulators")
    keys = Keys(chosen.keys, chosen.seed)
    for defect in chosen.defect or [None]:
        address = serve(keys, defect, chosen.seed, chosen.port)
        print(json.dumps({"address": address, "keys": str(keys.folder), "seed": chosen.seed, "defect": defect}), flush=True)
    if chosen.with_parent:
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(1)
    else:
        sys.stdin.read()
    # Workers may be waiting for a receiver; nobody needs what they would say.
    os._exit(0)


def serve(keys, defect, seed, port):
    """One emulator with a world of its own; gives its address."""
    world = World(keys, Defects(defect), seed)
    wechat, alipay = WeChat(world), Alipay(world)
    server = Server(port, wechat, alipay, Cashier(world, wechat, alipay), Admin(world, wechat, alipay))
    world.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return world.address


main()
