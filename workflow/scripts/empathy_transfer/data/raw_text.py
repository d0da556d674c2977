"""The text of raw files: decoded, and cut into the fields of a CSV or TSV file, where nothing is guessed."""

import csv
import io
from pathlib import Path

from empathy_transfer.data.texts import is_broken
from empathy_transfer.errors import DataError, shown_names

AGAIN = "Fetch the file again; if it is right, check that the dataset's `reader` fits it."
TEXT_FILES = (".csv", ".tsv", ".jsonl", ".ndjson")
# Posts are long, and the default limit of 131,072 characters is a property of the process, not of a file.
_FIELD_LIMIT = 1 << 27
_SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "vertical bars"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_lines(path):
    """Return the lines of a text file with their ends, in UTF-8; bytes that are not become surrogates.

    `refuse_undecoded` finds these, where the caller knows the row. Raises DataError for an empty file or UTF-16.
    """
    data = path.read_bytes()
    if data.startswith(_UTF_16):
        raise DataError(f"{path.name}: the file is in UTF-16. Save it as UTF-8.")
    # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
    lines = list(io.StringIO(data.decode("utf-8-sig", errors="surrogateescape"), newline=""))
    if not any(line.strip("\r\n") for line in lines):
        raise DataError(f"{path.name}: the file is empty. {AGAIN}")
    return lines


def refuse_undecoded(text, place):
    """Raise DataError if a text holds bytes that are not UTF-8."""
    if is_broken(text):
        byte = next(ord(character) - 0xDC00 for character in text if is_broken(character))
        raise DataError(
            f"{place}: not UTF-8 (byte 0x{byte:02X}). If the file is in another encoding, such as Latin-1 or "
            f"Windows-1252, save it as UTF-8; else it may be cut off or damaged. {AGAIN}"
        )


def read_rows(path, delimiter=None, quote=None, first=0):
    """Read all rows of a delimited file, each as long as the first; lines without a character don't count.

    Args:
        path: the file. delimiter: tab for `.tsv` and comma otherwise, if not given.
        quote: `double`: fields may stand in double quotation marks, which are doubled inside, and span lines. `none`:
            quotation marks are characters like others, and a line is a row. None: as `double`, but a field that spans
            lines, each of which would be a row by itself, is refused: it may begin with a stray mark.
        first: the number of the first row in messages: 0 for a header.

    Raises:
        DataError: names the row.
    """
    delimiter = delimiter or ("\t" if path.suffix.lower() == ".tsv" else ",")
    lines = read_lines(path)
    rows, before = [], csv.field_size_limit(_FIELD_LIMIT)
    # Strict, so that a file that ends inside a quoted field is an error and not a very long last field.
    quoting = csv.QUOTE_NONE if quote == "none" else csv.QUOTE_MINIMAL
    reader, line = csv.reader(lines, delimiter=delimiter, strict=True, quoting=quoting), 0
    try:
        for row in reader:
            if row:
                place = _place(path, first + len(rows))
                refuse_undecoded("".join(row), place)
                rows.append(row)
                _refuse_other_width(rows, place, delimiter)
                if quote is None:
                    _refuse_swallowed_rows(lines[line : reader.line_num], len(row), delimiter, place)
            line = reader.line_num
    except csv.Error as error:
        place = _place(path, first + len(rows))
        refuse_undecoded(lines[min(reader.line_num, len(lines)) - 1], place)
        raise DataError(
            f"{place}: not a readable table ({error}); it may be cut off or damaged. {AGAIN} If quotation marks are "
            "characters of the texts and a line is a row, the description of the data can say `quote: none`."
        ) from None
    finally:
        csv.field_size_limit(before)
    return rows


def other_separator(names):
    """Return a hint if the only name of a header shows that fields are parted otherwise than by commas or tabs."""
    found = [words for mark, words in _SEPARATORS.items() if len(names) == 1 and mark in names[0]]
    return f" The fields seem to be parted by {found[0]}: save it with commas, or as .tsv with tabs." if found else ""


def _place(path, number):
    """File and row, where the header is row 0."""
    return f"{path.name}, row {number}" if number else f"{path.name}, first line"


def _refuse_other_width(rows, place, delimiter):
    """Raise DataError unless the last row is as long as the first."""
    if len(rows[-1]) != len(rows[0]):
        hint = other_separator(rows[0]) or f" The file may be cut off or damaged. {AGAIN}"
        raise DataError(f"{place}: {len(rows[-1])} fields where the first line has {len(rows[0])}.{hint}")


def _refuse_swallowed_rows(lines, width, delimiter, place):
    """Raise DataError if each of the lines of one row could be a row itself."""
    written = [line for line in lines if line.strip("\r\n")]
    if len(written) > 1 and all(line.count(delimiter) == width - 1 for line in written):
        raise DataError(
            f"{place}: a field in quotation marks spans {len(lines)} lines, each of which could be a row by itself. "
            "Say in the description of the data whether quotation marks are characters of the texts and a line is a "
            "row (`quote: none`), or the field is right as it is (`quote: double`)."
        )


def count_lines(paths):
    """Return the number of lines in text files, headers included; None if one of them is no text file."""
    paths = [Path(path) for path in paths]
    if not all(path.suffix.lower() in TEXT_FILES for path in paths):
        return None
    return sum(len(path.read_bytes().splitlines()) for path in paths)


def refuse_names(names, taken, path):
    """Raise DataError if a name of a column stands there twice, or is one of those `taken`."""
    if repeated := [name for name in names if names.count(name) > 1]:
        raise DataError(f"{path.name}: column {shown_names(repeated[:1])} stands there more than once. {AGAIN}")
    if used := [name for name in names if name in taken]:
        raise DataError(f"{path.name}: a column can't be called {used[0]!r}. Rename it in the file.")
