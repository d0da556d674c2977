"""Training tables without the rows that touch held-out data (job of rule remove_leaked_rows)."""

from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_csv, read_table, write_table


def remove_rows(train_path, touched_path, output_path):
    """Write a training table without the rows listed by the audit.

    Args:
        train_path: the prepared training table.
        touched_path: table of the rows to take out, with the column `id`.
        output_path: the table to write; the order of rows stays.

    Raises DataError if a listed row is not there, or if no row is left.
    """
    train = read_table(train_path)
    touched = set(read_csv(touched_path, dtype=str)["id"])
    if unknown := touched - set(train["id"]):
        raise DataError(f"{touched_path}: {len(unknown)} of its rows are not in {train_path}. Run the audit again.")
    kept = train[~train["id"].isin(touched)].reset_index(drop=True)
    if kept.empty:
        raise DataError(
            f"{train_path}: all {len(train)} training rows touch held-out rows of a task of the study, so that nothing "
            "is left. Set `leakage: strict: false`, count fewer kinds in `leakage: counted`, or choose the scheme "
            "`grouped` in `splits`."
        )
    write_table(output_path, kept)
    print(f"{len(touched):,} of {len(train):,} training rows taken out")
