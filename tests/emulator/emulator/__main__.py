"""Starts the emulator: `python -m emulator --keys FOLDER [--port 0] [--seed 1] [--defect NAME]`.

Prints one line of JSON when it listens: its address, and the folder with the merchant's part of the keys (client.json names
the files). Ends when standard input ends, so that it cannot outlive the test that started it.
"""

import argparse
import json
import os
import sys
import threading

from .admin import Admin
from .alipay.api import Alipay
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
    parser.add_argument("--defect", choices=sorted(DEFECTS), help="a mistake to plant, so that a judge can find it")
    chosen = parser.parse_args()
    world = World(Keys(chosen.keys, chosen.seed), Defects(chosen.defect), chosen.seed)
    wechat, alipay = WeChat(world), Alipay(world)
    server = Server(chosen.port, wechat, alipay, Admin(world, wechat, alipay))
    world.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"address": world.address, "keys": str(world.keys.folder), "seed": chosen.seed}), flush=True)
    sys.stdin.read()
    # Workers may be waiting for a receiver; nobody needs what they would say.
    os._exit(0)


main()
