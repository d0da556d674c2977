"""Code fingerprints: their rule files are plain Python, and are run here with a library of their own."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from study_copy import ENTRY_POINTS, ROOT

RULES = [ROOT / f"workflow/rules/plan/{name}.smk" for name in ("code_trees", "fingerprint")]
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
        from empathy_transfer.data import readers
        from empathy_transfer.frame.job import start
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
    "empathy_transfer/frame/job.py": "import empathy_transfer.figures\ndef start():\n    return 1\n",
    "empathy_transfer/data/__init__.py": "",
    "empathy_transfer/data/readers/__init__.py": "",
    "empathy_transfer/losses/__init__.py": "def loss_function():\n    pass\n",
    "empathy_transfer/losses/huber.py": "from empathy_transfer.losses import loss_function\nDELTA = 1\n",
    "empathy_transfer/losses/trimmed.py": "SHARE = 1\n",
    "empathy_transfer/data/readers/news.py": "def read():\n    return 1\n",
    "empathy_transfer/data/readers/mi.py": "def read():\n    return 2\n",
}


def load(basedir, cache=None):
    """The functions of fingerprint.smk for a workflow in this folder; nothing is remembered from earlier calls."""
    names = {"workflow": SimpleNamespace(basedir=str(basedir))}
    for path in RULES:
        exec(compile(path.read_text(encoding="utf-8"), path.name, "exec"), names)
    names["atexit"] = SimpleNamespace(register=lambda function: None)
    names["CACHE"] = cache or Path(basedir) / "no/cache.json"
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

    def fingerprint(self, *arguments, **chosen):
        return load(self.folder)["code_fingerprint"](*arguments, **chosen)

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


def planned_with(library, cache):
    """A plan with a cache: its fingerprint of `train`, and the files whose trees it reads."""
    names = load(library.folder, cache)
    plain, read = names["read_tree"], []
    names["read_tree"] = lambda content, path: read.append(path.name) or plain(content, path)
    found = names["code_fingerprint"]("train")
    names["keep_trees"]()
    return found, sorted(read)


def test_later_plans_read_the_trees_of_changed_files_only(library, tmp_path):
    cache = tmp_path / "cache/code.json"
    first, read = planned_with(library, cache)
    assert (first, len(read)) == (library.fingerprint("train"), 8)
    assert planned_with(library, cache) == (first, [])
    library.write("empathy_transfer/models/base.py", "DEPTH = 3\n")
    changed, read = planned_with(library, cache)
    assert (changed, read) == (library.fingerprint("train"), ["base.py"])
    assert changed != first
    # A file that was moved is another one: what its relative imports mean depends on its place.
    library.write("empathy_transfer/models/base.py", "from .depths.two import DEPTH\n")
    library.write("empathy_transfer/models/depths/two.py", FILES["empathy_transfer/models/adapter.py"])
    assert planned_with(library, cache) == (library.fingerprint("train"), ["base.py", "two.py"])


@pytest.mark.parametrize("damage", ["flipped", "cut off", "emptied", "other", "a folder"])
def test_a_damaged_cache_of_trees_is_read_as_none(library, tmp_path, damage):
    cache = tmp_path / "cache/code.json"
    expected, read = planned_with(library, cache)
    content = bytearray(cache.read_bytes())
    content[len(content) // 2] ^= 1
    cache.unlink()
    if damage == "a folder":
        cache.mkdir()
    else:
        damaged = {"flipped": content, "cut off": content[:-9], "emptied": b"", "other": b"[1]"}
        cache.write_bytes(damaged[damage])
    assert planned_with(library, cache) == (expected, read)


def test_c_files_beside_a_module_count_and_those_elsewhere_do_not(library):
    before = library.fingerprint("train")
    library.write("empathy_transfer/data/readers/kernels.c", "int one(void) { return 1; }\n")
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


def test_of_files_that_are_found_by_name_the_chosen_ones_count(library):
    news, mi, every = (library.fingerprint("read", **chosen) for chosen in ({"readers": "news"}, {"readers": "mi"}, {}))
    assert len({news, mi, every}) == 3
    library.write("empathy_transfer/data/readers/news.py", "def read():\n    return 3\n")
    assert library.fingerprint("read", readers="news") != news
    assert library.fingerprint("read", readers="mi") == mi
    assert library.fingerprint("read") != every


def test_whoever_imports_the_finder_of_a_folder_reaches_its_files_and_whoever_imports_one_of_them_does_not(library):
    library.write("part/read.py", "from empathy_transfer.losses import loss_function\n")
    assert {path for path in library.reached("read") if "losses/" in path} == {
        f"empathy_transfer/losses/{name}.py" for name in ("__init__", "huber", "trimmed")
    }
    library.write("part/read.py", "from empathy_transfer.losses import huber\n")
    assert "empathy_transfer/losses/trimmed.py" not in library.reached("read")


def test_what_carries_a_job_does_not_count_and_nothing_is_reached_through_it(library):
    before = library.fingerprint("read", readers="mi")
    assert not library.reached("read") & {"empathy_transfer/frame/job.py", "empathy_transfer/figures.py"}
    library.write("empathy_transfer/frame/job.py", "def start():\n    return 2\n")
    assert library.fingerprint("read", readers="mi") == before


def test_the_version_of_the_carriers_makes_everything_run_again(library):
    names = load(library.folder)
    names["CARRIER_VERSION"] += 1
    assert names["code_fingerprint"]("plot") != library.fingerprint("plot")


def test_a_missing_entry_point_is_an_error(library):
    with pytest.raises(FileNotFoundError, match=r"no_such\.py"):
        library.fingerprint("no_such")


def test_a_copy_of_the_repository_has_the_same_fingerprints(library, tmp_path_factory):
    other = Library(tmp_path_factory.mktemp("copy"))
    assert library.fingerprint("train") == other.fingerprint("train")


# The repository's own entry points.


def reached_in_repository(script, **chosen):
    names = load(ROOT)
    chosen = {name: (files,) if isinstance(files, str) else files for name, files in chosen.items()}
    found = names["reachable"](list(names["SCRIPTS"].glob(f"*/{script}.py")), chosen)
    return {path.relative_to(names["SCRIPTS"]).as_posix().removeprefix("empathy_transfer/") for path in found}


# A regression with a packed encoder and bottleneck adapters.
CHOSEN = {
    "kinds": "regression",
    "losses": "squared_error",
    "metrics": "pearson_r",
    "adaptations": "seq_bn",
    "engines": "packed",
}
COMPUTES = [
    "training/run",
    "training/loop",
    "training/optimizer",
    "training/evaluation",
    "training/recipes/transfer",
    "data/batches",
    "data/subsets",
    "models/compose",
    "models/packed_encoder",
    "models/attention",
    "models/heads",
    "models/adapter_files",
    "kinds/regression",
    "losses/squared_error",
    "metrics/pearson_r",
    "models/adaptations/seq_bn",
    "models/engines/packed",
    "statistics/values",
]
OTHERS = [
    "scores/run_scores",
    "scores/improvement",
    "scores/heat_maps",
    "data/prepare",
    "data/tasks",
    "cli",
    "inspection/verify",
    "frame/job",
    "frame/result_store",
    "records/artefacts",
    "records/provenance",
    "kinds/classification",
    "losses/huber",
    "metrics/mae",
    "models/adaptations/full",
    "models/engines/library",
    "models/exchange",
    "relabel/recipe",
    "data/readers/news",
]


@pytest.mark.parametrize("script", ["train_baseline", "train_transfer"])
def test_training_reaches_all_that_it_computes_with_and_nothing_that_carries_it(script):
    reached = reached_in_repository(script, **CHOSEN)
    assert {f"{module}.py" for module in COMPUTES} <= reached
    for module in OTHERS:
        assert (ROOT / f"workflow/scripts/empathy_transfer/{module}.py").is_file()
        assert f"{module}.py" not in reached


def test_c_kernels_count_only_where_they_can_run():
    assert "models/kernels/attention.c" in reached_in_repository("train_transfer", **CHOSEN)
    reference = reached_in_repository("train_transfer", **CHOSEN | {"engines": "library"})
    assert not [path for path in reference if path.endswith((".c", ".h"))]


# Carriers that name a library which computes: to import it early, and to write its tensors.
COMPUTING = {"numpy", "torch", "scipy", "sklearn", "pandas", "random", "math", "statistics", "cleanlab"}
NAMED = {"frame/warm_start.py": {"torch", "pandas"}, "records/artefacts.py": {"pandas"}}


def test_nothing_that_computes_is_left_out_of_the_fingerprint():
    """What draws, adds or trains imports a library for numbers; a carrier has no use for one."""
    names = load(ROOT)
    library = ROOT / "workflow/scripts/empathy_transfer"
    carriers = [path for path in library.rglob("*.py") if names["is_carrier"](path)]
    assert len(carriers) > 15
    for path in carriers:
        imported = {name.split(".")[0] for name in names["imported_names"](path)}
        computing = imported & {
            "numpy",
            "torch",
            "scipy",
            "sklearn",
            "pandas",
            "random",
            "math",
            "statistics",
            "cleanlab",
        }
        inner = path.relative_to(library).as_posix()
        if not inner.startswith("inspection/"):  # tables for people, of results that are there
            assert computing == NAMED.get(inner, set()), inner


def test_pages_depend_on_their_template_and_every_template_belongs_to_a_module():
    assert "report/html.j2" in reached_in_repository("tabulate_scores")
    assert "report/html.j2" not in reached_in_repository("collect_scores")
    templates = list((ROOT / "workflow/scripts").rglob("*.j2"))
    assert templates
    assert all(path.with_suffix(".py").is_file() for path in templates)


@pytest.mark.parametrize("script", [path.stem for path in ENTRY_POINTS])
def test_entry_points_reach_no_reader_by_themselves(script):
    # Each dataset's own reader is chosen by its rule; a change of one must not remake the others' data.
    readers = {path for path in reached_in_repository(script, readers=()) if path.startswith("data/readers/")}
    assert readers <= {"data/readers/__init__.py", "data/readers/common.py"}


def test_readers_do_not_reach_each_other():
    alone = {path.stem for path in (ROOT / "workflow/scripts/empathy_transfer/data/readers").glob("*.py")}
    alone -= {"__init__", "common", "epitome", "wassa"}  # what several of them share
    for reader in sorted(alone):
        others = {f"data/readers/{other}.py" for other in alone - {reader}}
        assert not others & reached_in_repository("prepare_task", readers=reader), reader


def test_every_rule_with_a_script_takes_its_own_fingerprint():
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*/*.smk")))
    for script in {path.stem for path in ENTRY_POINTS}:
        assert f'code_fingerprint("{script}"' in text or f'training_code("{script}"' in text, script


def test_nothing_imports_at_run_time_what_the_fingerprint_cannot_see():
    """`import_module` hides a module from the fingerprint: only the finders of the folders that it knows use it."""
    library = ROOT / "workflow/scripts/empathy_transfer"
    hidden = {
        path.relative_to(library).as_posix()
        for path in library.rglob("*.py")
        if "import_module(" in path.read_text(encoding="utf-8") or "__import__(" in path.read_text(encoding="utf-8")
    }
    finders = {f"{registry}/__init__.py" for registry in ("kinds", "losses", "metrics", "models/adaptations")}
    assert hidden == finders | {"data/prepare.py", "pairs/prepare.py", "models/compose.py"}
    for path in hidden:
        assert (library / path).read_text(encoding="utf-8").count("import_module(") == 1
