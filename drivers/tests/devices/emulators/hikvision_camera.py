"""A Hikvision camera over ISAPI, with a barrier: alert stream, posts, barrier control, voice, digest authentication.

Written by the same hands as the driver, from devices.md of the project's brief; it shares no code with it and is not
independent of it. Only the standard library.

Started with {"password": "...", "boundary": "...", "dashes": "--" (what stands before the boundary in the body),
"signal": true (the barrier tells where it is), "travel_ms": 60, "chunked": false}. Says {"ready": ADDRESS}, {"stream": N} for
the Nth listener of the alert stream, {"barrier": mode}, {"voice": text}, {"credentials": "right" | "wrong"}, {"pushed": N}.
Takes {"do": "plate", "xml": ..., "pictures": N}, {"do": "xml", "xml": ...}, {"do": "cut"}, {"do": "lock"},
{"do": "new_nonce"}, {"do": "list"} (says {"list": {plate: [type, last day]}}; it begins with those of {"list": {plate: type}}), {"do": "push", "to": ADDRESS, "xml": ..., "pictures": N, "kind": "form" | "bare"}.
"""

import hashlib
import http.client
import json
import queue
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPTIONS = json.loads(sys.argv[1])
USER, PASSWORD = "admin", OPTIONS.get("password", "right")
BOUNDARY = OPTIONS.get("boundary", "MIME_boundary")
DASHES = OPTIONS.get("dashes", "--")
SAYING = threading.Lock()


def say(**what):
    with SAYING:
        print(json.dumps(what), flush=True)


def picture(size):
    # A boundary inside a picture ends nothing.
    return b"\xff\xd8" + b"\r\n" + (DASHES + BOUNDARY).encode() + b"\r\n" + bytes(size) + b"\xff\xd9"


