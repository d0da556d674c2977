"""Pages of tables as HTML that needs nothing else; their template escapes every text."""

from pathlib import Path
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell: its text, its class in the page's style sheet, and how the text is set."""

    text: str
    style: str = ""
    bold: bool = False
    underlined: bool = False
    mark: str = ""  # set high behind the text


class Row(NamedTuple):
    """A row: its cells, perhaps with one before them that heads it. A head alone heads the rows below it."""

    cells: list
    head: Cell | None = None
    style: str = ""


class Table(NamedTuple):
    """A table: its caption and notes are texts, its heads cells."""

    caption: str
    heads: list
    rows: list
    notes: list


def page(title, tables, nothing=""):
    """A page of tables; ``nothing`` is what it says without any."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string(Path(__file__).with_suffix(".j2").read_text(encoding="utf-8"))
    return template.render(title=title, tables=tables, nothing=nothing)
