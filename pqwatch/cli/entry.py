"""The console script: finds the commands, runs one, and turns whatever happens into an exit code.

0 done; 1 done, but something needs attention; 2 wrong usage; 3 another run holds the lock; 130 interrupted.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import signal
import sys
import time
from collections.abc import Sequence

import typer

from pqwatch.cli.frame import WrongUsageError, app
from pqwatch.output import ReaderGoneError, harmless
from storage.records import BadKeyError, PqwatchError

_MACHINES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE}
DONE, ATTENTION, USAGE, LOCKED, INTERRUPTED = 0, 1, 2, 3, 130
_ENDS = (signal.SIGINT, signal.SIGTERM)
_SAME = 0.5
"""Seconds within which signals are one: `timeout` and terminals send theirs to the process and to its group."""


def main(args: Sequence[str] | None = None) -> None:
    """Entry point of the console script `pqwatch`."""
    catch_signals()
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: Sequence[str]) -> int:
    """Run one command; the exit code. The one place that catches errors."""
    try:
        find_commands()
        result = app(list(args), prog_name="pqwatch", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else DONE
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        return _usage(error)
    except PqwatchError as error:
        _say(str(error))
        return exit_code_of(error)
    except (ReaderGoneError, BrokenPipeError):
        _forget_stdout()
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _refused(error)
    except Exception as error:  # noqa: BLE001  # the last resort: one line for the user, the traceback with -v
        return _unexpected(error)


def catch_signals() -> None:
    """From here on SIGTERM and SIGINT end what runs as a KeyboardInterrupt. What is ignored stays so: a shell has SIGINT
    ignored in what it starts in the background."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    """The first one; while the command ends, another one ends the process at once."""
    del number, frame
    began = time.monotonic()

    def again(number: int, frame: object) -> None:
        del frame
        if time.monotonic() - began > _SAME:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for each in _ENDS:
        if signal.getsignal(each) is _interrupt:
            signal.signal(each, again)
    raise KeyboardInterrupt


def find_commands() -> None:
    """Import every module of this package: each adds its commands to the application."""
    package = importlib.import_module("pqwatch.cli")
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"pqwatch.cli.{module}")


def exit_code_of(error: PqwatchError) -> int:
    """2 for what was typed or set wrongly, 3 for a lock held by another run, 1 for the rest."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if "LockedError" in names:
        return LOCKED
    if isinstance(error, BadKeyError | WrongUsageError) or names & {
        "SettingsError",
        "QueryError",
        "UnknownSourceError",
    }:
        return USAGE
    return ATTENTION


def _usage(error: typer.TyperException) -> int:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if context is not None and not args_missing(error):
        tries = (
            "" if not takes_query(error) else "; a query that begins with - comes after -- or begins with NOT"
        )
        _say(f"{' '.join(message.split())} (try: {context.command_path} --help{tries})")
    else:
        sys.stderr.write(f"{message}\n")
    return USAGE


def takes_query(error: typer.TyperException) -> bool:
    """Whether a query that begins with a minus sign may have been taken for an option."""
    command = getattr(getattr(error, "ctx", None), "command", None)
    metavars = [str(getattr(each, "metavar", "")) for each in getattr(command, "params", [])]
    return type(error).__name__ == "NoSuchOption" and any("QUERY" in each for each in metavars)


def args_missing(error: typer.TyperException) -> bool:
    """Whether this is no mistake but a bare `pqwatch`, answered with its help text."""
    return type(error).__name__ == "NoArgsIsHelpError"


def _refused(error: OSError) -> int:
    """What the machine refuses (a full disk, a folder that may not be written) is for its operator to mend."""
    if error.errno not in _MACHINES:
        return _unexpected(error)
    _forget_stdout()  # it may be what cannot be written
    _say(f"{error.filename}: {error.strerror}" if error.filename else f"cannot go on: {error.strerror}")
    return ATTENTION


def _unexpected(error: Exception) -> int:
    import logging
    import traceback

    if logging.getLogger().isEnabledFor(logging.INFO):
        sys.stderr.write("".join(traceback.format_exception(error)))
    said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    _say(
        f"unexpected error: {said} (a fault of pqwatch: run it again with -v and report what it prints, see CONTRIBUTING.md)"
    )
    return ATTENTION


def _say(message: str) -> None:
    sys.stderr.write(f"pqwatch: {harmless(message)}\n")


def _forget_stdout() -> None:
    """Point stdout nowhere, so that Python's own flush at exit finds nothing to complain about."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
