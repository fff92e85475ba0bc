"""Fold a large graph until it can be read, without ever telling an untruth or making a cycle.

The idea: cut *one topological order* into intervals and make each interval a vertex. Arcs then only go from an earlier
interval to a later one, so the folded graph is acyclic whatever the cuts are; there is nothing to check afterwards.
What remains is to choose an order in which the named functions are in one piece. Kahn's algorithm (1962) leaves a
choice at every step, and here the choice is: stay in the function that made the last vertex, else in the one around
it, else do first what belongs to no function. A function whose vertices can't be in one piece (it needs something from
outside that needs something from it) falls into several intervals by itself: those are its convex parts. Pieces of an
interval that do not touch, such as two independent calls, become vertices of their own.

Functions fold from the inside out and the largest first, all calls of a function together, as few as the limit allows.
If that is not enough, what is left is a long chain, usually of one step repeated: its middle interval becomes
"… 9,990 more …", cut at whole repetitions where the labels show a period. Many inputs or outputs fold likewise;
sources and sinks can always be merged.

Everything is linear up to a logarithm and without recursion.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import heappop, heappush

from tangently.pictures.model import Arc, Diagram, Vertex

Path = tuple[str, ...]
ENDS = 3  # no more than a limit/ENDS of the picture for the sources, and as much for the sinks


def collapse(diagram: Diagram, limit: int = 60) -> Diagram:
    """Fold named functions, then the middle of what is left, until at most `limit` vertices remain.

    >>> steps = tuple(Vertex(f"v{i}", "sin", group="wave") for i in range(50))
    >>> chain = Diagram(steps, tuple(Arc(f"v{i}", f"v{i + 1}") for i in range(49)), outputs=("v49",))
    >>> [vertex.label for vertex in collapse(chain, 10).vertices]
    ['wave ×49 operations', 'sin']
    """
    limit = max(limit, 9)
    if len(diagram.vertices) <= limit:
        return diagram
    graph = _Graph(diagram)
    order = _grouped_order(graph)
    clusters = _fold_functions(graph, order, limit)
    if len(clusters) > limit:
        clusters = _elide(graph, clusters, limit)
    return _quotient(graph, clusters)


class _Graph:
    """The diagram by numbers, with the function path of every vertex. Inputs and outputs belong to no function."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram, self.vertices = diagram, diagram.vertices
        number = {vertex.id: i for i, vertex in enumerate(diagram.vertices)}
        self.outputs = [number[name] for name in diagram.outputs]
        self.pairs = [(number[arc.source], number[arc.target]) for arc in diagram.arcs]
        self.sources: list[list[int]] = [[] for _ in number]
        self.targets: list[list[int]] = [[] for _ in number]
        for source, target in self.pairs:
            self.sources[target].append(source)
            self.targets[source].append(target)
        ends = set(self.outputs)
        self.paths = [() if i in ends else _path(vertex) for i, vertex in enumerate(self.vertices)]
        self._adopt_constants()

    def _adopt_constants(self) -> None:
        """A constant belongs to the function that uses it, if there is only one."""
        for i, vertex in enumerate(self.vertices):
            if vertex.role == "constant":
                users = {self.paths[t] for t in self.targets[i]}
                self.paths[i] = users.pop() if len(users) == 1 else ()


def _path(vertex: Vertex) -> Path:
    return tuple(vertex.group.split("/")) if vertex.group and vertex.role not in ("input", "output") else ()


# --- the order


