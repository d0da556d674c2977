"""Tables in Markdown."""


def markdown_table(heads, rows, aligned=False):
    """Lines of a Markdown table.

    Args:
        heads: titles of the columns.
        rows: cells, as text in which `|` and line breaks are escaped already.
        aligned: whether columns line up, for a page that is also read on a terminal.
    """
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[place]) for line in [heads, *rows]) if aligned else 0 for place in range(len(heads))]
    rule = ["-" * width or "---" for width in widths]
    lines = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in (heads, rule, *rows)]
    return [f"| {' | '.join(line)} |" for line in lines]
