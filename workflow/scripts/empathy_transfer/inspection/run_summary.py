"""The closing words of a run: what was made, reused, failed, left out or is missing, and what to look at first.

Called by the workflow's closing handlers as `python -m empathy_transfer.inspection.run_summary <plan.json>`; writes
`<results>/summary.json`, prints the same in words, and writes the table of all jobs' provenance. That table is no
output of a rule, which would have every job of the study as an input, and would not run where one has failed. This
module only reports, so nothing in here may fail a run.
"""

import csv
import json
import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from empathy_transfer.inspection.provenance_table import write_provenance_table
from empathy_transfer.inspection.wording import clean, one_line, span, subject
from empathy_transfer.records.artefacts import read_json
from empathy_transfer.records.files import write_with_digest
from empathy_transfer.records.runs import BASELINE, CONTROLS
from empathy_transfer.statistics.verdicts import HARMED, HIGHER, IMPROVED, LOWER

LISTED = 10  # failures and missing results named on the console; the JSON names all
NOTED = ("labels",)  # stages whose jobs leave notes on their results


def summarise_run(results, logs, plan, started):
    """Work out what a run did.

    Args:
        results: the study's folder of results.
        logs: its folder of logs.
        plan: what was planned: `study`, `command`, `expected` {stage: [paths of provenance files]}, `left_out`
            {task: reason}, `open` [paths worth opening], `asked` [the targets; none for all of the study] and `done`
            (whether the run ended well).
        started: when the run began, in seconds since the epoch.

    Returns:
        dict: the summary, of plain values. `stages` counts per stage the results made in this run, cached (taken from a
        store of results in this run), reused from before, missing and damaged; `failed` lists failures on record, those
        of earlier runs marked as such; `notes` has what jobs of this run say of their results. Of a run that was
        `asked` for less than the study, all this speaks of what it was asked for: earlier failures and findings may
        belong to something else, and are left out.
    """
    results, logs = Path(results), Path(logs)
    # Times in provenance files are whole seconds.
    since = math.floor(started)
    stages, missing, damaged, notes = {}, [], [], []
    for stage, paths in plan.get("expected", {}).items():
        counts = {"made": 0, "cached": 0, "reused": 0, "missing": 0, "damaged": 0}
        for path in paths:
            state = result_state(path, since)
            counts[state] += 1
            if stage in NOTED and state in ("made", "cached"):
                notes += note_of(path)
            if state in ("missing", "damaged"):
                (missing if state == "missing" else damaged).append(str(path))
        stages[stage] = counts
    asked, pages = list(plan.get("asked", [])), [Path(path) for path in plan.get("open", [])]
    failed = [entry for entry in failures(logs, since) if not (asked and entry["earlier"])]
    findings, note = main_findings(results, since, earlier=not asked)
    done = plan.get("done", True) and not (missing or damaged or failed)
    proofs = pages if asked else [results / "COMPLETE.json"]
    return {
        "study": plan.get("study"),
        "asked": asked,
        "done": done,
        "complete": done and all(path.is_file() for path in proofs),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(max(time.time() - started, 0), 1),
        "command": plan.get("command"),
        "stages": stages,
        "failed": failed,
        "missing": missing,
        "damaged": damaged,
        "left_out": dict(plan.get("left_out") or {}),
        "notes": notes,
        "findings": findings,
        "findings_note": note,
        "open": [str(path) for path in pages if path.is_file()],
    }


def result_state(provenance, since):
    """Whether a result was `made` or taken as `cached` since a time, `reused` from before, is `missing` or `damaged`.

    Thousands are asked for, so a file that is older by its own time is not even read.
    """
    path = Path(provenance)
    try:
        if path.stat().st_mtime < since:
            return "reused"
        record = json.loads(path.read_bytes())
        created = datetime.fromisoformat(record["created"])
    except FileNotFoundError:
        return "missing"
    except (OSError, ValueError, KeyError, TypeError):
        return "damaged"
    if created.replace(tzinfo=created.tzinfo or UTC).timestamp() < since:
        return "reused"
    return "cached" if "reused" in record else "made"


def note_of(provenance):
    """The note that a job left on its result as a list of one line; none if it left none."""
    record = json.loads(Path(provenance).read_bytes())
    note = record.get("note")
    return [f"{subject(record.get('wildcards') or {})}: {one_line(note)}"] if isinstance(note, str) else []


def failures(logs, since):
    """The failures on record below the folder of logs: those of this run first, then those of earlier ones."""
    found = []
    for path in sorted(logs.rglob("*.failure.json")):
        log = str(path).removesuffix(".failure.json")
        try:
            record = json.loads(path.read_bytes())
            entry = {
                "rule": str(record.get("rule")),
                "wildcards": {str(name): str(value) for name, value in (record.get("wildcards") or {}).items()},
                "cause": one_line(record.get("cause") or "unknown"),
            }
            earlier = path.stat().st_mtime < since
        except (OSError, ValueError, AttributeError):
            entry, earlier = {"rule": "unknown", "wildcards": {}, "cause": f"{path} is damaged"}, False
        found.append({**entry, "log": log, "earlier": earlier})
    return sorted(found, key=lambda entry: entry["earlier"])


