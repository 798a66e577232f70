"""Settings, read once: command line over `PQWATCH_…` over `pqwatch.toml` over defaults. One table says what there is.

`load` returns frozen `Settings` or raises SettingsError (exit 2) that names the setting, its value and what is allowed.
A source declares its own settings beside its code (`scraper.source.SourceSetting`); they join the table here.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import platformdirs

from pqwatch import checks
from pqwatch.masking import MASK, mask_urls
from scraper.source import SourceSetting
from storage.records import PqwatchError

PREFIX = "PQWATCH_"
TEST_PREFIX = "PQWATCH_TEST_"  # belongs to the test suite, never a setting
FILE = "pqwatch.toml"


class SettingsError(PqwatchError):
    """A setting that is unknown or has a bad value."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table. `check` returns the value in its canonical spelling or raises ValueError(what is allowed)."""

    name: str
    default: str
    meaning: str
    check: Callable[[str], str]
    secret: bool = False

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


@dataclass(frozen=True, slots=True)
class Value:
    """A setting with its value and where that came from: `default`, a variable, a file or an option."""

    setting: Setting
    value: str
    origin: str

    @property
    def shown(self) -> str:
        """The value for people: secrets masked, also passwords and tokens inside URLs."""
        if self.setting.secret:
            return MASK if self.value else ""
        return mask_urls(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one process. `sources` are the enabled ones in order; `source_values` what sources declared."""

    database_url: str
    data_dir: Path
    sources: tuple[str, ...]
    contact: str
    rate: float  # requests a second to one host; 0: no limit, loopback only
    smtp_url: str
    mail_from: str
    public_url: str
    timezone: ZoneInfo
    secret: str  # empty: the one kept in the database
    admin_token: str  # empty: no /admin
    broker_url: str
    retention_days: int
    allow_private_hosts: bool
    source_values: Mapping[str, str]
    values: tuple[Value, ...] = field(default=(), repr=False)


def table(sources: Mapping[str, Sequence[SourceSetting]]) -> tuple[Setting, ...]:
    """Every setting there is; `sources` maps each source to what it declares."""
    return (
        Setting(
            "database_url", "", "SQLAlchemy URL of the store: SQLite, PostgreSQL (psycopg 3)", checks.database
        ),
        Setting(
            "data_dir",
            platformdirs.user_data_dir("pqwatch"),
            "archive (WARC) and logs; machines may share it",
            checks.folder,
        ),
        Setting(
            "sources", ",".join(in_order(sources)), "the enabled sources", checks.words(in_order(sources))
        ),
        *(_of_source(setting) for name in in_order(sources) for setting in sources[name]),
        Setting(
            "contact", "", "address put into the User-Agent, so that a source can reach you", checks.one_line
        ),
        Setting(
            "rate",
            "2",
            "requests a second to one host, over all processes; 0: no limit, loopback only",
            checks.rate,
        ),
        Setting(
            "smtp_url",
            "",
            "mail server: smtp://user:password@host:port, smtps://, ?starttls=1; empty: no mail",
            checks.smtp,
        ),
        Setting("mail_from", "", "sender of the mails", checks.mail_address),
        Setting(
            "public_url", "http://127.0.0.1:8000", "base of the links in messages and feeds", checks.web_url
        ),
        Setting("timezone", "Europe/London", "for schedules and shown times", checks.zone),
        Setting(
            "secret",
            "",
            "signs links and sessions; empty: made on first use, kept in the database",
            checks.free,
            secret=True,
        ),
        Setting(
            "admin_token",
            "",
            "opens /admin and the operator's part of the HTTP API, 16 characters or more; empty: both are off",
            checks.token,
            secret=True,
        ),
        Setting(
            "broker_url", "", "RabbitMQ or Redis for `watch` and `worker` on several machines", checks.broker
        ),
        Setting(
            "retention_days",
            "28",
            "days until what is over is erased: data of ended and unconfirmed subscriptions, bodies of messages",
            checks.days,
        ),
        Setting(
            "allow_private_hosts",
            "0",
            "1: webhooks, feeds and Apprise may reach private and loopback addresses",
            checks.flag,
        ),
    )


def declared() -> dict[str, tuple[SourceSetting, ...]]:
    """What each source declares beside its code."""
    from scraper.sources import all_sources

    return {name: source.SETTINGS for name, source in all_sources().items()}


USUAL_ORDER = ("parliament", "theyworkforyou", "parallelparliament", "feeds")


def in_order(sources: Mapping[str, object]) -> tuple[str, ...]:
    """The four usual sources first, as people know them; a source that someone added follows by name."""
    return tuple(
        sorted(
            sources,
            key=lambda name: (USUAL_ORDER.index(name) if name in USUAL_ORDER else len(USUAL_ORDER), name),
        )
    )


def _of_source(declared: SourceSetting) -> Setting:
    """A source's setting with the check that follows from its declaration."""
    if declared.allowed:
        check = checks.words(declared.allowed)
    elif declared.name.endswith("_url"):
        check = checks.web_url
    else:
        check = checks.web_urls if "://" in declared.default else checks.free
    return Setting(declared.name, declared.default, declared.meaning, check)


def load(
    environ: Mapping[str, str],
    cwd: Path,
    overrides: Mapping[str, tuple[str, str]] | None = None,
    *,
    sources: Mapping[str, Sequence[SourceSetting]] | None = None,
) -> Settings:
    """The settings of this process. `overrides` maps a name to (value, origin), such as ("sqlite://…", "--database").

    `sources` maps each source to the settings it declares; without it they are looked up where the sources are.
    """
    sources = declared() if sources is None else sources
    settings = table(sources)
    given: dict[str, tuple[str, str]] = {}
    given.update(_from_file(cwd, {setting.name for setting in settings}))
    given.update(_from_environ(environ, settings))
    given.update(overrides or {})
    values = {setting.name: _value(setting, given) for setting in settings}
    if "database_url" not in given:
        folder = Path(values["data_dir"].value)
        values["database_url"] = Value(settings[0], f"sqlite:///{folder / 'pqwatch.sqlite3'}", "default")
    return _build(values, {setting.name for name in sources for setting in sources[name]})


def _from_file(cwd: Path, known: set[str]) -> dict[str, tuple[str, str]]:
    """What the first `pqwatch.toml` says: that of the working folder, else that of the user's config folder."""
    for folder in (cwd, platformdirs.user_config_path("pqwatch")):
        path = folder / FILE
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{path}: cannot be read: {error}") from error
        for name in content:
            if name not in known:
                raise SettingsError(
                    f"{path}: unknown key {name!r} (value {content[name]!r}){_meant(name, known)}"
                )
        return {name: (_as_text(path, name, value), str(path)) for name, value in content.items()}
    return {}


def _as_text(path: Path, name: str, value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    raise SettingsError(
        f"{path}: {name} = {value!r}: expected a text, a number, true or false, or a list of texts"
    )


def _from_environ(environ: Mapping[str, str], settings: Sequence[Setting]) -> dict[str, tuple[str, str]]:
    known = {setting.variable: setting.name for setting in settings}
    given = {}
    for variable in sorted(
        name for name in environ if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
    ):
        if variable not in known:
            shown = mask_urls(environ[variable])
            raise SettingsError(f"unknown variable {variable} (value {shown!r}){_meant(variable, known)}")
        given[known[variable]] = (environ[variable], variable)
    return given


def _meant(name: str, known: Mapping[str, str] | set[str]) -> str:
    """The nearest known name, or where to find all of them."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else "; `pqwatch settings` lists those that exist"


def _value(setting: Setting, given: Mapping[str, tuple[str, str]]) -> Value:
    if setting.name not in given:
        return Value(setting, setting.default, "default")
    text, origin = given[setting.name]
    try:
        return Value(setting, setting.check(text), origin)
    except ValueError as error:
        shown = MASK if setting.secret else mask_urls(text)
        named = setting.variable if origin in (setting.variable, "default") else f"{setting.name} ({origin})"
        raise SettingsError(f"{named} is {shown!r}: expected {error}") from error


def _build(values: Mapping[str, Value], declared: set[str]) -> Settings:
    def of(name: str) -> str:
        return values[name].value

    return Settings(
        database_url=of("database_url"),
        data_dir=Path(of("data_dir")),
        sources=tuple(of("sources").split(",")),
        contact=of("contact"),
        rate=float(of("rate")),
        smtp_url=of("smtp_url"),
        mail_from=of("mail_from"),
        public_url=of("public_url").rstrip("/"),
        timezone=ZoneInfo(of("timezone")),
        secret=of("secret"),
        admin_token=of("admin_token"),
        broker_url=of("broker_url"),
        retention_days=int(of("retention_days")),
        allow_private_hosts=of("allow_private_hosts") == "1",
        source_values={name: of(name) for name in declared},
        values=tuple(values.values()),
    )
