"""The table tests itself: every row × every route that must agree with the others.

One parametrised test. A row is sampled (elementwise: its `samples`, or default points of its domain; any other row: the
examples below, and a row without an example fails), and each check of `CHECKS` compares routes: the value with an
independent oracle, `math` with NumPy, forward with reverse with numeric sweep with differences, three orders deep,
broadcast, in float32, as generated code, inside and outside the domain, at the kinks, as notation, as an enclosure.

Glossary: y output, xs operands, t tangents, g cotangent of y, wrt the operands that carry a derivative.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import scipy.special
import sympy as sp

from conftest import agree, within
from tangently.codegen import buffers
from tangently.codegen.python import Argument, generate
from tangently.differentiation import expand, pullback, sweep, tangent
from tangently.errors import UnsupportedError
from tangently.expr import TABLE, Expr, Primitive, build, const, evaluate, raw, symbol
from tangently.quotients import extrapolate, numeric_gradient

ROWS = {name: row for name, row in TABLE.items() if row.kind != "leaf"}
DIGITS = 30

# ---------------------------------------------------------------- sampling: elementwise rows

POINTS: dict[int, list[tuple[float, ...]]] = {
    1: [(-2.3,), (-0.71,), (-0.3,), (0.42,), (0.9,), (1.7,), (2.6,)],
    2: [(-1.3, 0.6), (0.4, 1.2), (1.7, -0.8), (2.2, 3.1), (-0.5, -1.4)],
    3: [(0.3, 0.1, 0.9), (-0.7, 0.2, 1.1), (1.4, 0.5, 1.2)],
}
PROBES = [-3.7, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.7]


def true_at(test: Callable[..., Any] | None, point: tuple[Any, ...], absent: bool) -> bool:
    with np.errstate(all="ignore"):
        return absent if test is None else bool(test(*point))


def points_of(row: Primitive) -> list[tuple[Any, ...]]:
    """The points at which an elementwise row is tested: inside its domain, away from its kinks."""
    assert row.arity is not None
    if row.arity == 0:
        return [()]
    wanted = row.samples or POINTS[row.arity]
    inside = [p for p in wanted if true_at(row.domain, p, True) and not true_at(row.kink, p, False)]
    assert len(inside) >= 2, f"{row.name} has {len(inside)} sample points: its samples= should give some"
    return [p if isinstance(p, tuple) else (p,) for p in inside]


# ---------------------------------------------------------------- sampling: the other rows


@dataclass(frozen=True)
class Example:
    """Parameters, operands, and the value by another library."""

    params: tuple[Any, ...]
    operands: tuple[Any, ...]
    value: Callable[..., Any]


def normal(*shape: int, seed: int = 0) -> Any:
    """Distinct entries, none near 0: no example sits near a kink."""
    x = np.random.default_rng([seed, *shape]).permutation(math.prod(shape)) + 1.0
    x = (np.where(x % 2, 1, -1) * (0.3 + x / math.prod(shape))).reshape(shape)
    return x if shape else float(x)


def einsum(spec: str, *shapes: tuple[int, ...]) -> Example:
    return Example(
        (spec,),
        tuple(normal(*s, seed=k) for k, s in enumerate(shapes)),
        lambda *xs: np.einsum(spec, *xs, optimize=False),
    )


def reduced(call: Callable[..., Any], x: np.ndarray = normal(3, 4), all_axes: bool = True) -> list[Example]:  # noqa: B008
    given = [((1,), False), ((0,), True), *([((0, 1), False), ((0, 1), True)] if all_axes else [])]
    return [
        Example(p, (x,), lambda x, p=p: call(x, axis=p[0] if len(p[0]) > 1 else p[0][0], keepdims=p[1])) for p in given
    ]


def positions(call: Callable[..., Any]) -> list[Example]:
    return [Example((k,), (normal(3, 4),), lambda x, k=k: call(x, axis=k)) for k in (0, 1)]


def indexed(*parts: Any, arrays: tuple[Any, ...] = (), shape: tuple[int, ...] = (4, 5)) -> Example:
    from tangently.primitives.layout import key_of

    return Example((parts,), (normal(*shape), *arrays), lambda x, *a: x[key_of(parts, a)])


def scattered(*parts: Any, arrays: tuple[Any, ...] = (), shape: tuple[int, ...] = (4, 5)) -> Example:
    from tangently.primitives.layout import key_of

    def value(base: Any, update: Any, *a: Any) -> Any:
        total = base.copy()
        np.add.at(total, key_of(parts, a), update)
        return total

    update = normal(*normal(*shape)[key_of(parts, arrays)].shape, seed=1)
    return Example((parts,), (normal(*shape), update, *arrays), value)


def along(call: Callable[..., Any], *operands: Any) -> list[Example]:
    return [Example((k,), operands or (normal(3, 4),), lambda *xs, k=k: call(*xs, axis=k)) for k in (0, 1)]


def jax_nn(name: str) -> Callable[..., Any]:
    def call(*args: Any, **keywords: Any) -> Any:
        import jax

        jax.config.update("jax_enable_x64", True)
        return np.asarray(getattr(jax.nn, name)(*args, **keywords))

    return call


def torch_nn(name: str, **keywords: Any) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        import torch

        return getattr(torch.nn.functional, name)(*[torch.tensor(a) for a in args], **keywords).numpy()

    return call


def scatter_along_slow(x: Any, where: Any, axis: int, shape: tuple[int, ...]) -> Any:
    total = np.zeros(shape)
    for at in np.ndindex(*where.shape):
        place = list(at)
        place[axis] = where[at]
        total[tuple(place)] += x[at]
    return total


def good(*shape: int, seed: int = 0) -> Any:
    """A matrix whose singular values differ and are far from 0."""
    return normal(*shape, seed=seed) / 2 + 2 * np.eye(*shape)


def definite(n: int) -> Any:
    """A symmetric positive definite matrix with eigenvalues that differ."""
    return good(n, n) @ good(n, n).T


def adjugate(x: Any) -> Any:
    """The adjugate by minors."""
    rest = lambda k: [j for j in range(len(x)) if j != k]
    return np.array([[(-1) ** (i + j) * np.linalg.det(x[np.ix_(rest(j), rest(i))]) for j in range(len(x))]
                     for i in range(len(x))])  # fmt: skip


def adjugate_along(x: Any, h: Any) -> Any:
    """Its derivative along h: entries of the adjugate are polynomials, here of degree 2, so differences are exact."""
    return (adjugate(x + h) - adjugate(x - h)).T / 2


def matrices(call: Callable[..., Any], *operands: Any, params: tuple[Any, ...] = ()) -> list[Example]:
    """An example for each operand."""
    return [Example(params, (x,), call) for x in operands]


def torch_linalg(name: str) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        import torch

        return getattr(torch.linalg, name)(*[torch.tensor(a) for a in args]).numpy()

    return call


def scipy_linalg(name: str) -> Callable[..., Any]:
    import scipy.linalg

    return getattr(scipy.linalg, name)


ALL, REVERSED = ("s", None, None, None), ("s", None, None, -1)
PICK = np.array([2, 0, 2])
TARGETS = np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.3, 0.2]])
ORDER = np.array([[1, 0, 2, 2], [0, 0, 1, 2]])

EXAMPLES: dict[str, list[Example]] = {
    "einsum": [
        einsum("ij->ij", (3, 4)), einsum("ij->ji", (3, 4)), einsum("ijk->kij", (2, 3, 4)), einsum("ij->", (3, 4)),
        einsum("ij->i", (3, 4)), einsum("ijk->j", (2, 3, 4)), einsum("ii->", (3, 3)), einsum("ii->i", (3, 3)),
        einsum("iij->ji", (3, 3, 2)), einsum("iji->j", (3, 2, 3)), einsum("iii->i", (3, 3, 3)),
        einsum("iijj->ij", (2, 2, 3, 3)), einsum("i,i->", (4,), (4,)), einsum("i,j->ij", (3,), (4,)),
        einsum("i,j->ji", (3,), (4,)), einsum("ij,jk->ik", (3, 4), (4, 2)), einsum("ji,jk->ik", (4, 3), (4, 2)),
        einsum("ij,kj->ik", (3, 4), (2, 4)), einsum("ji,kj->ik", (4, 3), (2, 4)), einsum("ij,j->i", (3, 4), (4,)),
        einsum("j,jk->k", (4,), (4, 2)), einsum("ij,jk->ki", (3, 4), (4, 2)), einsum("ij,ij->ij", (3, 4), (3, 4)),
        einsum("ij,ij->", (3, 4), (3, 4)), einsum("ij,ji->", (3, 4), (4, 3)), einsum("ij,ij->i", (3, 4), (3, 4)),
        einsum("ij,i->ij", (3, 4), (3,)), einsum("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
        einsum("bji,bjk->bik", (2, 4, 3), (2, 4, 2)), einsum("bij,bkj->bik", (2, 3, 4), (2, 2, 4)),
        einsum("bij,jk->bik", (2, 3, 4), (4, 2)), einsum("ij,bjk->bik", (3, 4), (2, 4, 2)),
        einsum("abij,abjk->abik", (2, 2, 3, 4), (2, 2, 4, 2)), einsum("ijk,kl->ijl", (2, 3, 4), (4, 2)),
        einsum("ijk,jl->ikl", (2, 3, 4), (3, 2)), einsum("ijk,ljk->il", (2, 3, 4), (2, 3, 4)),
        einsum("ii,i->i", (3, 3), (3,)), einsum("ij,jk,kl->il", (3, 4), (4, 2), (2, 3)),
        einsum("i,ij,j->", (3,), (3, 4), (4,)), einsum("ab,c->a", (3, 4), (2,)), einsum(",i->i", (), (3,)),
        einsum("ij,k->", (3, 4), (2,)), einsum("ij,j->ij", (1, 1), (1,)),
    ],
    "amax": reduced(np.amax), "amin": reduced(np.amin),
    "prod": [*reduced(np.prod), *reduced(np.prod, normal(1, 1)), Example(((1,), False), (normal(2, 3, 2),),
        lambda x: x.prod(1)),
             Example(((0, 2), True), (normal(2, 3, 2),), lambda x: x.prod((0, 2), keepdims=True))],
    "argmax": positions(np.argmax), "argmin": positions(np.argmin), "argsort": positions(np.argsort),
    "reshape": [Example((s,), (normal(3, 4),), lambda x, s=s: x.reshape(s)) for s in ((12,), (2, 6), (3, 1, 4))]
    + [Example(((),), (normal(1, 1),), lambda x: x.reshape(())), Example(((1, 1),), (0.7,), lambda x: np.array([[x]]))],
    "broadcast": [
        Example(((2, 3), (1,)), (normal(3),), lambda x: np.broadcast_to(x, (2, 3))),
        Example(((3, 2), (0,)), (normal(3),), lambda x: np.broadcast_to(x[:, None], (3, 2))),
        Example(((2, 3, 2), (0, 1)), (normal(2, 3),), lambda x: np.broadcast_to(x[:, :, None], (2, 3, 2))),
        Example(((2, 3), ()), (0.7,), lambda x: np.full((2, 3), x)),
    ],
    "astype": [Example(("d",), (normal(3),), lambda x: x), Example(("d",), (0.7,), lambda x: x),
               Example(("f",), (np.array([0.5, -1.25]),), lambda x: x.astype("f"))],
    "index": [
        indexed(1), indexed(-1, 2), indexed(ALL, -2), indexed(("s", 1, 3, None)), indexed(("s", None, None, -2),
            REVERSED),
        indexed(("n",), 0), indexed(ALL, ("n",), ("s", 4, 1, -1)), indexed(("a",), arrays=(PICK,)),
        indexed(ALL, ("a",), arrays=(PICK,)), indexed(("a",), ("a",), arrays=(PICK, np.array([1, 4, 1]))),
        indexed(("a",), 1, arrays=(PICK,)), indexed(("a",), ("s", 1, 3, None), ("a",), arrays=(PICK, PICK),
            shape=(3, 4, 5)),
        indexed(("a",), arrays=(ORDER,)),
    ],
    "scatter_add": [
        scattered(1), scattered(-1, 2), scattered(("s", 1, 3, None)), scattered(("s", None, None, -2), REVERSED),
        scattered(("a",), arrays=(PICK,)), scattered(ALL, ("a",), arrays=(PICK,)),
        scattered(("a",), ("a",), arrays=(PICK, np.array([1, 4, 1]))),
    ],
    "gather": [Example((k,), (normal(3, 4), np.argsort(normal(3, 4), k)), lambda x, w, k=k: np.take_along_axis(x, w,
        k)) for k in (0, 1)]
    + [Example((0,), (normal(3, 4), ORDER), lambda x, w: np.take_along_axis(x, w, 0))],
    "scatter_along": [Example((0, (3, 4)), (normal(2, 4), ORDER), lambda x, w: scatter_along_slow(x, w, 0, (3, 4))),
                      Example((1, (2, 3)), (normal(2, 4), ORDER), lambda x, w: scatter_along_slow(x, w, 1, (2, 3)))],
    "concatenate": [Example((0,), (normal(2, 3), normal(1, 3)), lambda *xs: np.concatenate(xs, 0)),
                    Example((1,), (normal(2, 3), normal(2, 1), normal(2, 2)), lambda *xs: np.concatenate(xs, 1))],
    "stack": [Example((0,), (0.5, -1.5, 2.5), lambda *xs: np.array(xs)),
              Example((0,), (normal(2, 3), normal(2, 3, seed=1)), lambda *xs: np.stack(xs)),
              Example((2,), (normal(2, 3), normal(2, 3, seed=1)), lambda *xs: np.stack(xs, 2))],
    "pad": [Example((((1, 2),),), (normal(3),), lambda x: np.pad(x, (1, 2))),
            Example((((1, 0), (0, 2)),), (normal(2, 3),), lambda x: np.pad(x, ((1, 0), (0, 2))))],
    "cumsum": along(np.cumsum),
    "softmax": along(jax_nn("softmax")), "log_softmax": along(jax_nn("log_softmax")),
    "logsumexp": [Example((1, False), (normal(3, 4),), lambda x: jax_nn("logsumexp")(x, axis=1)),
                  Example((0, True), (normal(3, 4),), lambda x: jax_nn("logsumexp")(x, axis=0, keepdims=True)),
                  Example((0, False), (normal(3),), lambda x: jax_nn("logsumexp")(x))],
    "mean": reduced(np.mean),
    "norm": reduced(lambda x, axis, keepdims: np.linalg.norm(x, axis=axis, keepdims=keepdims)),
    "mse": [Example((), (normal(3, 4), normal(3, 4, seed=1)), torch_nn("mse_loss")),
            Example((), (normal(5), normal(5, seed=1)), torch_nn("mse_loss")),
            Example((), (normal(3, 1), normal(4)), lambda a, b: ((a - b) ** 2).mean()),
            Example((), (0.5, -1.5), lambda a, b: (a - b) ** 2)],
    "cross_entropy": [Example((), (normal(3, 4), TARGETS), torch_nn("cross_entropy", reduction="none")),
                      Example((), (normal(4), TARGETS[0]), torch_nn("cross_entropy"))],
    "linear": [Example((), (normal(3, 4), normal(2, 4), normal(2)), torch_nn("linear")),
               Example((), (normal(3, 4), normal(2, 4)), torch_nn("linear")),
               Example((), (normal(4), normal(2, 4), normal(2)), torch_nn("linear")),
               Example((), (normal(2, 3, 4), normal(2, 4), normal(2)), torch_nn("linear"))],
    "identity": [Example((n,), (), lambda n=n: np.eye(n)) for n in (1, 3)],
    "extent": [Example((3,), (), lambda: 3)],
    "inv": matrices(torch_linalg("inv"), good(3, 3), good(1, 1)),
    "solve": [Example((), (good(3, 3), normal(3)), torch_linalg("solve")),
              Example((), (good(3, 3), normal(3, 2)), torch_linalg("solve"))],
    "det": matrices(torch_linalg("det"), good(3, 3), good(1, 1)),
    "logdet": matrices(lambda x: np.log(abs(np.linalg.det(x))), good(3, 3),
        -good(3, 3)),
    "cofactor": matrices(lambda x: adjugate(x).T, good(3, 3), good(4, 4)),
    "cofactor_along": [Example((), (good(3, 3), normal(3, 3, seed=2)), adjugate_along)],
    "tril": [*matrices(np.tril, normal(3, 4), params=(0,)), Example((-1,), (normal(3, 3),), lambda x: np.tril(x, -1))],
    "triu": [*matrices(np.triu, normal(3, 4), params=(0,)), Example((1,), (normal(3, 3),), lambda x: np.triu(x, 1))],
    "cholesky": matrices(torch_linalg("cholesky"), definite(3), definite(1)),
    "eigvalsh": matrices(torch_linalg("eigvalsh"), definite(3), definite(3) - 5 * np.eye(3)),
    "eigvecsh": matrices(lambda x: scipy_linalg("eigh")(x, driver="evd")[1], definite(3)),
    "svdvals": matrices(torch_linalg("svdvals"), good(3, 3), good(4, 2), good(2, 4)),
    "svd_left": matrices(lambda x: scipy_linalg("svd")(x, full_matrices=False)[0], good(3, 3), good(4, 2), good(2, 4)),
    "svd_right": matrices(lambda x: scipy_linalg("svd")(x, full_matrices=False)[2].T, good(3, 3), good(4, 2),
        good(2, 4)),
    "nuclear_norm": matrices(lambda x: np.linalg.norm(x, "nuc"), good(3, 3), good(4, 2), good(2, 4), np.eye(3)),
    "polar": matrices(lambda x: scipy_linalg("polar")(x)[0], good(3, 3), good(4, 2), good(2, 4), np.eye(2)),
    "sylvester": [Example((), (definite(3), definite(2), normal(3, 2)), lambda a, b, c: np.linalg.solve(
        np.kron(a, np.eye(2)) + np.kron(np.eye(3), b.T), c.ravel()).reshape(3, 2))],
    "expm": matrices(lambda x: sum(np.linalg.matrix_power(x, k) / math.factorial(k) for k in range(40)),
        normal(3, 3), np.array([[0.0, 1.0], [0.0, 0.0]])),
}  # fmt: skip

# ---------------------------------------------------------------- a row as a graph


@dataclass(frozen=True)
class Graph:
    """A row applied to inputs: `y` exactly as asked, its operands, their values, and those that carry a derivative."""

    row: Primitive
    params: tuple[Any, ...]
    xs: tuple[Expr, ...]
    y: Expr
    values: dict[Expr, Any]
    wrt: tuple[Expr, ...]

    @staticmethod
    def of(row: Primitive, params: tuple[Any, ...], operands: tuple[Any, ...]) -> Graph:
        xs = tuple(input_like(f"x{k}", v) for k, v in enumerate(operands))
        varies = [row.partials[k] is not None if row.partials else True for k in range(len(xs))]
        wrt = tuple(x for x, v in zip(xs, varies) if v and x.dtype in "df")
        return Graph(row, params, xs, raw(row, xs, params), dict(zip(xs, operands)), wrt)

    def at(self, *nodes: Expr, moved: dict[Expr, Any] | None = None) -> list[Any]:
        with np.errstate(all="ignore"):
            return evaluate(nodes, {**self.values, **(moved or {})})

    @property
    def label(self) -> str:
        return f"{self.row.name}{self.params or ''} at {[np.shape(v) or v for v in self.values.values()]}"


def input_like(name: str, value: Any) -> Expr:
    if type(value) is bool:
        return symbol(name, (), "?")
    return symbol(name, np.shape(value), "l" if type(value) is int else np.asarray(value).dtype.char)


def graphs_of(row: Primitive) -> Iterator[Graph]:
    """Every example of a row; for an elementwise row each point as numbers, and all points as one array."""
    if row.kind != "elementwise":
        for example in EXAMPLES[row.name]:
            yield Graph.of(row, example.params, example.operands)
        return
    points = points_of(row)
    yield Graph.of(row, (), tuple(np.array(column) for column in zip(*points)))  # a constant is the same once more
    for point in points:
        yield Graph.of(row, (), point)


def arrays_only(row: Primitive) -> Iterator[Graph]:
    return (graph for graph in graphs_of(row) if row.kind != "elementwise" or graph.y.shape)


def like(node: Expr, seed: int) -> Any:
    """Fixed numbers of a node's shape: a tangent or a cotangent."""
    x = np.random.default_rng(seed).integers(32, 96, node.shape) / 64  # exact in float32 too
    x = x * np.where(np.arange(math.prod(node.shape)) % 2, 1, -1).reshape(node.shape)
    return x if node.shape else float(x)


