"""The site in a real browser: the walk of a reader from search to unsubscribing, with and without JavaScript, at both widths,
light and dark; and axe-core's judgement of every page.

axe-core is read from tests/axe/node_modules, where `npm install --prefix tests/axe --no-package-lock` puts it; without it
its tests are skipped with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import insert

from alerts import confirm, lifecycle, subscriptions
from alerts.query import parse
from alerts.run import run
from pqwatch.web.pages.manage import manage_path
from pqwatch.web.site import Site
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.problems import report
from storage.records import PARLIAMENT, Problem
from storage.schema import deliveries, runs
from storage.store import Store, open_store
from tests.browser import Scheme, chromium, complaints, dress, serving, show
from tests.fakes import Mailbox, mail_server
from tests.helpers import JUSTICE, NOW, answered, at, content, corrected, feed_item, holding, observation
from tests.web import site

pytestmark = pytest.mark.xdist_group("browser")
KEY = "/commons/2025-03-03/35566"
TABLE = "<table><thead><tr><th>Year</th><th>Tonnes</th></tr></thead><tbody><tr><td>2024</td><td>5</td></tr></tbody></table>"
LONG = "antidisestablishmentarianism" * 9
PAGES = (
    "/", "/?q=cocaine", "/?q=cocaine+NEAR/10", "/?q=ketamine", KEY, f"{KEY}/diff?from=1&to=3", "/commons/2025-03-03/5", "/topics", "/topics/drugs", "/sources",
    "/sources/parliament?month=2025-03", "/sources/problems/1", "/help", "/subscribe", "/subscribe?q=cocaine", "/nowhere",
)  # fmt: skip
TOKEN = "a token of the operator's"
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('browser') / 'pqwatch.sqlite3'}")
    steps = [content(), answered(heading="Drugs: Seizures"), corrected(heading="Drugs: Seizures")]
    for day, what in enumerate(steps):
        ingest(opened, [observation(what, observed_at=at(day - 3))], now=at(day - 3))
    more = [
        answered("Cocaine: see the table.", uin="2", heading="Cocaine", answer_html=f"<p>Cocaine: see the table.</p>{TABLE}", answering_body=JUSTICE),
        holding(uin="3", heading="Heroin"),
        content(uin="4", heading="</td><script>alert(1)</script>"),
        answered(f"Cocaine {LONG}", uin="5", heading=f"Cocaine {LONG}", question_text=LONG),
        *(answered(uin=str(n), heading=f"Cocaine {n}") for n in range(10, 40)),
    ]  # fmt: skip
    ingest(opened, [*map(observation, more), feed_item()], now=NOW)
    with opened.write() as conn:
        report(
            conn,
            [
                Problem(
                    source=PARLIAMENT, kind="field", url="https://example.org/<b>", message="an unknown field"
                )
            ],
            now=NOW,
        )
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture(scope="module")
def here(store: Store, box: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Site:
    topics: Any = {"drugs": parse("cocaine OR heroin")}
    folder = tmp_path_factory.mktemp("data")
    return site(
        store, folder, admin_token=TOKEN, topics=topics, smtp_url=box.url, mail_from="pqwatch@example.org"
    )


@pytest.fixture(scope="module")
def address(here: Site) -> Iterator[str]:
    with serving(here) as found:
        yield found


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with chromium() as made:
        yield made


def find(driver: Chrome, css: str) -> Any:
    return WebDriverWait(driver, 60).until(lambda d: d.find_element(By.CSS_SELECTOR, css))


def click(driver: Chrome, text: str) -> None:
    """Press the link or button that says so, and wait for the page behind it."""
    path = f"//main//*[self::a or self::button][normalize-space()='{text}']"
    press(driver, WebDriverWait(driver, 60).until(lambda d: d.find_element(By.XPATH, path)))


def press(driver: Chrome, what: Any) -> None:
    """Press it, and wait for the page behind it."""
    before = driver.find_element(By.TAG_NAME, "html")
    what.click()
    WebDriverWait(driver, 60).until(lambda d: d.find_element(By.TAG_NAME, "html") != before)


def search(driver: Chrome, address: str, query: str) -> None:
    show(driver, f"{address}/")
    field = find(driver, "#q")
    field.send_keys(query, Keys.ENTER)
    find(driver, "#results")


@pytest.mark.parametrize("scripts", [True, False])
def test_from_search_to_question_to_difference(address: str, scripts: bool) -> None:
    with chromium(scripts=scripts) as driver:
        search(driver, address, "five tonnes")
        assert find(driver, "#results").text == "1 question"
        assert [each.text for each in driver.find_elements(By.CSS_SELECTOR, ".hit mark")] == [
            "Five",
            "tonnes",
        ]
        click(driver, "Drugs: Seizures")
        assert find(driver, "h1").text == "Drugs: Seizures"
        assert (
            bool(driver.find_elements(By.CSS_SELECTOR, "#citation + button")) is scripts
        )  # what site.js adds
        click(driver, "Show the words that differ")
        assert "From version 1 to version 3" in find(driver, "h1").text
        assert bool(driver.find_elements(By.CSS_SELECTOR, "ins"))
        assert complaints(driver) == []


def test_from_subscribing_to_a_mail_to_leaving(
    address: str, driver: Chrome, store: Store, here: Site, box: Mailbox
) -> None:
    show(driver, f"{address}/?q=cocaine")
    click(driver, "Subscribe to this")
    assert find(driver, "#q").get_attribute("value") == "cocaine"
    find(driver, "#address").send_keys("reader@example.org")
    click(driver, "Look it over")
    driver.find_element(By.CSS_SELECTOR, "form[method=post] button.primary").click()
    WebDriverWait(driver, 60).until(lambda d: d.current_url.endswith("/subscribe"))

    run(store, now=at(1), settings=here.setup)
    (asked,) = box.of("reader@example.org")
    show(driver, address + _link(asked, here, "/confirm/"))
    click(driver, "Yes, confirm it")

    moved = answered("Cocaine again.", uin="77", heading="Cocaine: Later", answered_on=date(2025, 3, 12))
    ingest(store, [observation(moved, observed_at=at(2))], now=at(2))
    run(store, now=at(3), settings=here.setup)
    told = box.of("reader@example.org")[-1]
    assert "Cocaine: Later" in str(told["Subject"])
    show(driver, address + _link(told, here, "/commons/"))
    assert find(driver, "h1").text == "Cocaine: Later"

    show(driver, address + _link(told, here, "/unsubscribe/"))
    click(driver, "End it")
    with store.read() as conn:
        assert rows.every(conn) == []
    assert complaints(driver) == []


def test_the_preview_follows_the_words_as_they_are_typed(address: str, driver: Chrome) -> None:
    show(driver, f"{address}/subscribe")
    field = find(driver, "#q")
    field.send_keys("cocai")
    field.send_keys("ne")
    assert "hits since" in find(driver, "#preview p").text
    find(driver, "#address").send_keys("reader@example.org")
    field.send_keys(" tonnes")
    WebDriverWait(driver, 60).until(
        lambda d: (
            d.find_element(By.CSS_SELECTOR, "#how input[name=q]").get_attribute("value") == "cocaine tonnes"
        )
    )
    assert find(driver, "#address").get_attribute("value") == "reader@example.org"
    assert complaints(driver) == []


def _link(mail: EmailMessage, here: Site, begins: str) -> str:
    """The path of a link in the text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(re.escape(here.setup.public_url + begins) + r"\S+", body.get_content())
    assert found, body.get_content()
    return found[0].removeprefix(here.setup.public_url).rstrip(">).")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone_and_breaks_no_rule(driver: Chrome, address: str, axe: str, path: str) -> None:
    show(driver, address + path)
    judge(driver, axe)
    assert [each for each in complaints(driver) if "status of 4" not in each] == []
    hosts = driver.execute_script(
        "return performance.getEntriesByType('resource').map(e => new URL(e.name).host)"
    )
    assert set(hosts) == {address.removeprefix("http://")}


