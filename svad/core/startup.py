"""What has to happen before anything heavy is imported: the Python check, quiet libraries."""

from __future__ import annotations

import os
import sys

SUPPORTED = ((3, 11), (3, 12))
ENVIRONMENT = {
    # torch's idle OpenMP workers would otherwise spin and take a core from our own threads
    "OMP_WAIT_POLICY": "PASSIVE",
    "NUMBA_DISABLE_CUDA": "1",  # initialising CUDA here would spoil it for child processes
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    "TF_CPP_MIN_LOG_LEVEL": "2",  # mediapipe's chatter
    "GLOG_minloglevel": "2",
    # nothing leaves the machine
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
THREADS = "NUMBA_NUM_THREADS"  # numba fails at 0, and prints a traceback for what is no number


def check_python() -> None:
    """Ends the program with a plain sentence on a Python this project does not run on."""
    if sys.version_info[:2] not in SUPPORTED:
        found = ".".join(str(part) for part in sys.version_info[:3])
        sys.exit(
            "SVAD needs Python 3.11 or 3.12; this is Python " + found + ". "
            "Install one of the two and run `make setup` again, or start it with .venv/bin/python."
        )


def prepare() -> None:
    """Sets the environment of the libraries; what the person has set already stays.

    A number of threads that is none goes: all processors are used, as without it.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    threads = os.environ.get(THREADS, "1")
    if not (threads.isdecimal() and int(threads) > 0):
        del os.environ[THREADS]
