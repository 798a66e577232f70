"""Asks once for an address with Scrapy's downloader, and says in our words what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Response

from scraper.fetch import FetchError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS = 5
_SAID = {
    CannotResolveHostError: "the host cannot be found",
    DownloadConnectionRefusedError: "the connection was refused",
    DownloadTimeoutError: "no whole answer came in time",
    ResponseDataLossError: "the answer was cut off",
    DownloadFailedError: "the connection failed",
}


async def download(
    crawler: Crawler,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> tuple[str, Response]:
    """The address that answered, and the response, whatever its status; redirects are followed on the same host only.
    Raises FetchError."""
    asked = url
    for _ in range(_HOPS):
        response = await _download(crawler, _request(crawler, asked, headers or {}, meta or {}))
        target = response.headers.get(b"Location")
        if response.status not in _REDIRECTS or target is None:
            return asked, response
        onward = urljoin(asked, target.decode("latin-1"))
        onward = onward if urldefrag(onward).fragment else onward + asked[len(urldefrag(asked).url) :]
        if _place(onward) != _place(asked):
            said = f"redirects to {onward}, another host, which is not followed"
            raise FetchError("redirect", url, said, again=False)
        asked = onward
    raise FetchError("redirect", url, f"redirects more than {_HOPS} times", again=False)


def _request(crawler: Crawler, url: str, headers: Mapping[str, str], meta: Mapping[str, Any]) -> Request:
    """Scrapy's middlewares for these two defaults are not loaded: each would be asked for every request."""
    who, timeout = crawler.settings["USER_AGENT"], crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
    return Request(url, headers={"User-Agent": who, **headers}, meta={"download_timeout": timeout, **meta})


def _place(url: str) -> str:
    """The host without `www.`, and its port unless it is the usual one: http may redirect to https."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    return f"{(parts.hostname or '').removeprefix('www.')}{port}"


async def _download(crawler: Crawler, request: Request) -> Response:
    try:
        return await crawler.engine.download_async(request)
    except tuple(_SAID) as error:
        said = _SAID[type(error)]
        raise FetchError("unreachable", request.url, f"{request.url}: {said}") from error
    except (DownloadCancelledError, IgnoreRequest) as error:
        raise FetchError("too-large", request.url, "the answer is too large", again=False) from error
    except (UnsupportedURLSchemeError, ValueError) as error:
        raise FetchError("unreachable", request.url, str(error), again=False) from error
