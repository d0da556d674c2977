"""One module per raw layout; each has `read(files, form, task)`.

`files` gives the path of each file named in the dataset's description, `form` is the layout that was found (reader,
folder, columns, context ...), and `task` is the task's description. The result is a pandas frame with the columns

- `id`: string, one per row;
- `group`: string; rows of one group always stay in one split. Group ids are global: a prefix names the pool, and
  datasets about the same conversations share it (`empdial:`, `wassa:`), so that no task trains on what another tests;
- `context`: what came before the text, oldest turn first, one turn per line; None if there is nothing;
- `text`;
- `PLACE` of `common.py`: file and row, for error messages;
- the columns that tasks name as labels or in `rows`, under the names of `value_column` of `common.py`;
- optionally `label_source` (human, model, mixed).

A reader raises DataError for files that are damaged or not in the layout it knows. What concerns a single task (unknown
labels, empty texts or groups, repeated ids) is left to `empathy_transfer.data.tasks.task_frame`.
"""