def dot(a: Any, b: Any) -> float:
    return float(np.sum(np.asarray(a) * np.asarray(b)))


# ---------------------------------------------------------------- the checks: value


def sympy_value(row: Primitive, point: tuple[Any, ...]) -> Any:
    """The value of the row's SymPy template at a point, to 30 digits (a plain bool for a condition)."""
    names = [f"x{k}" for k in range(len(point))]
    assert row.sympy is not None
    formula = sp.sympify(row.sympy.format(*names), locals={n: sp.Symbol(n) for n in names})
    exact = lambda v: sp.Rational(*v.as_integer_ratio()) if type(v) is float else sp.sympify(v)
    found = formula.subs({n: exact(v) for n, v in zip(names, point)})
    return bool(found) if isinstance(found, sp.logic.boolalg.Boolean) else found.evalf(DIGITS)


def zeta_derivative(n: int, x: float) -> Any:
    with mpmath.workdps(DIGITS + 10):
        return sp.Float(mpmath.nstr(mpmath.zeta(mpmath.mpf(x), 1, n), DIGITS + 5), DIGITS)


WITHOUT_SYMPY = {
    "isnan": math.isnan, "isfinite": math.isfinite, "isinf": math.isinf, "rint": np.rint,
    "zeta_derivative": zeta_derivative,
}  # fmt: skip
WITHOUT_SOURCE = {"zeta_derivative", "cofactor", "cofactor_along", "polar", "sylvester", "expm"}  # code calls the row
WITHOUT_JAVASCRIPT = {
    "besselj", "bessely", "besselk", "spherical_jn", "Ei", "li", "Si", "Ci", "zeta_derivative",
}  # fmt: skip


