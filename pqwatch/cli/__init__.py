"""The command line. Each module in here is one group of commands and is found by being here.

A new command is one file: it takes `app` from `pqwatch.cli.frame` and decorates functions that return an exit code
(or None for 0). Modules import what is heavy (the store, Scrapy, …) inside the command, so that `--help` stays quick.
"""

from __future__ import annotations

from pqwatch.cli.entry import main

__all__ = ["main"]
