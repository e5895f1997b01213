"""``client.machine``: the operations on one machine, raising."""

from typing import TYPE_CHECKING

from comfydeploy._facade.group import Group
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    from comfydeploy.models.machine import MachineModel


class Machine(Group):
    """Read one machine; every method raises the error of a ``Failure``."""

    def get(self, machine_id: str, options: RequestOptions | None = None) -> "MachineModel":
        """Return a machine with its settings.

        Args:
            machine_id: The id of the machine, a UUID, as ``machines_list`` returns it.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``machine_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.machine_get import machine_get

        return unwrap(machine_get(self._core, machine_id, options))

    async def get_async(self, machine_id: str, options: RequestOptions | None = None) -> "MachineModel":
        """Return a machine with its settings.

        Args:
            machine_id: The id of the machine, a UUID, as ``machines_list`` returns it.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``machine_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.machine_get import machine_get_async

        return unwrap(await machine_get_async(self._core, machine_id, options))
