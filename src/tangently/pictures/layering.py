"""Layered drawing of a directed acyclic graph, after Sugiyama, with room for a label on every link.

Four steps, each with its source:

1. *Ranks.* Longest path, then every node slides toward the side where it has more links (Gansner, Koutsofios, North
   & Vo, "A technique for drawing directed graphs", 1993, ask for the smallest total length; sliding reaches it on
   graphs like ours). Node ranks are even. The odd ranks between them hold the labels: a label is a node on the link,
   as in that paper, so no label can ever meet another label, a node, or the wire of another link.
2. *Bends.* A link that passes several ranks gets a bend at each of them (Sugiyama, Tagawa & Toda 1981); the bend
   next to the end that is less crowded carries the label.
3. *Order.* The first order follows the operands back from the sinks, so trees come out free of crossings and in the
   order in which they were written. Barycenter sweeps and swaps of neighbors follow, and the best order wins.
   Crossings are counted with a Fenwick tree (Barth, Jünger & Mutzel 2002).
4. *Coordinates.* Brandes & Köpf, "Fast and simple horizontal coordinate assignment" (2001): four alignments of blocks,
   each compacted, and the mean of the middle two. Compaction is by longest path over the blocks, which also avoids
   the error of the published algorithm (erratum by Brandes, Walter & Zink 2020). One addition: where a link from
   another computation meets one from a lone input, or a short link a long one, the first decides. So the spine of a
   deep network is a straight line, with its weights and its skip links beside it, rather than a staircase.

Nothing here knows what a node means or how it is drawn: nodes are sizes, links are pairs, and the answer is numbers.
Everything is deterministic, without recursion. `along` is the direction of flow, `across` the other one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 24  # of the ordering; it stops long before when nothing improves
SWAPS = 4000  # bends and nodes above which neighbors are no longer swapped one by one


@dataclass(frozen=True, slots=True)
class Extent:
    """A size: along the flow, and on either side (before and after) of the line on which links are attached."""

    along: float = 0.0
    before: float = 0.0
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Link:
    source: int
    target: int
    label: Extent = Extent()


@dataclass(frozen=True, slots=True)
class Column:
    """The band of one rank: where it starts along the flow, and where it ends."""

    start: float
    end: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


@dataclass(frozen=True, slots=True)
class Placement:
    """`nodes` and the stops of `routes` are (column, across); `labels` gives the stop that carries each label."""

    columns: tuple[Column, ...]
    nodes: tuple[tuple[int, float], ...]
    routes: tuple[tuple[tuple[int, float], ...], ...]
    labels: tuple[int, ...]


Channel = Callable[[list[tuple[float, float]]], float]  # the wires that cross a gap, to the width of the gap


def place(nodes: Sequence[Extent], links: Sequence[Link], gap: float, channel: Channel) -> Placement:
    """Draw the graph: ranks, bends, order, coordinates. `gap` separates neighbors in a rank.

    >>> placed = place([Extent(10, 5, 5)] * 2, [Link(0, 1, Extent(20, 8, 8))], 4, lambda wires: 6)
    >>> [(column.start, column.end) for column in placed.columns]
    [(0.0, 10.0), (16.0, 36.0), (42.0, 52.0)]
    >>> placed.nodes, placed.routes
    (((0, 0.0), (2, 0.0)), (((0, 0.0), (1, 0.0), (2, 0.0)),))
    """
    if not nodes:
        return Placement((), (), (), ())
    ranks = [2 * rank for rank in rank_nodes(len(nodes), links)]
    layers, extents, chains, labels = _bend(nodes, links, ranks)
    below, above = _neighbors(len(extents), chains)
    order = order_layers(layers, below, above)
    across = align(order, below, above, extents, len(nodes), gap, _weak_segments(links, chains))
    columns = _columns(order, extents, across, below, channel)
    stop_rank = {v: rank for rank, layer in enumerate(order) for v in layer}
    routes = tuple(tuple((stop_rank[v], across[v]) for v in chain) for chain in chains)
    return Placement(columns, tuple((ranks[v], across[v]) for v in range(len(nodes))), routes, tuple(labels))


# --- 1. ranks


def rank_nodes(count: int, links: Sequence[Link]) -> list[int]:
    """A rank for each node such that links go to higher ranks and are short.

    An operand that is first needed late stands beside its consumer:

    >>> rank_nodes(4, [Link(0, 1), Link(1, 2), Link(3, 2)])
    [0, 1, 2, 1]
    """
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        sources[link.target].append(link.source)
        targets[link.source].append(link.target)
    order = _topological(sources, targets)
    ranks = [0] * count
    for v in order:
        ranks[v] = max((ranks[u] + 1 for u in sources[v]), default=0)
    for _ in range(4):
        for v in reversed(order):
            if targets[v] and len(targets[v]) >= len(sources[v]):
                ranks[v] = min(ranks[t] for t in targets[v]) - 1
        for v in order:
            if sources[v] and len(sources[v]) >= len(targets[v]):
                ranks[v] = max(ranks[u] for u in sources[v]) + 1
    lowest = min(ranks, default=0)
    return [rank - lowest for rank in ranks]


def _topological(sources: list[list[int]], targets: list[list[int]]) -> list[int]:
    waiting = [len(nodes) for nodes in sources]
    order = [v for v, count in enumerate(waiting) if not count]
    for v in order:  # grows while it is read
        for t in targets[v]:
            waiting[t] -= 1
            if not waiting[t]:
                order.append(t)
    return order


# --- 2. bends


def _bend(
    nodes: Sequence[Extent], links: Sequence[Link], ranks: list[int]
) -> tuple[list[list[int]], list[Extent], list[list[int]], list[int]]:
    """Add a bend to each rank that a link passes, and give the label to one of them. The nodes keep their numbers."""
    layers: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    extents = list(nodes)
    chains: list[list[int]] = []
    labels: list[int] = []
    leaving, arriving = Counter(link.source for link in links), Counter(link.target for link in links)
    for v, rank in enumerate(ranks):
        layers[rank].append(v)
    for link in links:
        span = ranks[link.target] - ranks[link.source]
        label = 1 if arriving[link.target] > leaving[link.source] else span - 1
        bends = range(len(extents), len(extents) + span - 1)
        extents.extend(link.label if step == label else Extent() for step in range(1, span))
        for rank, bend in enumerate(bends, ranks[link.source] + 1):
            layers[rank].append(bend)
        chains.append([link.source, *bends, link.target])
        labels.append(label)
    return layers, extents, chains, labels


def _neighbors(count: int, chains: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    below: list[list[int]] = [[] for _ in range(count)]
    above: list[list[int]] = [[] for _ in range(count)]
    for chain in chains:
        for u, v in pairwise(chain):
            below[u].append(v)
            above[v].append(u)
    return below, above


# --- 3. order


def order_layers(layers: list[list[int]], below: list[list[int]], above: list[list[int]]) -> list[list[int]]:
    """The layers, each in an order with few crossings."""
    best = _written_order(layers, below, above)
    fewest = _crossings(best, below)
    current, idle = [list(layer) for layer in best], 0
    for sweep in range(SWEEPS):
        if not fewest or idle > 5:
            break
        _barycenters(current, below if sweep % 2 else above, backward=bool(sweep % 2))
        _swap_neighbors(current, below, above)
        count = _crossings(current, below)
        idle = 0 if count < fewest else idle + 1
        if count < fewest:
            best, fewest = [list(layer) for layer in current], count
    return best


def _written_order(layers: list[list[int]], below: list[list[int]], above: list[list[int]]) -> list[list[int]]:
    """Number everything by a depth-first walk from the sinks back along the operands, first operand first."""
    number = [-1] * len(above)
    stack = [v for layer in layers for v in reversed(layer) if not below[v]]
    count = 0
    while stack:
        v = stack.pop()
        if number[v] < 0:
            number[v] = count
            count += 1
            stack.extend(reversed(above[v]))
    return [sorted(layer, key=number.__getitem__) for layer in layers]


def _barycenters(layers: list[list[int]], fixed: list[list[int]], backward: bool) -> None:
    """Sort each layer by the mean place of its neighbors in the layer before; who has none keeps its place."""
    place = {v: i for layer in layers for i, v in enumerate(layer)}
    for layer in reversed(layers) if backward else layers:
        keys = {v: _mean([place[u] for u in fixed[v]], place[v]) for v in layer}
        layer.sort(key=keys.__getitem__)
        place.update((v, i) for i, v in enumerate(layer))


def _mean(numbers: list[int], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _swap_neighbors(layers: list[list[int]], below: list[list[int]], above: list[list[int]]) -> None:
    if len(below) > SWAPS:
        return
    place = {v: i for layer in layers for i, v in enumerate(layer)}

    def crossed(u: int, v: int) -> int:
        return sum(place[a] > place[b] for side in (below, above) for a in side[u] for b in side[v])

    for layer in layers:
        for i in range(len(layer) - 1):
            u, v = layer[i], layer[i + 1]
            if crossed(u, v) > crossed(v, u):
                layer[i], layer[i + 1] = v, u
                place[u], place[v] = i + 1, i


def _crossings(layers: list[list[int]], below: list[list[int]]) -> int:
    total = 0
    for layer, following in pairwise(layers):
        place = {v: i for i, v in enumerate(following)}
        total += inversions([p for v in layer for p in sorted(place[t] for t in below[v])], len(following))
    return total


def inversions(places: list[int], size: int) -> int:
    """How many pairs are in the wrong order, in n log n by a Fenwick tree.

    >>> inversions([2, 0, 1, 1], 3)
    3
    """
    tree = [0] * (size + 1)
    total = 0
    for seen, place in enumerate(places):
        i = place + 1
        total += seen
        while i:  # those seen so far that are not behind this place
            total -= tree[i]
            i &= i - 1
        i = place + 1
        while i <= size:
            tree[i] += 1
            i += i & -i
    return total


# --- 4. coordinates


def align(
    layers: list[list[int]],
    below: list[list[int]],
    above: list[list[int]],
    extents: list[Extent],
    real: int,
    gap: float,
    weak: set[tuple[int, int]],
) -> list[float]:
    """The coordinate across the flow of every node and bend. Numbers from `real` on are bends."""
    crossed = _crossed_inner(layers, above, real) | weak
    runs = []
    for upward in (False, True):
        stack = layers[::-1] if upward else layers
        near = below if upward else above
        for mirrored in (False, True):
            rows = [row[::-1] for row in stack] if mirrored else stack
            xs = _compact(rows, _blocks(rows, near, crossed), extents, gap, mirrored)
            runs.append([-x for x in xs] if mirrored else xs)
    return _balance(runs, extents)


def _weak_segments(links: Sequence[Link], chains: list[list[int]]) -> set[tuple[int, int]]:
    """The ends of links that give way: long links, and those of a lone input, where the node has another kind too."""
    uses, fed = Counter(link.source for link in links), {link.target for link in links}
    minor = [len(chain) > 3 or (chain[0] not in fed and uses[chain[0]] == 1) for chain in chains]
    ahead = {chain[0] for chain, is_minor in zip(chains, minor) if not is_minor}
    behind = {chain[-1] for chain, is_minor in zip(chains, minor) if not is_minor}
    leaving = {(c[0], c[1]) for c, is_minor in zip(chains, minor) if is_minor and c[0] in ahead}
    return leaving | {(c[-2], c[-1]) for c, is_minor in zip(chains, minor) if is_minor and c[-1] in behind}


def _crossed_inner(layers: list[list[int]], above: list[list[int]], real: int) -> set[tuple[int, int]]:
    """The segments that cross a segment between two bends: long links stay straight, so these must give way."""
    crossed = set()
    for previous, layer in pairwise(layers):
        place = {v: i for i, v in enumerate(previous)}
        stops = [(i, place[above[v][0]]) for i, v in enumerate(layer) if v >= real and above[v][0] >= real]
        low, start = 0, 0
        for end, high in [*stops, (len(layer), len(previous))] if stops else []:
            for v in layer[start:end]:
                crossed.update((u, v) for u in above[v] if not low <= place[u] <= high)
            start, low = end, high
    return crossed


def _blocks(rows: list[list[int]], near: list[list[int]], crossed: set[tuple[int, int]]) -> list[int]:
    """Align each node with a median neighbor in the row before. The answer names the first node of each block."""
    root = list(range(len(near)))
    taken = [False] * len(near)
    for previous, row in pairwise(rows):
        place = {v: i for i, v in enumerate(previous)}
        last = -1
        for v in row:
            sides = sorted((u for u in near[v] if not {(u, v), (v, u)} & crossed), key=place.__getitem__)
            for u in sides[max(0, len(sides) - 1) // 2 : len(sides) // 2 + 1]:
                if not taken[u] and last < place[u]:
                    root[v], taken[u], last = root[u], True, place[u]
                    break
    return root


def _compact(rows: list[list[int]], root: list[int], extents: list[Extent], gap: float, mirrored: bool) -> list[float]:
    """Push the blocks together: first all to one side, then back toward the neighbor on the other side."""
    after: dict[int, list[tuple[int, float]]] = {r: [] for r in root}
    before: dict[int, list[tuple[int, float]]] = {r: [] for r in root}
    for row in rows:
        for u, v in pairwise(row):
            a, b = (extents[u].before, extents[v].after) if mirrored else (extents[u].after, extents[v].before)
            after[root[u]].append((root[v], a + b + gap))
            before[root[v]].append((root[u], a + b + gap))
    order = _block_order(before, after)
    x: dict[int, float] = {}
    for block in order:
        x[block] = max((x[u] + room for u, room in before[block]), default=0.0)
    for block in reversed(order):
        x[block] = max(x[block], min((x[v] - room for v, room in after[block]), default=x[block]))
    return [x[r] for r in root]


def _block_order(before: dict[int, list[tuple[int, float]]], after: dict[int, list[tuple[int, float]]]) -> list[int]:
    waiting = {block: len(sides) for block, sides in before.items()}
    order = [block for block, count in waiting.items() if not count]
    for block in order:  # grows while it is read
        for other, _ in after[block]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order


def _balance(runs: list[list[float]], extents: list[Extent]) -> list[float]:
    """Shift the four drawings onto the narrowest, and take the mean of the middle two; the top is at 0."""

    def ends(xs: list[float]) -> tuple[float, float]:
        return min(x - e.before for x, e in zip(xs, extents)), max(x + e.after for x, e in zip(xs, extents))

    spans = [ends(xs) for xs in runs]
    low, high = min(spans, key=lambda span: span[1] - span[0])
    for i, (first, last) in enumerate(spans):  # runs 1 and 3 were mirrored, so they lean on the far side
        shift = high - last if i % 2 else low - first
        runs[i] = [x + shift for x in runs[i]]
    middle = [sum(sorted(four)[1:3]) / 2 for four in zip(*runs)]
    top = min(x for x in middle)
    return [x - top for x in middle]


def _columns(
    layers: list[list[int]], extents: list[Extent], across: list[float], below: list[list[int]], channel: Channel
) -> tuple[Column, ...]:
    columns, start = [], 0.0
    for layer in layers:
        end = start + max((extents[v].along for v in layer), default=0.0)
        columns.append(Column(start, end))
        start = end + channel([(across[v], across[t]) for v in layer for t in below[v]])
    return tuple(columns)
