import pytest

from comfydeploy.emulator import Emulator


@pytest.fixture
def odd(connect):
    """Start servers with quirks that never wait, and return a client of each: ``odd(Quirk.LATE_TIMEOUT)``."""
    started = []

    def start(*quirks, **settings):
        emulator = Emulator(quirks=quirks, **{"pace": 0} | settings)
        emulator.start()
        started.append(emulator)
        client = connect(emulator)
        client.emulator = emulator
        client.order = lambda name="picture", **fields: {"deployment_id": emulator.deployments[name], **fields}
        return client

    yield start
    for emulator in started:
        emulator.stop()
