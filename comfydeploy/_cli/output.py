"""The output of a command: text or JSON on stdout, notes and progress on stderr."""

import json
import os
import re
import shutil
import sys
from typing import IO, Final

from comfydeploy._cli.command_error import CommandError
from comfydeploy._cli.consoles import NoReaderError, drop_output, prepare_streams
from comfydeploy._cli.exit_codes import Exit, exit_code
from comfydeploy._cli.ledger import Ledger, facts
from comfydeploy._cli.privacy import Privacy
from comfydeploy._cli.records import Json, envelope, error_json, plain_error_json, result_record
from comfydeploy._cli.sentences import error_text, hint_of
from comfydeploy._cli.tables import row
from comfydeploy.result import Result, Success

# Escape sequences and control characters in texts of a server, which a terminal would execute.
_CONTROL: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


class Output:
    """Writes the output of one command, without secrets.

    ``does_work``: the command goes on without a reader of its output, because it saves files or creates runs.
    """

    def __init__(
        self, command: str, ledger: Ledger, privacy: Privacy, *, as_json: bool = False, does_work: bool = False
    ) -> None:
        prepare_streams()
        self.as_json = as_json
        self.ledger = ledger
        self._command = command
        self._privacy = privacy
        self._does_work = does_work
        self.code: Exit | None = None
        """The exit code, once the command has ended."""
        self.has_reader = True
        """Whether stdout has a reader, as far as is known."""

    @property
    def width(self) -> int | None:
        """The columns of the terminal, or ``None`` where the output goes to a pipe or a file."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    @property
    def is_live(self) -> bool:
        """Whether progress can be shown on stderr."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def line(self, text: str) -> None:
        """Print a line; nothing with ``--json``."""
        if not self.as_json:
            self._write(sys.stdout, self._shown(text, sys.stdout))

    def lines(self, texts: list[str]) -> None:
        """Print lines; nothing with ``--json``."""
        for text in texts:
            self.line(text)

    def row(self, *cells: str) -> None:
        """Print a row of cells; nothing with ``--json``."""
        self.lines(row(cells, self.width))

    def note(self, text: str) -> None:
        """Write a line for a person to stderr; nothing with ``--json``."""
        if not self.as_json:
            self._write(sys.stderr, self._shown(text, sys.stderr))

    def event(
        self, kind: str, run_id: str | None = None, data: Json | None = None, error: CommandError | None = None
    ) -> None:
        """Print a record of something that has happened; nothing without ``--json``."""
        if self.as_json:
            self._record(envelope(self._command, kind, run_id=run_id, data=data, error=self._error(error)))

    def problem(self, error: CommandError) -> None:
        """Write an error to stderr after which the command goes on; nothing with ``--json``."""
        self.note(f"Error: {error_text(error, self.ledger.state)}")

    def result(
        self,
        result: Result[object, CommandError],
        data: Json | None = None,
        *,
        creates_run: bool,
        run_id: str | None = None,
        least: Exit = Exit.OK,
    ) -> Exit:
        """Write the result of the command and return the exit code, which is ``least`` or higher."""
        error = None if isinstance(result, Success) else result.failure()
        code = max(exit_code(result, creates_run=creates_run), least)
        if error is not None:
            self.problem(error)
        return self.ended(code, data, run_id=run_id or (error.run_id if error else None), error=error)

    def ended(
        self,
        code: Exit,
        data: Json | None = None,
        *,
        run_id: str | None = None,
        error: CommandError | None = None,
    ) -> Exit:
        """Print the last record and return the exit code; nothing is printed without ``--json``."""
        if self.as_json:
            self._record(result_record(self._command, code, run_id=run_id, data=data, error=self._error(error)))
        self.code = code
        return code

    def stopped(self, code: Exit, kind: str, message: str, text: str) -> None:
        """Write that the command has ended early: to stderr, and with ``--json`` also as the last record."""
        self._write(sys.stderr, self._shown(text, sys.stderr))
        if self.as_json:
            error = plain_error_json(kind, message)
            self._record(result_record(self._command, code, data=facts(self.ledger.state), error=error))

    def _error(self, error: CommandError | None) -> Json | None:
        return None if error is None else error_json(error, hint_of(error, self.ledger.state))

    def _shown(self, text: str, stream: IO[str]) -> str:
        shown = self._privacy.shown(text)
        return _CONTROL.sub("", shown) if stream.isatty() else shown

    def _record(self, record: Json) -> None:
        is_ascii = not (sys.stdout.encoding or "").lower().startswith("utf")
        self._write(sys.stdout, json.dumps(self._privacy.shown_json(record), ensure_ascii=is_ascii, default=str))

    def _write(self, stream: IO[str], text: str) -> None:
        if stream is sys.stdout and not self.has_reader:
            return
        try:
            stream.write(f"{text}\n")
            stream.flush()
        except OSError as error:
            drop_output(stream)
            if stream is sys.stdout:
                self.has_reader = False
                if not isinstance(error, BrokenPipeError):
                    self._write(sys.stderr, f"Error: stdout: {error.strerror}")
                if not self._does_work:
                    raise NoReaderError from None