def parts(order, form):
    """The parts of one event; a stream's are no form data."""
    named = 'Content-Disposition: form-data; name="anpr.xml"; filename="anpr.xml"\r\n' if form else ""
    xml = order["xml"].encode()
    out = [f"{DASHES}{BOUNDARY}\r\n{named}Content-Type: application/xml; charset=\"UTF-8\"\r\n"
           f"Content-Length: {len(xml)}\r\n\r\n".encode() + xml + b"\r\n"]
    for number in range(order.get("pictures", 0)):
        jpeg = picture(500 * (number + 1))
        named = f'Content-Disposition: form-data; name="p{number}.jpg"\r\n' if form else ""
        out.append(f"{DASHES}{BOUNDARY}\r\n{named}Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                   + jpeg + b"\r\n")
    return out


class Camera:
    def __init__(self):
        self.streams = []
        self.heard = 0
        self.arm = 1
        self.locked = False
        self.nonce = "nonce-1"
        self.list = {plate: [kind, "2099-12-31"] for plate, kind in OPTIONS.get("list", {}).items()}

    def send(self, piece):
        for stream in self.streams:
            stream.put(piece)

    def status(self):
        return self.arm if OPTIONS.get("signal", True) else 0

    def work(self, mode):
        say(barrier=mode)
        if mode in ("lock", "unlock"):
            self.locked = mode == "lock"
        elif not self.locked:
            threading.Timer(OPTIONS.get("travel_ms", 60) / 1000, lambda: setattr(self, "arm", 2 if mode == "open" else 1)).start()


CAMERA = Camera()


class Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, extra=()):
        self.send_response(status)
        for name, value in [*extra, ("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def allowed(self):
        given = self.headers.get("Authorization")
        challenge = f'Digest qop="auth", realm="IP Camera(A1)", nonce="{CAMERA.nonce}", stale="FALSE", opaque="5ccc"'
        if given:
            field = lambda name: re.search(rf'\b{name}="?([^",]+)"?', given).group(1)
            md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
            first, second = md5(f"{USER}:IP Camera(A1):{PASSWORD}"), md5(f"{self.command}:{self.path}")
            wanted = md5(f"{first}:{field('nonce')}:{field('nc')}:{field('cnonce')}:auth:{second}")
            right = field("response") == wanted and field("uri") == self.path and field("username") == USER
            if field("nonce") == CAMERA.nonce:
                say(credentials="right" if right else "wrong")
                if right:
                    return True
            else:
                challenge = challenge.replace('stale="FALSE"', 'stale="TRUE"')
        self.answer(401, b"<userCheck><statusValue>401</statusValue></userCheck>", [("WWW-Authenticate", challenge)])
        return False

    def do_GET(self):
        if not self.allowed():
            return
        if self.path == "/ISAPI/Event/notification/alertStream":
            return self.stream()
        if self.path == "/ISAPI/Parking/channels/1/barrierGate/barrierGateStatus":
            body = f'<BarrierGateStatus version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><barrierGateStatus>{CAMERA.status()}</barrierGateStatus></BarrierGateStatus>'
            return self.answer(200, body.encode())
        self.answer(404, b"")

    def stream(self):
        pieces = queue.Queue()
        self.send_response(200)
        self.send_header("Content-Type", f'multipart/mixed; boundary="{BOUNDARY}"')
        chunked = OPTIONS.get("chunked", False)
        self.send_header("Transfer-Encoding", "chunked") if chunked else self.send_header("Connection", "close")
        self.end_headers()
        CAMERA.streams.append(pieces)
        CAMERA.heard += 1
        say(stream=CAMERA.heard)
        try:
            while (piece := pieces.get()) is not None:
                # In two, so that no reader finds a part in one piece.
                for half in (piece[: len(piece) // 2], piece[len(piece) // 2:]):
                    if chunked:
                        half = f"{len(half):x}\r\n".encode() + half + b"\r\n"
                    self.wfile.write(half)
                    self.wfile.flush()
        except ConnectionError:
            pass
        CAMERA.streams.remove(pieces)
        self.close_connection = True

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self.allowed():
            return
        status = b'<ResponseStatus xmlns="http://www.hikvision.com/ver20/XMLSchema"><statusCode>1</statusCode><statusString>OK</statusString></ResponseStatus>'
        if self.path == "/ISAPI/Parking/channels/1/barrierGate":
            CAMERA.work(re.search(r"<BarrierGate><ctrlMode>(open|close|lock|unlock)</ctrlMode></BarrierGate>", body).group(1))
        elif self.path == "/ISAPI/Parking/channels/1/voiceBroadcastInfo":
            say(voice=body)
        elif self.path == "/ISAPI/Traffic/channels/1/licensePlateAuditData/record?format=json":
            assert self.headers["Content-Type"].startswith("application/json")
            for record in json.loads(body)["LicensePlateInfoList"]:
                CAMERA.list[record["LicensePlate"]] = [record["listType"], record["effectiveTime"]]
            return self.answer(200, b'{"statusCode": 1, "statusString": "OK"}')
        elif self.path == "/ISAPI/Traffic/channels/1/DelLicensePlateAuditData?format=json":
            order = json.loads(body)
            assert order["deleteAllEnabled"] is False
            for plate in order["id"]:
                del CAMERA.list[plate]
            return self.answer(200, b'{"statusCode": 1, "statusString": "OK"}')
        else:
            return self.answer(404, b"")
        self.answer(200, status)


    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self.allowed():
            return
        assert self.path == "/ISAPI/Traffic/channels/1/searchLPListAudit", self.path
        first = int(re.search("<searchResultPosition>(\\d+)<", body).group(1))
        most = min(int(re.search("<maxResults>(\\d+)<", body).group(1)), 40)
        some = sorted(CAMERA.list.items())[first:][:most]
        infos = "".join(f"<LicensePlateInfo><id>{plate}</id><LicensePlate>{plate}</LicensePlate><type>{kind}</type>"
                        f"<effectiveTime>{until}</effectiveTime></LicensePlateInfo>" for plate, (kind, until) in some)
        self.answer(200, f'<?xml version="1.0" encoding="UTF-8"?><LPListAuditSearchResult version="2.0" '
                         f'xmlns="http://www.isapi.org/ver20/XMLSchema"><searchID>x</searchID><responseStatus>true</responseStatus>'
                         f'<LicensePlateInfoList><numOfMatches>{len(some)}</numOfMatches>{infos}</LicensePlateInfoList>'
                         f'</LPListAuditSearchResult>'.encode())


def push(order):
    connection = http.client.HTTPConnection(order["to"], timeout=15)
    if order.get("kind") == "bare":
        connection.request("POST", "/anything", order["xml"].encode(), {"Content-Type": 'application/xml; charset="UTF-8"'})
    else:
        body = b"".join(parts(order, form=True)) + f"{DASHES}{BOUNDARY}--\r\n".encode()
        connection.request("POST", "/anything", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    say(pushed=connection.getresponse().status)


def obey(order):
    match order["do"]:
        case "plate" | "xml":
            for piece in parts(order, form=False):
                CAMERA.send(piece)
        case "cut":
            CAMERA.send(None)
        case "lock":
            CAMERA.locked = True
        case "list":
            say(list=CAMERA.list)
        case "new_nonce":
            CAMERA.nonce = f"nonce-{time.time_ns()}"
        case "push":
            until = time.monotonic() + 15
            while True:
                try:
                    return push(order)
                except ConnectionRefusedError:
                    assert time.monotonic() < until, "the box does not listen"
                    time.sleep(0.02)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Talk)
threading.Thread(target=server.serve_forever, daemon=True).start()
say(ready=f"127.0.0.1:{server.server_address[1]}")
while line := sys.stdin.readline():
    obey(json.loads(line))
