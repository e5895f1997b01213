"""Check the English of docstrings, comments, messages, names and pages: ``python .ci/wording.py [path ...]``.

Prints each place with a banned word, a banned first word of a docstring or a long test name, and exits with 1 if there
are any. ``ALLOWED`` has the exceptions, each with its reason.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Literal translations, and verbs of persons for things. HTTP has better words: send, receive, request, response, read.
BANNED_WORDS = (
    "told",
    "tells",
    "asked",
    "wanted",
    "whoever",
    "nobody",
    "heard",
    "hears",
    "for ever",
    "all the same",
    "came to nothing",
    "both colours",
    "twin of",
)
# A docstring begins with an ordinary verb, such as Return, Create, Check, Send, Yield, Read or Write.
BANNED_OPENINGS = ("Give", "Gives", "Tell", "Tells", "Lets", "Hear", "Hears")
LONGEST_TEST_NAME = 45

# (end of the path, word): the reason. A word that is a quotation of the server or of a standard is no word of ours.
ALLOWED: dict[tuple[str, str], str] = {
    (".ci/wording.py", "*"): "the lists above",
    ("tests/test_wording.py", "*"): "samples of what is found",
}

_WORDS = re.compile(rf"(?<![\w-])({'|'.join(BANNED_WORDS)})(?![\w-])", re.IGNORECASE)
_OPENING = re.compile(rf"\s*({'|'.join(BANNED_OPENINGS)})\b")


class Finding(NamedTuple):
    """A place with wording to mend."""

    path: str
    line: int
    word: str
    text: str


def findings(path: str, text: str) -> Iterator[Finding]:
    """Yield the findings of a file that no exception allows."""
    found = _python_findings(text) if path.endswith(".py") else _text_findings(text, 1)
    for line, word, shown in found:
        if not any(path.endswith(end) and name in ("*", word) for end, name in ALLOWED):
            yield Finding(path, line, word, " ".join(shown.split())[:80])


def _text_findings(text: str, first_line: int) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), first_line):
        for match in _WORDS.finditer(line):
            yield number, match[1].lower(), line


def _python_findings(source: str) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _text_findings(node.value, node.lineno)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            opening = _OPENING.match(ast.get_docstring(node, clean=False) or "")
            if opening:
                yield getattr(node, "lineno", 1), opening[1], f'a docstring begins with "{opening[1]}"'
            name = getattr(node, "name", "")
            if name.startswith("test_") and len(name) > LONGEST_TEST_NAME:
                yield node.lineno, name, f"a test name of {len(name)} letters"
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from _text_findings(token.string, token.start[0])
        elif token.type == tokenize.NAME:
            yield from _text_findings(token.string.replace("_", " "), token.start[0])


def main(paths: list[str]) -> int:
    """Print the findings of the files, by default of all tracked ones, and return the exit status."""
    if not paths:
        command = ["git", "ls-files", "-z", "*.py", "*.md"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        paths = [name for name in listed if Path(name).is_file()]
    found = [one for name in paths for one in findings(name, Path(name).read_text(encoding="utf-8"))]
    for path, line, word, text in found:
        sys.stdout.write(f"{path}:{line}: {word}: {text}\n")
    sys.stdout.write(f"{len(found)} findings in {len(paths)} files\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
