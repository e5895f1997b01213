"""Sessions, from responses that name them by ``id``, by the deprecated ``session_id``, or by both."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from attrs import evolve

from comfydeploy._wire.codec import read, read_list
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.reply import Reply
from comfydeploy.models.document import Documents
from comfydeploy.models.session import CreateSessionResponse, Session

S = TypeVar("S", Session, CreateSessionResponse)

_WHAT: Final = "The server's response"


def returning_session(model: type[S]) -> Callable[[Reply], S]:
    """Return the ``decode`` of an operation whose response is a session."""

    def decode(reply: Reply) -> S:
        sent = reply.json()
        return evolve(read(_with_both_ids(sent), model, _WHAT), raw=sent)

    return decode


def sessions(reply: Reply) -> list[Session]:
    """Read a response that is a list of sessions."""
    sent = reply.json()
    if not is_array(sent):
        return read_list(sent, Session, _WHAT)
    given = [_with_both_ids(item) for item in sent]
    by_given = {id(item): item_sent for item, item_sent in zip(given, sent, strict=True)}
    found = read_list(given, Session, _WHAT)
    return Documents([evolve(session, raw=by_given[id(session.raw)]) for session in found], raw=sent)


def _with_both_ids(sent: Any) -> Any:
    if not is_object(sent) or not (known := sent.get("id") or sent.get("session_id")):
        return sent
    return {**sent, "id": known, "session_id": known}
