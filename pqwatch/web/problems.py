"""Errors as visitors see them: a page for people, RFC 9457 `application/problem+json` below /api."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Match

from alerts.errors import AlertsError
from pqwatch.web import render
from storage.records import BadKeyError, PqwatchError

log = logging.getLogger(__name__)
_TITLES = {404: "There is no such page", 405: "That is not possible here", 422: "The request cannot be read"}


class WebError(PqwatchError):
    """A request that is answered with a status other than 2xx."""

    def __init__(
        self, status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{title}. {detail}".strip())
        self.status, self.title, self.detail = status, title, detail
        self.headers = dict(headers or {})


def install(app: FastAPI) -> None:
    """Let the application answer every error in one of the two ways."""

    @app.exception_handler(WebError)
    def of_ours(request: Request, error: WebError) -> Response:
        return answer(request, error)

    @app.exception_handler(BadKeyError)
    def of_keys(request: Request, error: BadKeyError) -> Response:
        return answer(request, WebError(404, "There is no such question", str(error)))

    @app.exception_handler(AlertsError)
    def of_alerts(request: Request, error: AlertsError) -> Response:
        return answer(request, WebError(422, "That cannot be done", str(error)))

    @app.exception_handler(HTTPException)
    def of_starlette(request: Request, error: HTTPException) -> Response:
        title = _TITLES.get(error.status_code, "The request cannot be answered")
        if error.status_code == 404 and (path := _without_slash(request.url.path)):
            return RedirectResponse(path + (f"?{request.url.query}" if request.url.query else ""), 308)
        headers = {"Allow": _allowed(app, request)} if error.status_code == 405 else error.headers
        return answer(request, WebError(error.status_code, title, headers=headers))

    @app.exception_handler(RequestValidationError)
    def of_fastapi(request: Request, error: RequestValidationError) -> Response:
        if not of_api(request) and any(each["loc"][0] == "path" for each in error.errors()):
            return answer(request, WebError(404, _TITLES[404]))
        told = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
        return answer(request, WebError(422, _TITLES[422], told))

    @app.exception_handler(PqwatchError)
    def of_storage(request: Request, error: PqwatchError) -> Response:
        log.error("%s: %s", request.url.path.encode("unicode_escape").decode(), error)
        return answer(
            request, WebError(503, "This cannot be answered now", "The operator can see why in the log.")
        )


def _allowed(app: FastAPI, request: Request) -> str:
    """The methods of this address, over all routes; the framework names those of the first alone."""
    tried = ("GET", "POST", "DELETE")
    routes = app.router.routes
    found = [
        method
        for method in tried
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ", ".join(found).replace("GET", "GET, HEAD")


def of_api(request: Request) -> bool:
    """Whether a program asks."""
    return request.url.path == "/api" or request.url.path.startswith("/api/")


def _without_slash(path: str) -> str | None:
    """The address that a path with slashes at its end most likely means. Never one of another host."""
    return quote("/" + path.strip("/")) if path.endswith("/") and path.strip("/") else None


def answer(request: Request, error: WebError) -> Response:
    """The error as JSON where a program asks, as a page otherwise."""
    if of_api(request):
        body = {"type": "about:blank", "title": error.title, "status": error.status}
        if error.detail:
            body["detail"] = error.detail
        return JSONResponse(body, error.status, error.headers, media_type="application/problem+json")
    return render.page(request, "error.html", {"error": error}, status=error.status, headers=error.headers)
