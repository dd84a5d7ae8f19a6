"""What errors show in place of values that may be secrets."""

from __future__ import annotations

import re

HIDDEN = "…"
"""Stands for a value that is not shown."""

OF_THIS_MACHINE = "unix:"
"""Begins the address of a socket, of which no part can be a password."""

ADDRESS = re.compile(
    r"(?P<scheme>(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?(?P<user>[^/?#]*@)?"
    r"(?P<place>[^@?#]*)(?P<rest>[?#][^@]*)?",
    re.DOTALL,
)


def hidden(value: object) -> object:
    """A value that is in the wrong place, which may be a secret unless it is a number."""
    return value if value is None or isinstance(value, int | float) else HIDDEN


def shown_address(address: object) -> object:
    """An address without its user, its password and its query; ``None`` and numbers stay.

    Where a password is not escaped, so that its end cannot be told, no more than the scheme.
    """
    if not isinstance(address, str):
        return hidden(address)
    if address.startswith(OF_THIS_MACHINE):
        return address
    found = ADDRESS.fullmatch(address)
    if found is None:
        scheme, separator, _ = address.partition("://")
        return f"{scheme}://{HIDDEN}" if separator and scheme.isalnum() else HIDDEN
    user = f"{HIDDEN}@" if found["user"] else ""
    rest = f"{found['rest'][0]}{HIDDEN}" if found["rest"] else ""
    return f"{found['scheme'] or ''}{user}{found['place']}{rest}"
