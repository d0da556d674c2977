"""Tables in Markdown, and text that is safe in them."""

import re


def markdown_table(heads, rows, aligned=False):
    """Lines of a Markdown table.

    Args:
        heads: titles of the columns.
        rows: cells, as text that can't break the table (``plain_text``).
        aligned: whether columns line up, for a page that is also read on a terminal.
    """
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[place]) for line in [heads, *rows]) if aligned else 0 for place in range(len(heads))]
    rule = ["-" * width or "---" for width in widths]
    lines = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in (heads, rule, *rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def plain_text(value):
    """Text from a file, in which nothing is read as Markdown or HTML; a dash where it is missing."""
    if value is None or value != value:
        return "–"
    text = " ".join(str(value).split())
    text = re.sub(r"([\\`*\[\]|])", r"\\\1", text)
    # An underscore within a word is never read as emphasis.
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
