"""The process of tests/warm.py that loads torch and Lightning once, and forks itself for each Python that is asked for.

Run as a script with the number of a socket; nothing of this project is loaded before a fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import runpy
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any

# What a training command imports of others, which takes most of the time until it trains.
LIBRARIES = ("pytorch_lightning", "torch._dynamo", "sklearn.datasets", "torchvision", "hydra")
LARGEST_REQUEST = 1 << 17


def load_libraries() -> None:
    """Load what commands import, with no trace of it in the home directory."""
    os.environ["MPLCONFIGDIR"] = folder = tempfile.mkdtemp(prefix="fonts-")
    for library in LIBRARIES:
        importlib.import_module(library)
    shutil.rmtree(folder)
    # A collection in a fork would touch, and so copy, all that they left in memory.
    gc.freeze()


def serve_requests(channel: socket.socket) -> dict[str, Any]:
    """Fork for each request until the tests have ended; return the request in the new process that is to meet it."""
    # The process that waits for a command has no end of its own to tell.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(channel, LARGEST_REQUEST, 3)
        if not message:
            sys.exit()
        if os.fork() == 0:
            channel.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            fork_command(*files)
            request: dict[str, Any] = json.loads(message)
            return request
        for file in files:
            os.close(file)


def fork_command(out: int, err: int, report: int) -> None:
    """Fork, and return in the child with its streams; write its number and then its exit code to `report`."""
    command = os.fork()
    if command != 0:
        os.write(report, f"{command}\n".encode())
        _, status = os.waitpid(command, 0)
        os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(report)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, file in enumerate((nothing, out, err)):
        os.dup2(file, stream)
        os.close(file)


def meet_request(request: dict[str, Any]) -> None:
    """Do what Python would with the arguments of the request, in its folder and with its environment."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    # Without it, forks would draw the same names.
    random.seed()
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    # The first is this script's folder; the template has no PYTHONPATH.
    sys.path[:1] = [request["cwd"], *filter(None, paths)]
    # The template may have one of the system's.
    sys.modules.pop("sitecustomize", None)
    with contextlib.suppress(ModuleNotFoundError):
        # Python runs it at its start, where one of the paths holds it.
        importlib.import_module("sitecustomize")
    option, code, *arguments = request["arguments"]
    sys.argv = [option, *arguments]
    if option == "-m":
        runpy.run_module(code, run_name="__main__", alter_sys=True)
    else:
        exec(code, {"__name__": "__main__"})


if __name__ == "__main__":
    load_libraries()
    meet_request(serve_requests(socket.socket(fileno=int(sys.argv[1]))))
