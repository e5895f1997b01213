"""Run ComfyUI workflows on ComfyDeploy."""
