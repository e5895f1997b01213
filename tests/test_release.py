"""The release script: its files, and that a dry run changes nothing."""

import subprocess
import zipfile
from datetime import date
from pathlib import Path

import pytest
import release as script

ROOT = Path(__file__).parent.parent
DAY = date(2027, 1, 2)
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- The first.\n"
VERSION = '"""The version."""\n\n__version__ = "0.1.0"\n'


def git(root, *arguments):
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    files = {
        "comfydeploy/_version.py": VERSION,
        "funcs/run.py": "",
        "CHANGELOG.md": CHANGELOG,
        ".gitignore": "/dist/\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "checkout")
    for key, value in (("user.name", "a name"), ("user.email", "a@b.c"), ("commit.gpgsign", "false")):
        git(root, "config", key, value)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Begin")
    return root


def build(version="0.2.0", files=("comfydeploy/_version.py", "comfydeploy/funcs/run.py")):
    def built(_checkout, into):
        into.mkdir()
        wheel = into / "comfydeploy.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("comfydeploy.dist-info/METADATA", f"Metadata-Version: 2.4\nVersion: {version}\n")
            for name in files:
                archive.writestr(name, "")
        return wheel

    return built


def test_dry_run_keeps_nothing(checkout):
    before = git(checkout, "rev-parse", "HEAD")
    done = script.release(checkout, "0.2.0", DAY, is_kept=False, builder=build())
    assert done[-1].startswith("a dry run")
    assert (git(checkout, "rev-parse", "HEAD"), git(checkout, "tag")) == (before, "")
    assert git(checkout, "status", "--porcelain") == ""


def test_release_is_kept(checkout):
    script.release(checkout, "0.2.0", DAY, is_kept=True, builder=build())
    assert git(checkout, "log", "-1", "--format=%s %an") == "Release 0.2.0 a name"
    assert git(checkout, "rev-list", "-1", "v0.2.0") == git(checkout, "rev-parse", "HEAD")
    assert "### Added\n\n- A thing." in git(checkout, "tag", "--list", "--format=%(contents)", "v0.2.0")
    assert '__version__ = "0.2.0"' in (checkout / "comfydeploy/_version.py").read_text()
    assert "## [Unreleased]\n\n## [0.2.0] - 2027-01-02\n\n### Added" in (checkout / "CHANGELOG.md").read_text()
    assert (checkout / "dist/comfydeploy.whl").exists()


@pytest.mark.parametrize(
    ("builder", "reason"),
    [
        (build("0.1.0"), "expected the version 0.2.0, got 0.1.0"),
        (build(files=("comfydeploy/_version.py",)), r"not in the wheel: \['comfydeploy/funcs/run.py'\]"),
        (build(files=("comfydeploy/_version.py", "comfydeploy/funcs/run.py", "x")), r"not in git: \['x'\]"),
    ],
)
def test_wheel_must_be_right(checkout, builder, reason):
    with pytest.raises(script.ReleaseError, match=reason):
        script.release(checkout, "0.2.0", DAY, is_kept=True, builder=builder)
    assert git(checkout, "tag") == ""


def test_changes_are_refused(checkout):
    (checkout / "new.py").write_text("")
    with pytest.raises(script.ReleaseError, match="commit or stash"):
        script.release(checkout, "0.2.0", DAY, is_kept=True, builder=build())


def test_tag_that_exists_is_refused(checkout):
    git(checkout, "tag", "v0.2.0")
    with pytest.raises(script.ReleaseError, match="tag v0"):
        script.release(checkout, "0.2.0", DAY, is_kept=True, builder=build())


@pytest.mark.parametrize("version", ["1", "1.2", "v1.2.3", "1.2.3-rc1", "1.2.3.dev1", ""])
def test_malformed_version_is_refused(version):
    with pytest.raises(script.ReleaseError, match="expected one such as"):
        script.check_version(version, "0.1.0")


def test_versions_in_order():
    rising = ["0.9.9", "1.0.0a1", "1.0.0a2", "1.0.0b1", "1.0.0rc1", "1.0.0rc10", "1.0.0", "1.0.10", "1.2.0"]
    for lower, higher in zip(rising, rising[1:], strict=False):
        script.check_version(higher, lower)
        with pytest.raises(script.ReleaseError, match="below the current"):
            script.check_version(lower, higher)


@pytest.mark.parametrize(
    ("changelog", "reason"),
    [
        ("# Changelog\n", "expected one heading"),
        ("## [Unreleased]\n\n## [0.1.0]\n\n- A thing.\n", "nothing is listed"),
        (CHANGELOG.replace("0.1.0", "0.2.0"), "has a part for 0.2.0"),
    ],
)
def test_changelog_must_be_right(changelog, reason):
    with pytest.raises(script.ReleaseError, match=reason):
        script.with_release(changelog, "0.2.0", DAY)


def test_real_files_can_be_released():
    assert "9.9.9" in script.with_version((ROOT / script.VERSION_FILE).read_text(encoding="utf-8"), "9.9.9")
    assert "9.9.9" in str(script.with_release((ROOT / script.CHANGELOG).read_text(encoding="utf-8"), "9.9.9", DAY))


def test_failing_command_says_why(tmp_path):
    with pytest.raises(script.ReleaseError, match="git log: fatal"):
        script.run("git", "log", cwd=tmp_path)
    with pytest.raises(script.ReleaseError, match="no-such-command is not installed"):
        script.run("no-such-command", cwd=tmp_path)


def test_command_reports_an_error(capsys):
    assert script.main(["nonsense"]) == 1
    assert "no release: " in capsys.readouterr().err
