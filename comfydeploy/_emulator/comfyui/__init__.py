"""Runs that a real ComfyUI executes."""
