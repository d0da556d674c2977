"""Jobs without the workflow engine: the object that a script gets, and a small study made with it."""

from pathlib import Path
from types import SimpleNamespace

import empathy_transfer
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import read_json, write_json

SCRIPTS = Path(empathy_transfer.__file__).parent.parent


class Named(list):
    """A list whose entries have names, as Snakemake's inputs, outputs and params have."""

    def __init__(self, **entries):
        super().__init__()
        self.entries = entries
        for entry in entries.values():
            self.extend(entry if isinstance(entry, list) else [entry])

    def items(self):
        """Names and entries."""
        return self.entries.items()


def fake_snakemake(rule, output, inputs=None, params=None, wildcards=None, log=None):
    """The object that Snakemake gives to a script, as far as jobs use it."""
    return SimpleNamespace(
        rule=rule,
        input=Named(**(inputs or {})),
        output=Named(**output),
        params=Named(code="fingerprint", **(params or {})),
        wildcards=Named(**(wildcards or {})),
        threads=1,
        log=[log or f"logs/{output['provenance'].replace('/', '_')}.log"],
        scriptdir=str(SCRIPTS / "train"),
    )


def make(folder, value, *inputs, name="result.json", provenance="provenance.json", wildcards=None):
    """Run a job that writes `value` and its inputs' values into `<folder>/<name>`; returns the path of the result."""
    result = f"{folder}/{name}"
    snakemake = fake_snakemake(
        "make",
        {"result": result, "provenance": f"{folder}/{provenance}"},
        inputs={"used": list(inputs)},
        wildcards=wildcards,
    )
    with open_job(snakemake) as job:
        write_json(job.output["result"], {"value": value, "used": [read_json(path) for path in job.input["used"]]})
    return result


def make_study():
    """A study below the working folder: a -> b -> c -> COMPLETE.json, and d -> e -> COMPLETE.json beside it."""
    a = make("results/tiny/a", 1)
    b = make("results/tiny/b", 2, a)
    c = make("results/tiny/tables", 3, b, name="c.json", provenance="c.provenance.json")
    d = make("results/tiny/d", 4)
    e = make("results/tiny/tables", 5, d, name="e.json", provenance="e.provenance.json")
    make("results/tiny", 6, c, e, name="COMPLETE.json", provenance="COMPLETE.provenance.json")
    return {"a": a, "b": b, "c": c, "d": d, "e": e}
