"""One simulated world from its choices, and what it shows."""

from attrs import frozen
from choices import Choices
from simulated_callers import Caller, KeyedCaller
from simulated_maps import Map
from simulated_network import Network
from simulated_receiver import Receiver
from simulated_server import Server
from world import Fault, World


@frozen
class Shown:
    """What a world has shown: its number of steps, its choices, and the promise that did not hold, if any."""

    steps: int
    choices: list
    fault: str | None = None
    detail: str = ""
    runs: int = 0


def simulated(seed=0, given=None, trace=None):
    """Let a world happen, from a seed or from given choices."""
    choices = Choices(seed, given)
    world = World(choices, trace)
    server = None
    try:
        receiver = Receiver(world)
        server = Server(world, receiver.watch)
        network = Network(world, server, choices.of((4, 2, 1, 1)))
        callers = [Caller(world, server, network, f"call-{index}") for index in range(choices.below(4))]
        callers += [KeyedCaller(world, server, network, f"key-{index}") for index in range(choices.below(3))]
        maps = [Map(world, server, network) for _ in range(choices.below(2))]
        for one in (*callers, *maps):
            world.at(choices.of((0.0, 0.5, 5.0)), one.begin)
        world.run()
        for one in (*callers, *maps, receiver, network):
            one.check()
    except Fault as fault:
        world.note("FAULT: %s", fault)
        return Shown(world.steps, choices.made, fault.name, str(fault), len(server.runs))
    return Shown(world.steps, choices.made, runs=len(server.runs))
