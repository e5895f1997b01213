"""No test runs without an end: ``conftest.py`` limits each."""

import threading

import pytest


def test_wait_without_an_end_fails(pytestconfig, capfd):
    (limited,) = {plugin.limited for plugin in pytestconfig.pluginmanager.get_plugins() if hasattr(plugin, "limited")}
    with pytest.raises(pytest.fail.Exception, match=r"longer than 0.01 s"), limited(0.01):
        threading.Event().wait()
    assert "test_wait_without_an_end_fails" in capfd.readouterr().err
