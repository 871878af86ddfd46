"""Messages that are on their way at once and share the links that they cross.

A message is a fluid flow. At any time each flow has its max-min fair rate: none could
be higher without lowering one that is no higher. Rates are worked out anew whenever a
flow comes or goes, so that between two such instants all is linear and exact.

Reference:
    D. Bertsekas and R. Gallager, "Data Networks", 2nd ed., Prentice Hall, 1992,
    section 6.5, for max-min fairness and for filling links until one is full.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosmic.errors import SpecError
from cosmic.units import Bytes, Seconds

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def fair_rates(paths: Ints, bandwidths: Floats) -> Floats:
    """The max-min fair rate of each flow in bytes per second, shape (flows,).

    A link's share is what it has left over the flows that are still open. A link whose
    flows find no smaller share elsewhere is full at that share; they are settled, what
    they take is taken off their other links, and so on. No share falls on the way.

    Args:
        paths: Links that each flow crosses, shape (flows, longest); shorter ways are
            filled up with a link of infinite bandwidth.
        bandwidths: What each link carries, in bytes per second, shape (links,).

    >>> both, first, second = [0, 1], [0, 2], [1, 2]  # link 2 is the endless one
    >>> fair_rates(np.array([both, first, second]), np.array([1.0, 3.0, np.inf]))
    array([0.5, 0.5, 2.5])
    """
    rates = np.zeros(len(paths))
    left = bandwidths.astype(np.float64)
    still_open = np.arange(len(paths))
    while len(still_open):
        crossed = paths[still_open]
        users = np.bincount(crossed.ravel(), minlength=len(left))
        share = np.divide(left, users, out=np.full(len(left), np.inf), where=users > 0)
        own = share[crossed].min(axis=1)
        least = np.full(len(left), np.inf)
        np.minimum.at(least, crossed, own[:, None])
        settled = (least == share)[crossed].any(axis=1)
        rates[still_open[settled]] = own[settled]
        taken = np.broadcast_to(own[settled, None], crossed[settled].shape)
        left -= np.bincount(
            crossed[settled].ravel(), weights=taken.ravel(), minlength=len(left)
        )
        still_open = still_open[~settled]
    return rates


class Flows:
    """The flows under way, by name; time goes on with `ended`.

    Args:
        bandwidths: What each link carries, in bytes per second, shape (links,).
        most_crossings: Give up when rates have been worked out for so many crossings of
            a link by a flow; thousands of flows that all end at times of their own
            would take hours.

    >>> flows = Flows(np.array([1e9]))
    >>> flows.start(7, [0], 1e9)
    >>> flows.start(8, [0], 2e9)
    >>> flows.next_end()  # half the link each
    2.0
    >>> flows.ended(2.0, 2.0), flows.next_end()
    ([7], 3.0)
    """

    def __init__(self, bandwidths: Floats, most_crossings: int = 2 * 10**8) -> None:
        self._bandwidths = np.append(bandwidths, np.inf)
        self._endless = len(bandwidths)  # fills up the paths of flows over fewer links
        self._now: Seconds = 0.0
        self._names: Ints = np.zeros(0, np.int64)
        self._paths: Ints = np.zeros((0, 1), np.int64)
        self._left: Floats = np.zeros(0)
        self._rates: Floats = np.zeros(0)
        self._ends: Floats = np.zeros(0)
        self._new: list[tuple[int, Sequence[int], Bytes]] = []
        self._stale = False
        self._crossings, self._most_crossings = 0, most_crossings

    def start(self, name: int, links: Sequence[int], nbytes: Bytes) -> None:
        """Let a flow of `nbytes` set out over `links` at the present time."""
        self._new.append((name, links, nbytes))

    def next_end(self) -> Seconds:
        """When the next flow ends if none starts before; infinity if there is none.

        Raises:
            SpecError: It takes too long to work out.
        """
        if self._new:
            self._take_in_new()
        if self._stale:
            self._count_work()
            self._rates = fair_rates(self._paths, self._bandwidths)
            self._ends = self._now + self._left / self._rates
            self._stale = False
        return float(self._ends.min(initial=np.inf))

    def ended(self, now: Seconds, by: Seconds) -> list[int]:
        """Go on to `now`: the names of the flows that end until `by`, a moment later.

        Args:
            now: No later than `next_end`, and no earlier than the present time.
            by: At least `now`; the two differ by what rounding may.
        """
        self.next_end()  # rates are those of all that has started
        self._left -= self._rates * (now - self._now)
        self._now = now
        over = self._ends <= by
        if not over.any():
            return []
        names: list[int] = self._names[over].tolist()
        self._names, self._paths = self._names[~over], self._paths[~over]
        self._left, self._stale = self._left[~over], True
        return names

    def _count_work(self) -> None:
        self._crossings += self._paths.size
        if self._crossings > self._most_crossings:
            raise SpecError(
                "link-level simulation gives up: too many messages share links and end "
                "at different times; take fewer devices or chunks"
            )

    def _take_in_new(self) -> None:
        names, ways, sizes = zip(*self._new, strict=True)
        longest = max(self._paths.shape[1], *map(len, ways))
        paths = np.full((len(self._names) + len(ways), longest), self._endless)
        paths[: len(self._names), : self._paths.shape[1]] = self._paths
        for row, links in enumerate(ways, start=len(self._names)):
            paths[row, : len(links)] = links
        self._names = np.concatenate([self._names, np.array(names, np.int64)])
        self._left = np.concatenate([self._left, np.array(sizes, np.float64)])
        self._paths, self._new, self._stale = paths, [], True
