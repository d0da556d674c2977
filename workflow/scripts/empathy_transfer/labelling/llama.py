"""The provider `llama_cpp`: llama.cpp's own server inside this process, with a GGUF file, asked as any other server."""

import contextlib
import secrets
import socket
from pathlib import Path

from empathy_transfer.labelling.questions import SettingsError
from empathy_transfer.labelling.server import ChatServer
from empathy_transfer.records.files import sha256_file

HOST = "127.0.0.1"
ERRORS = 1  # llama.cpp's level of logging


class LlamaServer(ChatServer):
    """A server in this process."""

    name = "llama_cpp"


@contextlib.contextmanager
def llama_server(settings, budget, threads, version):
    """Start the server, yield the `LlamaServer` that asks it, and stop it.

    Args:
        settings: the model's entry in the config.
        budget: the `Budget` of its requests.
        threads: threads that it computes with.
        version: digest of the GGUF file.

    Raises:
        SettingsError: the package xllamacpp is missing, or the file can't be served.
    """
    try:
        import xllamacpp
    except ImportError:
        raise SettingsError("the provider llama_cpp needs the package xllamacpp: pip install xllamacpp") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(settings["gguf"])
    params.hostnames = [HOST]
    params.port = _free_port()
    # Nobody else on this machine, and no page in a browser, is to ask this server; it tells of faults only.
    key = secrets.token_hex(16)
    params.api_keys = [key]
    params.cors_origins = ""
    params.verbosity = ERRORS
    # All requests in flight share the context, so that each has as much of it as the config says.
    params.n_parallel = settings["concurrency"]
    params.n_ctx = settings["context"] * settings["concurrency"]
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise SettingsError(f"{settings['gguf']}: llama.cpp can't serve this file ({error})") from None
    try:
        yield LlamaServer(settings, budget, version, base_url=f"{server.listening_address}/v1", key=key)
    finally:
        # The server ends when the object goes.
        del server


def gguf_version(path):
    """Digest of a GGUF file, which is the version of its model.

    Raises:
        SettingsError: there is no such file.
    """
    if not Path(path).is_file():
        raise SettingsError(f"{path}: no such GGUF file. Download an instruct model as GGUF and name it in the config")
    return sha256_file(path)[:16]


def _free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