def oracle(row: Primitive, point: tuple[Any, ...]) -> Any:
    return WITHOUT_SYMPY[row.name](*point) if row.name in WITHOUT_SYMPY else sympy_value(row, point)


def check_value(row: Primitive) -> None:
    """The value, by the row and by an independent oracle."""
    if row.kind == "elementwise":
        want = [float(oracle(row, p)) for p in points_of(row)]
        whole, *single = graphs_of(row)
        agree(whole.at(whole.y)[0], want if row.arity else want[0], 1e-14, what=f"{row.name}, array")
        agree([g.at(g.y)[0] for g in single], want, 1e-14, what=f"{row.name}, number")
        return
    for example, graph in zip(EXAMPLES[row.name], graphs_of(row)):
        agree(graph.at(graph.y)[0], example.value(*example.operands), 1e-13, what=graph.label)


def check_inference(row: Primitive) -> None:
    """Shape and dtype as inferred are the value's; a real number is a Python float; identities keep the value."""
    for graph in graphs_of(row):
        (value,) = graph.at(graph.y)
        assert np.shape(value) == graph.y.shape, graph.label
        assert np.asarray(value).dtype == np.dtype({"w": "d", "n": "l"}.get(graph.y.dtype, graph.y.dtype)), graph.label
        if graph.y.shape == () and graph.y.dtype == "d":
            assert type(value) is float, f"{graph.label}: a {type(value)}"
        simpler = build(row, graph.xs, graph.params)
        assert simpler.shape == graph.y.shape, graph.label
        agree(graph.at(simpler)[0], value, 1e-15, what=f"{graph.label} with its identities")


