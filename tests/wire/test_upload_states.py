"""In any order of openings, reads and closings each upload sends its part of a file, and files keep their places."""

import io

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from comfydeploy._wire.upload import Window, checked_upload
from comfydeploy.errors import SDKValidationError

CONTENT = bytes(range(200)) * 3


class Moving(io.BytesIO):
    """A file that can be read only by moving its place."""


class Uploads(RuleBasedStateMachine):
    """Uploads of one source: bytes, or a file that is read by moving its place."""

    @initialize(moves=st.booleans(), start=st.integers(0, len(CONTENT)))
    def make(self, moves, start):
        self.file = Moving(CONTENT) if moves else None
        self.expected = CONTENT[start:]
        self.start = start
        if moves:
            self.file.seek(start)
        self.upload = checked_upload(self.file if moves else self.expected, "a.png", None)
        self.windows = []

    @rule()
    def begin(self):
        self.windows.append((Window(self.upload), bytearray(), []))

    @precondition(lambda self: self.windows)
    @rule(data=st.data())
    def open(self, data):
        window, _, states = data.draw(st.sampled_from(self.windows))
        is_taken = self.file is not None and any(states[-1:] == ["open"] for _, _, states in self.windows)
        if states[-1:] == ["open"]:
            return
        try:
            window.open()
        except SDKValidationError as error:
            assert is_taken
            assert "another upload is reading it" in error.message
        else:
            assert not is_taken or states[-1:] == ["closed"]
            if states[-1:] != ["closed"]:  # a closed one stays closed
                states.append("open")

    @precondition(lambda self: self.windows)
    @rule(data=st.data(), size=st.integers(1, 300))
    def read(self, data, size):
        window, taken, states = data.draw(st.sampled_from(self.windows))
        piece = window.read(size)
        taken += piece
        assert len(piece) <= size
        assert piece or states[-1:] != ["open"] or taken == self.expected

    @precondition(lambda self: self.windows)
    @rule(data=st.data())
    def close(self, data):
        window, _, states = data.draw(st.sampled_from(self.windows))
        window.close()
        states.append("closed")

    @invariant()
    def each_sends_the_beginning_of_its_part(self):
        assert all(self.expected.startswith(taken) for _, taken, _ in getattr(self, "windows", ()))

    def teardown(self):
        for window, _, _ in getattr(self, "windows", ()):
            window.close()
        if getattr(self, "file", None):
            assert self.file.tell() == self.start
            assert checked_upload(self.file, "a.png", None).size == len(self.expected)


Uploads.TestCase.settings = settings(max_examples=40, stateful_step_count=20)
TestUploads = Uploads.TestCase
