"""Owns the sockets: one port on loopback for both providers and the admin calls."""

import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .answer import Answer, Gone

MOST_BODY = 1 << 20
IDLE_S = 60


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port, wechat, alipay, cashier, admin):
        super().__init__(("127.0.0.1", port), _Handler)
        self._wechat, self._alipay, self._cashier, self._admin = wechat, alipay, cashier, admin

    def who_answers(self, path):
        if path.startswith("/v3/"):
            return self._wechat
        if path.startswith(("/connect/", "/sns/")):
            return self._wechat.phone
        if path in ("/gateway.do", "/alipay/statement"):
            return self._alipay
        if path.startswith("/cashier/"):
            return self._cashier
        if path.startswith("/admin/"):
            return self._admin
        return None

    def handle_error(self, request, client_address):
        """A client that went away is no fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc(file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    # A connection that is kept must not wait for the other side's acknowledgement between head and body.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self._serve("GET")

    def do_POST(self):
        self._serve("POST")

    def _serve(self, method):
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MOST_BODY:
            return self._send(Answer(413, {}, b""))
        body = self.rfile.read(int(length))
        who = self.server.who_answers(urlsplit(self.path).path)
        if who is None:
            return self._send(Answer(404, {}, b""))
        try:
            answer = who.handle(method, self.path, self.headers, body)
        except Gone as gone:
            time.sleep(gone.seconds)
            self.close_connection = True
            return None
        except Exception:  # a fault of the emulator must be seen
            traceback.print_exc(file=sys.stderr)
            answer = Answer(500, {}, b"the emulator failed; see its standard error")
        return self._send(answer)

    def _send(self, answer):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = answer.body
        if answer.ends_early:
            body, self.close_connection = body[: len(body) // 2], True
        if answer.status != 204:
            self.wfile.write(body)

    def log_message(self, *_arguments):
        """Says nothing: thousands of requests are nothing to read."""
