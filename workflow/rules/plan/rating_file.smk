"""
The file of construct ratings: checked before the first job, so that no rater and no task is one by a slip of the pen.
"""

import csv
import io
import unicodedata

RATING_COLUMNS = ["task", "aspect", "annotator", "score"]
ASPECTS = ["definition", "link", "conduciveness"]
# From this similarity on, a task that nobody knows may be a known one with a slip.
MISSPELT = 0.85


def check_ratings(path, known):
    """Check the table of construct ratings, row by row; return the tasks in it that are not known.

    A rating has an aspect, a score from 1 to 5, and a task and an annotator that differ from all others in more than
    case or white space; none stands there twice.
    """
    spellings, seen = {}, {}
    for line, row in rating_rows(path):
        place = f"{path}, line {line}"
        for column in ("task", "aspect", "annotator"):
            check_name(row[column], column, place, spellings)
        if row["aspect"] not in ASPECTS:
            raise WorkflowError(f"{place}: aspect '{row['aspect']}' is none of {', '.join(ASPECTS)}")
        if not (score := row["score"].strip()):
            raise WorkflowError(f"{place}: the score is empty. A rating that is missing has no row: take the row out.")
        if not is_number(score) or not 1 <= float(score) <= 5:
            raise WorkflowError(f"{place}: score '{score}' is not a number from 1 to 5")
        if (rating := (row["task"], row["aspect"], row["annotator"])) in seen:
            raise WorkflowError(f"{place}: {' '.join(rating)} is rated twice. Take one row out.")
        seen[rating] = place
    unknown = {rating: place for rating, place in seen.items() if rating[0] not in known}
    for (task, *rest), place in unknown.items():
        # A known task that has the same rating under its own name is another one.
        unrated = [other for other in known if (other, *rest) not in seen]
        if hint := suggestion(task, unrated, MISSPELT):
            raise WorkflowError(f"{place}: task '{task}' is in no file of {config['datasets']}{hint}")
    return list(dict.fromkeys(task for task, *_ in unknown))


def rating_rows(path):
    """Yield (line, {column: text}) of each row of a table of ratings."""
    rows = csv.reader(io.StringIO(read_utf8(path), newline=""), strict=True)
    try:
        header = next(rows, [])
        if header != RATING_COLUMNS:
            hint = " Separate the fields by commas." if len(header) == 1 else ""
            raise WorkflowError(f"{path}: the first line must be {','.join(RATING_COLUMNS)}.{hint}")
        for row in rows:
            if row and len(row) != len(RATING_COLUMNS):
                comma = len(row) == 5 and row[3].isdecimal() and row[4].isdecimal()
                hint = f"Write {row[3]}.{row[4]}, with a decimal point" if comma else "Fields are separated by commas"
                raise WorkflowError(f"{path}, line {rows.line_num}: {len(row)} fields, not four. {hint}.")
            if row:
                yield rows.line_num, dict(zip(RATING_COLUMNS, row))
    except csv.Error as error:
        raise WorkflowError(f"{path}, line {rows.line_num}: not readable as CSV ({error}).") from None


def check_name(name, column, place, spellings):
    """Check a name of a table: it shows something, and is spelt as in earlier rows (`spellings`, {key: name})."""
    key = unicodedata.normalize("NFKC", "".join(filter(str.isprintable, name))).casefold().replace(" ", "")
    if not key:
        raise WorkflowError(f"{place}: the {column} is empty. Fill it in, or take the row out.")
    if name != name.strip() or not name.isprintable():
        raise WorkflowError(f"{place}: {column} {name!r} has white space or an invisible character too many.")
    if (other := spellings.setdefault((column, key), name)) != name:
        raise WorkflowError(f"{place}: {column} '{name}' is written '{other}' in an earlier row. Write both alike.")