# ---------------------------------------------------------------- the checks: derivatives


def first_order(graph: Graph) -> tuple[list[Expr], Any]:
    g = like(graph.y, 1)
    return pullback([graph.y], [const(g)], graph.wrt), g


def check_first_order(row: Primitive) -> None:
    """forward = reverse = numeric sweep = differences, operand by operand and all together."""
    for graph in graphs_of(row):
        if not graph.wrt:
            continue
        nodes, g = first_order(graph)
        reverse = graph.at(*nodes)
        values = dict(graph.values)
        values[graph.y] = graph.at(graph.y)[0]
        swept = sweep([graph.y], [g], graph.wrt, values)
        ts = [like(x, 2 + k) for k, x in enumerate(graph.wrt)]
        for x, r, s in zip(graph.wrt, reverse, swept):
            assert np.shape(r) == x.shape, f"{graph.label}: cotangent of shape {np.shape(r)} for an operand {x.shape}"
            agree(s, r, what=f"{graph.label}: sweep and reverse")
        moves = [*({x: const(t)} for x, t in zip(graph.wrt, ts)), {x: const(t) for x, t in zip(graph.wrt, ts)}]
        sums = [dot(r, t) for r, t in zip(reverse, ts)]
        sizes = [dot(np.abs(r), np.abs(t)) for r, t in zip(reverse, ts)]
        for move, total in zip(moves, [*sums, sum(sums)]):
            pushed = graph.at(*tangent([graph.y], move))[0]
            assert np.shape(pushed) == graph.y.shape, f"{graph.label}: tangent of shape {np.shape(pushed)}"
            agree(dot(g, pushed), total, scale=sum(sizes), what=f"{graph.label}: forward and reverse")
        if row.kind == "elementwise" and graph.y.shape == ():
            continue
        for x, r in zip(graph.wrt, reverse):
            f = lambda v, x=x, graph=graph, g=g: dot(g, graph.at(graph.y, moved={x: v if x.shape else float(v)})[0])
            if np.asarray(graph.values[x]).dtype == "d" and graph.y.dtype != "f":
                within(r, numeric_gradient(f, graph.values[x]), f"{graph.label}: differences by {x}")


def check_second_order(row: Primitive) -> None:
    """pullback of pullback = tangent of pullback = differences of the gradient."""
    for graph in arrays_only(row):
        if not graph.wrt or graph.y.dtype == "f":
            continue
        nodes, _ = first_order(graph)
        hs = [like(x, 7 + k) for k, x in enumerate(graph.wrt)]
        twice = pullback(nodes, [const(h) for h in hs], graph.wrt)
        reverse = graph.at(*twice)
        ts = [like(x, 2 + k) for k, x in enumerate(graph.wrt)]
        forward = graph.at(*tangent(nodes, {x: const(t) for x, t in zip(graph.wrt, ts)}))
        size = sum(dot(np.abs(r), np.abs(t)) for r, t in zip(reverse, ts))
        agree(sum(map(dot, hs, forward)), sum(map(dot, reverse, ts)), 1e-11, size, f"{graph.label}: mixed modes")
        for x, r in zip(graph.wrt, reverse):
            f = lambda v, x=x, graph=graph, hs=hs, nodes=nodes: sum(
                map(dot, hs, graph.at(*nodes, moved={x: v if x.shape else float(v)}))
            )
            within(r, numeric_gradient(f, graph.values[x]), f"{graph.label}: second differences by {x}")


def directional(node: Expr, wrt: tuple[Expr, ...], ts: list[Any]) -> Expr:
    """The derivative of an elementwise graph along t, in reverse mode."""
    parts = pullback([node], [const(np.ones(node.shape) if node.shape else 1.0)], wrt)
    total = parts[0] * ts[0]
    for part, t in zip(parts[1:], ts[1:]):
        total = total + part * t
    return total


def line(graph: Graph, node: Expr, ts: list[Any]) -> Callable[[float], Any]:
    """The node's value at s times the point, for direction t: s = 1 is the point itself."""
    return lambda s: graph.at(node, moved={x: graph.values[x] + (s - 1) * t for x, t in zip(graph.wrt, ts)})[0]


def check_three_orders(row: Primitive) -> None:
    """Elementwise: three derivatives along a direction; reverse = forward = differences; numbers = arrays."""
    whole, *single = graphs_of(row)
    if not whole.wrt:
        return
    reverse: list[list[Any]] = []
    for graph in (whole, *single):
        ts = [(1.0, -0.75, 1.25)[k] * graph.values[x] for k, x in enumerate(graph.wrt)]  # so that steps are relative
        lines = [graph.y]
        for _ in range(3):
            lines.append(directional(lines[-1], graph.wrt, ts))
        reverse.append(graph.at(*lines))
        forward = graph.y
        for k in range(1, 4):
            (forward,) = tangent([forward], {x: const(t) for x, t in zip(graph.wrt, ts)})
            agree(graph.at(forward)[0], reverse[-1][k], 1e-10, what=f"{graph.label}: order {k}, forward and reverse")
        if graph is whole:
            for k in range(3):
                within(reverse[0][k + 1], extrapolate(line(graph, lines[k], ts), 1.0), f"{graph.label}: order {k + 1}")
    for k in range(4):
        agree([r[k] for r in reverse[1:]], reverse[0][k], 1e-11, what=f"{row.name}: order {k}, numbers and arrays")


def check_broadcasting(row: Primitive) -> None:
    """(3, 1) with (4,): cotangents come back in the operands' shapes, with the right sums."""
    points = points_of(row)
    column = np.array([[points[k % len(points)][0]] for k in range(3)])
    line = np.array([points[k % len(points)][1] for k in range(4)])
    with np.errstate(all="ignore"):
        pairs = [(a, b) for a in column[:, 0] for b in line]
        if not all(true_at(row.domain, p, True) and not true_at(row.kink, p, False) for p in pairs):
            column, line = np.full((3, 1), points[0][0]), np.full(4, points[0][1])
    graph = Graph.of(row, (), (column, line))
    assert graph.y.shape == (3, 4)
    assert np.shape(graph.at(graph.y)[0]) == (3, 4)
    wide = Graph.of(row, (), (np.broadcast_to(column, (3, 4)), np.broadcast_to(line, (3, 4))))
    g = like(graph.y, 1)
    narrow = graph.at(*pullback([graph.y], [const(g)], graph.wrt))
    full = wide.at(*pullback([wide.y], [const(g)], wide.wrt))
    swept = sweep([graph.y], [g], graph.wrt, {**graph.values, graph.y: graph.at(graph.y)[0]})
    for x, n, f, s in zip(graph.wrt, narrow, full, swept):
        want = f.sum(1, keepdims=True) if x.shape == (3, 1) else f.sum(0)
        agree(n, want, 1e-13, float(np.abs(f).sum()), f"{row.name}: cotangent of {x}")
        agree(s, want, 1e-13, float(np.abs(f).sum()), f"{row.name}: swept cotangent of {x}")
    ts = {x: const(like(x, 3)) for x in graph.wrt}
    assert all(np.shape(graph.at(*tangent([graph.y], {x: t}))[0]) == (3, 4) for x, t in ts.items())


