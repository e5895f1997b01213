"""Exceptions of a transport as the cause of an error: without the request, its token, and the frames that hold both."""

from collections.abc import Iterator
from types import MemberDescriptorType
from typing import Any, Final, cast

from comfydeploy._wire.json_types import is_array
from comfydeploy._wire.redaction import without_secret
from comfydeploy.models.secret import Secret

_PLAIN: Final = (type(None), int, float, str, bytes)


class TransportException(Exception):  # noqa: N818 - it stands for any exception
    """An exception that could not be kept, because it holds the request: the text names its class and its message."""


def cause_of(error: Exception, sent: Secret, *, located: bool) -> Exception:
    """Return an exception, with its causes and contexts, without the parts that hold a request.

    It is the same one, or one of the same class and text. Frames are removed: they hold the headers with the token
    and the connection. ``located`` adds the frames as a note, for an exception that a transport did not raise itself.
    ``sent`` is removed from every text.
    """
    links = list(_chain(error))
    kept = {id(link): _without_request(link, sent) for link in links}
    for link in links:
        copy, is_suppressed = kept[id(link)], link.__suppress_context__
        if located and link.__traceback__ is not None:
            copy.add_note(sent.removed_from(_frames(link)))
        copy.__traceback__ = None
        copy.__cause__ = None if link.__cause__ is None else kept[id(link.__cause__)]
        copy.__context__ = None if link.__context__ is None else kept[id(link.__context__)]
        copy.__suppress_context__ = is_suppressed
    return cast("Exception", kept[id(error)])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all causes and contexts behind it, each once."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, link.__context__]


def _without_request(error: BaseException, sent: Secret) -> BaseException:
    if all(_is_plain(value, sent) for value in _held(error)):
        return error
    kind, text = type(error), ""
    try:
        text = sent.removed_from(str(error))
        texts = [value if _is_plain(value, sent) else sent.removed_from(str(value)) for value in error.args]
        copy = kind.__new__(kind, *texts)
        copy.args = tuple(texts)
        vars(copy).update({name: value if _is_plain(value, sent) else None for name, value in vars(error).items()})
        if str(copy) == text:
            return copy
    except Exception:  # noqa: BLE001, S110 - an exception may raise here; its class can always be named
        pass
    name = f"{kind.__module__}.{kind.__qualname__}"
    return TransportException(f"{name}: {text}" if text else name)


def _held(error: BaseException) -> Iterator[Any]:
    """Yield all values that an exception holds: its arguments, its attributes, and the slots of its classes."""
    yield from error.args
    yield from vars(error).values()
    for kind in type(error).__mro__:
        for name, member in vars(kind).items():
            if isinstance(member, MemberDescriptorType):
                yield getattr(error, name, None)


def _is_plain(value: object, sent: Secret) -> bool:
    if is_array(value):  # such as the notes
        return all(_is_plain(part, sent) for part in value)
    return isinstance(value, _PLAIN) and without_secret(value, sent) is value


def _frames(error: BaseException) -> str:
    from traceback import format_tb  # rarely needed

    return f"Raised at:\n{''.join(format_tb(error.__traceback__))}".rstrip()
