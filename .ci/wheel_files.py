"""Check that a wheel holds what git tracks, and nothing else: ``python .ci/wheel_files.py dist/*.whl``."""

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path


def tracked_files(checkout: Path) -> list[str]:
    """Return the files of the package that git tracks."""
    command = ["git", "ls-files", "comfydeploy", "funcs"]
    return subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout.splitlines()


def difference(wheel: Path, tracked: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files of a wheel that git does not track, and those that the wheel lacks."""
    expected = {
        f"comfydeploy/{path}" if path.startswith("funcs/") else path
        for path in tracked
        if path != "comfydeploy/funcs"  # the link
    }
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    return sorted(shipped - expected), sorted(expected - shipped)


if __name__ == "__main__":
    tracked = tracked_files(Path(__file__).parent.parent)
    more, missing = difference(Path(sys.argv[1]), tracked)
    if more or missing:
        sys.exit(f"not in git: {more}; not in the wheel: {missing}")
    print(f"{len(tracked) - 1} files")