def single_precision(values: dict[Expr, Any]) -> tuple[Any, ...]:
    return tuple(v.astype("f") if np.asarray(v).dtype == "d" and np.shape(v) else v for v in values.values())


def check_float32(row: Primitive) -> None:
    """float32 arrays give float32 values and cotangents, by every route."""
    for double in arrays_only(row):
        operands = single_precision(double.values)
        graph = Graph.of(row, double.params, operands)
        plain = all(x.dtype in "f?" or x.op.name != "input" for x in graph.xs) or row.kind == "layout"
        if (
            not graph.xs
            or not plain
            or double.y.dtype != "d"
            or row.name == "astype"
            or any(np.shape(v) == () for v in operands)
        ):
            continue
        (value,) = graph.at(graph.y)
        wrt = [x for x in graph.wrt if x.dtype == "f"]
        g = np.asarray(like(graph.y, 1), np.asarray(value).dtype)
        routes = {"value": [value], "reverse": graph.at(*pullback([graph.y], [const(g)], wrt)),
                  "sweep": sweep([graph.y], [g], wrt, {**graph.values, graph.y: value})}  # fmt: skip
        assert graph.y.dtype == "f", f"{graph.label}: inferred {graph.y.dtype}"
        for route, found in routes.items():
            assert [np.asarray(v).dtype.char for v in found] == ["f"] * len(found), f"{graph.label}, {route}"
        want = double.at(*pullback([double.y], [const(g.astype("d"))], [double.xs[graph.xs.index(x)] for x in wrt]))
        for a, b, c in zip(routes["reverse"], routes["sweep"], want):
            agree(a, c, 2e-5, what=graph.label)
            agree(b, c, 2e-5, what=graph.label)


# ---------------------------------------------------------------- the checks: generated code


def with_conditions(graph: Graph) -> Graph:
    """A truth value enters generated code as a comparison, never as an argument."""
    if not any(x.dtype == "?" and x.shape == () for x in graph.xs):
        return graph
    plain = [input_like(f"x{k}", float(v)) for k, v in enumerate(graph.values.values())]
    xs = [raw(TABLE["gt"], (p, const(0.5))) if x.dtype == "?" else p for p, x in zip(plain, graph.xs)]
    wrt = tuple(p for p, x in zip(plain, graph.xs) if x in graph.wrt)
    values = dict(zip(plain, map(float, graph.values.values())))
    return Graph(graph.row, graph.params, tuple(plain), raw(graph.row, tuple(xs), graph.params), values, wrt)


def of_temporaries(graph: Graph) -> Graph:
    """The row applied to values that die in it, whose memory the generated code may take."""
    xs = [raw(TABLE["mul"], (x, const(1.0))) if x in graph.wrt and x.dtype == "d" else x for x in graph.xs]
    y = (
        raw(TABLE["mul"], (raw(graph.row, tuple(xs), graph.params), const(1.0)))
        if graph.y.dtype == "d"
        else raw(graph.row, tuple(xs), graph.params)
    )
    return Graph(graph.row, graph.params, graph.xs, y, graph.values, graph.wrt)


def check_code(row: Primitive) -> None:
    """Generated code = evaluation; inputs are never written to; outputs are never inputs, constants or each other."""
    for graph in graphs_of(row):
        compare_code(with_conditions(graph))


