from comfydeploy.emulator import Emulator


def test_ids_never_change():
    assert Emulator().deployments == {
        "picture": "b4f8e47e-e77b-5227-a017-693eb36cdd5d",
        "slow": "e09fcd5a-24c0-55e1-86e7-13eeffd9e9a9",
        "failing": "71dcad40-97ed-5938-8cac-3e5f19f195ab",
    }