def _grouped_order(graph: _Graph) -> list[int]:
    """Kahn's order that stays in a function for as long as it can. Constants come right before they are first used."""
    waiting = [len(set(sources)) for sources in graph.sources]
    free = [not count for count in waiting]
    ready, order, done = _Ready(graph.paths), [], [False] * len(free)
    late = [graph.vertices[v].role == "constant" and bool(graph.paths[v]) and free[v] for v in range(len(free))]
    first = [v for v, is_free in enumerate(free) if is_free and not late[v] and not graph.paths[v]]

    def release(v: int) -> None:
        done[v] = True
        order.append(v)
        for t in dict.fromkeys(graph.targets[v]):
            waiting[t] -= 1
            if not waiting[t]:
                ready.add(t)

    for v in range(len(free)):
        if late[v]:  # counts as there already: it is put in front of its first user
            for t in dict.fromkeys(graph.targets[v]):
                waiting[t] -= 1
                if not waiting[t]:
                    ready.add(t)
        elif free[v] and graph.paths[v]:
            ready.add(v)
    for v in first:
        release(v)
    while (v := ready.take()) is not None:
        for u in graph.sources[v]:
            if late[u] and not done[u]:
                done[u] = True
                order.append(u)
        release(v)
    return order


class _Ready:
    """Vertices that may come next. The nearest to the last one in the tree of functions is taken, the oldest first."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths, self.last, self.taken = paths, (), [False] * len(paths)
        self.exact: dict[Path, list[int]] = defaultdict(list)
        self.within: dict[Path, list[int]] = defaultdict(list)

    def add(self, v: int) -> None:
        path = self.paths[v]
        heappush(self.exact[path], v)
        for depth in range(len(path) + 1):
            heappush(self.within[path[:depth]], v)

    def take(self) -> int | None:
        for depth in range(len(self.last), -1, -1):
            prefix = self.last[:depth]
            for heap in (self.exact.get(prefix), self.within.get(prefix)):
                v = self._pop(heap)
                if v is not None:
                    self.taken[v], self.last = True, self.paths[v]
                    return v
        return None

    def _pop(self, heap: list[int] | None) -> int | None:
        while heap:
            v = heappop(heap)
            if not self.taken[v]:
                return v
        return None


# --- named functions


def _fold_functions(graph: _Graph, order: list[int], limit: int) -> list[list[int]]:
    """Fold as few functions as will do, from the inside out, the largest first. Bisection, as more folds never add."""
    sizes = Counter(_plain(path[:depth]) for path in graph.paths for depth in range(1, len(path) + 1))
    names = sorted(sizes, key=lambda name: (-len(name), -sizes[name], name))
    low, high = 0, len(names)
    while low < high:
        middle = (low + high) // 2
        if len(_clusters(graph, order, set(names[:middle]))) <= limit:
            high = middle
        else:
            low = middle + 1
    return _clusters(graph, order, set(names[:low]))


def _plain(path: Path) -> Path:
    """The path without the numbers of the calls: all calls of a function fold together."""
    return tuple(part.split("#")[0] for part in path)


def _clusters(graph: _Graph, order: list[int], folded: set[Path]) -> list[list[int]]:
    """The intervals of the order that share a folded function, split into pieces that touch."""
    keys: dict[Path, Path] = {path: _folded_prefix(path, folded) for path in set(graph.paths)}
    clusters: list[list[int]] = []
    run: list[int] = []
    current: Path = ()
    for v in order:
        key = keys[graph.paths[v]]
        if run and (key != current or not key):
            clusters.extend(_pieces(graph, run))
            run = []
        run.append(v)
        current = key
    return [*clusters, *(_pieces(graph, run) if run else [])]


def _folded_prefix(path: Path, folded: set[Path]) -> Path:
    """The outermost folded function around a vertex."""
    return next((path[:depth] for depth in range(1, len(path) + 1) if _plain(path[:depth]) in folded), ())


def _pieces(graph: _Graph, run: list[int]) -> list[list[int]]:
    """The connected pieces of an interval, by union–find with path halving."""
    parent = {v: v for v in run}

    def find(v: int) -> int:
        while parent[v] != v:
            parent[v] = v = parent[parent[v]]
        return v

    for v in run:
        for u in graph.sources[v]:
            if u in parent:
                parent[find(u)] = find(v)
    pieces: dict[int, list[int]] = defaultdict(list)
    for v in run:
        pieces[find(v)].append(v)
    return list(pieces.values())


# --- chains


def _elide(graph: _Graph, clusters: list[list[int]], limit: int) -> list[list[int]]:
    """Merge the surplus of sources and of sinks, then the middle of the rest."""
    ends = set(graph.outputs)
    sources = [c for c in clusters if not any(graph.sources[v] for v in c) and not ends & set(c)]
    sinks = [c for c in clusters if any(v in ends for v in c) and not any(graph.targets[v] for v in c)]
    apart = {c[0] for c in (*sources, *sinks)}
    inner = [c for c in clusters if c[0] not in apart]
    room = limit // ENDS
    sources, sinks = _merge(sources, room, room - 1, 0), _merge(sinks, room, room - 1, 0)
    left = limit - len(sources) - len(sinks)
    period = _period([_signature(graph, c) for c in inner], max(1, left // 3))
    return [*sources, *_merge(inner, left, _whole(left // 2, period), _whole((left - 1) // 2, period)), *sinks]


def _merge(clusters: list[list[int]], room: int, first: int, last: int) -> list[list[int]]:
    """Keep some at either end; the others become one cluster."""
    if len(clusters) <= room:
        return clusters
    end = len(clusters) - last
    return [*clusters[:first], [v for c in clusters[first:end] for v in c], *clusters[end:]]


def _whole(count: int, period: int) -> int:
    return count - count % period if count >= period else count


def _signature(graph: _Graph, cluster: list[int]) -> tuple[str, int]:
    return graph.vertices[cluster[-1]].label, len(cluster)


def _period(labels: Sequence[object], longest: int) -> int:
    """The shortest period of the labels, up to a few at the ends; 1 if there is none.

    >>> _period("ab" * 20, 5), _period("abcdefgh", 5)
    (2, 1)
    """
    edge = min(longest, len(labels) // 8)
    core = labels[edge : len(labels) - edge]
    for period in range(1, min(longest, len(core) // 3) + 1):
        if all(a == b for a, b in zip(core, core[period:])):
            return period
    return 1


# --- the folded graph


def _quotient(graph: _Graph, clusters: list[list[int]]) -> Diagram:
    """One vertex for each cluster, one arc for each pair of clusters that an arc connects."""
    home = [0] * len(graph.vertices)
    for i, cluster in enumerate(clusters):
        for v in cluster:
            home[v] = i
    exported = [_exported(graph, cluster, home) for cluster in clusters]
    taken = {vertex.id for vertex in graph.vertices}
    vertices = [
        graph.vertices[cluster[0]] if len(cluster) == 1 else _group(graph, cluster, exported[i], taken)
        for i, cluster in enumerate(clusters)
    ]
    bundles: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for i, (source, target) in enumerate(graph.pairs):
        if home[source] != home[target]:
            single = len(clusters[home[source]]) == len(clusters[home[target]]) == 1
            bundles[home[source], home[target], graph.diagram.arcs[i].order if single else -1].append(i)
    arcs = [
        _bundle(graph, bundle, vertices[s].id, vertices[t].id, clusters[t]) for (s, t, _), bundle in bundles.items()
    ]
    outputs = tuple(dict.fromkeys(vertices[home[v]].id for v in graph.outputs))
    return Diagram(tuple(vertices), tuple(arcs), graph.diagram.title, outputs)


def _exported(graph: _Graph, cluster: list[int], home: list[int]) -> list[int]:
    """The vertices of a cluster that are used outside it, or by nobody."""
    ends = set(graph.outputs)
    here = home[cluster[0]]
    return [v for v in cluster if v in ends or not graph.targets[v] or any(home[t] != here for t in graph.targets[v])]


def _group(graph: _Graph, cluster: list[int], exported: list[int], taken: set[str]) -> Vertex:
    """A cluster as a vertex. It has the value, the gradient and the name of the one vertex that leaves it."""
    face = graph.vertices[exported[0]] if len(exported) == 1 else None
    members = [graph.vertices[v] for v in cluster]
    return Vertex(
        id=_fresh("group_" + members[0].id, taken),
        label=_group_label(graph, cluster),
        role="group",
        name=face.name if face else None,
        value=face.value if face else None,
        full_value=face.full_value if face else None,
        shape=face.shape if face else None,
        gradient=face.gradient if face else None,
        full_gradient=face.full_gradient if face else None,
        detail=_inventory(members),
        group="/".join(_common(graph.paths[v] for v in cluster)[:-1]) or None,
    )


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _group_label(graph: _Graph, cluster: list[int]) -> str:
    path, ends = _common(graph.paths[v] for v in cluster), set(graph.outputs)
    if path:
        count = sum(graph.vertices[v].role != "constant" for v in cluster)
        return f"{_plain(path)[-1]} ×{count:,} operation{'s' * (count != 1)}"
    if all(not graph.sources[v] for v in cluster):
        kind = "inputs" if all(graph.vertices[v].role == "input" for v in cluster) else "inputs and constants"
        return f"… {len(cluster):,} more {kind} …"
    if all(v in ends for v in cluster):
        return f"… {len(cluster):,} more outputs …"
    plain = _common(_plain(graph.paths[v]) for v in cluster)
    calls = len({graph.paths[v][: len(plain)] for v in cluster})
    return f"… {calls:,} more calls of {plain[-1]} …" if plain else f"… {len(cluster):,} more …"


def _common(paths: Iterable[Path]) -> Path:
    distinct = set(paths)
    low, high = min(distinct), max(distinct)
    same = next((i for i, (a, b) in enumerate(zip(low, high)) if a != b), min(len(low), len(high)))
    return low[:same]


def _inventory(members: list[Vertex]) -> str:
    """What is inside, the most frequent first."""
    counts = Counter(vertex.label for vertex in members if vertex.role not in ("input", "constant")).most_common()
    told = ", ".join(f"{count:,} {label}" for label, count in counts[:6])
    names = [vertex.name for vertex in members if vertex.role == "input" and vertex.name]
    held = "inputs " + ", ".join(names[:6]) + (" …" if len(names) > 6 else "") if names else ""
    return "; ".join(part for part in (told + (", …" if len(counts) > 6 else ""), held) if part)


def _bundle(graph: _Graph, bundle: list[int], source: str, target: str, cluster: list[int]) -> Arc:
    """One arc for all arcs between two clusters. Of several values, it says only how many there are."""
    arcs = [graph.diagram.arcs[i] for i in bundle]
    first, values = arcs[0], {arc.source for arc in arcs}
    local, full_local = (first.local, first.full_local) if len(arcs) == 1 and len(cluster) == 1 else (None, None)
    arc = replace(first, source=source, target=target, local=local, full_local=full_local)
    if len(arcs) == 1:
        return arc
    if len(values) > 1:
        gradient = f"{len(values):,} gradients" if any(a.gradient for a in arcs) else None
        value = f"{len(values):,} values" if any(a.value for a in arcs) else None
        return replace(arc, value=value, full_value=None, gradient=gradient, full_gradient=None)
    start = graph.pairs[bundle[0]][0]
    if len(graph.targets[start]) == len(bundle):  # all uses are in here, so all of its gradient comes from here
        face = graph.vertices[start]
        return replace(arc, gradient=face.gradient, full_gradient=face.full_gradient)
    total = _total([a.full_gradient or a.gradient for a in arcs])
    return replace(arc, gradient=total and f"{float(total):.4g}", full_gradient=total)


def _total(gradients: list[str | None]) -> str | None:
    """The sum of gradients given as texts of plain numbers; otherwise none is claimed."""
    try:
        return repr(sum(float(re.sub(r"[ ,_]", "", (g or "none").replace("−", "-"))) for g in gradients))
    except ValueError:
        return None
