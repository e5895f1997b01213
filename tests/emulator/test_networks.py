import asyncio

import pytest

from comfydeploy._emulator.networks import Networks, RefusedAddressError
from comfydeploy.emulator import Emulator

OPEN = ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "8.8.8.8", "2606:4700::1111", "::ffff:127.0.0.1"]
OPEN += ["64:ff9b::808:808", "2002:808:808::1", "::"]
PRIVATE = ["10.0.0.5", "172.18.0.3", "192.168.1.1", "169.254.169.254", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.5"]
# Addresses of IPv6 behind which is a private one of IPv4, and those that no single computer has.
PRIVATE += ["64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:5", "2002:a00:5::1", "::a00:5", "::ffff:0:a00:5", "fec0::1"]
PRIVATE += ["224.0.0.1", "ff02::1"]


@pytest.mark.parametrize("address", OPEN)
def test_loopback_and_public_addresses_are_open(address):
    Networks().check(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address):
    with pytest.raises(RefusedAddressError, match="--allow-network"):
        Networks(["172.16.5.0/24"]).check(address)
    Networks(["private"]).check(address)


def test_network_can_be_allowed():
    Networks(["172.16.0.0/12", "fd00::/8"]).check("172.18.0.3")
    Networks(["172.16.0.0/12", "fd00::/8"]).check("fd00::1")


def test_name_is_checked_by_its_addresses():
    assert asyncio.run(Networks().resolve("localhost", 80)) in {"127.0.0.1", "::1"}
    with pytest.raises(RefusedAddressError):
        asyncio.run(Networks().resolve("10.1.2.3", 80))


@pytest.mark.parametrize("name", ["10.0.0.0/33", "compose", "10.0.0.5/8"])
def test_network_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="allowed_networks must be networks such as"):
        Emulator(allowed_networks=[name])
