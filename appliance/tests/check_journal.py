"""Checks a journal from docs/journal.md alone: `python3 check_journal.py DATA_FOLDER`. Shares no code with the box.

Prints `entries N personal P erased E head HASH` and ends with 0, or says what is wrong and ends with 1."""

import hashlib
import json
import pathlib
import re
import struct
import sys


def fail(what):
    print(what)
    sys.exit(1)


def personal_texts(entry, personal, where):
    texts, at = [], 0
    for element in entry.get("personal", []):
        salt = personal[at:at + 16]
        text = personal[at + 16:at + 16 + element["length"]]
        at += 16 + element["length"]
        if 0xFF in (salt[0], salt[-1]):
            texts.append(None)
        elif hashlib.sha256(salt + text).hexdigest() != element["commitment"]:
            fail(f"{where}: a commitment does not fit")
        else:
            texts.append(text.decode())
    if at != len(personal):
        fail(f"{where}: {len(personal)} personal bytes, {at} accounted for")
    return texts


def main(folder):
    previous, position, personal_count, erased = bytes(32), 0, 0, 0
    for segment in sorted(pathlib.Path(folder, "journal").glob("*.seg")):
        data = segment.read_bytes()
        magic, form, zero, first, before = struct.unpack_from("<8sIIQ32s", data)
        if (magic, form, zero) != (b"TOLLJRNL", 1, 0) or hashlib.sha256(data[:56]).digest() != data[56:88]:
            fail(f"{segment.name}: the header is wrong")
        if first != position + 1 or before != previous or int(segment.stem) != first:
            fail(f"{segment.name}: does not follow entry {position}")
        at = 88
        while at < len(data):
            position += 1
            where = f"{segment.name} byte {at}, entry {position}"
            n, m = struct.unpack_from("<II", data, at)
            chained, personal = data[at + 40:at + 40 + n], data[at + 40 + n:at + 40 + n + m]
            if len(chained) != n or len(personal) != m:
                fail(f"{where}: cut short")
            if hashlib.sha256(previous + data[at:at + 8] + chained).digest() != data[at + 8:at + 40]:
                fail(f"{where}: the hash does not fit")
            entry = json.loads(chained)
            if entry["position"] != position:
                fail(f"{where}: says position {entry['position']}")
            texts = personal_texts(entry, personal, where)
            whole = re.sub("\x7f(\\d+)\x7f", lambda token: texts[int(token[1])] or "▇", chained.decode())
            json.loads(whole)["change"]["ops"]
            personal_count, erased = personal_count + len(texts), erased + texts.count(None)
            previous = data[at + 8:at + 40]
            at += 40 + n + m
    print(f"entries {position} personal {personal_count} erased {erased} head {previous.hex()}")


main(sys.argv[1])
