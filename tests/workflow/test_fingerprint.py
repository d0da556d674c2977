"""Code fingerprints: `fingerprint.smk` is plain Python, and is run here with a library of its own."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from study_copy import ENTRY_POINTS, ROOT

RULES = ROOT / "workflow/rules/plan/fingerprint.smk"
FILES = {
    "part/train.py": """
        '''Entry point.'''
        from empathy_transfer.job import start
        if __name__ == "__main__":
            start()
            from empathy_transfer.training import fit
            fit()
    """,
    "part/plot.py": """
        from empathy_transfer import figures
        figures.plot()
    """,
    "part/read.py": """
        from empathy_transfer.job import start
    """,
    "empathy_transfer/__init__.py": "VERSION = 1\n",
    "empathy_transfer/job.py": """
        def start():
            '''Start.'''
            return 1
    """,
    "empathy_transfer/training.py": """
        import json
        def fit():
            import empathy_transfer.models.adapter as adapter
            return adapter.SIZE
    """,
    "empathy_transfer/models/__init__.py": "from .base import DEPTH\n",
    "empathy_transfer/models/base.py": "DEPTH = 2\n",
    "empathy_transfer/models/adapter.py": "from . import common\nSIZE = 16\n",
    "empathy_transfer/models/common.py": "from empathy_transfer.models import adapter\n",
    "empathy_transfer/figures.py": "def plot():\n    pass\n",
    "empathy_transfer/readers/__init__.py": "",
    "empathy_transfer/readers/news.py": "def read():\n    return 1\n",
    "empathy_transfer/readers/mi.py": "def read():\n    return 2\n",
}


def load(basedir):
    """The functions of fingerprint.smk for a workflow in this folder; nothing is remembered from earlier calls."""
    names = {"workflow": SimpleNamespace(basedir=str(basedir))}
    exec(compile(RULES.read_text(encoding="utf-8"), RULES.name, "exec"), names)
    return names


class Library:
    """A small library beside its entry points."""

    def __init__(self, folder):
        self.folder = folder
        self.scripts = folder / "workflow/scripts"
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path, text):
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        (self.scripts / path).parent.mkdir(parents=True, exist_ok=True)
        (self.scripts / path).write_text("".join(f"{line[indent:]}\n" for line in lines), encoding="utf-8")

    def fingerprint(self, *arguments):
        return load(self.folder)["code_fingerprint"](*arguments)

    def reached(self, script):
        found = load(self.folder)["reachable"]([self.scripts / f"part/{script}.py"])
        return {path.relative_to(self.scripts).as_posix() for path in found}


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path)


def test_lazy_relative_and_circular_imports_and_package_files_are_followed(library):
    assert library.reached("train") == {
        "part/train.py",
        "empathy_transfer/__init__.py",
        "empathy_transfer/job.py",
        "empathy_transfer/training.py",
        "empathy_transfer/models/__init__.py",
        "empathy_transfer/models/base.py",
        "empathy_transfer/models/adapter.py",
        "empathy_transfer/models/common.py",
    }
    assert library.reached("plot") == {"part/plot.py", "empathy_transfer/__init__.py", "empathy_transfer/figures.py"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "part/train.py",
            FILES["part/train.py"].replace("'''Entry point.'''", "# A comment, and no docstring."),
        ),
        ("part/train.py", FILES["part/train.py"].replace("start()", "start( )  # now\n")),
        ("empathy_transfer/job.py", "def start():\n    '''Begin: other words.'''\n\n    return (\n        1\n    )\n"),
        ("empathy_transfer/job.py", "def start(): return 1\n"),
        ("empathy_transfer/models/base.py", "# about depth\n\nDEPTH = 0x2\n"),
    ],
    ids=["module docstring", "formatting", "function docstring", "no docstring", "comment"],
)
def test_comments_docstrings_and_formatting_do_not_count(library, path, text):
    before = library.fingerprint("train")
    library.write(path, text)
    assert library.fingerprint("train") == before


def test_c_files_beside_a_module_count_and_those_elsewhere_do_not(library):
    before = library.fingerprint("train")
    library.write("empathy_transfer/readers/kernels.c", "int one(void) { return 1; }\n")
    assert library.fingerprint("train") == before
    library.write("empathy_transfer/models/kernels.c", "int one(void) { return 1; }\n")
    one = library.fingerprint("train")
    library.write("empathy_transfer/models/kernels.c", "int one(void) { return 2; }\n")
    assert len({before, one, library.fingerprint("train")}) == 3


def test_the_template_of_a_module_counts_and_those_of_others_do_not(library):
    before = library.fingerprint("plot")
    library.write("empathy_transfer/job.j2", "<p>{{ text }}</p>\n")
    assert library.fingerprint("plot") == before
    library.write("empathy_transfer/figures.j2", "<p>{{ text }}</p>\n")
    paragraph = library.fingerprint("plot")
    library.write("empathy_transfer/figures.j2", "<b>{{ text }}</b>\n")
    assert len({before, paragraph, library.fingerprint("plot")}) == 3


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("part/train.py", FILES["part/train.py"].replace("fit()\n    ", "fit()\n            fit()\n    ")),
        ("empathy_transfer/__init__.py", "VERSION = 2\n"),
        ("empathy_transfer/job.py", "def start():\n    return 2\n"),
        ("empathy_transfer/job.py", "def start():\n    return 1.0\n"),
        ("empathy_transfer/models/base.py", "DEPTH = 3\n"),
        ("empathy_transfer/models/adapter.py", "from . import common\nSIZE = 8\n"),
        ("empathy_transfer/training.py", FILES["empathy_transfer/training.py"] + "        '''text'''.strip()\n"),
    ],
    ids=["entry point", "package", "constant", "type of a constant", "lazy package", "lazy module", "expression"],
)
def test_what_computes_counts(library, path, text):
    before = library.fingerprint("train")
    assert (library.scripts / path).is_file()
    library.write(path, text)
    assert library.fingerprint("train") != before


def test_a_module_that_moves_counts(library):
    before = library.fingerprint("plot")
    (library.scripts / "empathy_transfer/figures.py").unlink()
    library.write("empathy_transfer/figures/__init__.py", FILES["empathy_transfer/figures.py"])
    assert library.fingerprint("plot") != before


def test_modules_that_are_not_reached_do_not_count(library):
    before = library.fingerprint("train")
    library.write("empathy_transfer/figures.py", "def plot():\n    return 'red'\n")
    library.write("empathy_transfer/new.py", "X = 1\n")
    library.write("part/plot.py", "print(1)\n")
    assert library.fingerprint("train") == before


def test_a_reader_counts_only_where_it_is_named(library):
    news, mi = library.fingerprint("read", "readers.news"), library.fingerprint("read", "readers.mi")
    assert news != mi
    library.write("empathy_transfer/readers/news.py", "def read():\n    return 3\n")
    assert library.fingerprint("read", "readers.news") != news
    assert library.fingerprint("read", "readers.mi") == mi


def test_a_missing_entry_point_is_an_error(library):
    with pytest.raises(FileNotFoundError, match=r"no_such\.py"):
        library.fingerprint("no_such")


def test_a_copy_of_the_repository_has_the_same_fingerprints(library, tmp_path_factory):
    other = Library(tmp_path_factory.mktemp("copy"))
    assert library.fingerprint("train") == other.fingerprint("train")


# The repository's own entry points.


def reached_in_repository(script, *readers):
    names = load(ROOT)
    start = [
        *names["SCRIPTS"].glob(f"*/{script}.py"),
        *(names["SCRIPTS"] / f"empathy_transfer/data/readers/{r}.py" for r in readers),
    ]
    return {path.relative_to(names["SCRIPTS"]).as_posix() for path in names["reachable"](start)}


@pytest.mark.parametrize("script", ["train_baseline", "train_transfer"])
def test_training_reaches_all_that_it_computes_with(script):
    reached = reached_in_repository(script)
    computing = "training/train training/metrics data/batches records/encoders models/adapter_files models/reference"
    for module in f"{computing} records/artefacts frame/job".split():
        assert f"empathy_transfer/{module}.py" in reached
    reporting = "scores/improvement scores/tables scores/heat_maps report/html inspection/verify cli"
    for module in f"{reporting} data/prepare data/tasks data/readers/news".split():
        assert (ROOT / f"workflow/scripts/empathy_transfer/{module}.py").is_file()
        assert f"empathy_transfer/{module}.py" not in reached


def test_pages_depend_on_their_template_and_every_template_belongs_to_a_module():
    assert "empathy_transfer/report/html.j2" in reached_in_repository("tabulate_scores")
    assert "empathy_transfer/report/html.j2" not in reached_in_repository("collect_scores")
    templates = list((ROOT / "workflow/scripts").rglob("*.j2"))
    assert templates
    assert all(path.with_suffix(".py").is_file() for path in templates)


@pytest.mark.parametrize("script", [path.stem for path in ENTRY_POINTS])
def test_entry_points_reach_no_reader_by_themselves(script):
    # Each dataset's own reader is added by name; a change of one must not remake the others' data.
    readers = {path for path in reached_in_repository(script) if path.startswith("empathy_transfer/data/readers/")}
    assert readers <= {"empathy_transfer/data/readers/__init__.py", "empathy_transfer/data/readers/common.py"}


def test_readers_do_not_reach_each_other():
    alone = {path.stem for path in (ROOT / "workflow/scripts/empathy_transfer/data/readers").glob("*.py")}
    alone -= {"__init__", "common", "wassa"}  # what several of them share
    for reader in sorted(alone):
        others = {f"empathy_transfer/data/readers/{other}.py" for other in alone - {reader}}
        assert not others & reached_in_repository("prepare_task", reader), reader


def test_every_rule_with_a_script_takes_its_own_fingerprint():
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*/*.smk")))
    scripts = {path.stem for path in ENTRY_POINTS}
    for script in scripts - {"prepare_task"}:
        assert f'code=code_fingerprint("{script}"' in text, script
    assert 'code_fingerprint("prepare_task", f"data.readers.{' in text


def test_nothing_imports_at_run_time_what_the_fingerprint_cannot_see():
    # `import_module` hides a module from the fingerprint; `prepare.py` is the one place, and names its reader to it.
    library = ROOT / "workflow/scripts/empathy_transfer"
    hidden = {
        path.relative_to(library).as_posix()
        for path in library.rglob("*.py")
        if "import_module(" in path.read_text(encoding="utf-8") or "__import__(" in path.read_text(encoding="utf-8")
    }
    assert hidden == {"data/prepare.py"}
    assert Path(library / "data/prepare.py").read_text(encoding="utf-8").count("import_module(") == 1