def check_buffers(row: Primitive) -> None:
    """The same where every temporary is large enough for its memory to be taken over by the next operation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "BIG", 9)  # bytes: any array, but no number
        for graph in arrays_only(row):
            compare_code(with_conditions(graph))
            compare_code(of_temporaries(with_conditions(graph)))


def compare_code(graph: Graph) -> None:
    nodes = expand([graph.y, *(pullback([graph.y], [const(like(graph.y, 1))], graph.wrt) if graph.wrt else [])])
    made = generate("f", [Argument(f"x{k}", x) for k, x in enumerate(graph.xs)], nodes)
    want = graph.at(*nodes)
    given = [v.copy() if isinstance(v, np.ndarray) else float(v) for v in graph.values.values()]
    for v in given:
        if isinstance(v, np.ndarray):
            v.setflags(write=False)
    with np.errstate(all="ignore"):
        got = made.call(*given)
    got = got if len(nodes) > 1 else (got,)
    for node, a, b in zip(nodes, got, want, strict=True):
        agree(a, b, 1e-13, what=f"{graph.label}\n{made.source}")
        if node.shape:
            real = float if np.asarray(b).dtype.kind == "i" else np.asarray(b).dtype  # whole numbers come out as real
            assert np.asarray(a).dtype == real, f"{graph.label}: {np.asarray(a).dtype}\n{made.source}"
            assert a.flags.writeable, f"{graph.label}: a read-only output\n{made.source}"
    arrays = [a for a in got if isinstance(a, np.ndarray) and a.shape]
    others = [v for v in (*given, *made.constants.values()) if isinstance(v, np.ndarray)]
    for k, a in enumerate(arrays):
        for b in (*others, *arrays[:k]):
            assert not np.may_share_memory(a, b), f"{graph.label}: an output is not the caller's own\n{made.source}"
    for v, w in zip(given, graph.values.values()):
        np.testing.assert_array_equal(v, w)


# ---------------------------------------------------------------- the checks: domain and kinks

DEFINED_OUTSIDE = {"arctan2": 0.0}  # IEEE 754 gives the angle of (0, 0) a value, though no limit exists


def check_domain(row: Primitive) -> None:
    """Inside the domain the value is finite; outside it is nan or infinite, as a number and in an array."""
    assert row.arity is not None
    probes = [(a,) for a in PROBES] if row.arity == 1 else [(a, b) for a in PROBES for b in PROBES]
    if row.name in ("polygamma", "zeta_derivative"):
        probes = [(1, a) for a in PROBES]
    outside = 0
    for point in probes:
        inside = true_at(row.domain, point, True)
        outside += not inside
        with np.errstate(all="ignore"):
            number, array = row(*point), row(*[np.array([v]) for v in point])[0]
        for value in (number, array):
            if not inside and row.name in DEFINED_OUTSIDE:
                assert value == DEFINED_OUTSIDE[row.name]
            else:
                assert np.isfinite(value) == inside, f"{row.name}{point} = {value}, inside the domain: {inside}"
    assert outside or row.name == "tan", f"{row.name}: no probe lies outside the domain"  # cos x is never 0 in floats
    assert row.domain_text


HALF, INF = 0.5, math.inf
KINKS: dict[str, list[tuple[tuple[float, ...], tuple[float, ...]]]] = {
    "sqrt": [((0.0,), (INF,))],
    "cbrt": [((0.0,), (INF,))],
    "arcsin": [((1.0,), (INF,)), ((-1.0,), (INF,))],
    "arccos": [((1.0,), (-INF,)), ((-1.0,), (-INF,))],
    "arccosh": [((1.0,), (INF,))],
    "hypot": [((0.0, 0.0), (0.0, 0.0))],
    "maximum": [((1.5, 1.5), (HALF, HALF))],
    "minimum": [((1.5, 1.5), (HALF, HALF))],
    "at_least": [((1.5, 1.5), (0.0, 1.0))],
    "at_most": [((1.5, 1.5), (0.0, 1.0))],
    "abs": [((0.0,), (0.0,))],
    "sign": [((0.0,), (0.0,))],
    "floor": [((2.0,), (0.0,)), ((-1.0,), (0.0,))],
    "ceil": [((2.0,), (0.0,)), ((0.0,), (0.0,))],
    "trunc": [((2.0,), (0.0,)), ((-3.0,), (0.0,))],
    "rint": [((0.5,), (0.0,)), ((-2.5,), (0.0,))],
    "remainder": [((4.0, 2.0), (1.0, -2.0)), ((0.0, 0.5), (1.0, 0.0))],
    "step": [((0.0,), (0.0,))],
    "relu": [((0.0,), (0.0,))],
    "leaky_relu": [((0.0, 0.1), (0.1, 0.0))],
    "elu": [((0.0, 0.5), (0.5, 0.0))],
    "clip": [((0.0, 0.0, 1.0), (0.0, 0.0, 0.0)), ((1.0, 0.0, 1.0), (0.0, 0.0, 0.0))],
}
SMOOTH_THERE = {"trunc": [(0.0,)], "leaky_relu": [(0.0, 1.0)], "elu": [(0.0, 1.0)], "relu": [(1e-300,), (-1e-300,)]}


def check_kinks(row: Primitive) -> None:
    """`kink` holds at the kinks and nowhere else; there the derivative is the subgradient of least norm."""
    assert row.kink is not None
    for point in [*points_of(row), *SMOOTH_THERE.get(row.name, [])]:
        assert not row.kink(*point), f"{row.name} has no kink at {point}"
    for point, slopes in KINKS[row.name]:
        for operands in (point, tuple(np.array([v, v]) for v in point)):
            assert np.all(row.kink(*operands)), f"{row.name} has a kink at {point}"
            graph = Graph.of(row, (), operands)
            values = {**graph.values, graph.y: graph.at(graph.y)[0]}
            one = np.ones(graph.y.shape) if graph.y.shape else 1.0
            found = {"reverse": graph.at(*pullback([graph.y], [const(one)], graph.wrt)),
                     "sweep": sweep([graph.y], [one], graph.wrt, values),
                     "forward": [graph.at(*tangent([graph.y], {x: const(one)}))[0] for x in graph.wrt]}  # fmt: skip
            for route, got in found.items():
                want = [np.full(graph.y.shape, s) for s in slopes]
                for a, b in zip(got, want, strict=True):
                    agree(a, b, what=f"{row.name} at {point}, {route}")


# ---------------------------------------------------------------- the checks: notation, names, enclosure


def check_notation(row: Primitive) -> None:
    """Every row can be printed; the differentiable ones name their rule; elementwise rows have every template."""
    printing = pytest.importorskip("tangently.printing")
    for graph in arrays_only(row):
        for show in (printing.to_text, printing.to_latex, printing.to_unicode, printing.to_mathml):
            text = show(graph.y)
            assert text.strip(), f"{graph.label}: {show.__name__} is empty"
            assert "<primitive" not in text, text
        assert not graph.wrt or not any(row.partials) or row.rules, f"{row.name} names no rule"
        assert row.kind == "elementwise" or row.rules, f"{row.name} names no rule"
    for rule in row.rules:
        assert rule.name, rule
        assert rule.latex, rule
        assert rule.latex.count("{") == rule.latex.count("}"), rule
    if row.kind == "elementwise":
        for template in (row.python, row.numpy):
            assert bool(template) != (row.name in WITHOUT_SOURCE), f"{row.name} lacks a template"
        assert bool(row.javascript) != (row.name in WITHOUT_JAVASCRIPT), f"{row.name} has no JavaScript"
        assert row.sympy or row.name in WITHOUT_SYMPY, f"{row.name} has no SymPy template"
    assert row.numpy or row.inplace or row.body or row.name in WITHOUT_SOURCE, f"{row.name} can't be generated as code"


def all_numbers(row: Primitive) -> bool:
    """No operand and no value is true or false (the balls of truth values are tested in test_enclosure)."""
    return (
        not any(type(v) is bool for p in row.samples for v in p) and row.infer((), *[const(1.0)] * row.arity)[1] != "?"
    )


def ball(value: Any, radius: float = 0.0) -> Any:
    """A real operand as a ball; a truth value or an order is exact."""
    return flint.arb(value, radius) if type(value) is float else flint.arb(int(value))


def true_ball(row: Primitive, point: tuple[Any, ...]) -> Any:
    """The oracle's 30 digits as a ball."""
    value = oracle(row, point)
    return flint.arb(int(value)) if type(value) is bool else flint.arb(str(value)) + flint.arb(0, 1e-26)


def check_enclosure(row: Primitive) -> None:
    """The ball of a point holds the true value tightly; the ball of an interval holds the values inside it."""
    assert row.enclosure is not None
    before, flint.ctx.prec = flint.ctx.prec, 90
    try:
        for point in points_of(row):
            thin, truth = row.enclosure(*[ball(v) for v in point]), true_ball(row, point)
            assert thin.overlaps(truth), f"{row.name}{point}: {thin} misses {truth}"
            assert float(thin.rad()) <= 1e-20 * (1 + abs(float(truth.mid()))), f"{row.name}{point}: {thin} is wide"
            wide = row.enclosure(*[ball(v, 0.02) for v in point])
            for shift in (-0.02, -0.007, 0.02):
                near = tuple(v + shift if type(v) is float else v for v in point)
                if true_at(row.domain, near, True):
                    assert wide.overlaps(true_ball(row, near)), f"{row.name}: {wide} around {point} misses {near}"
        if row.arity == 1:
            around = row.enclosure(ball(0.0, 1e-6))
            for v in (-1e-6, -1e-9, 0.0, 1e-9, 1e-6):
                if true_at(row.domain, (v,), True) and around.is_finite():
                    assert around.overlaps(true_ball(row, (v,))), f"{row.name}: {around} around 0 misses {v}"
    finally:
        flint.ctx.prec = before


CHECKS: dict[str, tuple[Callable[[Primitive], None], Callable[[Primitive], bool]]] = {
    "value": (check_value, lambda row: True),
    "inference": (check_inference, lambda row: True),
    "first order": (check_first_order, lambda row: True),
    "second order": (check_second_order, lambda row: True),
    "three orders": (check_three_orders, lambda row: row.kind == "elementwise" and any(row.partials)),
    "broadcasting": (check_broadcasting, lambda row: row.kind == "elementwise" and row.arity == 2),
    "float32": (check_float32, lambda row: row.kind != "elementwise" or any(row.partials)),
    "code": (check_code, lambda row: True),
    "buffers": (check_buffers, lambda row: True),
    "domain": (check_domain, lambda row: row.kind == "elementwise" and row.domain is not None),
    "kinks": (check_kinks, lambda row: row.kind == "elementwise" and row.kink is not None),
    "notation": (check_notation, lambda row: True),
    "enclosure": (check_enclosure, lambda row: row.enclosure is not None and all_numbers(row)),
}


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name, row in ROWS.items() for check, (_, applies) in CHECKS.items() if applies(row)],
)
def test_row(name: str, check: str) -> None:
    """Row × check."""
    row = ROWS[name]
    assert row.kind == "elementwise" or name in EXAMPLES, f"the row {name} has no example in EXAMPLES: give it one"
    CHECKS[check][0](row)


