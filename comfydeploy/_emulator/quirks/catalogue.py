"""The quirks by name, each with what the real server does."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Self

ALL: Final = "all"


class Quirk(StrEnum):
    """A misbehaviour of the real server: ``explanation`` describes it, ``trigger`` is its cause in the emulator."""

    explanation: str
    trigger: str

    def __new__(cls, name: str, explanation: str, trigger: str = "") -> Self:
        """Create a quirk that is equal to its name."""
        quirk = str.__new__(cls, name)
        quirk._value_ = name
        quirk.explanation = explanation
        quirk.trigger = trigger
        return quirk

    BROKEN_ANSWERS = (
        "broken-answers",
        "An answer that the route cannot write down is a 500 text/plain, after the runs were started.",
        "A batch or native run on queue or sync, mode sync on queue or POST /run; a batch on stream starts nothing.",
    )
    STREAMING_QUEUE = (
        "streaming-queue",
        "queue answers with an event stream.",
        "Mode stream on queue.",
    )
    EMPTY_SYNC = (
        "empty-sync",
        "sync answers 200 with the outputs there are, mostly none, where it otherwise answers 400.",
        "A run that does not succeed.",
    )
    BROKEN_CANCEL = (
        "broken-cancel",
        "Cancelling answers 500 where it otherwise answers 404, 422 or 200.",
        "An unknown run, a malformed id; a run that is streamed, native or of a batch.",
    )
    BROKEN_STORING = (
        "broken-storing",
        "What the database does not take is answered 500 text/plain, and nothing runs.",
        "An origin other than manual, api and public-share; a NUL in an input; model_id; a graph of the editor's.",
    )
    BROKEN_CLOSING = (
        "broken-closing",
        "Closing a session answers 400 although it is closed.",
        "Every DELETE of a session.",
    )
    CLOSED_CONNECTION = (
        "closed-connection",
        "The connection is closed after a 500, although its headers do not say so.",
        "Every answer with status 500.",
    )
    BLIND_FIRST_RESULT = (
        "blind-first-result",
        "sync_first_result looks at the images of the newest output only; a run that succeeded without any is a 500.",
        "The input text: any.",
    )
    EXPIRING_ADDRESSES = (
        "expiring-addresses",
        "The addresses of outputs expire after an hour and answer 403; a run that is read again has fresh ones.",
    )
    LATE_ARCHIVE = (
        "late-archive",
        "The log of a run is archived 5 to 7.5 s after its end, and that of a cancelled run never.",
    )
    LOSSY_ARCHIVE = (
        "lossy-archive",
        "The archived log has lost about a third of its lines.",
    )
    NOISY_LOGS = (
        "noisy-logs",
        "Logs contain lines __END__, webhook deliveries with the whole address, and lines of another run.",
    )
    UNAVAILABLE_LOGS = (
        "unavailable-logs",
        "The log stream of a run in progress sends a stream_unavailable and ends.",
    )
    ENDLESS_LOGS = (
        "endless-logs",
        "The log stream of a run that is cancelled never ends.",
    )
    CORRUPTED_EVENTS = (
        "corrupted-events",
        "A log_update is inserted in the middle of the unfinished data line of a large event.",
        "Every event of more than 1,000 bytes, such as the late progress_state of a run.",
    )
    ENDLESS_STREAM = (
        "endless-stream",
        "The event stream of an invalid graph sends its error and then nothing more, without an end.",
        "A graph with a node that has no class_type, or the class_type NoSuchNode; IsRefused without node_errors.",
    )
    ABANDONED_RUN = (
        "abandoned-run",
        "A run whose event stream is left before its end is cancelled.",
    )
    SILENT_END = (
        "silent-end",
        "The event stream ends without a word at an output with a null, and the run goes on.",
        "The input text: [null].",
    )
    VANISHING_OUTPUTS = (
        "vanishing-outputs",
        "An output with anything else than files, texts and booleans vanishes; 1 and 0 become booleans.",
        "The input text: [null], [5] or [1].",
    )
    LATE_TIMEOUT = (
        "late-timeout",
        "A run whose outputs are no files ends as timeout, with its outputs and without a word in its stream.",
        "The input text: any.",
    )
    LATE_WEBHOOKS = (
        "late-webhooks",
        "The first webhook of a run arrives after the last one.",
    )
    UNORDERED_WEBHOOKS = (
        "unordered-webhooks",
        "Every second webhook of a run overtakes the one before it.",
    )
    REPEATED_WEBHOOKS = (
        "repeated-webhooks",
        "Every webhook arrives once more after it was taken.",
    )
    GET_WEBHOOKS = (
        "get-webhooks",
        "A webhook that is delivered again arrives as GET, with the same JSON body.",
        "A receiver that answers 400 or more, or repeated-webhooks.",
    )
    REDIRECTED_WEBHOOKS = (
        "redirected-webhooks",
        "A webhook that is redirected by 301, 302 or 303 arrives as GET, without a body.",
        "A receiver that answers so; 307 and 308 keep method and body.",
    )
    TIMES_WITHOUT_SECONDS = (
        "times-without-seconds",
        "Times of runs and outputs lose their seconds: 2026-01-02T03:04Z.",
    )
    DOUBLED_ZONES = (
        "doubled-zones",
        "Times of runs and outputs have two zones: 2026-01-02T03:04:05.678000+00Z.",
    )


def chosen(names: str | Iterable[str]) -> frozenset[Quirk]:
    """Return the quirks of these names, or of one; ``"all"`` is all of them. An unknown name is a ``ValueError``."""
    chosen_names = {names} if isinstance(names, str) else set(names)
    if unknown := chosen_names - {ALL, *Quirk}:
        names = ", ".join(sorted(map(repr, unknown)))
        raise ValueError(f"quirks: unknown {names}; known are {', '.join((*Quirk, ALL))}")
    return frozenset(quirk for quirk in Quirk if {quirk, ALL} & chosen_names)
