from uuid import uuid4


def test_deployment_is_read_by_its_id(client):
    listed = client.get("/deployments").json()[1]
    found = client.get(f"/deployment/{listed['id'].upper()}").json()
    assert {name: found[name] for name in ("id", "workflow_id", "input_types")} == {
        name: listed[name] for name in ("id", "workflow_id", "input_types")
    }
    assert found["version"]["workflow_api"]


def test_version_leads_to_its_workflow(client):
    listed = client.get("/deployments").json()[1]
    version = client.get(f"/workflow-version/{listed['workflow_version_id']}").json()
    assert (version["id"], version["workflow_id"]) == (listed["workflow_version_id"], listed["workflow_id"])
    answer = client.get(f"/workflow-version/{uuid4()}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Workflow version not found"})
