"""Backends: whatever computes the arrays, the numbers are the same. Scenarios × backends, the table's rows first."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tangently as tg
from tangently import functions as tf
from tangently.codegen import blocked, blocks, python, regions
from tangently.codegen.contractions import contraction
from tangently.codegen.python import Argument, generate
from tangently.codegen.refining import refine
from tangently.differentiation import expand, pullback
from tangently.errors import DomainError, InputError
from tangently.expr import TABLE, const, evaluate, symbol, toposort
from tangently.primitives.kinds import callable_of
from tangently.settings import Options, available
from test_table import EXAMPLES, ROWS, arrays_only, like, with_conditions

BACKENDS = ["numpy", "blocked", "numba", "jax"]
EXTRA = {"numba", "jax"}


def choose(backend: str) -> str:
    if backend not in available():
        pytest.skip(f"{backend} is not installed")
    return backend


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few entries on two threads, so that small arrays go the way of large ones."""
    monkeypatch.setattr(blocks, "CACHE", 16)
    monkeypatch.setattr(regions, "AT_ONCE", 1)
    for module, name in ((blocked, "HEAVY"), (python, "BLOCK")):
        monkeypatch.setattr(module, name, 1)
    monkeypatch.setattr(regions, "SHORTEST", 2)


# ---------------------------------------------------------------- the table's rows

ARRAY_ROWS = [name for name in EXAMPLES if name in ROWS and ROWS[name].kind != "elementwise"]
ELEMENTWISE = [name for name, row in ROWS.items() if row.kind == "elementwise" and row.arity]


@pytest.mark.parametrize("backend", BACKENDS[1:])
@pytest.mark.parametrize("name", [*ELEMENTWISE, *ARRAY_ROWS])
def test_every_row_has_the_same_value_and_gradient(name: str, backend: str, small_blocks: None) -> None:
    options = Options(choose(backend), 2)
    for graph in list(map(with_conditions, arrays_only(ROWS[name])))[: 1 if backend in EXTRA else None]:
        if any(n.dtype == "f" for n in graph.xs):
            continue
        pulled = pullback([graph.y], [const(like(graph.y, 1))], graph.wrt) if graph.wrt else []
        nodes = expand([graph.y, *pulled])
        arguments = [Argument(f"x{k}", x) for k, x in enumerate(graph.xs)]
        given = list(graph.values.values())
        found = []
        with np.errstate(all="ignore"):
            for how in (Options("numpy"), options):
                with tg.options(how.backend, threads=how.threads):
                    made = generate("f", arguments, nodes, options=tg.options().now)
                    got = made.call(*given)
                    found.append(got if len(nodes) > 1 else (got,))
        for a, b in zip(*found, strict=True):
            scale = np.abs(np.asarray(b)[np.isfinite(b)]).max(initial=1.0)
            np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-13 * scale, err_msg=made.source)
            assert np.asarray(a).dtype == np.asarray(b).dtype
            assert not isinstance(b, np.ndarray) or b.flags.writeable


# ---------------------------------------------------------------- functions, large and small


def chain(x: Any) -> Any:
    y = np.tanh(x) * np.exp(-x * x) + np.sin(x) / (1 + x * x)
    return (y * np.log1p(y * y) - 0.5 * np.cos(y)).sum()


def shifted(x: Any) -> Any:
    m = x.max(axis=1, keepdims=True)
    return (np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]).sum()


def mixture(a: Any, means: Any, q: Any, x: Any) -> Any:
    e = np.exp(q)[None] * (x[:, None, :] - means[None])
    return shifted(a[None] + q.sum(axis=1)[None] - 0.5 * (e**2).sum(axis=2))


def columns(p: Any, x: Any) -> Any:
    """The label is the last axis."""
    y = p[:, None] * x
    r = np.sqrt(y[0] ** 2 + y[1] ** 2 + 1)
    return (np.sin(r) * y[2]).sum() + (y**2).sum()


def network(w: Any, v: Any, x: Any) -> Any:
    return tf.cross_entropy(np.maximum(x @ w, 0) @ v, np.eye(3)[np.arange(len(x)) % 3]).sum()


def branching(x: Any) -> Any:
    return np.exp(-(x**2)).sum() if x.sum() > 0 else (x**3).sum()


def masked(x: Any) -> Any:
    return np.where(x > 0.3, np.log(np.abs(x) + 1), tf.sigmoid(x) * 2).sum()


def pieces(x: Any) -> Any:
    n = len(x) // 2
    return (np.tanh(x[:n]) * x[n : 2 * n] ** 2).sum()


