"""Text and tables in LaTeX."""

SPECIAL = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\n": " ",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "\\": "\\textbackslash{}",
    "†": "\\dag{}",
    "‡": "\\ddag{}",
    "§": "\\S{}",
}


def tex_text(text):
    """Text with the characters that LaTeX reads as commands escaped."""
    return "".join(SPECIAL.get(character, character) for character in text)


def tex_table(table, packages, turned=False, long=False):
    """A `html.Table` in LaTeX, its notes below; the document needs these packages.

    Rows that the page sets apart by a style have a line above. Heads but the first may be ``turned``; a ``long`` table
    goes over pages, and has no caption.
    """
    heads, notes = [tex_text(head.text) for head in table.heads], [tex_text(note) for note in table.notes]
    columns = "".join("l" if head.style or not place else "r" for place, head in enumerate(table.heads))
    environment = "longtable" if long else "tabular"
    if turned:
        heads[1:] = [f"\\rotatebox{{60}}{{{head}}}" for head in heads[1:]]
    lines = [f"\\begin{{{environment}}}{{{columns}}}", "\\toprule", f"{' & '.join(heads)} \\\\", "\\midrule"]
    lines += ["\\endhead"] if long else []
    for place, row in enumerate(table.rows):
        lines += ["\\midrule"] if row.style and place else []
        cells = [_tex_cell(cell) for cell in ([row.head] if row.head else []) + row.cells]
        alone = f"\\multicolumn{{{len(heads)}}}{{l}}{{\\emph{{{cells[0]}}}}}"
        lines.append(f"{' & '.join(cells) if row.cells else alone} \\\\")
    lines += ["\\bottomrule", f"\\end{{{environment}}}"]
    if long:
        lines += [f"{{\\footnotesize {note}\\par}}" for note in notes]
    else:
        start = ["\\begin{table}", "\\centering\\small", f"\\caption{{{tex_text(table.caption)}}}"]
        lines = [*start, *lines, *(f"\\par\\footnotesize {note}" for note in notes), "\\end{table}"]
    return "\n".join([f"% needs \\usepackage{{{packages}}}", *lines, ""])


def _tex_cell(cell):
    """A cell of a page as LaTeX."""
    text = tex_text(cell.text)
    if "blank" in cell.style:
        return f"\\tiny {text}"
    text = f"\\textbf{{{text}}}" if cell.bold else text
    text = f"\\underline{{{text}}}" if cell.underlined else text
    return f"{text}\\textsuperscript{{{tex_text(cell.mark)}}}" if cell.mark else text
