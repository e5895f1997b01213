"""The emulator's only source of ids."""

from random import Random
from typing import Final
from uuid import UUID

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Ids:
    """Makes ids: new ones always, or with a ``seed`` the same ones in the same order."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._seed: Final = seed
        self._dice: Final = Random(seed)  # noqa: S311 - no id is a secret here

    def of(self, owner: str) -> "Ids":
        """Return the ids for one owner; with a seed, the ids that others take do not change them."""
        return self if self._seed is None else Ids(f"{self._seed}/{owner}")

    def uuid(self) -> str:
        """Make the id of a run, an output, a session, ..."""
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def function_call(self) -> str:
        """Make the id of a call that runs a run, or several."""
        return f"fc-{self.uuid().replace('-', '').upper()[:26]}"

    def word(self, length: int) -> str:
        """Create a word of letters and digits that are not easily confused."""
        return "".join(self._dice.choices(_ALPHABET, k=length))
