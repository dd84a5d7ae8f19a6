"""The flat settings of LLM Runner Router 0.x to 1.1, and where each stands in the nested tree."""

from __future__ import annotations

from collections.abc import Mapping

OLD_SETTINGS: Mapping[str, tuple[str, str]] = {
    "maxConcurrentRequests": ("performance", "maxConcurrent"),
    "requestTimeout": ("performance", "timeout"),
    "enableCaching": ("cache", "enabled"),
    "cacheTTL": ("cache", "ttl"),
    "logLevel": ("logging", "level"),
    "logFile": ("logging", "file"),
    "modelCacheDir": ("models", "cacheDir"),
    "autoDownload": ("models", "autoDownload"),
    "routingStrategy": ("routing", "strategy"),
    "enableFallback": ("routing", "enableFallback"),
}
"""The old key, and the section and key of today, as files spell them."""

MAX_DIGITS = 20
WHOLE_NUMBERS = frozenset({"maxConcurrentRequests", "requestTimeout", "cacheTTL"})
TRUTHS = frozenset({"enableCaching", "autoDownload", "enableFallback"})

TRUTH_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
"""What says true and false in texts, as environment variables do."""


def old_value(key: str, value: object) -> object:
    """The value of an old setting in the kind that it has today, where older versions took others.

    ``0``, ``1`` and ``"false"`` are truth values, ``"10"`` and ``10.0`` whole numbers. Whatever
    cannot be meant comes back as it is, for the check of the configuration to refuse.
    """
    if key in TRUTHS and isinstance(value, int | str):
        return TRUTH_WORDS.get(str(value).strip().lower(), value)
    if key in WHOLE_NUMBERS and isinstance(value, str) and value.strip().isdecimal():
        return int(value) if len(value) < MAX_DIGITS else value
    if key in WHOLE_NUMBERS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value
