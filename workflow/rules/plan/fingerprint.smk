"""
Code fingerprints: what a rule's job computes with, as one hash, so that results never outlive the code they come from.

The hash covers the syntax trees of the entry point and of every module of the library that it reaches by imports, also
those inside functions, the template of the same name beside such a module, and C files in its folder. Comments, formatting
and docstrings of Python don't count. Files are read as text (`code_trees.smk`); nothing is imported.

Two things are told apart from that. What carries a job and computes nothing (`CARRIERS`) does not count. And of the
folders whose files are found by name (`REGISTRIES`), only those count that a rule says its job uses; without a word all.
"""

import functools
import hashlib

PACKAGE = "empathy_transfer"
# The frame of jobs, stores, exporters, readers and writers of files: an edit there makes no result another one. For the
# rare edit that does, raise CARRIER_VERSION, and everything runs again.
CARRIERS = ("errors.py", "frame", "inspection", "records/artefacts.py", "records/files.py", "records/provenance.py")
CARRIER_VERSION = 1
# Folders of files that are found by name, below the package.
REGISTRIES = ("kinds", "losses", "metrics", "models/adaptations", "models/engines", "data/readers")


@functools.cache
def code_fingerprint(script, **chosen):
    """Return the fingerprint of an entry point.

    Args:
        script: its name. chosen: the names of the files that it uses of a registry, such as `kinds="regression"`; a text,
            or a tuple of several.
    """
    entry = next(SCRIPTS.glob(f"*/{script}.py"), SCRIPTS / f"{script}.py")
    found = reachable([entry], {name: (names,) if isinstance(names, str) else names for name, names in chosen.items()})
    parts = [f"{path.relative_to(SCRIPTS).as_posix()}\0{tree_digest(path)}" for path in sorted(found)]
    return hashlib.sha256("\n".join([str(CARRIER_VERSION), *parts]).encode()).hexdigest()[:16]


def reachable(paths, chosen={}):
    """Return the files reached from these by imports inside the library, transitively, but for the carriers."""
    found, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in found and not is_carrier(path):
            found.add(path)
            if path.suffix == ".py":
                waiting += [*imported(path), *beside(path)]
                waiting += [file for name in used_registries(path) for file in members(name, chosen)]
    return found


@functools.cache
def beside(path):
    """Return the files that a module reads beside itself: `<its name>.j2`, and C files."""
    return [*path.parent.glob(f"{path.stem}.j2"), *path.parent.glob("*.[ch]")]


@functools.cache
def is_carrier(path):
    """Whether a file carries jobs and computes nothing."""
    inner = path.relative_to(SCRIPTS).as_posix().removeprefix(f"{PACKAGE}/")
    return any(inner == carrier or inner.startswith(f"{carrier}/") for carrier in CARRIERS)


def members(registry, chosen):
    """Return the chosen files of a registry; all of them where none is chosen."""
    folder = SCRIPTS / PACKAGE / registry
    names = chosen.get(registry.rpartition("/")[2])
    return folder.glob("*.py") if names is None else [folder / f"{name}.py" for name in names]


@functools.cache
def used_registries(path):
    """Return the registries that a file outside of them imports, or of which it imports what is no file of theirs."""
    used = set()
    for registry in REGISTRIES:
        folder = SCRIPTS / PACKAGE / registry
        if folder not in path.parents:
            dotted = ".".join([PACKAGE, *registry.split("/")])
            inside = [name.split(".") for name in imported_names(path) if name.startswith(f"{dotted}.")]
            files = [name for name in inside if (folder / f"{name[dotted.count('.') + 1]}.py").is_file()]
            if len(files) < len(inside) or (dotted in imported_names(path) and not inside):
                used.add(registry)
    return used


@functools.cache
def imported(path):
    """Return the library's files that a file imports anywhere in it, package files included."""
    return [file for name in imported_names(path) for file in module_files(name)]


def imported_names(path):
    """Return all dotted names that a file imports; of `from a import b` both `a` and `a.b`."""
    return tree_facts(path)["imports"]


def module_files(name):
    """Return the files that importing a dotted name runs, if it lies in the library: packages first, then the module."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return []
    files = [SCRIPTS.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    files.append(SCRIPTS.joinpath(*parts[:-1], f"{parts[-1]}.py"))
    return [file for file in files if file.is_file()]


@functools.cache
def tree_digest(path):
    """Return a hash of a file's syntax tree without docstrings, or of the text of one that is not Python's."""
    if path.suffix == ".py":
        return tree_facts(path)["digest"]
    return hashlib.sha256(path.read_bytes()).hexdigest()
