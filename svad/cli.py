"""The command line: which module is which command, and how a command ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from svad.core.startup import check_python, prepare

check_python()  # before anything that an older Python would stumble over
prepare()

from svad.core.errors import JobError, Stopped, SvadError  # noqa: E402
from svad.core.files import plain  # noqa: E402
from svad.terminal.bars import Bars  # noqa: E402
from svad.terminal.codes import BAD_INPUT, BROKEN, INTERRUPTED, OK  # noqa: E402
from svad.terminal.streams import flush, prepare_streams  # noqa: E402

# videos and motions begin anew, avatars and batches go on
STOPPED = "Stopped. Give the same command again; steps of an avatar that were finished are kept."
# A command is a module with `parser()` and `run(options, stop, screen)`, which returns the exit
# code; it is imported when somebody calls it.
COMMANDS = {
    ("animate",): "svad.run.commands.animate",
    ("still",): "svad.run.commands.still",
    ("track",): "svad.run.commands.track",
    ("drive",): "svad.run.commands.drive",
    ("import",): "svad.run.commands.adopt",
    ("export",): "svad.run.commands.export",
    ("batch",): "svad.run.batch.command",
    ("weights",): "svad.weights.command",
    ("deploy",): "svad.deploy.command",
    ("evaluate",): "svad.evaluate.command",
    ("evaluate", "filmed"): "svad.evaluate.filmed_command",
    ("evaluate", "looks"): "svad.evaluate.looks_command",
    ("evaluate", "clip"): "svad.evaluate.clip",
    (): "svad.run.commands.create",  # what begins with no other word
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0, 1 a defect, 2 bad input, 130 interrupted."""
    prepare_streams()
    command, rest = command_of(list(sys.argv[1:] if argv is None else argv))
    options = command.parser().parse_args(rest)
    stop = threading.Event()
    try:
        with _interrupts(stop):
            _require_here()
            code = command.run(options, stop, Bars(sys.stderr))
            flush()
            return code
    except (Stopped, KeyboardInterrupt):
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    except SvadError as error:
        print(f"svad: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of our output has left
        return OK
    except Exception as error:
        told = plain(error) if isinstance(error, OSError) else None
        if told is not None and not options.debug:
            print(f"svad: {told}", file=sys.stderr)
            return BAD_INPUT
        if options.debug:
            raise
        print(
            f"svad: something went wrong that should not have ({type(error).__name__}: {error}). "
            "Run the same command with --debug to see where.",
            file=sys.stderr,
        )
        return BROKEN


def _require_here() -> None:
    """Raises `JobError` where the folder this was started in is gone, or may not be entered."""
    try:
        os.getcwd()
    except OSError as error:
        raise JobError(
            f"The current folder cannot be found ({error.strerror}). Change into another one."
        ) from error


def command_of(arguments: list[str]) -> tuple[ModuleType, list[str]]:
    """The command that the first words name, and the arguments after them."""
    length = next(n for n in (2, 1, 0) if tuple(arguments[:n]) in COMMANDS)
    return import_module(COMMANDS[tuple(arguments[:length])]), arguments[length:]


@contextmanager
def _interrupts(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C asks the run to stop; a second one ends it at once. So does a terminal that closes."""

    def ask(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    names = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)  # not on every system
    if hang_up is not None and signal.getsignal(hang_up) == signal.SIG_DFL:  # else it is `nohup`
        names.append(hang_up)
    before = {name: signal.signal(name, ask) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
