"""A site over a store, with a clock that stands still, and a visitor to it."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from alerts.setup import Setup
from pqwatch import settings
from pqwatch.clock import Clock
from pqwatch.web.app import create_app
from pqwatch.web.limits import Limiter, Limits
from pqwatch.web.site import Site
from storage.store import Store
from tests.helpers import NOW

BASE = "http://testserver"


def site(store: Store, folder: Path, *, admin_token: str = "", **setup: str) -> Site:
    """A site whose data lies in `folder`; `setup` are fields of alerts.setup.Setup."""
    loaded = settings.load({"PQWATCH_DATA_DIR": str(folder), "PQWATCH_PUBLIC_URL": BASE}, folder, {})
    made = Setup(secret="s" * 32, public_url=BASE, **setup)
    limits = Limits(sign_ups=Limiter(a_minute=600, burst=100))
    return Site(store, loaded, made, Clock(NOW), admin_token, limits)


def visitor(store: Store, folder: Path, *, admin_token: str = "", **setup: str) -> TestClient:
    return TestClient(create_app(site(store, folder, admin_token=admin_token, **setup)), base_url=BASE)
