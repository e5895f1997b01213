from comfydeploy.emulator import Emulator


def test_ids_never_change():
    assert Emulator().deployments == {
        "picture": "b4f8e47e-e77b-5227-a017-693eb36cdd5d",
        "slow": "e09fcd5a-24c0-55e1-86e7-13eeffd9e9a9",
        "failing": "71dcad40-97ed-5938-8cac-3e5f19f195ab",
    }


def test_every_input_and_output_is_described(client):
    rows = client.get("/deployments").json()
    described = {
        one["input_id"]: (one["type"], type(one["default_value"]), one["min_value"], one["max_value"])
        for one in rows[0]["input_types"]
    }
    assert described == {
        "prompt": ("string", str, None, None),
        "width": ("integer", int, 16, 2048),
        "height": ("integer", int, 16, 2048),
        "seed": ("integer", int, None, None),
        "text": ("string", str, None, None),
        "fail": ("boolean", bool, None, None),
    }
    for row in rows:
        for one in row["input_types"]:
            assert set(one) >= {"class_type", "display_name", "description", "enum_options", "step"}
            assert one["display_name"]
            assert one["description"]
        assert [(one["type"], one["output_id"]) for one in row["output_types"]] == [("image", "result")]


def test_graph_of_deployment_can_be_sent(client):
    row = client.get("/deployments").json()[0]
    native = client.post("/run", json={"deployment_id": row["id"], "is_native_run": True}).json()
    body = {
        "workflow_id": row["workflow_id"],
        "workflow_api_json": native["workflow_api_raw"],
        "machine_id": row["machine_id"],
    }
    assert client.post("/run/workflow/sync", json=body).json()[0]["output_id"] == "result"
