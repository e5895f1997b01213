"""The audit of dependencies says what was checked, and never passes in silence."""

from audit import verdict

GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {
    "name": "b",
    "version": "2",
    "vulns": [{"id": "CVE-1", "fix_versions": ["2.1", "3"]}, {"id": "CVE-2", "fix_versions": []}],
}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found"}


def test_vulnerability_fails():
    is_good, text = verdict({"dependencies": [GOOD, BAD]})
    assert not is_good
    assert text.splitlines() == [
        "b 2: CVE-1, mended in 2.1 or 3",
        "b 2: CVE-2, mended in no version",
        "2 packages checked, 2 vulnerabilities known",
    ]


def test_what_was_not_checked_is_named():
    assert verdict({"dependencies": [GOOD, UNKNOWN]}) == (
        True,
        "1 packages checked, 0 vulnerabilities known; not checked: c",
    )


def test_service_out_of_reach_is_no_pass():
    is_good, text = verdict({"dependencies": [UNKNOWN, UNKNOWN]})
    assert is_good
    assert text == "SKIPPED: none of 2 packages was checked for vulnerabilities: Dependency not found"
    assert verdict({"dependencies": []})[1].endswith("there are no packages")
