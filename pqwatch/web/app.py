"""The web application: pages, feeds and HTTP API over one store. A module in `pages/` adds its routes by having a `router`."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from pqwatch.web import problems
from pqwatch.web.headers import Guarded
from pqwatch.web.site import Site

_LAST = "question"  # its addresses, /HOUSE/DATE/UIN, would take others for keys


def create_app(site: Site) -> FastAPI:
    """The application. Nothing is read or started here."""
    from importlib.metadata import version

    app = FastAPI(
        title="pqwatch",
        version=version("pqwatch"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,  # its redirect trusts the Host header; problems.py has one that does not
    )
    app.state.site = site
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(Guarded)
    problems.install(app)
    app.mount("/static", StaticFiles(packages=[("pqwatch.web", "static")]))
    package = importlib.import_module("pqwatch.web.pages")
    names = sorted(
        (info.name for info in pkgutil.iter_modules(package.__path__)), key=lambda name: (name == _LAST, name)
    )
    for name in names:
        app.include_router(importlib.import_module(f"pqwatch.web.pages.{name}").router)
    return app
