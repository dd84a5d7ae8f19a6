"""The proxies that the environment names."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from llm_runner_router.errors import ProviderRejectedError


def proxy_for(url: str) -> str | None:
    """The proxy on the way to ``url``, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

    ProviderRejectedError for one that does not speak HTTP: to go around it would be no better.
    """
    target = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(target.netloc.rpartition("@")[2]):
        return None
    if "://" not in proxy:
        return f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise ProviderRejectedError("the proxy that the environment names is none for HTTP")
    return proxy
