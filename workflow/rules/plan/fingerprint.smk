"""
Code fingerprints: what a rule's job computes with, as one hash, so that results never outlive the code they come from.

The hash covers the syntax trees of the entry point and of every module of the library that it reaches by imports, also
those inside functions, the template of the same name beside such a module, and C files in its folder. Comments, formatting
and docstrings of Python don't count. Files are read as text; nothing is imported.
"""

import ast
import functools
import hashlib
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
PACKAGE = "empathy_transfer"


@functools.cache
def code_fingerprint(script, *modules):
    """Return the fingerprint of an entry point, with modules that it imports by a computed name."""
    entry = next(SCRIPTS.glob(f"*/{script}.py"), SCRIPTS / f"{script}.py")
    found = reachable(
        [
            entry,
            *(SCRIPTS / PACKAGE / f"{module.replace('.', '/')}.py" for module in modules),
        ]
    )
    parts = [f"{path.relative_to(SCRIPTS).as_posix()}\0{tree_digest(path)}" for path in sorted(found)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def reachable(paths):
    """Return the files reached from these by imports inside the library, transitively."""
    found, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [*imported(path), *beside(path)] if path.suffix == ".py" else []
    return found


def beside(path):
    """Return the files that a module reads beside itself: `<its name>.j2`, and C files."""
    return [*path.parent.glob(f"{path.stem}.j2"), *path.parent.glob("*.[ch]")]


@functools.cache
def syntax_tree(path):
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def imported(path):
    """Return the library's files that a file imports anywhere in it, package files included."""
    names = set()
    package = path.relative_to(SCRIPTS).parent.parts
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            names |= {origin} | {f"{origin}.{alias.name}" for alias in node.names}
    return [file for name in names for file in module_files(name)]


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
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(canonical(without_docstrings(path)).encode()).hexdigest()


def without_docstrings(path):
    """Return a file's syntax tree with the docstrings of modules, classes and functions taken out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
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
