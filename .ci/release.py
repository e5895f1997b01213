"""Make a release: version, changelog, commit, tag, and a wheel that was checked.

``python .ci/release.py 0.2.0`` is a dry run: it does all of it in a clone that it throws away. With ``--tag`` the
commit and the tag are then pulled into this checkout, and the archives put into ``dist/``. Nothing is sent anywhere.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from wheel_files import difference, tracked_files

ROOT: Final = Path(__file__).parent.parent
VERSION_FILE: Final = "comfydeploy/_version.py"
CHANGELOG: Final = "CHANGELOG.md"

_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?")
_ASSIGNED: Final = re.compile(r'(__version__[^=]*= )"([^"]*)"')
_UNRELEASED: Final = "## [Unreleased]\n"


class ReleaseError(Exception):
    """A release that cannot be made; the message says why and what to do."""


def check_version(version: str, current: str) -> None:
    """Raise ``ReleaseError`` for a version that is malformed or not above the current one."""
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"version: expected one such as 1.2.3 or 1.2.3rc1, got {version!r}")
    if version != current and _order(version) < _order(current):
        raise ReleaseError(f"version: {version} is below the current {current}")


def _order(version: str) -> tuple[tuple[int, ...], bool, str, int]:
    major, minor, patch, stage, number = _VERSION.fullmatch(version).groups()  # type: ignore[union-attr] # checked
    return (int(major), int(minor), int(patch)), stage is None, stage or "", int(number or 0)


def with_version(source: str, version: str) -> str:
    """Return the source of the version module with another version."""
    changed, count = _ASSIGNED.subn(rf'\g<1>"{version}"', source)
    if count != 1:
        raise ReleaseError(f"{VERSION_FILE}: expected one assignment to __version__, found {count}")
    return changed


def with_release(changelog: str, version: str, day: date) -> str:
    """Return the changelog with all that is unreleased under the version, and a new empty part for what follows."""
    if changelog.count(_UNRELEASED) != 1:
        raise ReleaseError(f"{CHANGELOG}: expected one heading {_UNRELEASED.strip()!r}")
    if f"## [{version}]" in changelog:
        raise ReleaseError(f"{CHANGELOG}: has a part for {version} already")
    released = changelog.replace(_UNRELEASED, f"{_UNRELEASED}\n## [{version}] - {day.isoformat()}\n")
    if not release_notes(released, version):
        raise ReleaseError(f"{CHANGELOG}: nothing is listed below {_UNRELEASED.strip()!r}")
    return released


def release_notes(changelog: str, version: str) -> str:
    """Return what the changelog lists for a version."""
    below = changelog.partition(f"## [{version}]")[2].partition("\n")[2]
    return re.split(r"^## \[", below, maxsplit=1, flags=re.MULTILINE)[0].strip()


def check_wheel(wheel: Path, tracked: list[str], version: str) -> None:
    """Raise ``ReleaseError`` where a wheel has another version or other files than git."""
    more, missing = difference(wheel, tracked)
    if more or missing:
        raise ReleaseError(f"{wheel.name}: not in git: {more}; not in the wheel: {missing}")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        built = HeaderParser().parsestr(archive.read(metadata).decode())["Version"]
    if built != version:
        raise ReleaseError(f"{wheel.name}: expected the version {version}, got {built}")


def build(checkout: Path, into: Path) -> Path:
    """Build both archives and return the wheel."""
    run("uv", "build", "--quiet", "--out-dir", str(into), cwd=checkout)
    (wheel,) = into.glob("*.whl")
    return wheel


def run(*command: str, cwd: Path) -> str:
    """Run a command and return its output; raise ``ReleaseError`` with what it says where it fails."""
    try:
        done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise ReleaseError(f"{command[0]} is not installed: python -m pip install {command[0]}") from None
    except subprocess.CalledProcessError as error:
        raise ReleaseError(f"{' '.join(command)}: {error.stderr.strip() or error.stdout.strip()}") from None
    return done.stdout


def release(
    root: Path, version: str, day: date, *, is_kept: bool, builder: Callable[[Path, Path], Path] = build
) -> list[str]:
    """Make a release in a clone, fetch it into the checkout where it is kept, and return what was done."""
    if run("git", "status", "--porcelain", cwd=root).strip():
        raise ReleaseError("the checkout has changes: commit or stash them first")
    if run("git", "tag", "--list", f"v{version}", cwd=root).strip():
        raise ReleaseError(f"the tag v{version} exists already")
    source = (root / VERSION_FILE).read_text(encoding="utf-8")
    current = _ASSIGNED.search(source)
    check_version(version, current[2] if current else "")
    done = []
    with tempfile.TemporaryDirectory() as folder:
        clone, archives = Path(folder, "clone"), Path(folder, "dist")
        run("git", "clone", "--quiet", str(root), str(clone), cwd=root)
        for key in ("user.name", "user.email"):  # of the checkout alone, where it has its own
            run("git", "config", key, run("git", "config", key, cwd=root).strip(), cwd=clone)
        (clone / VERSION_FILE).write_text(with_version(source, version), encoding="utf-8")
        changelog = with_release((clone / CHANGELOG).read_text(encoding="utf-8"), version, day)
        (clone / CHANGELOG).write_text(changelog, encoding="utf-8")
        done.append(f"{VERSION_FILE} and {CHANGELOG} say {version}")
        run("git", "commit", "--quiet", "--all", "--message", f"Release {version}", cwd=clone)
        notes = f"comfydeploy {version}\n\n{release_notes(changelog, version)}"
        run("git", "tag", "--annotate", "--cleanup=verbatim", f"v{version}", "--message", notes, cwd=clone)
        done.append(f"committed, and tagged as v{version}")
        wheel = builder(clone, archives)
        check_wheel(wheel, tracked_files(clone), version)
        done.append(f"built {wheel.name}, with this version and the files that git tracks")
        if is_kept:
            run("git", "pull", "--quiet", "--ff-only", "--tags", str(clone), "HEAD", cwd=root)
            (root / "dist").mkdir(exist_ok=True)
            for archive in archives.iterdir():
                shutil.copy(archive, root / "dist")
            done.append("commit and tag are in this checkout, the archives in dist/; next: git push --follow-tags")
        else:
            done.append("a dry run: nothing was kept; --tag keeps it")
    return done


def main(arguments: list[str] | None = None) -> int:
    """Make the release that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="such as 0.2.0 or 0.2.0rc1")
    parser.add_argument("--tag", action="store_true", help="keep the commit, the tag and the archives")
    given = parser.parse_args(arguments)
    try:
        print(*release(ROOT, given.version, datetime.now(UTC).date(), is_kept=given.tag), sep="\n")
    except ReleaseError as error:
        print(f"no release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
