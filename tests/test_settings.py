"""Settings: what wins, what is refused and how it is said, what is masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pqwatch import checks
from pqwatch.masking import MASK, mask_urls
from pqwatch.settings import SettingsError, load
from scraper.source import SourceSetting, addresses_asked
from scraper.sources import source_named

SOURCES = {
    "parliament": (SourceSetting("parliament_url", "https://api.example", "official API"),),
    "theyworkforyou": (SourceSetting("languages", "en", "languages to read", ("en", "cy")),),
    "feeds": (SourceSetting("feeds", "https://blog.example/feed/", "feeds of commentary"),),
}


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def of(environ=None, cwd=None, overrides=None, tmp_path=Path("/nonexistent")):
    return load(environ or {}, cwd or tmp_path, overrides, sources=SOURCES)


def test_defaults(tmp_path):
    got = of()
    assert got.database_url == f"sqlite:///{tmp_path / 'data' / 'pqwatch' / 'pqwatch.sqlite3'}"
    assert got.sources == ("parliament", "theyworkforyou", "feeds")
    assert got.rate == 2
    assert got.timezone.key == "Europe/London"
    assert not got.allow_private_hosts
    assert {value.origin for value in got.values} == {"default"}


def test_environment_wins_over_file_and_option_over_both(tmp_path):
    (tmp_path / "pqwatch.toml").write_text(
        'rate = 1\ncontact = "file@example.org"\nallow_private_hosts = true\n'
    )
    got = of({"PQWATCH_RATE": "5"}, tmp_path, {"database_url": ("sqlite:///x.db", "--database")})
    assert (got.rate, got.contact, got.database_url) == (5, "file@example.org", "sqlite:///x.db")
    assert got.allow_private_hosts
    origins = {value.setting.name: value.origin for value in got.values}
    assert origins["rate"] == "PQWATCH_RATE"
    assert origins["contact"] == str(tmp_path / "pqwatch.toml")
    assert origins["database_url"] == "--database"


def test_the_working_folder_comes_before_the_config_folder(tmp_path):
    config = tmp_path / "config" / "pqwatch"
    config.mkdir(parents=True)
    (config / "pqwatch.toml").write_text('contact = "config@example.org"')
    assert of(cwd=tmp_path).contact == "config@example.org"
    (tmp_path / "pqwatch.toml").write_text('contact = "here@example.org"')
    assert of(cwd=tmp_path).contact == "here@example.org"


def test_data_folder_moves_the_default_database_with_it(tmp_path):
    got = of({"PQWATCH_DATA_DIR": str(tmp_path / "d")})
    assert got.database_url == f"sqlite:///{tmp_path / 'd' / 'pqwatch.sqlite3'}"


def test_test_variables_are_not_ours():
    assert of({"PQWATCH_TEST_ANYTHING": "1"})


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PQWATCH_RAET", "1", "did you mean PQWATCH_RATE?"),
        ("PQWATCH_RATE", "fast", "requests a second"),
        ("PQWATCH_RATE", "-1", "requests a second"),
        ("PQWATCH_RATE", "nan", "requests a second"),
        ("PQWATCH_SOURCES", "hansard", "parliament, theyworkforyou, feeds"),
        ("PQWATCH_SOURCES", "", "one or more of"),
        ("PQWATCH_PARLIAMENT_URL", "ftp://x", "http:// or https://"),
        ("PQWATCH_PARLIAMENT_URL", "http://host:99999", "address"),
        ("PQWATCH_FEEDS", "https://a/feed,b", "separated by commas"),
        ("PQWATCH_LANGUAGES", "de", "en, cy"),
        ("PQWATCH_DATABASE_URL", "mysql://x", "SQLAlchemy URL"),
        ("PQWATCH_SMTP_URL", "mail.example.org", "smtp://"),
        ("PQWATCH_MAIL_FROM", "nobody", "mail address"),
        ("PQWATCH_TIMEZONE", "Mars/Base", "time zone"),
        ("PQWATCH_ALLOW_PRIVATE_HOSTS", "perhaps", "0 or 1"),
        ("PQWATCH_CONTACT", "a\nb", "one line"),
    ],
)
def test_mistakes_name_the_setting_the_value_and_what_is_allowed(variable, value, expected):
    with pytest.raises(SettingsError) as caught:
        of({variable: value})
    assert variable in str(caught.value)
    assert repr(value) in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_of_the_file_is_named(tmp_path):
    (tmp_path / "pqwatch.toml").write_text("rte = 1\n")
    with pytest.raises(
        SettingsError, match=r"pqwatch\.toml: unknown key 'rte' \(value 1\); did you mean rate\?"
    ):
        of(cwd=tmp_path)


def test_a_broken_file_is_one_line(tmp_path):
    (tmp_path / "pqwatch.toml").write_text("rate = ")
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        of(cwd=tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "postgresql+psycopg://anna:geheim@db.example/pq",
            "postgresql+psycopg://anna:********@db.example/pq",
        ),
        ("smtp://u:p%40ss@h:25?starttls=1", "smtp://u:********@h:25?starttls=1"),
        ("https://token@feed.example/x", "https://********@feed.example/x"),
        ("https://feed.example/a@b", "https://feed.example/a@b"),
        (
            "https://a:b@x.example/,https://c:d@y.example/",
            "https://a:********@x.example/,https://c:********@y.example/",
        ),
    ],
)
def test_passwords_in_urls_are_masked(text, masked):
    assert mask_urls(text) == masked


def test_a_bad_secret_url_is_masked_in_the_message_too():
    with pytest.raises(SettingsError) as caught:
        of({"PQWATCH_DATABASE_URL": "mysql://anna:geheim@db/x"})
    assert "geheim" not in str(caught.value)


def test_the_secret_is_masked():
    got = of({"PQWATCH_SECRET": "geheim"})
    assert {v.setting.name: v.shown for v in got.values}["secret"] == MASK


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost/x", True),
        ("http://[::1]:80/", True),
        ("http://127.0.0.1.example.org", False),
        ("https://www.theyworkforyou.com", False),
    ],
)
def test_loopback(url, expected):
    assert checks.is_loopback(url) is expected


def test_the_welsh_address_is_asked_only_where_welsh_pages_are_read():
    source = source_named("theyworkforyou")
    values = {setting.name: setting.default for setting in source.SETTINGS}
    assert addresses_asked(source, values) == ["https://www.theyworkforyou.com"]
    assert len(addresses_asked(source, {**values, "languages": "en,cy"})) == 2
