"""Preregistration: what is written down, that a later change of the file is seen, and what a study departs in."""

import datetime
import json

import pytest
import yaml

from empathy_transfer.claims.engine import read_claims
from empathy_transfer.claims.preregistration import (
    as_text,
    deviations,
    digest_of,
    flat,
    read_registration,
    registered_parts,
    registration,
)
from empathy_transfer.claims.transfer_claims import CLAIM_COLUMNS, as_page
from empathy_transfer.claims.transfer_rules import BOUNDS, RULES
from empathy_transfer.cli import main
from empathy_transfer.errors import DataError
from empathy_transfer.inspection.preregister import CannotRegister, merged_config, preregister, tasks_of
from study_copy import ROOT

CLAIMS = read_claims(ROOT / "resources/claims/transfer.yaml", RULES, BOUNDS)


def settings(**changes):
    """Settings of a small study."""
    config = {"study": "tiny", "raw_dir": "somewhere", "seeds": [1, 2], "analysis": {"alpha": 0.05, "grid": {"C": [1]}}}
    return {"config": config | changes, "tasks": {"mood": {"title": "Mood", "kind": "regression", "range": (1, 5)}}}


def test_names_of_settings_are_their_places():
    assert flat({"a": {"b": {"c": [1]}, "d": None}, "e": {}}) == {"a.b.c": [1], "a.d": None, "e": {}}
    parts = registered_parts(CLAIMS, settings(), "0" * 64)
    # Neither where raw files lie nor a title can change a result.
    assert parts["settings"] == {
        **{"seeds": [1, 2], "analysis.alpha": 0.05, "analysis.grid.C": [1]},
        **{"tasks.mood.kind": "regression", "tasks.mood.range": [1, 5]},
    }
    assert parts["bounds"]["plausible_percent"] == 5
    assert parts["claims"]["improvements_are_rare"]["arguments"] == {"data": "full", "outcome": "improved"}


def test_departures_are_told_by_name():
    before = registered_parts(CLAIMS, settings(), "0" * 64)
    assert deviations(before, registered_parts(CLAIMS, settings(raw_dir="elsewhere"), "0" * 64)) == []
    bounds = CLAIMS._replace(bounds=CLAIMS.bounds | {"rare_share": 0.2}, claims=CLAIMS.claims[1:])
    now = registered_parts(bounds, settings(seeds=[1], controls=["self"]), "1" * 64)
    found = deviations(before, now)
    first = CLAIMS.claims[0]
    assert found == [
        ("claims", first["id"], {"rule": first["rule"], "arguments": first["arguments"]}, None),
        ("bounds", "rare_share", 0.1, 0.2),
        ("settings", "seeds", [1, 2], [1]),
        ("settings", "controls", None, ["self"]),
        ("files", "ratings", "0" * 64, "1" * 64),
    ]


def test_a_registration_that_was_changed_later_is_refused(tmp_path):
    content = registration(registered_parts(CLAIMS, settings(), "0" * 64), "tiny", "2026-01-02", "1.0")
    path = tmp_path / "registered.json"
    path.write_text(as_text(content), encoding="utf-8")
    assert read_registration(path) == content
    assert content["digests"]["bounds"] == digest_of(CLAIMS.bounds)
    for change, words in (
        ({"bounds": content["bounds"] | {"rare_share": 0.5}}, r"changed after it was written \(bounds"),
        ({"date": "2025-01-02"}, r"changed after it was written \(its heading"),
        ({"format": 9}, "another format"),
        ({"settings": 3}, "another format|no preregistration"),
    ):
        path.write_text(as_text(content | change), encoding="utf-8")
        with pytest.raises(DataError, match=words):
            read_registration(path)
    for text in ("{", "[]", "{}"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="this is no preregistration"):
            read_registration(path)


def page(*arguments):
    """The page of claims without a claim, and its part about the registration."""
    import pandas

    row = dict.fromkeys(CLAIM_COLUMNS, "") | {"runs": "all", "basis": "tests", "seeds": 3, "pairs": 2}
    row |= dict.fromkeys(["number", "low", "high", "p", "number_own_tests", "number_printed_tables"], float("nan"))
    table = pandas.DataFrame([row, row | {"runs": "without_collapsed"}])
    return as_page(table, CLAIMS, *arguments)


def test_the_claims_page_says_whether_a_study_keeps_to_it():
    content = registration(registered_parts(CLAIMS, settings(), "0" * 64), "tiny", "2026-01-02", "1.0")
    assert "The study names no preregistration" in page()
    assert f"keeps to its preregistration of 2026-01-02 (digest {content['digest'][:16]})" in page(content, [])
    text = page(content, [("settings", "analysis.alpha", 0.05, 0.1), ("claims", "x", None, {"rule": "rare"})])
    assert "departs from its preregistration" in text
    assert "| settings | analysis.alpha | 0.05 | 0.1 |" in text
    assert '| claims | x | none | {"rule": "rare"} |' in text


@pytest.fixture
def workflow(tmp_path):
    """A folder with what a registration is made from."""
    for name, content in {
        "config/config.yaml": {"study": "full", "datasets": "sets", "ratings": "r.csv", "tasks": "all", "seeds": [1]},
        "config/mine.yaml": {"study": "mine", "seeds": [1, 2], "tasks": ["calm"]},
        "sets/one.yaml": {"tasks": {"calm": {"kind": "regression"}, "loud": {"kind": "regression"}}},
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    (tmp_path / "r.csv").write_text("ratings", encoding="utf-8")
    (tmp_path / "resources/claims").mkdir(parents=True)
    claims = (ROOT / "resources/claims/transfer.yaml").read_text(encoding="utf-8")
    (tmp_path / "resources/claims/transfer.yaml").write_text(claims, encoding="utf-8")
    return tmp_path


def test_the_command_writes_once_and_never_over_a_registration(workflow, monkeypatch, capsys):
    monkeypatch.chdir(workflow)
    assert main(["preregister", "--configfile", "config/mine.yaml"]) == 0
    path = workflow / "config/preregistrations/mine.json"
    assert "18 claims, 6 bounds" in capsys.readouterr().out
    content = read_registration(path)
    assert content["settings"] == {"seeds": [1, 2], "tasks.calm.kind": "regression"}
    assert content["date"] == datetime.datetime.now(datetime.UTC).date().isoformat()
    before = path.read_bytes()
    with pytest.raises(SystemExit) as stop:
        main(["preregister", "--configfile", "config/mine.yaml"])
    assert stop.value.code == 2
    assert "a preregistration does not change" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert json.loads(before)["study"] == "mine"


def test_what_can_not_be_registered_is_told(workflow):
    (workflow / "config/bad.yaml").write_text("- 1", encoding="utf-8")
    for files, words in ((["config/none.yaml"], "No such file"), (["config/bad.yaml"], "holds no settings")):
        with pytest.raises(CannotRegister, match=words):
            preregister(workflow, [workflow / file for file in files])
    with pytest.raises(CannotRegister, match="no file has the task 'quiet'"):
        tasks_of(workflow / "sets", ["quiet"])
    (workflow / "r.csv").unlink()
    with pytest.raises(CannotRegister, match="no file of ratings"):
        preregister(workflow, [])


def test_settings_are_laid_over_each_other_as_by_the_workflow(tmp_path):
    for name, text in (("a", "x: {y: 1, z: [1, 2]}"), ("b", "x: {z: [3]}\nw: 1")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert merged_config([tmp_path / "a", tmp_path / "b"]) == {"x": {"y": 1, "z": [3]}, "w": 1}
