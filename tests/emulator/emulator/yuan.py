"""Owns the way between fen and yuan, exactly: no float is near it."""

import re

_AMOUNT = re.compile(r"(0|[1-9]\d{0,8})(\.\d{1,2})?")


def in_yuan(fen):
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def to_fen(text):
    """Yuan as a client writes them, above zero and with at most two decimals; None for anything else."""
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        return None
    whole, _, decimals = text.partition(".")
    fen = int(whole) * 100 + int(decimals.ljust(2, "0") or 0)
    return fen if fen > 0 else None
