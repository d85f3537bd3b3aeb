"""Owns the shape of an answer between the providers and the server."""

from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    # Half of the body is sent, then the connection ends.
    ends_early: bool = False


class Gone(Exception):
    """The connection is to end after this many seconds without an answer."""

    def __init__(self, seconds):
        super().__init__(seconds)
        self.seconds = seconds
