"""The files of a run, saved in a folder."""

from pathlib import Path

from comfydeploy.models.document import Shown


class SavedFiles(list[Path], Shown):
    """The paths of saved files: a list that shows its pictures in a notebook."""

    __slots__ = ()
