"""Finding a deployment by its id or by the name of its workflow."""

from collections.abc import Sequence
from difflib import get_close_matches
from uuid import UUID

import click

from comfydeploy._cli.records import deployment_name
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Result, Success

_MOST = 20


def find_deployment(
    core: ComfyDeployCore, text: str, options: RequestOptions | None = None
) -> Result[DeploymentModel, Error]:
    """Read the deployment with an id or a name; raise ``click.UsageError`` for none or several."""
    if is_id(text):
        from comfydeploy.funcs.deployment_get import deployment_get

        return deployment_get(core, text, options)
    listed = all_deployments(core, options)
    if not isinstance(listed, Success):
        return listed
    found = named(listed.unwrap(), text)
    if isinstance(found, Failure):
        raise click.UsageError(found.failure())
    return found


def all_deployments(
    core: ComfyDeployCore, options: RequestOptions | None = None, environment: str | None = None
) -> Result[list[DeploymentModel], Error]:
    """Read all deployments, including those that the server omits from its default list."""
    from comfydeploy.funcs.deployments_list import deployments_list

    return deployments_list(core, environment, options, is_fluid=True)


def named(deployments: Sequence[DeploymentModel], name: str) -> Result[DeploymentModel, str]:
    """Return the one deployment of a workflow with a name, or a sentence that lists the candidates."""
    found = [one for one in deployments if deployment_name(one) == name]
    if len(found) == 1:
        return Success(found[0])
    if found:
        return Failure("\n".join([f"{len(found)} deployments are called {name!r}; give an id:", *_candidates(found)]))
    names = sorted({known for one in deployments if (known := deployment_name(one))})
    if not names:
        return Failure(f"there is no deployment {name!r}: the server lists none")
    if close := get_close_matches(name, names, 1):
        return Failure(f"there is no deployment {name!r}; did you mean {close[0]!r}?")
    return Failure(f"there is no deployment {name!r}; there are {', '.join(names[:_MOST])}")


def is_id(text: str) -> bool:
    """Check whether a text is a UUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _candidates(deployments: Sequence[DeploymentModel]) -> list[str]:
    lines = [f"  {one.id}  {one.environment or ''}  {one.description or ''}".rstrip() for one in deployments[:_MOST]]
    more = len(deployments) - len(lines)
    return [*lines, f"  and {more} more"] if more else lines
