"""The library's folders are layers: imports point down, to a folder that comes earlier in this list, or stay inside."""

import ast

import pytest

from study_copy import ROOT

LIBRARY = ROOT / "workflow/scripts/empathy_transfer"
LAYERS = [
    "errors",
    "records",
    "statistics",
    "agreement",
    "metrics",
    "losses",
    "kinds",
    "data",
    "models",
    "training",
    "report",
    "leakage",
    "pairs",
    "scores",
    "significance",
    "ratings",
    "features",
    "importance",
    "reliability",
    "controls",
    "labelling",
    "relabel",
    "similarity",
    "claims",
    "validation",
    "frame",
    "inspection",
    "cli",
    "__main__",
]
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path != LIBRARY / "__init__.py")


def layer(parts):
    """The layer of a path or a dotted name below the package."""
    return parts[0].removesuffix(".py")


def imported_layers(path):
    """The folders of the library that a module imports from, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if name.startswith("empathy_transfer."):
                yield layer(name.split(".")[1:])


def test_every_folder_has_its_place():
    assert {layer(path.relative_to(LIBRARY).parts) for path in MODULES} == set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_point_down(path):
    own = layer(path.relative_to(LIBRARY).parts)
    above = {name for name in imported_layers(path) if LAYERS.index(name) > LAYERS.index(own)}
    assert not above, f"{own} may not import from {', '.join(sorted(above))}"
