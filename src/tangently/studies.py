"""`study`, `explain` and `graph`: everything there is to know about a function at a point, in one frozen object.

A study traces the function once and then asks each interpreter: the value, the gradient and Hessian, the derivation
from the rows' own rules, the paths of the chain rule, the diagram, the difference quotients, and the receipt that
independent routes agree. The terminal report, the HTML page and the JSON file are views of the same object.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tangently.compiled import Bound, Engine, Selection, Wrt
from tangently.derivatives import gradient as gradient_transformation
from tangently.derivatives import value as value_transformation
from tangently.errors import DomainError, InputError, TangentlyError
from tangently.expr import CONST, Expr, toposort
from tangently.function import (
    Derived,
    Expression,
    as_function,
    derivative,
    expressions,
    grad,
    hessian,
    holds,
    hvp,
    jacobian,
)
from tangently.pictures.building import diagram_of, full, short
from tangently.tracing.names import name_of
from tangently.tracing.recording import Recording, diagnose, promote
from tangently.tracing.traced import Traced
from tangently.tracing.trees import flatten

if TYPE_CHECKING:
    from tangently.explanation import BackStep, Derivation, PathSum
    from tangently.pictures.model import Diagram
    from tangently.quotients import QuotientTable
    from tangently.verification import Receipt

MANY = 300  # entries; a Hessian beyond this is not formed (use hvp)
WORK = 1_000_000  # entries times nodes; beyond it a Hessian takes longer than a person waits
STEPS = 400  # nodes; a derivation beyond this is not written out


@dataclass(frozen=True)
class Point:
    """Where a function is studied: its arguments, traced and flattened."""

    function: Any
    engine: Engine
    bound: Bound
    leaves: list[Any]
    picked: list[bool]
    recording: Recording
    selection: Selection

    @property
    def args(self) -> tuple[Any, ...]:
        return self.bound.call(self.leaves)[0]

    @property
    def values(self) -> dict[Expr, Any]:
        return {n: v for n, v in zip(self.recording.inputs, self.leaves) if n is not None}

    @property
    def output(self) -> Expr:
        return self.recording.outputs[0]

    @property
    def scalar(self) -> bool:
        """One number out of numbers?"""
        return self.recording.scalar and all(x.shape == () for x in self.selection.nodes)


def point_of(f: Any, at: Any, wrt: Wrt) -> Point:
    """Trace f at a point; a value that is not there raises the DomainError that names the place."""
    function = as_function(f)
    engine = Engine(function, gradient_transformation(), wrt)
    bound = _bind(engine, at)
    picked = engine.chosen(bound)
    if any(isinstance(leaf, Traced) for leaf in bound.leaves):
        raise InputError("study, explain and graph take numbers and arrays: the point holds a traced value")
    leaves = [promote(leaf, p, path) for leaf, p, path in zip(bound.leaves, picked, bound.paths)]
    recording, selection = engine.record(bound, leaves, picked)
    problem = diagnose(recording)
    if problem is not None:
        raise problem
    return Point(function, engine, bound, leaves, picked, recording, selection)


def _bind(engine: Engine, at: Any) -> Bound:
    args, keywords = _arguments(engine.signature, at)
    try:
        return engine.bind(args, keywords)
    except InputError:
        if at is None:
            missing = [p.name for p in engine.signature.parameters.values() if p.default is p.empty]
            raise InputError(
                f"{name_of(engine.function)} needs a point: give at= (on the command line --at) "
                f"with {', '.join(missing)}"
            ) from None
        raise


def _arguments(signature: inspect.Signature, at: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if at is None:
        return (), {}
    if isinstance(at, dict) and set(at) <= set(signature.parameters):
        return (), at
    if isinstance(at, tuple):
        return at, {}
    return (np.asarray(at, float) if isinstance(at, list) else at,), {}


# ---------------------------------------------------------------- graph


@dataclass(frozen=True)
class Graph:
    """A computational graph with values and gradients. Print it, step through `walk`, plot it, save it."""

    diagram: Diagram
    limit: int = 60

    def __str__(self) -> str:
        from tangently.pictures.terminal import to_text

        return to_text(self.diagram, limit=self.limit)

    __repr__ = __str__

    def text(self, width: int = 100, color: bool = False) -> str:
        """The drawing for a terminal of this width."""
        from tangently.pictures.terminal import to_text

        return to_text(self.diagram, width, color=color, limit=self.limit)

    def svg(self, direction: str = "right") -> str:
        from tangently.pictures.diagram import collapse, to_svg

        return to_svg(collapse(self.diagram, self.limit), direction=direction)  # type: ignore[arg-type]

    def plot(self, ax: Any = None) -> Any:
        from tangently.pictures.diagram import collapse, to_matplotlib

        return to_matplotlib(collapse(self.diagram, self.limit), ax)

    def save(self, path: Any) -> None:
        """Write .svg, .png, .pdf, .html, .json or .txt."""
        from tangently.reports.saving import save_graph

        save_graph(self, path)

    def _repr_svg_(self) -> str:
        return self.svg()

    @property
    def walk(self) -> tuple[Any, ...]:
        """The sentences of the forward and the backward pass."""
        from tangently.pictures.diagram import collapse, walk

        return walk(collapse(self.diagram, self.limit))


def graph(f: Any, at: Any = None, wrt: Wrt = None, *, limit: int = 60) -> Graph:
    """The computational graph of f at a point: forward value, local derivative and arriving gradient on every edge.

    `f` may also be a value computed from `variable`s. Graphs of more than `limit` vertices are collapsed by the named
    function that made them. Raises DomainError where f has no value.

    >>> print(graph("x^2", at=3.0).walk[0].text)
    forward: x = 3
    """
    if isinstance(f, Traced):
        return Graph(_diagram_of_variable(f), limit)
    point = point_of(f, at, wrt)
    return Graph(diagram_of(point.recording, point.selection.nodes, title=title_of(point)), limit)


def _diagram_of_variable(y: Traced) -> Diagram:
    from tangently.expr import INPUT, evaluate

    nodes = toposort([y.expr])
    trace = y._trace
    values = {n: trace.values.get(n) for n in nodes}
    if any(v is None for v in values.values()):
        values = dict(zip(nodes, evaluate(nodes, {})))
    recording = Recording([], [], [y.expr], [y.value], ("leaf",), _Frozen(values, dict(trace.names)), y.name or "y")  # type: ignore[arg-type]
    return diagram_of(recording, [n for n in nodes if n.op is INPUT], title=y.name or "y")


@dataclass(frozen=True)
class _Frozen:
    """The parts of a trace that a diagram reads."""

    values: dict[Expr, Any]
    names: dict[Expr, str]
    scopes: dict[Expr, Any] = field(default_factory=dict)
    foreign: dict[Expr, Any] = field(default_factory=dict)
    guards: tuple[Any, ...] = ()


def title_of(point: Point) -> str:
    """The function as a person would name it: its formula where that is short, else its name and arguments."""
    from tangently.printing import to_text

    name = name_of(point.function)
    arguments = ", ".join(point.engine.signature.parameters)
    if len(toposort([point.output])) <= 60 and not point.output.shape:
        text = to_text(point.output)
        if len(text) <= 80:
            return f"{name}({arguments}) = {text}"
    return f"{name}({arguments})"


# ---------------------------------------------------------------- explain


@dataclass(frozen=True)
class Explanation:
    """A derivation: for each number that is differentiated its rules step by step, or the reverse sweep for arrays.

    `derivations` hold the data; the answer is computed from them. `agrees` says whether it equals the reverse sweep.
    """

    title: str
    derivations: tuple[Derivation, ...]
    walk: tuple[BackStep, ...]
    paths: tuple[PathSum, ...]
    quotients: QuotientTable | None
    agrees: bool
    notation: str = "leibniz"
    depth: str = "rules"
    function: str = "f"

    def lines(self, depth: str | None = None, notation: Any = None) -> list[Any]:
        """Every line of every derivation, at a depth (summary, rules, algebra) and in a notation."""
        from tangently.explanation import lines

        chosen: dict[str, Any] = {
            "depth": depth or self.depth,
            "notation": notation or self.notation,
            "function_name": self.function,
        }
        return [line for d in self.derivations for line in lines(d, **chosen)]

    def __str__(self) -> str:
        from tangently.reports.terminal import explanation_text

        return explanation_text(self)

    __repr__ = __str__

    def latex(self) -> str:
        return " \\\\\n".join(line.latex for line in self.lines())

    def _repr_latex_(self) -> str:
        return "$$\\begin{aligned}" + self.latex() + "\\end{aligned}$$"

    def save(self, path: Any) -> None:
        """Write .tex, .html, .json or .txt."""
        from tangently.reports.saving import save_explanation

        save_explanation(self, path)


NOTATIONS = ("leibniz", "lagrange", "newton", "euler")
DEPTHS = ("summary", "rules", "algebra")


def explain(
    f: Any, at: Any = None, wrt: Wrt = None, *, order: int = 1, depth: str = "rules", notation: str = "leibniz"
) -> Explanation:
    """The derivation of a derivative, step by step, from the same rows that the reverse sweep reads.

    depth: "summary" (rules used, and the answer), "rules" (each rule) or "algebra" (each algebra move too). notation:
    "leibniz", "lagrange", "newton" or "euler". At a point, the numbers are put in and the difference quotients shown.
    """
    for given, known, what in ((notation, NOTATIONS, "notation"), (depth, DEPTHS, "depth")):
        if given not in known:
            raise InputError(f"{what}={given!r}: one of {', '.join(known)} was wanted")
    if at is None:
        return _explain_formula(f, wrt, order, depth, notation)
    return explain_point(point_of(f, at, wrt), order=order, depth=depth, notation=notation)


def _explain_formula(f: Any, wrt: Wrt, order: int, depth: str, notation: str) -> Explanation:
    """Without a point: the function of numbers as a formula."""
    derived = Derived(as_function(f), gradient_transformation(), wrt, "derivative")
    engine = derived._engine
    defaults = all(p.default is not p.empty for p in engine.signature.parameters.values())
    if defaults and engine.signature.parameters:
        return explain_point(point_of(f, None, wrt), order=order, depth=depth, notation=notation)
    recording = derived.recording()
    names = [p.name for p in engine.signature.parameters.values() if p.default is p.empty]
    bound = engine.bind((0.0,) * len(names), {})
    selection = engine.select(recording, bound, engine.chosen(bound))
    point = Point(derived.__wrapped__, engine, bound, [None] * len(bound.leaves), [], recording, selection)
    return explain_point(point, order=order, depth=depth, notation=notation, numbers=False)


def explain_point(
    point: Point, *, order: int = 1, depth: str = "rules", notation: str = "leibniz", numbers: bool = True
) -> Explanation:
    from tangently.explanation import backward_walk, check, derive_nth
    from tangently.explanation import paths as paths_of

    names, values = point.recording.names, point.values if numbers else None
    name = name_of(point.function)
    small = len(toposort([point.output])) <= STEPS
    if not (point.scalar and small and len(point.selection.nodes) <= 6):
        walk = (
            backward_walk(point.recording.outputs, point.selection.nodes, names, _all_values(point, numbers))
            if small
            else ()
        )
        return Explanation(title_of(point), (), tuple(walk), (), None, True, notation, depth, name)
    derivations = [
        d for x in point.selection.nodes for d in derive_nth(point.output, x, order, names=names, values=values)
    ]
    found_paths = (
        tuple(paths_of(point.output, x, names=names, values=values) for x in point.selection.nodes)
        if order == 1
        else ()
    )
    return Explanation(
        title_of(point), tuple(derivations), (), found_paths, _quotients(point, order) if numbers else None,
        all(check(d).equal for d in derivations), notation, depth, name,
    )  # fmt: skip


def _all_values(point: Point, numbers: bool) -> dict[Expr, Any] | None:
    return dict(point.recording.trace.values) if numbers else None


def _quotients(point: Point, order: int) -> QuotientTable | None:
    from tangently.quotients import quotient_table

    if order != 1 or len(point.selection.nodes) != 1 or len(point.leaves) != 1:
        return None
    exact = derivative(point.function)(point.leaves[0])
    return quotient_table(point.function, point.leaves[0], exact=exact)


# ---------------------------------------------------------------- study


@dataclass(frozen=True)
class Entry:
    """One argument that is differentiated: its path, value and gradient."""

    label: str
    value: Any
    gradient: Any


@dataclass(frozen=True)
class Curvature:
    """The Hessian as one matrix, its eigenvalues (ascending), and what they say."""

    matrix: np.ndarray
    labels: tuple[str, ...]
    eigenvalues: np.ndarray
    condition: float
    verdict: str
    symmetric: bool


@dataclass(frozen=True)
class Study:
    """What `study` found. Print it, `.save("report.html")` it, or read its parts."""

    title: str
    point: Point = field(repr=False)
    value: Any
    entries: tuple[Entry, ...]
    norm: float | None
    direction: tuple[Any, ...]
    formulas: tuple[tuple[str, Expression], ...]
    higher: tuple[tuple[int, Expression, float], ...]
    jacobian: Any
    curvature: Curvature | None
    explanation: Explanation
    graph: Graph
    receipt: Receipt | None
    source: str
    notes: tuple[str, ...]
    echo: str = ""

    @property
    def gradient(self) -> Any:
        """The gradient in the shape of the arguments."""
        return self.point.selection.pack([e.gradient for e in self.entries])

    @property
    def steps(self) -> Explanation:
        return self.explanation

    @property
    def formula(self) -> Any:
        found = tuple(f for _, f in self.formulas)
        return found[0] if len(found) == 1 else found

    def latex(self) -> str:
        return " \\\\\n".join(f.latex() for _, f in self.formulas)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """The function with its tangent and derivative, or contours with gradient arrows."""
        from tangently.pictures.functions import plot

        args = self.point.args
        return plot(self.point.function, ax=ax, at=args[0] if len(args) == 1 else args, **options)

    def save(self, path: Any) -> None:
        """Write .html, .json, .tex, .svg, .png, .pdf or .txt."""
        from tangently.reports.saving import save_study

        save_study(self, path)

    def __rich_console__(self, console: Any, options: Any) -> Any:
        from tangently.reports.terminal import study_renderables

        yield from study_renderables(self, options.max_width)

    def __str__(self) -> str:
        from tangently.reports.terminal import plain_text

        return plain_text(self)

    def __repr__(self) -> str:
        return f"<study of {self.title}: value {short(self.value)}; print it or .save('report.html')>"

    def _repr_html_(self) -> str:
        from html import escape

        from tangently.reports.documents import study_page

        page = escape(study_page(self), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:80vh;border:0"></iframe>'


def study(
    f: Any, at: Any = None, wrt: Wrt = None, *, depth: str = "rules", notation: str = "leibniz", progress: Any = None
) -> Study:
    """Everything about f at a point: value, derivatives, Hessian, derivation, graph, picture and receipt.

    f: a formula as text, a Python function, or a SymPy expression. at: a number, array, tuple of arguments or dict by
    name; left out, the default arguments, or a point where the function has a value. progress: called with a few words
    before each part. Raises DomainError where f has no value, and what tracing raises.

    >>> result = study("x^2 y + x y^2 + 2", at=(1.0, 2.0))
    >>> result.value, result.gradient, round(result.norm, 3)
    (8.0, (8.0, 5.0), 9.434)
    """
    tell = progress or (lambda words: None)
    tell("tracing")
    point, chosen = _somewhere(f, at, wrt)
    tell("differentiating")
    notes = list(chosen) + _notes(point, f)
    scalar_output = point.recording.scalar
    entries = _entries(point) if scalar_output else ()
    norm = math.sqrt(sum(float(np.sum(np.square(e.gradient))) for e in entries)) if entries else None
    tell("second derivatives")
    curvature = _curvature(point) if scalar_output else None
    tell("deriving step by step")
    explanation = explain_point(point, depth=depth, notation=notation)
    tell("drawing the graph")
    drawn = Graph(diagram_of(point.recording, point.selection.nodes, title=title_of(point)))
    tell("checking by independent routes")
    receipt = _receipt(point) if scalar_output else None
    return Study(
        title=title_of(point), point=point, value=_value(point), entries=entries, norm=norm,
        direction=tuple(np.asarray(e.gradient) / norm for e in entries) if norm else (),
        formulas=_formulas(point), higher=_higher(point), jacobian=None if scalar_output else _jacobian(point),
        curvature=curvature, explanation=explanation, graph=drawn, receipt=receipt, source=_source(point),
        notes=tuple(notes), echo=str(point.function) if type(f) is str else "",
    )  # fmt: skip


PROBES = (1.0, 0.5, 2.0, -1.0, 0.1, 0.0)


def _somewhere(f: Any, at: Any, wrt: Wrt) -> tuple[Point, list[str]]:
    """The point asked for; else the defaults; else the first probe where a function of numbers has a value."""
    if at is not None:
        return point_of(f, at, wrt), []
    function = as_function(f)
    parameters = list(Engine(function, value_transformation()).signature.parameters.values())
    missing = [p.name for p in parameters if p.default is p.empty]
    if not missing:
        return point_of(function, None, wrt), []
    first: TangentlyError | None = None
    for probe in PROBES:
        try:
            point = point_of(function, dict.fromkeys(missing, probe), wrt)
        except (DomainError, ArithmeticError) as error:
            first = first or (error if isinstance(error, TangentlyError) else None)
            continue
        except (TypeError, IndexError, AttributeError, ValueError) as error:
            raise InputError(
                f"{name_of(function)} needs a point: give at= (on the command line --at) "
                f"with {', '.join(missing)} ({error})"
            ) from error
        return point, [
            f"No point was given: studied at {', '.join(f'{n} = {probe:g}' for n in missing)} (choose one with at=)."
        ]
    raise first or InputError(f"{name_of(function)} has no value at any of the points tried: give at=")


def _value(point: Point) -> Any:
    leaves = point.recording.results
    if point.recording.structure == ("leaf",):
        value = leaves[0]
        return float(value) if np.ndim(value) == 0 else value
    from tangently.tracing.trees import unflatten

    return unflatten(point.recording.structure, leaves)


def _notes(point: Point, f: Any) -> list[str]:
    notes: list[str] = list(getattr(point.function, "notes", ()))
    where = holds(point.recording)
    if where:
        notes.append(f"The formula holds on the branch taken here: {where}.")
    notes += [f"Kink: {text}" for text in kinks(point)]
    return notes


def kinks(point: Point) -> list[str]:
    """The non-smooth nodes that are hit exactly at this point, with the convention that was used."""
    alone = point.scalar and len(point.selection.nodes) == 1
    found = []
    for node, words in broken(point.recording):
        slopes = _slopes(point) if node.shape == () and alone else ""
        found.append(f"{words}; the subgradient of least norm is used{slopes}.")
    return found


def broken(recording: Recording) -> Iterator[tuple[Expr, str]]:
    """The nodes without a derivative at the point of a recording, in words: |x| has no derivative there."""
    from tangently.printing import to_text

    values = recording.trace.values
    for node in toposort(recording.outputs):
        if node.op.kink is None or node not in values:
            continue
        xs = [values.get(a, a.value if a.op is CONST else None) for a in node.args]
        if any(x is None for x in xs) or all(a.op is CONST for a in node.args):
            continue
        hit = node.op.kink(node.params, *xs) if node.params else node.op.kink(*[np.asarray(x) for x in xs])
        count = int(np.sum(hit))
        if count:
            names = {k: v for k, v in recording.names.items() if k is not node}
            where = "" if np.ndim(hit) == 0 else f" in {count} of {np.size(hit)} entries"
            yield node, f"{to_text(node, names)} has no derivative there{where}"


def _slopes(point: Point) -> str:
    """One-sided slopes by quotients whose steps shrink, judged by their agreement."""
    x = float(point.leaves[point.selection.leaves[0] or 0])
    sides = []
    for sign in (-1, 1):
        h = sign * 1e-6 * max(1.0, abs(x))
        args = list(point.args)
        moved = [*args]
        moved[0] = x + h
        try:
            sides.append((float(point.function(*moved)) - float(point.function(*args))) / h)
        except (TangentlyError, ValueError, ArithmeticError):
            sides.append(math.nan)
    return f" (slope {sides[0]:.4g} from the left, {sides[1]:.4g} from the right)"


def _entries(point: Point) -> tuple[Entry, ...]:
    found = (
        grad(point.function, wrt=point.engine.wrt)(*point.args)
        if point.engine.wrt is not None
        else grad(point.function)(*point.args)
    )
    gradients = flatten(found)[0]
    values = [point.recording.trace.values[n] for n in point.selection.nodes]
    return tuple(Entry(label, v, g) for label, v, g in zip(point.selection.labels, values, gradients))


def _formulas(point: Point) -> tuple[tuple[str, Expression], ...]:
    """The derivative in closed form, where it is a formula of numbers or short."""
    from tangently.differentiation import pullback, tangent
    from tangently.expr import const

    if not point.recording.scalar or len(toposort([point.output])) > STEPS:
        return ()
    if point.scalar:  # forward mode keeps the order in which a person would write the terms
        grads = [tangent([point.output], {x: const(1.0)})[0] for x in point.selection.nodes]
    else:
        grads = pullback([point.output], [const(1.0)], point.selection.nodes)
    return tuple(zip(point.selection.labels, expressions(grads, point.recording)))


def _higher(point: Point) -> tuple[tuple[int, Expression, float], ...]:
    """Second and third derivatives of a function of one number."""
    from tangently.derivatives import nth
    from tangently.simplification import simplify

    if not point.scalar or len(point.selection.nodes) != 1 or len(toposort([point.output])) > STEPS:
        return ()
    x = point.selection.nodes[0]
    found = []
    for order in (2, 3):
        number = derivative(point.function, wrt=point.engine.wrt, order=order)(*point.args)
        found.append((order, Expression(simplify(nth(point.output, x, order), cancel=True), {}), float(number)))
    return tuple(found)


def _jacobian(point: Point) -> Any:
    return jacobian(point.function, wrt=point.engine.wrt)(*point.args)


def entry_labels(point: Point) -> list[str]:
    """A label for every entry of what is differentiated: x, w[0], W[1, 2]."""
    labels = []
    for node, label in zip(point.selection.nodes, point.selection.labels):
        labels += [label if not node.shape else f"{label}[{', '.join(map(str, k))}]" for k in np.ndindex(*node.shape)]
    return labels


def _curvature(point: Point) -> Curvature | None:
    size = sum(math.prod(n.shape) for n in point.selection.nodes)
    work = size * len(point.recording.trace.values)
    if size > MANY or work > WORK or any(k is None for k in point.selection.leaves):
        return None
    matrix = hessian_matrix(point, size)
    if not np.all(np.isfinite(matrix)):
        return None
    symmetric = bool(np.allclose(matrix, matrix.T, rtol=1e-8, atol=1e-12))
    eigenvalues = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    matrix = np.where(np.abs(matrix) > 1e-14 * np.abs(matrix).max(), matrix, 0.0)  # what is left of zero by rounding
    return Curvature(
        matrix, tuple(entry_labels(point)), eigenvalues, condition_of(eigenvalues), verdict_of(eigenvalues), symmetric
    )


def hessian_matrix(point: Point, size: int) -> np.ndarray:
    """The Hessian with respect to every chosen entry, as one square matrix, by Hessian-vector products."""
    if point.scalar:
        found = hessian(point.function, wrt=point.engine.wrt)(*point.args)
        return np.reshape(np.asarray(found, float), (size, size))
    product = hvp(point.function, wrt=point.engine.wrt)
    shapes = [n.shape for n in point.selection.nodes]
    rows = []
    for k in range(size):
        e = np.zeros(size)
        e[k] = 1.0
        moved = flatten(product(*point.args, _split(e, shapes)))[0]
        rows.append(np.concatenate([np.ravel(m) for m in moved]))
    return np.array(rows)


def _split(flat: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    parts, start = [], 0
    for shape in shapes:
        n = math.prod(shape)
        parts.append(flat[start : start + n].reshape(shape) if shape else float(flat[start]))
        start += n
    return parts


def condition_of(eigenvalues: np.ndarray) -> float:
    """|λ|max / |λ|min."""
    size = np.abs(eigenvalues)
    ratio = float(size.max() / size.min()) if size.min() > 0 else math.inf
    return ratio if ratio < 1e15 else math.inf  # beyond it the smallest is rounding error


def verdict_of(eigenvalues: np.ndarray) -> str:
    """What the signs of the eigenvalues say of the shape: bowl, dome, saddle, flat."""
    scale = max(float(np.abs(eigenvalues).max()), 1e-300)
    tiny = scale * 1e-10 * len(eigenvalues)
    up, down = int((eigenvalues > tiny).sum()), int((eigenvalues < -tiny).sum())
    flat = len(eigenvalues) - up - down
    if scale < 1e-12 or not (up or down):
        return "flat: no curvature to second order"
    if up and down:
        rest = f", flat along {flat}" if flat else ""
        return f"saddle: of {len(eigenvalues)} directions it curves up along {up}, down along {down}{rest}"
    shape = "bowl: curves up" if up else "dome: curves down"
    return f"{shape} in every direction" if not flat else f"{shape} along {max(up, down)}, flat along {flat} (a valley)"


def _receipt(point: Point) -> Receipt:
    from tangently.verification import receipt

    return receipt(
        [n for n in point.recording.inputs if n is not None], point.output, point.selection.nodes,
        dict(point.recording.trace.values), function=_plain_function(point),
    )  # fmt: skip


def _plain_function(point: Point) -> Any:
    """The original function of the chosen leaves alone, on plain numbers (None where wrt names intermediates)."""
    places = point.selection.leaves
    if any(k is None for k in places):
        return None

    def function(*values: Any) -> Any:
        leaves = list(point.leaves)
        for k, v in zip(places, values):
            leaves[k] = v  # type: ignore[index]
        args, keywords = point.bound.call(leaves)
        return point.function(*args, **keywords)

    return function


def _source(point: Point) -> str:
    if not point.recording.scalar:
        derived = jacobian(point.function, wrt=point.engine.wrt)
    elif point.scalar and len(point.selection.nodes) == 1:
        derived = derivative(point.function, wrt=point.engine.wrt)
    else:
        derived = grad(point.function, wrt=point.engine.wrt)
    derived(*point.args)
    return derived.source if derived._engine.latest is not None else ""


__all__ = ["DEPTHS", "NOTATIONS", "Explanation", "Graph", "Study", "broken", "explain", "full", "graph", "study"]
