"""Raw files: digests that are known, digests that are recorded, and downloads from a server of this process."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from empathy_transfer.data.raw_files import check_raw, download, folders_by_set
from empathy_transfer.errors import DataError

CONTENT = b"key,words\n1,a kettle\n2,a goat\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "raw" / "essays.csv"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def check(path, known, **options):
    return check_raw("essays", {"essays.csv": path}, {"essays.csv": known}, path.parent.parent / "records", **options)


def records(path):
    return sorted(record.name for record in (path.parent.parent / "records").glob("*"))


def test_known_digest(path):
    entry = {"sha256": DIGEST, "bytes": len(CONTENT), "pinned": True}
    assert check(path, DIGEST) == {"dataset": "essays", "files": {"essays.csv": entry}}
    assert records(path) == []


def test_wrong_checksum_names_file_and_remedy(path):
    with pytest.raises(DataError, match=rf"essays.*essays\.csv.*SHA-256 {DIGEST}.*expected {'0' * 64}.*fetch it again"):
        check(path, "0" * 64)


def test_file_cut_in_half(path):
    path.write_bytes(CONTENT[: len(CONTENT) // 2])
    with pytest.raises(DataError, match=r"\(15 bytes\)\. It may be cut off"):
        check(path, DIGEST)


def test_missing_file(path):
    path.unlink()
    with pytest.raises(DataError, match="is missing"):
        check(path, DIGEST)


def test_unknown_digest_is_recorded_and_then_holds(path):
    assert check(path, None)["files"]["essays.csv"]["pinned"] is False
    [record] = (path.parent.parent / "records").glob("*")
    assert record.name == "essays.json"
    assert json.loads(record.read_text()) == {"essays.csv": DIGEST}
    before = record.stat().st_mtime_ns
    check(path, None)
    assert record.stat().st_mtime_ns == before
    path.write_bytes(CONTENT[:-4])
    with pytest.raises(DataError, match=r"has changed since its first use.*essays\.json.*delete that record"):
        check(path, None)
    # The error changes nothing: the old file is right again.
    path.write_bytes(CONTENT)
    check(path, None)


def test_nothing_is_recorded_when_another_file_is_wrong(path):
    other = path.with_name("more.csv")
    other.write_bytes(b"x")
    with pytest.raises(DataError, match=r"more\.csv"):
        check_raw(
            "essays",
            {"essays.csv": path, "more.csv": other},
            {"essays.csv": None, "more.csv": DIGEST},
            path.parent.parent / "records",
        )
    assert records(path) == []


def test_generated_files_are_not_recorded(path):
    entry = check(path, None, generated=["essays.csv"])["files"]["essays.csv"]
    assert entry["sha256"] == DIGEST
    assert records(path) == []


@pytest.mark.parametrize("content", ["{", "[]", '{"essays.csv": "abc"}'])
def test_damaged_record_is_named(path, content):
    folder = path.parent.parent / "records"
    folder.mkdir()
    (folder / "essays.json").write_text(content)
    with pytest.raises(DataError, match=r"essays\.json: damaged record"):
        check(path, None)


def test_the_folder_of_each_label_set_is_found_by_the_order_of_its_files():
    """Two sets may have files of one name, a file may have a folder in its name, and folders be alike."""
    sets = {"a": ["x.csv", "in/y.csv"], "b": ["x.csv"], "c": ["in/x.csv"]}
    sets = {name: {"sha256": dict.fromkeys(files)} for name, files in sets.items()}
    paths = [Path(path) for path in ("raw/a/x.csv", "raw/a/in/y.csv", "raw/in/x.csv", "raw/in/x.csv")]
    assert folders_by_set(sets, paths) == {"a": Path("raw/a"), "b": Path("raw/in"), "c": Path("raw")}
    assert folders_by_set({"b": sets["b"]}, paths[2]) == {"b": Path("raw/in")}


@pytest.fixture
def server():
    """A server of this process; `failures` requests get an error before the content comes, all are counted."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests.append(self.path)
            fails = self.path == "/missing.csv" or len(self.server.requests) <= self.server.failures
            self.send_response(503 if fails else 200)
            self.send_header("Content-Length", "0" if fails else str(len(CONTENT)))
            self.end_headers()
            if not fails:
                self.wfile.write(CONTENT)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.failures = [], 0
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def no_waiting(monkeypatch):
    """Tries again at once."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_download_prints_the_terms_first_and_verifies(server, tmp_path, capsys, no_waiting):
    files = {"essays.csv": {"url": f"{server.address}/essays.csv", "sha256": DIGEST}}
    paths = download("essays", files, tmp_path / "new", terms="Be kind.")
    assert paths["essays.csv"].read_bytes() == CONTENT
    printed = capsys.readouterr().out
    assert printed.index("Be kind.") < printed.index(server.address)
    # What is there is not fetched again.
    download("essays", files, tmp_path / "new", terms="Be kind.")
    assert len(server.requests) == 1


def test_download_tries_again(server, tmp_path, no_waiting):
    server.failures = 2
    files = {"essays.csv": {"url": f"{server.address}/essays.csv", "sha256": DIGEST}}
    download("essays", files, tmp_path / "new", terms="x")
    assert len(server.requests) == 3


def test_download_of_something_else_leaves_no_file(server, tmp_path, no_waiting):
    files = {"essays.csv": {"url": f"{server.address}/essays.csv", "sha256": "0" * 64}}
    with pytest.raises(DataError, match=r"no download of essays\.csv from http.*hash"):
        download("essays", files, tmp_path / "new", terms="x", retries=0)
    assert list((tmp_path / "new").iterdir()) == []


def test_download_that_never_comes(server, tmp_path, no_waiting):
    files = {"missing.csv": {"url": f"{server.address}/missing.csv", "sha256": DIGEST}}
    with pytest.raises(DataError, match=r"503.*put the file into"):
        download("essays", files, tmp_path / "new", terms="x", retries=1)
    assert list((tmp_path / "new").iterdir()) == []
    assert len(server.requests) == 2


def test_download_without_known_digest_says_so(server, tmp_path, capsys, no_waiting):
    files = {"essays.csv": {"url": f"{server.address}/essays.csv", "sha256": None}}
    download("essays", files, tmp_path / "new", terms="x")
    assert "essays.csv has no known digest" in capsys.readouterr().out
