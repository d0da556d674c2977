"""The store of results: whole entries or none, checked copies, several writers, and folders that fail."""

import errno
import json
import os
import stat
import threading

import pytest

from empathy_transfer.frame import result_store
from empathy_transfer.frame.result_key import key_of
from empathy_transfer.frame.result_store import MANIFEST, DamagedEntryError, ResultStore, UnreadableEntryError
from empathy_transfer.records.files import sha256_bytes

FACTS = {"rule": "train_baseline", "wildcards": {"seed": "1"}, "settings": {"learning_rate": 0.001}}
KEY = key_of(FACTS)
CONTENT = {"adapter.safetensors": b"weights", "run.json": b"{}\n"}
COST = {"created": "2026-01-01T00:00:00+00:00", "seconds": 35.5, "cpu_seconds": 60.0, "peak_memory_mb": 900.0}


def finished(folder, content=CONTENT, **more):
    """Files of a finished job by name, and its record."""
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    outputs = {name: {"sha256": sha256_bytes(data), "bytes": len(data)} for name, data in content.items()}
    return {name: folder / name for name in content}, {"outputs": outputs, **COST, **more}


def targets(folder):
    """Where a job of another study wants its files."""
    return {name: folder / name for name in CONTENT}


@pytest.fixture
def store(tmp_path):
    """A store with one entry."""
    store = ResultStore(tmp_path / "store")
    said = store.keep(KEY, FACTS, *finished(tmp_path / "first"))
    assert said == f"kept in {store.folder}"
    return store


def test_what_was_kept_is_fetched_as_copies_of_the_same_bytes(store, tmp_path):
    outputs = targets(tmp_path / "second")
    assert store.fetch(KEY, outputs) == COST
    for name, path in outputs.items():
        assert path.read_bytes() == CONTENT[name]
        assert not path.is_symlink()
        assert path.stat().st_nlink == 1
        assert path.stat().st_ino != (store.entry(KEY) / name).stat().st_ino
        assert os.access(path, os.W_OK)
    assert sorted(path.name for path in (tmp_path / "second").iterdir()) == sorted(CONTENT)


def test_a_key_without_entry_gives_none(store, tmp_path):
    assert store.fetch("0" * 64, targets(tmp_path / "second")) is None
    assert ResultStore(tmp_path / "nowhere").fetch(KEY, targets(tmp_path / "second")) is None
    assert not (tmp_path / "second").exists()


def test_the_manifest_names_what_the_key_stands_for_and_no_path(store, tmp_path):
    text = (store.entry(KEY) / MANIFEST).read_text()
    manifest = json.loads(text)
    assert manifest["facts"] == FACTS
    assert manifest["files"]["run.json"] == {"sha256": sha256_bytes(b"{}\n"), "bytes": 3}
    assert manifest["made"] == COST
    assert str(tmp_path) not in text


def damage_file(entry):
    """Flip a bit of a file."""
    path = entry / "adapter.safetensors"
    path.chmod(0o600)
    path.write_bytes(b"weighus")


def cut_file(entry):
    """Cut a file off, as a full disk would."""
    os.truncate(entry / "adapter.safetensors", 3)


def remove_file(entry):
    """Remove a file."""
    (entry / "run.json").unlink()


def remove_manifest(entry):
    """Remove the manifest."""
    (entry / MANIFEST).unlink()


def empty_manifest(entry):
    """Empty the manifest."""
    os.truncate(entry / MANIFEST, 0)


def edit_manifest(entry):
    """Make a file's damage and the manifest agree, but not the manifest's own digest."""
    damage_file(entry)
    path = entry / MANIFEST
    path.chmod(0o600)
    path.write_text(path.read_text().replace(sha256_bytes(b"weights"), sha256_bytes(b"weighus")))


@pytest.mark.parametrize("damage", [damage_file, cut_file, remove_file, remove_manifest, empty_manifest, edit_manifest])
def test_a_damaged_entry_puts_nothing_into_place_and_is_kept_anew_once_discarded(store, tmp_path, damage):
    for path in store.entry(KEY).iterdir():
        path.chmod(0o600)
    damage(store.entry(KEY))
    outputs = targets(tmp_path / "second")
    with pytest.raises(DamagedEntryError):
        store.fetch(KEY, outputs)
    assert list((tmp_path / "second").glob("*")) == []
    assert store.discard(KEY)
    assert store.fetch(KEY, outputs) is None
    store.keep(KEY, FACTS, *finished(tmp_path / "again"))
    assert store.fetch(KEY, outputs) == COST


def test_an_entry_of_another_key_in_its_place_is_damage(store, tmp_path):
    other = key_of(FACTS | {"rule": "train_transfer"})
    store.entry(other).parent.mkdir(exist_ok=True)
    os.rename(store.entry(KEY), store.entry(other))
    with pytest.raises(DamagedEntryError, match="manifest"):
        store.fetch(other, targets(tmp_path / "second"))


def test_an_entry_with_other_files_than_the_job_has_is_damage(store, tmp_path):
    with pytest.raises(DamagedEntryError, match=r"run\.json"):
        store.fetch(KEY, {"adapter.safetensors": tmp_path / "second"})


