"""Write and read every artefact of the study: Parquet, safetensors, CSV, JSON, text and figures.

Writes are whole or not there, and the same content gives the same bytes (the workflow compares inputs by content).
Reads check the file against the provenance of the job that made it before anything is parsed; with `verify=False`
they also take a foreign file, or one that the running job has just written. Damage is an `ArtefactError`.
"""

import io
import json
import struct
from pathlib import Path

from empathy_transfer.records.files import write_bytes, write_text
from empathy_transfer.records.provenance import ArtefactError, damaged, read_verified

# Text such as "NA" or "null" is text; only an empty field is a missing value.
CSV_DEFAULTS = {"keep_default_na": False, "na_values": [""], "encoding": "utf-8"}


def read_bytes(path, verify=True):
    """Read a file's bytes, checked against its provenance unless `verify` is false.

    Raises:
        ArtefactError: the file or its provenance is missing or damaged; names the command that makes it anew.
    """
    return _read(path, verify)[0]


def write_json(path, obj):
    """Write plain values (dicts, lists, text, numbers, None; NumPy numbers too) as JSON; dicts keep their order.

    Raises:
        ValueError: a number is not finite (write None for an undefined value) or a value is not plain.
    """
    try:
        text = json.dumps(obj, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: this can't be written as JSON: {error}") from error
    write_text(path, text + "\n")


def read_json(path, verify=True):
    """Read a JSON file."""
    data = read_bytes(path, verify)
    try:
        return json.loads(data)
    except ValueError as error:
        raise _unreadable(path, "JSON", error, verify) from error


def write_json_lines(path, rows):
    """Write a list of dicts of plain values as JSON Lines."""
    write_text(
        path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False, default=_plain) + "\n" for row in rows)
    )


def write_csv(path, frame):
    """Write a pandas frame as CSV, without its index; numbers in full precision, missing values as empty fields."""
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))


def read_csv(path, verify=True, **options):
    """Read a CSV file into a pandas frame; only empty fields are missing values. Options go to `pandas.read_csv`."""
    import pandas

    data = read_bytes(path, verify)
    try:
        return pandas.read_csv(io.BytesIO(data), **(CSV_DEFAULTS | options))
    except ValueError as error:
        raise _unreadable(path, "CSV", error, verify) from error


def write_table(path, frame):
    """Write a pandas frame (without its index) or a pyarrow table as Parquet: zstd, with page checksums.

    Text becomes `string`, also in a column without a single value, so that all splits of a task have one schema.
    """
    import pyarrow
    import pyarrow.parquet

    table = frame if isinstance(frame, pyarrow.Table) else pyarrow.Table.from_pandas(frame, preserve_index=False)
    # Without the metadata, which names the versions of pandas and pyarrow, bytes depend on the content alone.
    schema = pyarrow.schema([(field.name, _plain_type(field.type)) for field in table.schema])
    sink = io.BytesIO()
    pyarrow.parquet.write_table(
        table.replace_schema_metadata(None).cast(schema), sink, compression="zstd", write_page_checksum=True
    )
    write_bytes(path, sink.getvalue())


def read_table(path, columns=None, verify=True):
    """Read a Parquet file into a pandas frame, page checksums verified; list columns hold Python lists.

    Args:
        path: the file.
        columns: names of the columns to read; all when None.
        verify: whether to check the file against its provenance.

    Raises:
        KeyError: a column is not there; names those that are.
    """
    import pandas
    import pyarrow
    import pyarrow.parquet

    data = read_bytes(path, verify)
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data), page_checksum_verification=True)
        names = file.schema_arrow.names
        if absent := [name for name in columns or [] if name not in names]:
            raise KeyError(f"{path} has no column {', '.join(absent)}; it has {', '.join(names)}")
        table = file.read(columns=columns).select(columns or names)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, "Parquet", error, verify) from error
    frame = table.to_pandas()
    for field in table.schema:
        if pyarrow.types.is_list(field.type):
            frame[field.name] = pandas.Series(table.column(field.name).to_pylist(), dtype=object)
    return frame