def main_findings(results, since, earlier=True):
    """The texts of the study's main findings, else of the partial ones, and a note on them (None if there is none).

    Those of an earlier run only if `earlier`.
    """
    for folder, note in ((results, None), (results / "partial", "from the results that exist")):
        path = folder / "analysis" / "findings.json"
        if not path.is_file() or (path.stat().st_mtime < since and not earlier):
            continue
        try:
            planted = path.with_name("planted.json")  # of generated data: whether what was planted was found
            entries = [*(read_json(planted) if planted.is_file() else []), *read_json(path)]
            texts = [one_line(entry["text"], 1000) for entry in entries] + counted_tests(
                path.with_name("significance.csv")
            )
            if path.stat().st_mtime < since:
                note = "worked out in an earlier run" if note is None else f"{note} in an earlier run"
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            return [], f"not shown: {one_line(error)}"
        return texts, note
    return [], None


def counted_tests(path):
    """How many transfers with all data are better or worse by more than chance, in a sentence; none without tests."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["runs"] == "all" and row["data"] == "full" and row["q"]]
    effects = [row["effect"] for row in rows if row["source"] not in (BASELINE, *CONTROLS)]
    if not effects:
        return []
    better, worse = (sum(effects.count(word) for word in words) for words in ((IMPROVED, HIGHER), (HARMED, LOWER)))
    text = (
        f"By tests at a false discovery rate of 5 %, {better} of {len(effects)} transfers with all data score above "
        f"their baseline and {worse} below it"
    )
    items = {HIGHER, LOWER} & set(effects)
    return [f"{text}{'; one seed, so this covers the choice of test items alone' if items else ''}."]


def render(summary):
    """The closing words as text, lines separated by newlines."""
    lines = [_headline(summary)]
    for state in ("made", "cached", "reused", "missing", "damaged"):
        counts = [f"{counts[state]} {stage}" for stage, counts in summary["stages"].items() if counts[state]]
        if counts:
            lines.append(f"  {state:<9} {', '.join(counts)}")
    lines += _some(summary["notes"], lambda note: [f"  {'note':<9} {note}"])
    if summary["damaged"]:
        lines += _some(summary["damaged"], lambda path: [f"    {path}"])
        lines.append(f"    mend with: empathy-transfer verify {summary['study']} --repair")
    if summary["failed"]:
        lines.append(f"  failed    {len(summary['failed'])}")
        lines += _some(summary["failed"], _failure_lines)
    if summary["left_out"]:
        lines.append(f"  left out  {len(summary['left_out'])} task{'s' * (len(summary['left_out']) != 1)}")
        lines += [f"    {task}: {one_line(reason, 300)}" for task, reason in summary["left_out"].items()]
    if summary["findings"] or summary["findings_note"]:
        lines.append(f"Main findings{' (' + summary['findings_note'] + ')' if summary['findings_note'] else ''}")
        lines += [f"  {number}. {text}" for number, text in enumerate(summary["findings"], start=1)]
    lines += _some(summary["open"], lambda path: [f"Open {path}"])
    if summary["command"] and not summary["done"]:
        lines.append(f"To go on: {summary['command']}")
    return clean("\n".join(lines))


def main(arguments=None):
    """Summarise the run of a plan file in `summary.json`, `provenance.csv` and words. Returns 0 whatever happens."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        plan = json.loads(Path(arguments[0]).read_text("utf-8"))
        results = Path(plan["results"])
        summary = summarise_run(results, Path(plan["logs"]), plan, float(plan["started"]))
        text = render(summary)
        content = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
        write_with_digest(results / "summary.json", f"{content}\n".encode())
        print(f"{text}\nThe same as data: {results / 'summary.json'}", file=sys.stderr, flush=True)
        print(f"What each job cost: {write_provenance_table(results)}", file=sys.stderr, flush=True)
    except Exception as error:
        print(f"The run could not be summarised: {one_line(repr(error))}", file=sys.stderr)
    return 0


def _headline(summary):
    """Study, outcome and wall time."""
    troubles = [(name, len(summary[name])) for name in ("failed", "missing", "damaged") if summary[name]]
    if not summary["done"]:
        numbers = ", ".join(f"{number} {name}" for name, number in troubles)
        outcome = f"not complete ({numbers})" if numbers else "not complete"
    else:
        outcome = "complete" if summary["complete"] else "as far as asked for"
    about = ", ".join([f"Study {summary['study']}", *summary["asked"][:LISTED]])
    return f"\n{about}: {outcome}, {span(summary['wall_seconds'])}"


def _failure_lines(entry):
    """A failure in two lines: which job and why, and its log."""
    earlier = " (earlier run)" if entry["earlier"] else ""
    label = f"{entry['rule']} {subject(entry['wildcards'])}".rstrip()
    return [f"    {label}{earlier}: {entry['cause']}", f"      log: {entry['log']}"]


def _some(entries, as_lines):
    """The lines of the first entries, and how many more there are."""
    lines = [line for entry in entries[:LISTED] for line in as_lines(entry)]
    return lines + ([f"    and {len(entries) - LISTED} more, see summary.json"] if len(entries) > LISTED else [])


if __name__ == "__main__":
    sys.exit(main())
