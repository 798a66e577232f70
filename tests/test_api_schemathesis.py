"""The HTTP API against its own OpenAPI document: whatever may be sent, what comes back is what the document says.

`positive_data_acceptance` is left out: a text that fits the schema may still be no query, no key and no address.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation, BaseSchema

from alerts.query import parse
from pqwatch.web.app import create_app
from pqwatch.web.limits import Limiter, Limits
from pqwatch.web.site import Site
from storage.ingest import ingest
from storage.store import open_store
from tests.helpers import NOW, answered, corrected, feed_item, observation
from tests.web import site

OPERATOR = "the-operator"
BOUNDED = settings(
    max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
load_all_checks()
LEFT_OUT = CHECKS.get_by_names(["positive_data_acceptance"])


@pytest.fixture
def api(sqlite_url: str, tmp_path: Path) -> Iterator[BaseSchema]:
    store = open_store(sqlite_url)
    shown = [answered(), corrected(uin="2"), answered(uin="HL3", heading="Drugs")]
    ingest(store, [*map(observation, shown), feed_item()], now=NOW)
    topics: Any = {"drugs": parse("cocaine")}
    made = site(store, tmp_path, admin_token=OPERATOR, topics=topics, allow_private_hosts=True)  # type: ignore[arg-type]
    free = Limits(
        searches=Limiter(10**9, 10**9), sign_ups=Limiter(10**9, 10**9), previews=Limiter(10**9, 10**9)
    )
    app = create_app(Site(made.store, made.settings, made.setup, made.clock, OPERATOR, free))
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    store.close()


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("token", [OPERATOR, ""])
def test_answers_are_as_the_document_says(api: BaseSchema, token: str, mode: GenerationMode) -> None:
    tried = 0
    for found in api.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation):
            continue

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Case) -> None:
            headers = {"Authorization": f"Bearer {token}"} if token else None
            case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)

        holds()
        tried += 1
    assert tried >= (8 if mode is GenerationMode.POSITIVE else 3)


def _can_be_wrong(operation: APIOperation) -> bool:
    """Whether anything that a request carries could break the schema (any text is a text)."""
    return bool(operation.query) or bool(operation.body)