def test_every_row_has_an_example_and_its_own_names() -> None:
    missing = {name for name, row in ROWS.items() if row.kind != "elementwise"} - EXAMPLES.keys()
    assert not missing, f"rows without an example: {missing}"
    assert not EXAMPLES.keys() - ROWS.keys()
    assert {name for name, row in ROWS.items() if row.kink and row.kind == "elementwise"} == KINKS.keys()
    calls = Counter(call for row in ROWS.values() for call in row.calls)
    assert [call for call, count in calls.items() if count > 1] == []


# ---------------------------------------------------------------- kinks of the other rows

ARRAY_KINKS = [
    ("amax", ((1,), False), np.array([[1.0, 3.0, 3.0], [5.0, 2.0, 1.0]]), [True, False], [[0, 0.5, 0.5], [1, 0, 0]]),
    (
        "amin",
        ((0,), True),
        np.array([[1.0, 3.0], [1.0, 2.0], [1.0, 9.0]]),
        [True, False],
        [[1 / 3, 0], [1 / 3, 1], [1 / 3, 0]],
    ),
    ("norm", ((1,), False), np.array([[0.0, 0.0], [3.0, -4.0]]), [True, False], [[0, 0], [0.6, -0.8]]),
    ("norm", ((0,), True), np.zeros(3), [True], [0, 0, 0]),
]


@pytest.mark.parametrize(("name", "params", "x", "kinks", "slopes"), ARRAY_KINKS)
def test_a_kink_along_an_axis_has_the_subgradient_of_least_norm(
    name: str, params: Any, x: Any, kinks: Any, slopes: Any
) -> None:
    row = ROWS[name]
    assert row.kink is not None
    assert np.asarray(row.kink(params, x)).ravel().tolist() == kinks
    graph = Graph.of(row, params, (x,))
    one = np.ones(graph.y.shape)
    agree(graph.at(*pullback([graph.y], [const(one)], graph.wrt))[0], slopes)
    agree(sweep([graph.y], [one], graph.wrt, {**graph.values, graph.y: graph.at(graph.y)[0]})[0], slopes)
    t = like(graph.xs[0], 5)
    pushed = graph.at(*tangent([graph.y], {graph.xs[0]: const(t)}))[0]
    agree(pushed, (np.asarray(slopes) * t).sum(params[0], keepdims=params[1]))


# ---------------------------------------------------------------- extreme values

FAR = [-1000.0, -745.2, -88.9, -40.0, -1e-9, -1e-300, 0.0, 1e-300, 1e-9, 40.0, 88.9, 745.2, 1000.0]
STABLE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), lambda x: 1 / (1 + mpmath.exp(-x))),
    "silu": (lambda x: x / (1 + mpmath.exp(-x)), lambda x: (1 + mpmath.exp(-x) * (1 + x)) / (1 + mpmath.exp(-x)) ** 2),
    "gelu": (lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
             lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2 + x * mpmath.npdf(x)),
    "tanh": (mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
    "arctan": (mpmath.atan, lambda x: 1 / (1 + x * x)),
    "expm1": (mpmath.expm1, mpmath.exp),
    "erf": (mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
    "erfc": (mpmath.erfc, lambda x: -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
    "arcsinh": (mpmath.asinh, lambda x: 1 / mpmath.sqrt(1 + x * x)),
}  # fmt: skip
LOSES_DIGITS = {"tanh", "sigmoid"}  # 1 - y² and y(1 - y) lose relative accuracy where y is near 1: absolute there


def nearly(got: Any, want: Any, floor: float, what: str) -> None:
    """Relative accuracy, down to the smallest normal number (or `floor`)."""
    with mpmath.workdps(40):
        off = abs(mpmath.mpf(float(got)) - want)
        assert math.isfinite(got) or abs(want) > 1.7e308, what
        if math.isfinite(got):
            assert off <= 4e-15 * abs(want) + max(floor, 1e-307), f"{what}: {got}, wanted {mpmath.nstr(want, 17)}"


@pytest.mark.parametrize("name", STABLE)
def test_saturating_functions_are_accurate_far_out(name: str) -> None:
    """At ±1000, ±40 and beside 0: value and slope to full relative accuracy, as numbers, arrays and code, never nan."""
    row = ROWS[name]
    whole = Graph.of(row, (), (np.array(FAR),))
    slope = pullback([whole.y], [const(np.ones(len(FAR)))], whole.wrt)
    pushed = tangent([whole.y], {whole.xs[0]: const(np.ones(len(FAR)))})
    columns = whole.at(whole.y, *slope, *pushed)
    one = Graph.of(row, (), (0.5,))
    nodes = [one.y, *pullback([one.y], [const(1.0)], one.wrt)]
    for k, x in enumerate(FAR):
        with mpmath.workdps(1000):
            value, derivative = (f(mpmath.mpf(x)) for f in STABLE[name])
        numbers = one.at(*nodes, moved={one.xs[0]: x})
        for got in (columns[0][k], numbers[0]):
            nearly(got, value, 0.0, f"{name}({x})")
        for got in (columns[1][k], columns[2][k], numbers[1]):
            nearly(got, derivative, 4e-16 if name in LOSES_DIGITS else 0.0, f"{name}'({x})")


LOGITS = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0], [1000.0, 1000.0, 999.0], [1e8, 0.0, 3.0]])
STABLE_ALONG = {
    "softmax": (lambda z: scipy.special.softmax(z, 1), (1,)),
    "log_softmax": (lambda z: scipy.special.log_softmax(z, 1), (1,)),
    "logsumexp": (lambda z: scipy.special.logsumexp(z, 1), (1, False)),
}


@pytest.mark.parametrize("name", STABLE_ALONG)
def test_composites_along_an_axis_do_not_overflow(name: str) -> None:
    call, params = STABLE_ALONG[name]
    graph = Graph.of(ROWS[name], params, (LOGITS,))
    g = like(graph.y, 1)
    nodes = [graph.y, *pullback([graph.y], [const(g)], graph.wrt)]
    value, slope = graph.at(*nodes)
    agree(value, call(LOGITS), 1e-14)
    s = scipy.special.softmax(LOGITS, 1)
    want = {"softmax": lambda: s * (g - (s * g).sum(1, keepdims=True)), "log_softmax": lambda: g - s * g.sum(1,
        keepdims=True),
            "logsumexp": lambda: s * g[:, None]}[name]()  # fmt: skip
    agree(slope, want, 1e-14)
    made = generate("f", [Argument("z", graph.xs[0])], expand(nodes))
    for got, right in zip(made.call(LOGITS), (value, slope)):
        agree(got, right, 1e-14)


def test_cross_entropy_far_out() -> None:
    q = np.eye(3)[[1, 0, 2, 0]]
    graph = Graph.of(ROWS["cross_entropy"], (), (LOGITS, q))
    g = like(graph.y, 1)
    loss, by_logits, by_targets = graph.at(graph.y, *pullback([graph.y], [const(g)], graph.wrt))
    logp = scipy.special.log_softmax(LOGITS, 1)
    agree(loss, -logp[range(4), [1, 0, 2, 0]], 1e-14)
    agree(by_logits, g[:, None] * (np.exp(logp) - q), 1e-14)
    agree(by_targets, -g[:, None] * logp, 1e-14)


# ---------------------------------------------------------------- differentiable, but a naive rule would lose it