def write_tensors(path, tensors, metadata=None):
    """Write named tensors (any device) as safetensors; metadata (plain values) travels as one JSON string."""
    import safetensors.torch

    # Clones, because safetensors refuses tensors that share memory.
    plain = {name: tensors[name].detach().to("cpu", copy=True).contiguous() for name in sorted(tensors)}
    text = json.dumps(metadata or {}, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain)
    write_bytes(path, safetensors.torch.save(plain, metadata={"metadata": text}))


def read_tensors(path, verify=True):
    """Read a safetensors file, and no other format: returns the tensors (on the CPU, by name) and the metadata.

    Raises:
        ArtefactError: it is damaged, or says of itself that it belongs to another task or seed than its job did.
    """
    import safetensors
    import safetensors.torch

    data, record = _read(path, verify)
    try:
        tensors = safetensors.torch.load(data)
        length = struct.unpack("<Q", data[:8])[0]
        metadata = json.loads(json.loads(data[8 : 8 + length]).get("__metadata__", {}).get("metadata", "{}"))
    except (safetensors.SafetensorError, ValueError, struct.error) as error:
        raise _unreadable(path, "safetensors", error, verify) from error
    for key, expected in _keys_of(record).items():
        if str(metadata.get(key, expected)) != expected:
            raise damaged(path, f"it says that its {key} is {metadata[key]!r}, but its job made {expected!r}")
    return {name: tensors[name] for name in sorted(tensors)}, metadata


def write_figure(paths, figure, dpi=200):
    """Write a matplotlib figure to each path, in the format of its suffix (png, svg or pdf), without dates.

    Args:
        paths: one path or several.
        figure: the figure; it stays open.
        dpi: resolution of bitmaps, in dots per inch.
    """
    import matplotlib

    timeless = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
    for path in [paths] if isinstance(paths, str | Path) else paths:
        form = Path(path).suffix.removeprefix(".")
        sink = io.BytesIO()
        # The salt makes the ids inside an SVG file the same on every run.
        with matplotlib.rc_context({"svg.hashsalt": "empathy-transfer"}):
            figure.savefig(sink, format=form, dpi=dpi, bbox_inches="tight", metadata=timeless.get(form))
        write_bytes(path, sink.getvalue())


def _read(path, verify):
    """Read a file's bytes; with them the record of its job, which is empty for a file that isn't to be verified."""
    if verify:
        return read_verified(path)
    try:
        return Path(path).read_bytes(), {}
    except OSError as error:
        raise ArtefactError(f"{path}: the file can't be read ({error.strerror})") from error


def _keys_of(record):
    """What the files of a job tell of themselves, by the job's wildcards: `task` (what was trained) and `seed`."""
    wildcards = record.get("wildcards", {})
    task = next((wildcards[name] for name in ("target", "task", "control") if name in wildcards), None)
    return {key: value for key, value in {"task": task, "seed": wildcards.get("seed")}.items() if value is not None}


def _plain(value):
    """NumPy and torch values as plain Python ones, for JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} is not a plain value")


def _plain_type(kind):
    """The Arrow type to store: `string` for any text and for a column of nulls, lists alike; others unchanged."""
    import pyarrow

    if pyarrow.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pyarrow.types.is_large_string(kind) or pyarrow.types.is_string_view(kind) or pyarrow.types.is_null(kind):
        return pyarrow.string()
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return pyarrow.list_(_plain_type(kind.value_type))
    return kind


def _unreadable(path, form, error, verify):
    """The error for bytes that are not of the expected format."""
    reason = f"this is not a readable {form} file ({str(error).splitlines()[0]})"
    return damaged(path, reason) if verify else ArtefactError(f"{path}: {reason}")
