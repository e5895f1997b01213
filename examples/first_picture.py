"""Save a picture, drawn by the local server: start ``comfydeploy emulator`` first."""

from comfydeploy import ComfyDeploy

client = ComfyDeploy(bearer="local-key", server_url="http://localhost:3011/api")  # the server on your computer
cat = {"deployment_id": "b4f8e47e-e77b-5227-a017-693eb36cdd5d", "inputs": {"prompt": "a cat", "seed": 3}}
run = client.run.queue_and_wait(cat)
print(client.run.download(run, to="pictures"))
