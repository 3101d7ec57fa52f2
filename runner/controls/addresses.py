"""Addresses of pages, and whose they are."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList


def host_of(url: str) -> str:
    """Host and port of an address, the same with and without www."""
    return urlsplit(url).netloc.rpartition("@")[2].removeprefix("www.")


def same_site(url: str, other: str) -> bool:
    """Whether two addresses are of one site, as browsers understand it: the same host, or hosts of one domain.

    Ports do not count. Which part of a name is one owner's says the public suffix list.
    """
    return _registered(url) == _registered(other)


def _registered(url: str) -> str:
    host = urlsplit(url).hostname or ""
    if host.replace(".", "").isdigit() or ":" in host:
        return host
    top = host.rpartition(".")[2]
    return top if top in _NOBODYS else _suffixes().privatesuffix(host) or host


_NOBODYS = ("example", "test", "localhost", "invalid")
"""Top domains below which nothing can be registered (RFC 6761): all of one is the same network's."""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