@pytest.mark.parametrize(
    ("x", "gradient", "cross"),
    [((0.0, 2.0, 3.0), (6, 0, 0), {(0, 1): 3, (0, 2): 2, (1, 2): 0}), ((0.0, 0.0, 3.0), (0, 0, 0),
        {(0, 1): 3, (0, 2): 0}),
     ((0.0, 0.0, 0.0), (0, 0, 0), {(0, 1): 0}), ((2.0, 3.0, 5.0), (15, 10, 6), {(0, 1): 5, (1, 1): 0})],
)  # fmt: skip
def test_a_product_with_zeros_has_its_derivatives(x: Any, gradient: Any, cross: dict[tuple[int, int], float]) -> None:
    graph = Graph.of(ROWS["prod"], ((0,), False), (np.array(x),))
    (first,) = pullback([graph.y], [const(1.0)], graph.wrt)
    agree(graph.at(first)[0], gradient)
    agree(sweep([graph.y], [1.0], graph.wrt, {**graph.values, graph.y: graph.at(graph.y)[0]})[0], gradient)
    for (i, j), want in cross.items():
        (row,) = pullback([first], [const(np.eye(3)[i])], graph.wrt)
        assert graph.at(row)[0][j] == want


POWERS = [  # x, y, ∂/∂x, ∂/∂y of x**y
    (0.0, 2.0, 0.0, 0.0), (0.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 0.0), (2.0, 0.0, 0.0, math.log(2)),
    (2.0, 3.0, 12.0, 8 * math.log(2)), (-2.0, 3.0, 12.0, math.nan), (0.0, 0.5, math.inf, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("x", "y", "by_x", "by_y"), POWERS)
@pytest.mark.parametrize("shape", [(), (2,)])
def test_powers_at_zero(x: float, y: float, by_x: float, by_y: float, shape: tuple[int, ...]) -> None:
    """x**y with y an input, a constant array and a constant number: 0 where 0·∞ would be nan."""
    operands = (np.full(shape, x), np.full(shape, y)) if shape else (x, y)
    graph = Graph.of(ROWS["pow"], (), operands)
    one = np.ones(shape) if shape else 1.0
    values = {**graph.values, graph.y: graph.at(graph.y)[0]}
    with np.errstate(all="ignore"):
        for found in (
            graph.at(*pullback([graph.y], [const(one)], graph.wrt)),
            sweep([graph.y], [one], graph.wrt, values),
        ):
            agree(found, [np.full(shape, by_x), np.full(shape, by_y)])
        for exponent in (const(operands[1]), const(int(y)) if y == int(y) else const(y)):
            fixed = build(ROWS["pow"], (graph.xs[0], exponent))
            agree(graph.at(*pullback([fixed], [const(one)], graph.xs[:1]))[0], np.full(shape, by_x))


def test_powers_by_an_array_of_exponents_at_zero() -> None:
    """The features 1, x, x², x³ have the slopes 0, 1, 0, 0 and the curvatures 0, 0, 2, 0 at x = 0."""
    x = symbol("x")
    y = build(ROWS["pow"], (x, const(np.arange(4))))
    slopes, curvatures = [[0, 1, 0, 0], [0, 0, 2, 0]]
    lines = [y]
    for _ in range(2):
        lines += tangent([lines[-1]], {x: const(1.0)})
    found = evaluate(lines[1:], {x: 0.0})
    agree(found[0], slopes)
    agree(found[1], curvatures)
    for k in range(4):
        (row,) = pullback([y], [const(np.eye(4)[k])], [x])
        assert evaluate([row, *pullback([row], [const(1.0)], [x])], {x: 0.0}) == [slopes[k], curvatures[k]]


def test_the_square_of_a_norm_at_zero() -> None:
    x = symbol("x", (3,))
    y = build(ROWS["norm"], (x,), ((0,), False))
    agree(evaluate(pullback([y * y], [const(1.0)], [x]), {x: np.zeros(3)})[0], np.zeros(3))


@pytest.mark.parametrize("name", ["mul", "div", "maximum", "arctan2", "linear", "mse"])
@pytest.mark.parametrize("widths", ["fd", "df", "ff", "dd"])
def test_cotangents_have_the_dtype_of_their_operands(name: str, widths: str) -> None:
    operands = tuple(np.abs(normal(3, 4, seed=k)).astype(w) for k, w in enumerate(widths))
    graph = Graph.of(ROWS[name], (), operands)
    (value,) = graph.at(graph.y)
    g = np.ones(graph.y.shape, np.asarray(value).dtype) if graph.y.shape else 1.0
    for found in (
        graph.at(*pullback([graph.y], [const(g)], graph.wrt)),
        sweep([graph.y], [g], graph.wrt, {**graph.values, graph.y: value}),
    ):
        assert "".join(v.dtype.char for v in found) == widths


# ---------------------------------------------------------------- constants and orders


def test_a_constant_is_a_node_and_stays_one() -> None:
    from tangently.primitives.constants import EULER, PI
    from tangently.printing import to_latex, to_python, to_text
    from tangently.simplification import simplify

    x = symbol("x")
    assert TABLE["pi"]() is PI is TABLE["pi"]()
    assert (PI.shape, PI.dtype, PI.args) == ((), "w", ())
    assert [to_text(simplify(y)) for y in (PI * 2, x * PI * 2 + PI * x, PI / 2 + PI / 3)] == ["2π", "3π x", "5π/6"]
    assert [to_latex(y) for y in (PI * x, EULER)] == [r"\pi x", r"\gamma"]
    assert to_python(PI * EULER) == "pi * euler_gamma"
    assert pullback([TABLE["sin"](PI * x)], [const(1)], [x]) == [TABLE["cos"](PI * x) * PI]
    assert simplify(PI * x / PI, cancel=True) is x
    assert evaluate([TABLE["sin"](PI / 6)], {}) == [pytest.approx(0.5)]
    made = generate("f", [Argument("x", x)], [PI * x + EULER])
    assert "pi * x" in made.source
    assert made.call(1.0) == math.pi + np.euler_gamma
    with pytest.raises(TypeError, match="pi is a constant"):
        TABLE["pi"](x)


@pytest.mark.parametrize("name", ["besselj", "bessely", "besseli", "besselk", "spherical_jn", "polygamma"])
def test_the_derivative_by_an_order_is_refused(name: str) -> None:
    """It is not 0, and there is no row for it."""
    n, x = symbol("n"), symbol("x")
    node = raw(ROWS[name], (n, x))
    for derive in (lambda: pullback([node], [const(1)], [n]), lambda: tangent([node], {n: const(1)})):
        with pytest.raises(UnsupportedError, match=f"derivative of {name} by its order"):
            derive()


@pytest.mark.parametrize(("name", "sign"), [("besselj", -1), ("bessely", -1), ("besseli", 1), ("besselk", 1)])
def test_negative_whole_orders_are_mirrored(name: str, sign: int) -> None:
    row, x = ROWS[name], symbol("x")
    for n in (1, 2, 3):
        found = build(row, (const(-n), x))
        assert found is (build(row, (const(n), x)) if sign == 1 or n % 2 == 0 else -build(row, (const(n), x)))
        agree(evaluate([found], {x: 1.7})[0], row(-n, 1.7), 1e-14)
    assert build(row, (const(-0.5), x)).args[0].value == -0.5


def test_the_sine_integral_is_smooth_at_zero() -> None:
    """Si(x) = x - x³/18 + …: sin x / x is no quotient here."""
    x = symbol("x")
    lines = [ROWS["Si"](x)]
    for _ in range(5):
        lines += tangent([lines[-1]], {x: const(1)})
    agree(evaluate(lines, {x: 0.0}), [0, 1, 0, -1 / 3, 0, 1 / 5])
