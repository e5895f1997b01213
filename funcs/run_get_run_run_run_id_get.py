"""Read a run, under the name that the documentation of the original SDK has for it."""

from comfydeploy.funcs.run_get import OPERATION
from comfydeploy.funcs.run_get import run_get as run_get_run_run_run_id_get
from comfydeploy.funcs.run_get import run_get_async as run_get_run_run_run_id_get_async

__all__ = ["OPERATION", "run_get_run_run_run_id_get", "run_get_run_run_run_id_get_async"]