def data(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(len(shapes))
    return [rng.normal(size=s) for s in shapes]


FUNCTIONS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "chain of 10": (chain, [(10,)]),
    "chain of 70,001": (chain, [(70_001,)]),
    "chain of a matrix": (chain, [(301, 300)]),
    "logsumexp": (shifted, [(1000, 80)]),
    "mixture": (mixture, [(7,), (7, 3), (7, 3), (4_001, 3)]),
    "columns": (columns, [(3,), (3, 30_001)]),
    "network": (network, [(20, 16), (16, 3), (5_000, 20)]),
    "a branch": (branching, [(70_000,)]),
    "a mask": (masked, [(70_000,)]),
    "pieces": (pieces, [(140_000,)]),
}


@pytest.mark.parametrize("backend", BACKENDS[1:])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_agree(name: str, backend: str) -> None:
    f, shapes = FUNCTIONS[name]
    args = data(*shapes)
    gradient = tg.grad(f)
    want = gradient(*args)
    with tg.options(choose(backend), threads=2):
        got = [gradient(*args) for _ in range(4)][-1]  # the last comes from the version that is entered directly
    for a, b in zip(got if isinstance(got, tuple) else [got], want if isinstance(want, tuple) else [want]):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12 * np.abs(b).max())


@pytest.mark.parametrize("name", ["chain of 70,001", "chain of a matrix", "logsumexp", "a mask"])
def test_blocks_give_numpys_own_numbers(name: str) -> None:
    f, shapes = FUNCTIONS[name]
    args = data(*shapes)
    found = []
    for backend, threads in (("numpy", 1), ("blocked", 1), ("blocked", 3)):
        with tg.options(backend, threads=threads):
            gradient = tg.grad(f)
            found.append(gradient(*args))
            assert ("in_blocks(" in gradient.source) == (backend == "blocked")
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_sums_over_blocks_do_not_depend_on_the_number_of_threads() -> None:
    f, shapes = FUNCTIONS["mixture"]
    found = []
    for threads in (1, 2, 3):
        with tg.options("blocked", threads=threads):
            found.append(tg.grad(f)(*data(*shapes)))
    for one, two, three in zip(*found):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)


def test_the_mixture_is_right() -> None:
    f, shapes = FUNCTIONS["mixture"]
    args = data(*shapes)
    d = [np.ones_like(a) for a in args]
    slope = sum(float((g * v).sum()) for g, v in zip(tg.grad(f)(*args), d))
    h = 1e-5
    ends = [f(*[a + s * h * v for a, v in zip(args, d)]) for s in (1, -1)]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6)


def test_small_inputs_do_not_pay_for_large_ones() -> None:
    gradient = tg.grad(chain)
    gradient(np.linspace(-1, 1, 1000))
    assert "in_blocks" not in gradient.source


def test_domains_and_branches_are_checked_in_blocks() -> None:
    """log x has no value below 0, also where only its derivative 1/x is computed, and also in the last block."""
    x = np.ones(100_000)
    for backend in available():
        with tg.options(backend, threads=2):
            gradient = tg.grad(lambda x: (np.log(x) * 2 + np.sin(x)).sum())
            gradient(x)
            bad = x.copy()
            bad[-1] = -1.0
            with pytest.raises(DomainError, match="ln x has no value"):
                gradient(bad)
            branch = tg.grad(branching)
            np.testing.assert_allclose(branch(x), -2 * x * np.exp(-(x**2)))
            np.testing.assert_allclose(branch(-x), 3 * x**2)


def test_warnings_follow_the_callers_error_state() -> None:
    x = np.zeros(1_000_000)
    gradient = tg.grad(lambda x: (np.exp(1 / x) * np.sin(x) * np.cos(x)).sum())
    with tg.options("blocked", threads=2), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(gradient(x)).all()


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    def compute(lo: int, hi: int) -> None:
        if hi == 100:
            raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        blocks.in_blocks(compute, 100, 10, 3)


# ---------------------------------------------------------------- options


def test_options_can_be_set_read_and_left() -> None:
    before = tg.options().backend
    with tg.options(backend="numpy", threads=3) as now:
        assert (now.backend, now.threads) == ("numpy", 3)
        with tg.options(threads="auto"):
            assert tg.options().backend == "numpy"
        assert tg.options().threads == 3
    assert tg.options().backend == before
    tg.options(backend="blocked")
    assert tg.options().backend == "blocked"
    tg.options(backend=before)
    assert "auto" in repr(tg.options())


def test_a_choice_holds_for_its_thread() -> None:
    seen = []
    with tg.options(backend="numpy"):
        other = threading.Thread(target=lambda: seen.append(tg.options().backend))
        other.start()
        other.join()
    assert seen == ["auto"]


