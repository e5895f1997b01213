"""Quirks of runs: their outputs, and how they end."""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import replace
from typing import Final, TypeAlias

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.machine.life import Act, Change, Life, Pause, Upload
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.quirks.logs import noisy
from comfydeploy._emulator.runs.output import Output, OutputFile, OutputItem
from comfydeploy._emulator.runs.run import Run

Acts: TypeAlias = AsyncGenerator[Act, None]

WAIT_SECONDS: Final = 3.0


def quirky_life(life: Life, quirks: Collection[Quirk]) -> Life:
    """Return the life that runs have under these quirks."""

    def lived(run: Run, deployment: Deployment, number: int, base: str) -> Acts:
        acts = life(run, deployment, number, base)
        if Quirk.NOISY_LOGS in quirks:
            acts = noisy(run, acts)
        for quirk, change in _CHANGES.items():
            if quirk in quirks:
                acts = change(acts)
        return acts

    return lived


async def _late_timeout(acts: Acts) -> Acts:
    uploads = 0
    files = 0
    async with aclosing(acts):
        async for act in acts:
            match act:
                case Upload(output):
                    uploads += 1
                    files += len(output.files)
                case Change({"status": "success"}) if uploads and not files:
                    # The server notices the end of a run with its last file: without one the run waits until its limit.
                    yield Pause(WAIT_SECONDS)
                    yield Change({**act.fields, "status": "timeout"})
                    return
                case _:
                    pass
            yield act


async def _vanishing_outputs(acts: Acts) -> Acts:
    async with aclosing(acts):
        async for act in acts:
            match act:
                case Upload(output):
                    if kept := _kept(output):
                        yield replace(act, output=kept)
                case _:
                    yield act


def _kept(output: Output) -> Output | None:
    try:
        data = {kind: [_item(item) for item in items] for kind, items in output.data.items()}
    except ValueError:
        return None
    return output.model_copy(update={"data": data})


def _item(item: OutputItem) -> OutputItem:
    if isinstance(item, OutputFile | str | bool):
        return item
    if item in (0, 1):
        return bool(item)
    raise ValueError(item)


_CHANGES: Final[dict[Quirk, Callable[[Acts], Acts]]] = {
    Quirk.LATE_TIMEOUT: _late_timeout,
    Quirk.VANISHING_OUTPUTS: _vanishing_outputs,
}
