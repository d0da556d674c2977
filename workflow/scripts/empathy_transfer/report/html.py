"""Pages of tables as HTML that needs nothing else; their template escapes every text."""

from typing import NamedTuple

from empathy_transfer.report.templates import render


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
    return render(__file__, escape=True, title=title, tables=tables, nothing=nothing)