def test_a_compiled_function_follows_the_choice() -> None:
    gradient, x = tg.grad(chain), np.linspace(-1, 1, 70_000)
    for _ in range(2):
        for backend in ("numpy", "blocked"):
            with tg.options(backend):
                for _ in range(3):
                    gradient(x)
                assert ("in_blocks" in gradient.source) == (backend == "blocked")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"backend": "numbra"}, "Did you mean 'numba'"),
        ({"backend": "cuda"}, "auto, numpy, blocked, numba, jax"),
        ({"threads": 0}, "a whole number from 1 on"),
        ({"threads": True}, "a whole number from 1 on"),
    ],
)
def test_what_does_not_exist_is_refused(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        tg.options(**wanted)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'tangently\[numba\]'.*here: auto, numpy, blocked"):
        tg.options(backend="numba")


def test_jax_keeps_its_own_precision() -> None:
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    with tg.options("jax"):
        assert tg.grad(chain)(np.linspace(-1, 1, 9)).dtype == float
    assert jax.config.jax_enable_x64 == before


def test_what_xla_can_not_say_is_numpy() -> None:
    pytest.importorskip("jax")
    with tg.options("jax"):
        gradient = tg.grad(lambda x: (tf.besselj(1.0, x) * x).sum())
        x = np.linspace(0.5, 1, 5)
        got = gradient(x)
        assert "no spelling for XLA" in gradient.source
    np.testing.assert_allclose(got, gradient(x))


# ---------------------------------------------------------------- rewrites


def names_in(outputs: list[Any]) -> list[str]:
    return [n.op.name for n in toposort(outputs)]


def test_the_shift_of_a_logsumexp_has_no_derivative() -> None:
    gradient = tg.grad(shifted)
    gradient(np.random.default_rng(0).normal(size=(6, 5)))
    assert gradient.source.count("==") == 0


def test_a_sum_of_products_is_one_contraction() -> None:
    x, y = symbol("x", (100, 30)), symbol("y", (100, 30))
    total = TABLE["einsum"](TABLE["mul"](x, y), params=("ab->b",))
    [found] = refine([total])
    assert names_in([found]) == ["input", "input", "einsum"]
    a, b = data((100, 30), (100, 30))
    np.testing.assert_allclose(evaluate([found], {x: a, y: b})[0], (a * b).sum(0))


def test_pieces_side_by_side_are_a_concatenation() -> None:
    gradient = tg.grad(lambda x: (np.sin(x[:3]) * x[3:] ** 2).sum())
    x = np.linspace(0, 1, 6)
    np.testing.assert_allclose(gradient(x), [*(np.cos(x[:3]) * x[3:] ** 2), *(2 * np.sin(x[:3]) * x[3:])])
    assert "np.concatenate" in gradient.source


# ---------------------------------------------------------------- contractions


def test_a_product_is_what_einsum_computes_whatever_its_spelling() -> None:
    rng = np.random.default_rng(3)
    sizes = dict(zip("abcdef", (3, 4, 5, 2, 6, 7)))
    spelled = 0
    for _ in range(400):
        left, right = ("".join(rng.permutation(list("abcdef"))[: rng.integers(1, 5)]) for _ in range(2))
        both = [c for c in left if c in right]
        gone = set(both[: rng.integers(0, len(both) + 1)])
        out = "".join(rng.permutation([c for c in dict.fromkeys(left + right) if c not in gone]))
        x, y = (rng.normal(size=[sizes[c] for c in s]) for s in (left, right))
        found = contraction(f"{left},{right}->{out}", ["x", "y"], [x.shape, y.shape])
        if found is not None:
            spelled += 1
            computed = callable_of(re.sub(r"\b[xy]\b", lambda m: "{0}" if m[0] == "x" else "{1}", found[0]))
            assert np.allclose(computed(x, y), np.einsum(f"{left},{right}->{out}", x, y))
    assert spelled > 50


def test_parts_of_an_argument_that_go_separate_ways_have_their_own_columns() -> None:
    def f(x):
        a, b = x[:2], x[3:]
        return np.concatenate([np.sin(a) * a[::-1], np.outer(b, a).ravel(), [a[0] + b[1]]])

    x = np.random.default_rng(4).normal(size=70)
    step = 1e-6
    wanted = np.stack([(f(x + step * e) - f(x - step * e)) / (2 * step) for e in np.eye(70)], axis=1)
    found = tg.jacobian(f)(x)
    assert np.allclose(found, wanted, atol=1e-8)
    assert not found[:, 2].any()
