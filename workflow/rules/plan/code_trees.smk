"""
Syntax trees of the workflow's Python files: what they import, and their digests. Plain Python, so that tests can run it.

Reading some 280 of them takes a third of the time of a plan. So what was read of a file stands in the user's cache, under
the digest of its content, and later plans read the trees of changed files only.
"""

import ast
import atexit
import functools
import hashlib
import json
import os
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "empathy-transfer" / "code.json"
# What a digest in the cache also depends on: how trees are read. To be raised with any change of `read_tree`.
READER_VERSION = f"1 {sys.version_info.major}.{sys.version_info.minor}"
USED = {}


@functools.cache
def known_trees():
    """What earlier plans have read, {key of a file: its facts as of `read_tree`}; empty without a sound cache."""
    atexit.register(keep_trees)
    try:
        digest, _, text = CACHE.read_text(encoding="utf-8").partition("\n")
        return json.loads(text) if digest == hashlib.sha256(text.encode()).hexdigest() else {}
    except (OSError, ValueError):
        return {}


def keep_trees():
    """Keep what this plan has read, and nothing else, for later ones; a folder that can't be written keeps nothing."""
    if USED.keys() == known_trees().keys():
        return
    fresh = CACHE.with_name(f".code-{os.getpid()}.json")
    try:
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(USED)
        fresh.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
        fresh.replace(CACHE)
    except OSError:
        pass


@functools.cache
def tree_facts(path):
    """Return what counts of a file of Python: `{"imports": dotted names, "digest": ...}`."""
    content, inner = path.read_bytes(), path.relative_to(SCRIPTS).as_posix()
    key = f"{READER_VERSION} {inner} {hashlib.sha256(content).hexdigest()}"
    USED[key] = known_trees().get(key) or read_tree(content, path)
    return USED[key]


def read_tree(content, path):
    """Return all dotted names that a file imports, and a hash of its syntax tree without docstrings."""
    tree = ast.parse(content, filename=str(path))
    names = imports_of(tree, path.relative_to(SCRIPTS).parent.parts)
    digest = hashlib.sha256(canonical(without_docstrings(tree)).encode()).hexdigest()
    return {"imports": sorted(names), "digest": digest}


def imports_of(tree, package):
    """Return the dotted names that a module of a package (its parts) imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            names |= {origin} | {f"{origin}.{alias.name}" for alias in node.names}
    return names


def without_docstrings(tree):
    """Take the docstrings of modules, classes and functions out of a syntax tree, and return it."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return tree


def canonical(node):
    """Write a tree as text. Empty fields are left out: Python versions differ in which of them there are."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return f"{type(node).__name__}({','.join(f'{name}={canonical(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(canonical, node))}]"
    return repr(node)
