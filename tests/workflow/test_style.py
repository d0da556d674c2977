"""House rules that a machine can check: formatting, linting, sizes, and versions that agree."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from study_copy import COPIED, ENTRY_POINTS, ROOT

LIBRARY = ROOT / "workflow/scripts/empathy_transfer"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Where a machine's own folders would show. Not `/tmp`, which is a fair example on any.
OWN_FOLDERS = re.compile(r"(?<![\w.~/])/(work|root|home|Users|mnt)/\w")


def tool(*arguments):
    """Run a tool in the repository; its status and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    return done.returncode, done.stdout + done.stderr


def tracked():
    """The files of the repository: those that git knows or would take, or all of the kinds that are copied."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        paths = [ROOT / line for line in done.stdout.splitlines()]
    else:
        starts = [ROOT / name for name in [*COPIED, "tests", "README.md", "requirements.txt"]]
        paths = [path for start in starts for path in ([start] if start.is_file() else start.rglob("*"))]
        # Other processes compile modules meanwhile, to files with passing names.
        paths = [path for path in paths if "__pycache__" not in path.parts]
    return sorted(path for path in paths if path.is_file() and path.suffix not in (".png", ".parquet"))


def pins(lines):
    """{package: version} of lines such as `numpy==2.4.6`; anything else is an error."""
    found = {}
    for line in lines:
        line = line.split("#")[0].strip()
        if line:
            requirement = Requirement(line)
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"{line}: pin one version"
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} is pinned twice"
            found[name] = specifier.version
    return found


@pytest.fixture(scope="module")
def required():
    return pins((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("config", ["config/config.yaml", "config/demo.yaml"])
def test_snakemake_lint_is_clean(config, full_study):
    run = full_study.run("--lint", "--configfile", config)
    assert run.status == 0, run.text
    assert "Congratulations" in run.text


def test_snakefmt_is_clean():
    status, text = tool("snakefmt", "--check", "Snakefile", "workflow/rules")
    assert status == 0, text


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_is_clean(arguments):
    status, text = tool("ruff", *arguments, "--no-cache", "workflow", "tests")
    assert status == 0, text


@pytest.mark.parametrize("path", sorted((ROOT / "workflow/rules").glob("*/*.smk")), ids=lambda path: path.name)
def test_files_of_the_repository_are_marked_local(path):
    """Else a run with object storage would look for them in the bucket."""
    unmarked = re.findall(
        r'^\s+\w+=("resources/[^"]*\.\w+"|config\["ratings"\]),$', path.read_text("utf-8"), re.MULTILINE
    )
    assert unmarked == []


def test_environment_yml_says_the_versions_of_requirements_txt(required):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (nested,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    conda = pins(nested)
    assert {name: required.get(name) for name in conda} == conda
    direct = {canonicalize_name(Requirement(line).name) for line in all_dependencies()}
    assert direct == set(conda), "environment.yml lists what pyproject.toml names, and nothing else"


def all_dependencies():
    """Dependencies of pyproject.toml, those of its extras too."""
    return [*PROJECT["dependencies"], *(line for lines in PROJECT["optional-dependencies"].values() for line in lines)]


@pytest.mark.parametrize("line", all_dependencies())
def test_every_dependency_of_pyproject_is_pinned_within_its_bounds(line, required):
    requirement = Requirement(line)
    version = required.get(canonicalize_name(requirement.name))
    assert version is not None, f"{requirement.name} is missing in requirements.txt"
    assert requirement.specifier.contains(version), f"{line}, but requirements.txt has {version}"


def test_installed_versions_are_the_pinned_ones(required):
    different = {}
    for name, version in required.items():
        try:
            # A build of torch may add where it was built for: 2.13.0+cpu.
            installed = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            installed = None
        if installed != version:
            different[name] = f"installed {installed}, pinned {version}"
    assert different == {}


def test_everything_that_the_dependencies_need_is_pinned(required):
    missing = set()
    for name in required:
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                missing |= {canonicalize_name(requirement.name)} - set(required)
    # Tools that come with an environment, and what the CUDA build of torch brings itself.
    brought = {
        name for name in missing if name in ("pip", "setuptools", "wheel") or name.startswith(("nvidia-", "cuda-"))
    }
    assert missing - brought - {"triton"} == set()


def test_no_file_names_a_folder_of_one_machine():
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.name != "test_style.py":
            lines = [number for number, line in enumerate(text.splitlines(), 1) if OWN_FOLDERS.search(line)]
            found += [f"{path.relative_to(ROOT)}:{number}" for number in lines]
    assert found == []


CEILINGS = [
    (60, [ROOT / "Snakefile"]),
    (150, sorted((ROOT / "workflow/rules").glob("*/*.smk"))),
    (25, ENTRY_POINTS),
    (300, sorted([*LIBRARY.rglob("*.py"), *(ROOT / "workflow/scripts/snakemake_logger_plugin_empathy").glob("*.py")])),
]


@pytest.mark.parametrize(
    ("path", "ceiling"),
    [(path, ceiling) for ceiling, paths in CEILINGS for path in paths],
    ids=lambda value: value.relative_to(ROOT).as_posix() if hasattr(value, "name") else str(value),
)
def test_no_file_is_longer_than_its_ceiling(path, ceiling):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= ceiling, f"{len(lines)} lines: split it, or take something out"


# What each reader, program, page, table or figure has.
PARTS = {"read", "main", "render", "as_page", "as_html", "as_tex", "legend", "cell_label", "plotted_numbers"}


def test_public_names_of_the_library_have_one_meaning():
    places = {}
    # Of files that are found by name, all in a folder have the same names.
    alike = {LIBRARY / folder for folder in ("kinds", "losses", "metrics", "models/adaptations", "models/engines")}
    for path in [path for path in LIBRARY.rglob("*.py") if path.parent not in alike]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(LIBRARY).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1 and name not in PARTS} == {}


def test_every_script_belongs_to_a_rule_and_rules_have_their_scripts():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*/*.smk"))
    asked = set(re.findall(r'"\.\./\.\./scripts/(\w+/\w+)\.py"', text))
    assert asked == {f"{path.parent.name}/{path.stem}" for path in ENTRY_POINTS}


def test_no_module_writes_html_itself():
    """Templates do, which escape what they are given."""
    tag = re.compile(r"</?(table|thead|tbody|tr|th|td|caption|p|b|u|sup|body|html)\b[^<]*>")
    library = [path for path in LIBRARY.rglob("*.py") if tag.search(path.read_text(encoding="utf-8"))]
    assert [path.name for path in library] == []


def test_rule_files_import_nothing_of_the_library():
    for path in (ROOT / "workflow/rules").glob("*/*.smk"):
        assert not re.search(r"^\s*(from|import) empathy_transfer", path.read_text(encoding="utf-8"), re.MULTILINE), (
            path
        )
