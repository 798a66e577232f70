"""`pqwatch topics`: what is installed, what it means, how good it is."""

from __future__ import annotations

import gzip
import json

import pytest

from pqwatch.cli.entry import run
from tests.helpers import shared
from tests.topic_cases import cases

KEYS = {"precision", "recall", "weighted_precision", "weighted_recall", "misses", "false_hits", "labelled"}


@pytest.fixture
def labelled(tmp_path):
    """Invented labelled questions, the last two labelled wrongly, with the strata beside them."""
    lines = [
        {
            "id": number, "heading": None, "question_text": question, "answer_text": answer or None,
            "drugs": "drugs" in topics, "organised_crime": "organised-crime" in topics,
            "stratum": "core" if topics else "rest", "doubtful": False,
        }
        for number, (topics, question, answer) in enumerate(cases(), 1)
    ]  # fmt: skip
    lines += [
        {**lines[0], "id": 1001, "drugs": False, "doubtful": True},
        {**lines[-1], "id": 1002, "organised_crime": True},
    ]
    path = tmp_path / "labelled.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    strata = {"core": {"population": 1_000}, "rest": {"population": 50_000}}
    (tmp_path / "strata.json").write_text(json.dumps(strata), encoding="utf-8")
    return path


def told(capsys, *args):
    assert run([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_names_the_packs(capsys):
    listed = told(capsys, "topics", "list")
    assert [item["name"] for item in listed["items"]] == ["drugs", "organised-crime"]
    assert listed["total"] == 2
    assert run(["topics", "list"]) == 0
    assert "organised-crime" in capsys.readouterr().out


def test_show_prints_sections_sources_and_changes(capsys):
    shape = told(capsys, "topics", "show", "drugs")
    assert {"name", "version", "meaning", "sections", "sources", "changes"} <= shape.keys()
    assert any("naloxone" in section["query"] for section in shape["sections"])
    assert run(["topics", "show", "drugs"]) == 0
    printed = capsys.readouterr().out
    assert f"version {shape['version']}" in printed
    assert all(section["name"] in printed for section in shape["sections"])


def test_show_of_an_unknown_pack_is_one_line(capsys):
    assert run(["topics", "show", "fruit"]) == 1
    assert (
        capsys.readouterr().err
        == "pqwatch: there is no topic 'fruit'; known topics: drugs, organised-crime\n"
    )


def test_check_gives_the_shape_of_the_interface(capsys, labelled):
    drugs, crime = told(capsys, "topics", "check", str(labelled))["packs"]
    assert (drugs["name"], crime["name"]) == ("drugs", "organised-crime")
    assert drugs.keys() >= KEYS | {"version", "without_doubtful"}
    assert drugs["without_doubtful"].keys() >= KEYS
    assert (drugs["false_hits"], drugs["misses"]) == ([1001], [])
    assert drugs["precision"] < 1.0
    assert (drugs["recall"], drugs["without_doubtful"]["precision"]) == (1.0, 1.0)
    assert crime["misses"] == [1002]
    assert crime["weighted_recall"] < crime["recall"]


def test_check_prints_figures_and_every_miss_for_people(capsys, labelled):
    assert run(["topics", "check", str(labelled)]) == 0
    printed = capsys.readouterr().out
    assert "without doubtful" in printed
    assert "1.000 (" in printed
    assert "1001 (doubtful) core: To ask" in printed
    assert "1002 rest: To ask" in printed


def test_check_takes_one_half(capsys, labelled):
    halves = [
        told(capsys, "topics", "check", str(labelled), "--half", half)["packs"][0]["labelled"]
        for half in ("tuning", "reporting")
    ]
    assert sum(halves) == len(cases()) + 2
    assert min(halves) > 20


def test_check_without_strata_weighs_all_alike(capsys, labelled):
    (labelled.parent / "strata.json").unlink()
    drugs = told(capsys, "topics", "check", str(labelled))["packs"][0]
    assert drugs["weighted_precision"] == drugs["precision"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"id": 1}\n', "line 1: 1: drugs must be true or false, not None"),
        (b"\n{oops\n", "line 2: "),
        (b"", "there is no labelled question to check"),
    ],
)
def test_check_says_which_line_is_wrong(capsys, tmp_path, body, said):
    path = tmp_path / "labelled.jsonl"
    path.write_bytes(body)
    assert run(["topics", "check", str(path)]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_check_of_no_file_or_bad_strata_is_one_line(capsys, labelled):
    assert run(["topics", "check", str(labelled.parent / "none.jsonl")]) == 1
    assert "none.jsonl: No such file" in capsys.readouterr().err
    (labelled.parent / "strata.json").write_text("[1]", encoding="utf-8")
    assert run(["topics", "check", str(labelled)]) == 1
    assert "strata.json" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("--without-headings",)], ids=["headings", "no headings"])
def test_the_packs_hold_their_figures_on_the_reporting_half(capsys, options):
    path = shared("samples", "topics", "labelled.jsonl.gz")
    for pack in told(capsys, "topics", "check", str(path), "--half", "reporting", *options)["packs"]:
        sure = pack["without_doubtful"]
        assert sure["precision"] >= 0.90, pack["name"]
        assert sure["recall"] >= 0.90, pack["name"]
        easy = [each for each in pack["strata"] if each["name"].startswith(("near_", "rest"))]
        assert sum(each["hits"] for each in easy) <= 0.01 * sum(each["labelled"] for each in easy), pack[
            "name"
        ]