def test_the_keyboard_reaches_everything_and_shows_where_it_is(driver: Chrome, address: str) -> None:
    show(driver, f"{address}/?q=cocaine")
    body = find(driver, "body")
    seen = []
    for _ in range(12):
        body.send_keys(Keys.TAB)
        active = driver.switch_to.active_element
        seen.append(active.text or active.get_attribute("id"))
        assert driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert seen[0] == "Skip to the content"
    assert {"pqwatch", "Topics", "q", "Search", "Subscribe to this"} <= set(seen)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    path = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    pytest.skip("needs axe-core: npm install --prefix tests/axe --no-package-lock")


def test_axe_finds_nothing_where_a_link_of_a_mail_leads(
    driver: Chrome, address: str, axe: str, store: Store, here: Site
) -> None:
    wish = subscriptions.Request(query="cocaine", to="mailto:other@example.org")
    made = subscriptions.subscribe(store, wish, setup=here.setup, now=NOW)
    links = [
        confirm.confirm_link(here.setup, made.id),
        confirm.unsubscribe_link(here.setup, confirm.Scope(subscription_ids=(made.id,))),
    ]
    paths = [link.removeprefix(here.setup.public_url) for link in links]
    for path in (*paths, manage_path(here, made)):
        show(driver, address + path)
        judge(driver, axe)
    lifecycle.remove(store, str(made.id), now=NOW)