def test_an_entry_that_may_not_be_read_is_no_damage(store, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(result_store, "open", refuse, raising=False)
    with pytest.raises(UnreadableEntryError):
        store.fetch(KEY, targets(tmp_path / "second"))


def test_of_many_writers_one_wins_and_the_entry_is_whole(tmp_path):
    store, said = ResultStore(tmp_path / "store"), []
    barrier = threading.Barrier(8)
    jobs = [finished(tmp_path / f"writer{number}") for number in range(8)]

    def write(job):
        barrier.wait()
        said.append(store.keep(KEY, FACTS, *job))

    threads = [threading.Thread(target=write, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(f"kept in {store.folder}") == 1
    assert said.count(f"already in {store.folder}") == 7
    assert store.fetch(KEY, targets(tmp_path / "second")) == COST
    assert [path.name for path in store.folder.iterdir()] == [KEY[:2]]


def test_the_second_writer_does_not_replace_the_first(store, tmp_path):
    before = (store.entry(KEY) / MANIFEST).stat().st_ino
    other = {"adapter.safetensors": b"WEIGHTS", "run.json": b"[]\n"}
    assert store.keep(KEY, FACTS, *finished(tmp_path / "other", other)) == f"already in {store.folder}"
    assert (store.entry(KEY) / MANIFEST).stat().st_ino == before
    assert (store.entry(KEY) / "adapter.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ESTALE])
@pytest.mark.parametrize("call", ["write", "mkdir", "rename"])
def test_a_folder_that_is_full_or_refuses_leaves_no_half_entry_and_fails_nothing(tmp_path, monkeypatch, call, number):
    store = ResultStore(tmp_path / "store")
    job = finished(tmp_path / "first")

    def full(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        if call == "write":
            patch.setattr(result_store.hashlib, "sha256", full)  # in the middle of the first copy
        elif call == "mkdir":
            patch.setattr(result_store.Path, "mkdir", full)
        else:
            patch.setattr(result_store.os, "rename", full)
        assert store.keep(KEY, FACTS, *job) == f"not kept in {store.folder}: {os.strerror(number)}"
    assert not store.holds(KEY)
    assert [path for path in store.folder.rglob("*") if path.name != KEY[:2]] == []
    assert store.keep(KEY, FACTS, *job) == f"kept in {store.folder}"


def test_a_disk_that_is_full_where_the_results_go_is_an_error_and_leaves_nothing(store, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(result_store.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.fetch(KEY, targets(tmp_path / "second"))
    assert list((tmp_path / "second").iterdir()) == []


def test_a_store_where_a_file_lies_keeps_nothing_and_fails_nothing(tmp_path):
    (tmp_path / "store").write_text("no folder")
    said = ResultStore(tmp_path / "store").keep(KEY, FACTS, *finished(tmp_path / "first"))
    assert said.startswith("not kept in ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_keeps_nothing_and_fails_nothing(store, tmp_path):
    store.folder.chmod(0o500)
    other = FACTS | {"rule": "train_transfer"}
    try:
        said = store.keep(key_of(other), other, *finished(tmp_path / "other"))
        assert store.fetch(KEY, targets(tmp_path / "second")) == COST
        store.entry(KEY).parent.chmod(0o500)
        assert not store.discard(KEY)
    finally:
        store.folder.chmod(0o700)
        store.entry(KEY).parent.chmod(0o700)
    assert said == f"not kept in {store.folder}: Permission denied"


def test_files_that_changed_after_their_job_are_not_kept(tmp_path):
    outputs, record = finished(tmp_path / "first")
    outputs["run.json"].write_bytes(b"[]\n")
    store = ResultStore(tmp_path / "store")
    assert "changed" in store.keep(KEY, FACTS, outputs, record)
    assert not store.holds(KEY)


def test_a_result_that_was_reused_is_kept_with_what_it_cost_at_first(tmp_path):
    store = ResultStore(tmp_path / "store")
    outputs, record = finished(tmp_path / "first", seconds=0.1, reused={"key": KEY, **COST})
    store.keep(KEY, FACTS, outputs, record)
    assert store.fetch(KEY, targets(tmp_path / "second")) == COST


@pytest.mark.parametrize(("mode", "of_files"), [(0o770, 0o440), (0o755, 0o444), (0o700, 0o400), (0o2770, 0o440)])
def test_who_may_read_the_store_may_read_its_entries_and_nobody_may_write_them(tmp_path, mode, of_files):
    store = ResultStore(tmp_path / "store")
    store.folder.mkdir()
    store.folder.chmod(mode)
    before = os.umask(0o077)
    try:
        store.keep(KEY, FACTS, *finished(tmp_path / "first"))
    finally:
        os.umask(before)
    entry = store.entry(KEY)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (entry.parent, entry)] == [mode, mode]
    assert {stat.S_IMODE(path.stat().st_mode) for path in entry.iterdir()} == {of_files}


def test_what_killed_writers_left_is_removed_after_a_day(store, tmp_path):
    old, young = store.folder / f"{result_store.INCOMING}old", store.folder / f"{result_store.INCOMING}young"
    old.mkdir(), young.mkdir()
    (old / "adapter.safetensors").write_bytes(b"wei")
    day = old.stat().st_mtime - 25 * 3600
    os.utime(old, (day, day))
    other = FACTS | {"rule": "train_transfer"}
    store.keep(key_of(other), other, *finished(tmp_path / "other"))
    assert (old.exists(), young.exists()) == (False, True)
