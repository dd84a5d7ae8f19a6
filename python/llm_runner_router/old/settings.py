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