def test_axe_finds_nothing_on_the_way_through_signing_up(
    driver: Chrome, address: str, axe: str, store: Store, here: Site
) -> None:
    for channel in ("mail", "feed"):
        show(driver, f"{address}/subscribe?q=cocaine")
        find(driver, f"input[name=channel][value={channel}]").click()
        if channel == "mail":
            find(driver, "#address").send_keys("axe@example.org")
        click(driver, "Look it over")
        if channel == "mail":
            judge(driver, axe, "Is this right?")
        driver.find_element(By.CSS_SELECTOR, "form[method=post] button.primary").click()
        WebDriverWait(driver, 60).until(
            lambda d: "Is this right" not in d.find_element(By.TAG_NAME, "h1").text
        )
        judge(driver, axe, "Look into your mail" if channel == "mail" else "Subscribed")
    with store.read() as conn:
        mailed, fed = sorted(rows.every(conn), key=lambda each: each.to.startswith("feed"))
    show(driver, address + _path(here, confirm.confirm_link(here.setup, mailed.id)))
    click(driver, "Yes, confirm it")
    judge(driver, axe, "Confirmed")
    scope = confirm.Scope(subscription_ids=(mailed.id,))
    show(driver, address + _path(here, confirm.unsubscribe_link(here.setup, scope)))
    click(driver, "End it")
    judge(driver, axe, "Done")
    show(driver, address + _path(here, confirm.unsubscribe_link(here.setup, scope)))
    judge(driver, axe, "")
    lifecycle.remove(store, str(fed.id), now=NOW)


def test_axe_finds_nothing_on_the_operators_page(
    driver: Chrome, address: str, axe: str, store: Store, here: Site
) -> None:
    made = [
        subscriptions.subscribe(
            store,
            subscriptions.Request(
                query=f"ketamine {number}", to=f"mailto:{number}@example.org", confirmed=True
            ),
            setup=here.setup,
            now=NOW,
        )
        for number in range(2)
    ]
    lifecycle.pause(store, str(made[0].id), now=NOW)
    with store.write() as conn:
        conn.execute(insert(deliveries).values(_failed(made[1].id)))
        conn.execute(
            insert(runs).values(job="crawl", source=PARLIAMENT, started_at=NOW, whole=True, report={})
        )
    show(driver, f"{address}/admin")
    judge(driver, axe, "Operator")
    find(driver, "#operator").send_keys("wrong", Keys.ENTER)
    find(driver, "[role=alert]")
    judge(driver, axe, "Operator")
    find(driver, "#operator").send_keys(TOKEN, Keys.ENTER)
    find(driver, "#failures")
    assert len(driver.find_elements(By.CSS_SELECTOR, "table")) == 4  # nothing of the page is left out
    judge(driver, axe, "Operator")
    for each in made:
        lifecycle.remove(store, str(each.id), now=NOW)


def _failed(subscription: int) -> dict[str, Any]:
    """A delivery that failed for good."""
    return {
        "subscription_id": subscription, "question_id": 1, "event": "v1", "number": 1, "kind": "answered", "state": "failed",
        "created_at": NOW, "due_at": NOW,
    }  # fmt: skip


def _path(here: Site, link: str) -> str:
    return link.removeprefix(here.setup.public_url)


def judge(driver: Chrome, axe: str, heading: str = "") -> None:
    """The page as it stands says so in its heading, fits a phone, and axe objects to nothing, at both widths, light and dark."""
    assert heading in find(driver, "h1").get_attribute("textContent")
    driver.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    driver.execute_script(axe)
    for scheme in SCHEMES:
        for width in (360, 1440):
            dress(driver, width=width, scheme=scheme)
            wide = driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} pixels wide at {width}"
            assert violations(driver, only_colours=scheme != SCHEMES[0]) == [], (width, scheme)


def violations(driver: Chrome, *, only_colours: bool) -> list[Any]:
    """What axe-core objects to on the page as it stands. Light and dark differ in colours alone."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    rules = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
    found = driver.execute_async_script(
        "const done = arguments[1]; axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']})"
        ".then(r => done(r.violations.map(v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))])))",
        rules if only_colours else {"type": "tag", "values": tags},
    )
    return list(found)
