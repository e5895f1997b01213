"""Acts at a chosen point of the code of the client: the start of a line or of a function, or the return from a call.

CPython handles a signal at the start of a function, after a call and at the end of a loop; a line without them may be
one of another implementation. An act usually raises ``KeyboardInterrupt``.
"""

import dis
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import comfydeploy
from comfydeploy.funcs import run_get

CLIENT = tuple(str(Path(module.__file__).resolve().parent) for module in (comfydeploy, run_get))
OURS = str(Path(__file__).parent)
_CHECKS = ("CALL", "CALL_FUNCTION_EX", "CALL_KW", "CALL_INTRINSIC", "RESUME")


def interrupt():
    """Do what Ctrl-C does."""
    raise KeyboardInterrupt


def run_to(number, work, act=interrupt, *, everywhere=False):
    """Do some work, and an act at one of its points; return the points that were passed."""
    left = number

    def enter(frame, event, _):
        return step if _is_traced(frame.f_code, everywhere) and not _is_finalizing(frame) else None

    def step(frame, event, _):
        nonlocal left
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode" and frame.f_lasti in _points(frame.f_code):
            left -= 1
            if left == 0:
                act()
        return step

    def enter_first(frame, event, _):
        found = enter(frame, event, _)
        return found and found(frame, event, _)

    before = sys.gettrace()
    sys.settrace(enter_first)
    try:
        work()
    finally:
        sys.settrace(before)
    return number - left


@cache
def _is_traced(code, everywhere):
    if code.co_name == "__del__":  # Python ignores what a finalizer raises
        return False
    name = str(Path(code.co_filename).resolve())
    if everywhere:
        return not name.startswith((OURS, "<")) and Path(name).exists()
    return name.startswith(CLIENT)


def _is_finalizing(frame):
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


@cache
def _points(code):
    """Return the offsets of the instructions before which an act is done.

    Only those with the handler of the last instruction that can raise for a signal, because CPython looks there. None
    between a ``with`` block and the call of its ``__exit__``, nor before a value is returned: no signal is handled
    there.
    """
    instructions = [one for one in dis.get_instructions(code) if one.opname not in {"CACHE", "PRECALL"}]
    starts = {offset for offset, line in dis.findlinestarts(code) if line is not None}
    starts |= {one.argval for one in instructions if "JUMP_BACKWARD" in one.opname}
    handlers = {}
    for entry in dis.Bytecode(code).exception_entries:
        handlers |= dict.fromkeys(range(entry.start, entry.end, 2), entry.target)
    found, handler = set(), None
    for index, (before, after) in enumerate(pairwise(instructions), 1):
        is_check = before.opname.startswith(_CHECKS)
        if is_check:
            handler = handlers.get(before.offset)
        if (
            (is_check or after.offset in starts)
            and handlers.get(after.offset) == handler
            and after.opname not in {"NOP", "RESUME", "RETURN_VALUE"}
            and not _leaves_with(instructions[index : index + 5])
        ):
            found.add(after.offset)
    return frozenset(found)


def _leaves_with(instructions):
    exits = [one for one in instructions if one.opname != "SWAP"]
    return len(exits) > 3 and [one.argval for one in exits[:3]] == [None] * 3 and exits[3].opname == "CALL"
