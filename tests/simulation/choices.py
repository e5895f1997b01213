"""All that a simulated world leaves to chance: one list of small numbers, from a seed or from another list.

A 0 is always the simplest choice: no fault, the first of several, the shortest time. So a list that fails is made
simpler by leaving numbers out and by lowering them.
"""

from random import Random


class Choices:
    """Numbers from a seed, or from a list, after whose end all are 0. ``made`` is what was chosen so far."""

    def __init__(self, seed=0, given=None):
        self._random = Random(seed).random
        self._given = given
        self.made = []

    def below(self, limit):
        """Return an integer from 0 to below a limit."""
        if self._given is None:
            number = int(self._random() * limit)
        else:
            place = len(self.made)
            number = min(self._given[place], limit - 1) if place < len(self._given) else 0
        self.made.append(number)
        return number

    def one_in(self, many):
        """Return whether something rare happens."""
        return self.below(many) == many - 1

    def fraction(self):
        """Return a number from 0 to below 1, in hundredths."""
        return self.below(100) / 100

    def of(self, values):
        """Return one of several values."""
        return values[self.below(len(values))]


def shrunk(given, fails, most=150):
    """Return a simpler list that fails as well, after at most some tries.

    It leaves out blocks of numbers, then sets blocks to 0, then lowers single numbers, as long as that helps.
    """
    best, tries = list(given), 0

    def takes(candidate):
        nonlocal best, tries
        tries += 1
        if tries > most or not fails(candidate):
            return False
        best = candidate
        return True

    before = None
    while before != best and tries <= most:
        before = best
        for size in (64, 16, 4, 1):
            place = len(best)
            while place > 0:
                place = max(place - size, 0)
                end = min(place + size, len(best))
                without, zeros = best[:place] + best[end:], best[:place] + [0] * (end - place) + best[end:]
                takes(without) or (zeros != best and takes(zeros))
        for place, number in enumerate(best):
            for lower in (1, number // 2, number - 1):
                if place < len(best) and 0 < lower < number:
                    takes(best[:place] + [lower] + best[place + 1 :])
    while best and best[-1] == 0:
        best.pop()
    return best
