"""A response, read by h11."""

from typing import Final

import h11
import httpcore

from comfydeploy._http.response import MOST, ReceivedResponse

# h11 reads a response only after it has written a request. Ours is written elsewhere, so each parser gets this one: a
# GET, whose response may have a body.
_REQUEST: Final = h11.Request(method="GET", target="/", headers=[("host", "server")])
_REQUEST_END: Final = h11.EndOfMessage()
_MOST_INTERIM: Final = 1_000


class H11Response(ReceivedResponse):
    """A response that is being received, without an extra."""

    def __init__(self) -> None:
        super().__init__()
        self._interim = 0
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST)
        self._parser.send(_REQUEST)
        self._parser.send(_REQUEST_END)

    @property
    def may_stay(self) -> bool:
        """Return whether the connection can take another request."""
        return self._parser.their_state is h11.DONE and not any(self._parser.trailing_data)

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        try:
            parser.receive_data(data)
            while not self.is_complete:
                event = parser.next_event()
                match event:
                    case h11.Data():
                        self._parts.append(bytes(event.data))
                    case h11.Response():
                        self._begin(event)
                    case h11.EndOfMessage():
                        self.is_complete = True
                    case h11.InformationalResponse() if self._interim < _MOST_INTERIM:
                        self._interim += 1
                    case h11.InformationalResponse():
                        self._error = httpcore.RemoteProtocolError(f"More than {_MOST_INTERIM} interim responses")
                        return
                    case _:  # it needs more bytes
                        return
        except h11.RemoteProtocolError as error:
            self._error = httpcore.RemoteProtocolError(str(error))

    def _begin(self, head: h11.Response) -> None:
        self.extensions = {"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason}
        self.status, self.headers, self.has_head = head.status_code, head.headers.raw_items(), True
        self._is_compressed = any(name == b"content-encoding" for name, _ in head.headers)
