"""Plain Python is followed faithfully: branches, loops, what a function reads, nests of arguments, and no silent leaks.

Tables of scenarios. Each call is made often enough to reach the direct path (from the third on), and the function's
surroundings are then changed: an answer may never be stale.
"""

from __future__ import annotations

import collections
import dataclasses
import fractions
import functools
import math
import random
import threading
import time
import types

import numpy as np
import pytest
import scipy.special

import tangently as tg
from conftest import agree
from tangently import derivative, grad

PAIR = np.ones(2)

# ---------------------------------------------------------------- control flow


def branch(x):
    if x > 0:
        return x**2
    return -x


def halve(x):
    k = 0
    while x > 1:
        x = x / 2
        k += 1
    return x * x * (k + 1)


def halve_slope(x: float) -> float:
    k = max(0, math.ceil(math.log2(x)))
    return 2 * x / 4**k * (k + 1)


def recursion(x):
    return x if x < 1 else recursion(x - 1) * x


def attempt(x):
    try:
        return {"a": 1.0}["b"]
    except KeyError:
        return x**3


def matched(x):
    match bool(x > 1):
        case True:
            return 5 * x
        case _:
            return 7 * x


def generated(x):
    def powers():
        yield x
        yield x * x

    return sum(powers())


FLOWS = {
    "branch": (branch, lambda x: 2 * x if x > 0 else -1.0, (2.0, -1.0, 3.0, -2.0, 4.0, 5.0)),
    "while": (halve, halve_slope, (0.5, 3.0, 9.0, 3.0, 3.5, 100.0, 0.7)),
    "recursion": (
        recursion,
        lambda x: 1.0 if x < 1 else 2 * x - 1 if x < 2 else 3 * x * x - 6 * x + 2,
        (0.5, 1.5, 2.5, 0.2),
    ),
    "exception": (attempt, lambda x: 3 * x * x, (1.0, 2.0, 3.0)),
    "match": (matched, lambda x: 5.0 if x > 1 else 7.0, (0.5, 2.0, 0.7, 3.0)),
    "generator": (generated, lambda x: 1 + 2 * x, (1.0, 2.0, 3.0)),
    "comprehension": (lambda x: sum([x**k for k in range(4)]), lambda x: 1 + 2 * x + 3 * x**2, (1.0, 2.0, 3.0)),
    "walrus": (lambda x: (y := x * x) * y, lambda x: 4 * x**3, (1.0, 2.0, 3.0)),
    "conditional": (
        lambda x: x if x > 0 and x < 2 else 3 * x,
        lambda x: 1.0 if 0 < x < 2 else 3.0,
        (1.0, 3.0, -1.0, 1.5),
    ),
    "chained": (lambda x: x * x if -1 < x < 1 else x, lambda x: 2 * x if -1 < x < 1 else 1.0, (0.5, 2.0, -0.5, -2.0)),
    "min": (lambda x: min(x, 2.0) * x, lambda x: 2 * x if x < 2 else 2.0, (1.0, 3.0, 0.5)),
    "sorted": (
        lambda x: sorted([x, 2.0, x * x])[0],
        lambda x: 1.0 if 1 <= x <= 2 else 2 * x if x < 1 else 0.0,
        (0.5, 1.5, 3.0),
    ),
    "in": (lambda x: x if x in (1.0, 2.0) else 5 * x, lambda x: 1.0 if x in (1.0, 2.0) else 5.0, (1.0, 3.0, 2.0)),
    "text": (lambda x: x if x == "text" else 2 * x, lambda x: 2.0, (1.0, 2.0, 3.0)),
    "None": (lambda x: 2 * x if x is not None and x != None else 0, lambda x: 2.0, (1.0, 2.0, 3.0)),  # noqa: E711
    "isinstance": (lambda x: x * x if isinstance(x, (int, float)) else 3 * x, lambda x: 2 * x, (1.0, 2.0, 3.0)),
    "floor": (lambda x: math.floor(x) * x + x // 2, math.floor, (1.5, 2.5, 3.5)),
    "divmod": (lambda x: divmod(x, 2.0)[1] * x, lambda x: x % 2 + x, (5.5, 3.5, 2.5)),
    "round": (lambda x: round(x) * x, round, (1.2, 2.7, 3.1)),
    "isnan": (lambda x: x if math.isnan(x) else 2 * x, lambda x: 2.0, (1.0, 2.0, 3.0)),
    "fraction": (lambda x: x * fractions.Fraction(1, 2), lambda x: 0.5, (1.0, 2.0, 3.0)),
    "constant": (lambda x: 3.0, lambda x: 0.0, (1.0, 2.0, 3.0)),
    "identity": (lambda x: x, lambda x: 1.0, (1.0, 2.0, 3.0)),
    "shown": (lambda x: x * x if f"{x:.1f}" else x, lambda x: 2 * x, (1.0, 2.0, 3.0)),
}


@pytest.mark.parametrize("name", FLOWS)
def test_control_flow(name: str) -> None:
    f, slope, points = FLOWS[name]
    df, vg = derivative(f), tg.value_and_grad(f)
    for x in (*points, *points):
        assert df(x) == pytest.approx(slope(x), rel=1e-13), f"{name} at {x}"
        assert vg(x) == pytest.approx((f(x), slope(x)), rel=1e-13), f"{name} at {x}"


def test_a_branch_is_traced_again_and_then_kept() -> None:
    df = derivative(branch)
    for _ in range(3):
        assert [df(2.0), df(-2.0)] == [4.0, -1.0]
    assert sum(map(len, df._engine.variants.values())) == 2


def test_branches_over_arrays() -> None:
    agree(derivative(branch)(np.array([1.0, -2.0, 3.0])), [2.0, -1.0, 6.0])
    masked = grad(lambda x: (x[x > 0] ** 2).sum())
    for x in ([1.0, -2, 3], [1.0, -2, 3], [1.0, 2, -3], [-1.0, -2, 3]):
        agree(masked(np.array(x)), [2 * v if v > 0 else 0.0 for v in x])


def test_formula_says_where_it_holds() -> None:
    df = derivative(branch)
    df(2.0)
    assert str(df.formula) == "2x   where x > 0"


def unbounded(x):
    while x > -1:
        x = x + 1.0
    return x


def endless(x):
    return endless(x) + 1


def test_budgets() -> None:
    with pytest.raises(tg.BudgetError, match=r"200,000 branches.*line \d+ of unbounded"):
        derivative(unbounded)(1.0)
    with pytest.raises(tg.TraceError, match="recursed deeper"):
        derivative(endless)(1.0)


# ---------------------------------------------------------------- never stale


class Scale:
    """What the stale tests change: an attribute, a nested one, a class attribute, a method that reads a global."""

    shared = 2.0

    def __init__(self, k: float = 2.0) -> None:
        self.k, self.items, self.array, self.sub = k, [2.0], np.array([2.0]), types.SimpleNamespace(z=2.0)

    def own(self, x):
        return self.k * x

    def inherited(self, x):
        return self.shared * x

    def through(self, x):
        return self.helper(x)

    def helper(self, x):
        return FACTOR * x

    @property
    def view(self):
        return self.k

    def by_property(self, x):
        return self.view * x

    def __call__(self, x):
        return self.k * x


class Child(Scale):
    pass


class Slotted:
    __slots__ = ("k",)


FACTOR = 2.0
CONFIG = types.ModuleType("config")
PACKAGE = types.ModuleType("package")


def reads_global(x):
    return FACTOR * x


def reads_by_class(x):
    return Scale(0.0).helper(x)


def set_global(value: float) -> None:
    globals()["FACTOR"] = value


def nonlocal_pair():
    c = 2.0

    def f(x):
        return c * x

    def change():
        nonlocal c
        c = 5.0

    return f, change


def defaults_pair():
    def f(x, k=2.0):
        return k * x

    return f, lambda: setattr(f, "__defaults__", (5.0,))


def keyword_defaults_pair():
    def f(x, *, k=2.0):
        return k * x

    return f, lambda: f.__kwdefaults__.update(k=5.0)


def code_pair():
    def g(x):
        return 2 * x

    def f(x):
        return g(x)

    return f, lambda: setattr(g, "__code__", (lambda x: 5 * x).__code__)


def held(value, f, change):
    return (lambda x: f(value, x)), lambda: change(value)


def of_object(method: str, change):
    o = Child()
    return getattr(o, method), lambda: change(o)


def module_pair(read):
    CONFIG.rate, PACKAGE.config = 2.0, CONFIG
    return read, lambda: setattr(CONFIG, "rate", 5.0)


def class_pair(read, name: str, value):
    kind = type("Kind", (Scale,), {"shared": 2.0, "__module__": __name__})
    o = kind()
    return functools.partial(read, o), lambda: setattr(kind, name, value)


def slotted(s, x):
    return s.k * x


def slotted_pair():
    s = Slotted()
    s.k = 2.0
    return functools.partial(slotted, s), lambda: setattr(s, "k", 5.0)


VIEWED = np.full((3, 2), 1.0)
STALE = {
    "global": lambda: (reads_global, lambda: set_global(5.0)),
    "nonlocal": nonlocal_pair,
    "default": defaults_pair,
    "keyword default": keyword_defaults_pair,
    "code of a helper": code_pair,
    "array, in place": lambda: held(np.array([2.0]), lambda a, x: a[0] * x, lambda a: a.fill(5.0)),
    "array through a view": lambda: held(VIEWED, lambda a, x: a[0].sum() * x, lambda a: a[0].__setitem__(0, 4.0)),
    "list": lambda: held([2.0], lambda a, x: sum(v * x for v in a), lambda a: a.append(3.0)),
    "dict": lambda: held({"k": 2.0}, lambda a, x: a["k"] * x, lambda a: a.update(k=5.0)),
    "nested": lambda: held(
        {"l": [{"W": np.ones(2)}]}, lambda a, x: a["l"][0]["W"].sum() * x, lambda a: a["l"][0]["W"].__setitem__(0, 4.0)
    ),
    "set": lambda: held({2.0}, lambda a, x: sum(a) * x, lambda a: a.add(3.0)),
    "function in a list": lambda: held(
        [lambda x: 2 * x], lambda a, x: a[0](x), lambda a: a.__setitem__(0, lambda x: 5 * x)
    ),
    "attribute": lambda: held(Scale(), lambda o, x: o.k * x, lambda o: setattr(o, "k", 5.0)),
    "attribute's list": lambda: held(Scale(), lambda o, x: o.items[0] * x, lambda o: o.items.__setitem__(0, 5.0)),
    "attribute's array": lambda: held(Scale(), lambda o, x: o.array[0] * x, lambda o: o.array.fill(5.0)),
    "attribute's attribute": lambda: held(Scale(), lambda o, x: o.sub.z * x, lambda o: setattr(o.sub, "z", 5.0)),
    "bound method": lambda: of_object("own", lambda o: setattr(o, "k", 5.0)),
    "property": lambda: of_object("by_property", lambda o: setattr(o, "k", 5.0)),
    "callable object": lambda: of_object("__call__", lambda o: setattr(o, "k", 5.0)),
    "method of a method": lambda: of_object("through", lambda o: set_global(5.0)),
    "class by name": lambda: (reads_by_class, lambda: set_global(5.0)),
    "class attribute": lambda: class_pair(lambda o, x: o.inherited(x), "shared", 5.0),
    "method replaced": lambda: class_pair(lambda o, x: o.own(x), "own", lambda self, x: 5 * x),
    "slot": slotted_pair,
    "module": lambda: module_pair(lambda x: CONFIG.rate * x),
    "module in a module": lambda: module_pair(lambda x: PACKAGE.config.rate * x),
}


@pytest.mark.parametrize("name", STALE)
def test_never_stale(name: str) -> None:
    set_global(2.0)
    f, change = STALE[name]()
    df, gf = derivative(f, wrt="x"), tg.value_and_grad(f, wrt="x")
    assert [df(1.0) for _ in range(4)] == [2.0] * 4
    assert [gf(1.0) for _ in range(4)] == [(2.0, 2.0)] * 4
    change()
    assert [df(1.0), gf(1.0), df(1.0)] == [5.0, (5.0, 5.0), 5.0]
    set_global(2.0)


def test_a_redefined_helper() -> None:
    scope: dict = {}
    exec("def helper(x): return 2 * x\ndef f(x): return helper(x)", scope)
    df = derivative(scope["f"])
    assert [df(1.0) for _ in range(3)] == [2.0] * 3
    exec("def helper(x): return 5 * x", scope)
    assert [df(1.0) for _ in range(3)] == [5.0] * 3
    del scope["helper"]
    with pytest.raises(NameError):
        df(1.0)


CALLS: list[float] = []
GENERATOR = np.random.default_rng(0)


def counted(x):
    CALLS.append(1.0)
    return x * len(CALLS)


UNSTEADY = {
    "generator": lambda x: x * GENERATOR.normal(),
    "np.random": lambda x: x * np.random.rand(),
    "random": lambda x: x * random.random(),
    "time": lambda x: x * time.perf_counter(),
    "counter": counted,
}


@pytest.mark.parametrize("name", UNSTEADY)
def test_what_changes_by_itself_is_run_every_time(name: str) -> None:
    df = derivative(UNSTEADY[name])
    assert len({df(1.0) for _ in range(5)}) == 5


# ---------------------------------------------------------------- arguments


def sum_of_squares(*xs):
    return sum(x**2 for x in xs)


def kwonly(x, *, k=2.0):
    return k * x


def defaulted(x, k=2.0):
    return k * x**2


def positional(x, /, y=2.0):
    return x * y


def renamed(max, np):
    return max * np


def decorated(f):
    @functools.wraps(f)
    def inner(*args, **keywords):
        return 3 * f(*args, **keywords)

    return inner


@decorated
def tripled(x, k=2.0):
    return k * math.sin(x)


class Model:
    def __init__(self) -> None:
        self.w = 2.0

    def __call__(self, x):
        return math.sin(x) * self.w

    def loss(self, x):
        return np.array([self.w * x, math.exp(x)]).sum()

    @staticmethod
    def static(x):
        return 3 * x

    @classmethod
    def of_class(cls, x):
        return 4 * x


CALLABLES = {
    "lambda": (lambda x: x * x, lambda d: d(3.0), 6.0),
    "nested": (lambda x: (lambda y: y * x)(x), lambda d: d(3.0), 6.0),
    "partial": (functools.partial(lambda a, x: a * x**2, 3.0), lambda d: d(2.0), 12.0),
    "partial by keyword": (functools.partial(lambda x, a: a * x, a=3.0), lambda d: d(2.0)[0], 3.0),
    "partial of math": (functools.partial(math.pow, 2.0), lambda d: d(3.0), 8 * math.log(2)),
    "math function": (math.sin, lambda d: d(0.0), 1.0),
    "ufunc": (np.sin, lambda d: d(0.0), 1.0),
    "binary ufunc": (np.multiply, lambda d: d(2.0, 3.0), (3.0, 2.0)),
    "NumPy function": (np.sum, lambda d: d(np.ones(2)), (1.0, 1.0)),
    "np.linalg": (np.linalg.norm, lambda d: d(np.array([3.0, 4.0])), (0.6, 0.8)),
    "bound method": (Model().loss, lambda d: d(0.0), 3.0),
    "callable object": (Model(), lambda d: d(0.0), 2.0),
    "static method": (Model.static, lambda d: d(1.0), 3.0),
    "class method": (Model.of_class, lambda d: d(1.0), 4.0),
    "decorated": (tripled, lambda d: d(0.0, k=3.0), (9.0, 0.0)),
    "default left out": (defaulted, lambda d: d(3.0), (12.0, 9.0)),
    "default by keyword": (defaulted, lambda d: d(3.0, k=3.0), (18.0, 9.0)),
    "all by keyword": (defaulted, lambda d: d(k=1.0, x=3.0), (6.0, 9.0)),
    "keyword only": (kwonly, lambda d: d(1.0, k=3.0), (3.0, 1.0)),
    "positional only": (positional, lambda d: d(3.0), (2.0, 3.0)),
    "names of ours": (renamed, lambda d: d(max=3.0, np=4.0), (4.0, 3.0)),
    "any number": (sum_of_squares, lambda d: d(1.0, 2.0, 3.0), (2.0, 4.0, 6.0)),
    "any names": (lambda **k: k["a"] * k["b"], lambda d: tuple(d(a=2.0, b=3.0).values()), (3.0, 2.0)),
}


@pytest.mark.parametrize("name", CALLABLES)
def test_callables(name: str) -> None:
    f, call, want = CALLABLES[name]
    d, both = grad(f), tg.value_and_grad(f)
    for _ in range(4):
        agree(call(d), want, 1e-12, what=name)
        agree(call(lambda *a, **k: both(*a, **k)[1]), want, 1e-12, what=name)


def test_a_call_may_change_its_form() -> None:
    """After the direct path was entered every other spelling of the call still works."""
    d, both = grad(defaulted), tg.value_and_grad(defaulted)
    for _ in range(3):
        assert d(3.0, 2.0) == (12.0, 9.0)
        assert both(3.0, 2.0) == (18.0, (12.0, 9.0))
    assert d(3.0) == d(x=3.0) == d(3, 2) == d(np.float64(3.0)) == d(3.0, k=2.0) == (12.0, 9.0)
    assert both(3.0) == both(x=3.0) == both(3, 2) == both(np.float32(3)) == (18.0, (12.0, 9.0))
    for wrong in (lambda: d(), lambda: d(1.0, 2.0, 3.0), lambda: d(y=1.0), lambda: both(), lambda: both(1.0, 2.0, 3.0)):
        with pytest.raises(TypeError):
            wrong()


def test_a_direction_may_change_its_form() -> None:
    push, pull, product = tg.jvp("x^2 y"), tg.vjp(np.sin), tg.hvp(lambda x: (x**3).sum())
    ones = np.ones(2)
    for _ in range(4):
        assert push(3.0, 2.0, (1.0, 0.0)) == 12.0
        agree(pull(ones, ones), np.cos(ones))
        agree(product(ones, 2 * ones), 12 * ones)
    assert tg.jvp("x^2")(3, 1) == 6.0


@pytest.mark.parametrize("two", [2, 2.0, np.int64(2), np.float32(2), np.float64(2), np.array(2), np.array(2.0)])
def test_numbers_are_promoted(two) -> None:
    df = derivative(lambda x: x**3)
    for _ in range(3):
        assert df(two) == 12.0
        assert isinstance(df(two), float)


def test_integer_arrays_and_lists_are_promoted() -> None:
    agree(grad(lambda x: (x**3).sum())(np.array([1, 2])), [3.0, 12.0])
    assert grad(lambda x: x[0] * x[1] ** 2)([2, 3]) == [9.0, 12.0]


def repeated(x, n):
    y = 1.0
    for _ in range(n):
        y = y * x
    return y


def test_a_count_stays_a_count() -> None:
    d = derivative(repeated, wrt="x")
    assert [d(2.0, n) for n in (3, 3, 3, 4, 5, 3)] == [12.0, 12.0, 12.0, 32.0, 80.0, 12.0]
    assert grad(repeated)(2.0, 3) == (12.0, 0.0)
    with pytest.raises(tg.LeakError, match="whole number"):
        grad(repeated)(2.0, 1.5)


def test_labels_are_indices() -> None:
    logits, rows = np.ones((3, 3)), np.arange(3)
    d = grad(lambda z, labels: z[rows, labels].sum(), wrt="z")
    for labels in ([0, 2, 1], [0, 2, 1], [0, 0, 0], [1, 1, 1], [0, 2, 1]):
        agree(d(logits, np.array(labels)), np.eye(3)[labels])
    agree(grad(lambda z, labels: z[rows, labels].sum())(logits, np.array([0, 2, 1]))[0], np.eye(3)[[0, 2, 1]])
    agree(grad(lambda x, k: x[k], wrt="x")(np.ones(3), 1), [0.0, 1.0, 0.0])


# ---------------------------------------------------------------- nests

Pair = collections.namedtuple("Pair", "a b")


@dataclasses.dataclass
class Layer:
    w: np.ndarray
    b: float
    name: str = "dense"


@dataclasses.dataclass(frozen=True)
class Frozen:
    layer: Layer
    scale: float


def nest() -> dict:
    return {
        "w": np.array([1.0, 2.0]),
        "list": [2.0, (3.0,)],
        "pair": Pair(4.0, 5.0),
        "data": Frozen(Layer(np.array([1.0, 3.0]), 6.0), 7.0),
        "activation": "tanh",
    }


def of_nest(p):
    layer = p["data"].layer
    assert p["activation"] == "tanh"
    return (
        (p["w"] ** 2).sum() + p["list"][0] * p["list"][1][0] + p["pair"].a * p["pair"].b
        + p["data"].scale * layer.b * layer.w.sum()
    )  # fmt: skip


def test_nests_in_and_out() -> None:
    d, both = grad(of_nest), tg.value_and_grad(of_nest)
    for _ in range(3):
        for g in (d(nest()), both(nest())[1]):
            assert list(g) == ["w", "list", "pair", "data", "activation"]
            agree(g["w"], [2.0, 4.0])
            assert g["list"] == [3.0, (2.0,)]
            assert g["pair"] == Pair(5.0, 4.0)
            assert isinstance(g["pair"], Pair)
            assert g["data"].scale == 24.0
            assert g["data"].layer.b == 28.0
            agree(g["data"].layer.w, [42.0, 42.0])
            assert g["activation"] is None


def test_one_leaf_by_its_path() -> None:
    agree(grad(of_nest, wrt="p['w']")(nest()), [2.0, 4.0])
    assert grad(of_nest, wrt="p['data'].layer.b")(nest()) == 28.0


def test_nests_of_outputs() -> None:
    j = tg.jacobian(lambda x: {"a": x**2, "b": [x, 2 * x], "c": Pair(x, np.array([x, x * x]))})(3.0)
    assert j["a"] == 6.0
    assert j["b"] == [1.0, 2.0]
    agree(j["c"].b, [1.0, 6.0])


# ---------------------------------------------------------------- derivatives of derivatives


def shifted(f):
    """x ↦ d/du f(x + u) at 0: the operator of the "amazing bug" (Manzyuk, Pearlmutter, Radul, Rush, Siskind 2019)."""
    return lambda x: derivative(lambda u: f(x + u))(0.0)


CONFUSION = {
    "Siskind & Pearlmutter 2005": (lambda: derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(1.0), 1.0),
    "inner slope is x": (lambda: derivative(lambda x: x * derivative(lambda y: x * y)(2.0))(3.0), 6.0),
    "at the outer variable": (lambda: derivative(lambda x: derivative(lambda y: x * y**2)(x))(3.0), 12.0),
    "reverse over reverse": (lambda: grad(lambda x: grad(lambda y: x * y * y)(x) * x)(2.0), 24.0),
    "forward over reverse": (lambda: derivative(lambda x: grad(lambda y: x * y * y)(x) * x)(2.0), 24.0),
    "reverse over forward": (lambda: grad(lambda x: derivative(lambda y: x * y * y)(x) * x)(2.0), 24.0),
    "three deep": (
        lambda: derivative(lambda x: grad(lambda y: derivative(lambda z: x * y * z * z)(3.0))(2.0))(5.0),
        6.0,
    ),
    "constant inner": (lambda: derivative(lambda x: derivative(lambda y: x)(1.0) + x)(2.0), 1.0),
    "amazing bug, sin": (lambda: shifted(shifted(np.sin))(1.0), -math.sin(1.0)),
    "amazing bug, cube": (lambda: shifted(shifted(lambda t: t**3))(2.0), 12.0),
    "of arrays": (lambda: grad(lambda x: grad(lambda y: (x * y**2).sum())(x).sum())(PAIR), [4.0, 4.0]),
    "twice": (lambda: derivative(derivative(lambda x: x**3))(2.0), 12.0),
    "in a branch": (lambda: derivative(lambda x: x * derivative(lambda y: y * x if y > x else y)(2.0))(1.0), 2.0),
}


@pytest.mark.parametrize("name", CONFUSION)
def test_perturbations_are_not_confused(name: str) -> None:
    compute, want = CONFUSION[name]
    for _ in range(3):
        agree(compute(), want, 1e-14, what=name)


def powers(x):
    return x**5, [5 * x**4, 20 * x**3, 60 * x**2, 120 * x]


def wave(x):
    s, c, e = np.sin(x), np.cos(x), np.exp(x)
    return e * s, [e * (s + c), 2 * e * c, 2 * e * (c - s), -4 * e * s]


def quotient(x):
    return 1 / (1 + x), [(-1) ** k * math.factorial(k) / (1 + x) ** (k + 1) for k in range(1, 5)]


def composed(x):
    e = np.exp(x * x)
    return e, [2 * x * e, (2 + 4 * x**2) * e, (12 * x + 8 * x**3) * e, (12 + 48 * x**2 + 16 * x**4) * e]


@pytest.mark.parametrize("f", [powers, wave, quotient, composed])
def test_variables_to_the_fourth_order(f) -> None:
    x = tg.variable(1.3)
    y, want = f(x)[0], f(1.3)[1]
    found = y
    for order, value in enumerate(want, 1):
        found = grad(found, wrt=x)
        assert found.value == pytest.approx(value, rel=1e-12)
        assert derivative(y, wrt=x, order=order).value == pytest.approx(value, rel=1e-12)
        assert derivative(lambda x: f(x)[0], order=order)(1.3) == pytest.approx(value, rel=1e-11)


def test_variables_of_arrays_and_lists_of_them() -> None:
    w, b = tg.variable(np.array([1.0, 2.0]), "w"), tg.variable(3.0, "b")
    loss = (w**2).sum() * b
    dw, db = grad(loss, wrt=[w, b])
    agree(dw.value, [6.0, 12.0])
    assert db.value == 5.0
    agree(grad(db, wrt=w).value, [2.0, 4.0])
    with pytest.raises(tg.InputError, match="was not computed from"):
        grad(loss, wrt=tg.variable(1.0))


# ---------------------------------------------------------------- names


def network(W, x):
    z = W @ x
    h = squashed(z)
    loss = (h**2).sum()
    return loss


def squashed(a):
    return np.tanh(a) * 1.0


def test_names_are_those_of_the_source() -> None:
    W, x = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([1.0, 2.0])
    h = np.tanh(W @ x)
    agree(grad(network, wrt="h")(W, x), 2 * h)
    agree(grad(network, wrt="z")(W, x), 2 * h * (1 - h**2))
    assert grad(network, wrt="loss")(W, x) == 1.0
    dW, dh = grad(network, wrt=("W", "h"))(W, x)
    agree(dW, np.outer(2 * h * (1 - h**2), x))
    agree(dh, 2 * h)
    d = grad(network)
    d(W, x)
    assert {"z", "h", "loss"} <= set(d.recording().names.values())
    with pytest.raises(tg.InputError, match="Did you mean 'loss'"):
        grad(network, wrt="los")(W, x)


# ---------------------------------------------------------------- leaks

KEPT: list = []


def stores(x):
    KEPT.append(x * 2)
    return x * x


def into_zeros(x):
    y = np.zeros(2)
    y[0] = x
    return y.sum()


def into_slice(x):
    y = np.zeros(2)
    y[:] = x
    return y.sum()


def into_argument(x):
    x[0] = 1.0
    return x.sum()


def adds_in_place(x):
    total = np.zeros(2)
    for k in range(3):
        total += k * x
    return total.sum()


LEAKS = {
    "float": (lambda x: float(x) * 2, 1.0, tg.LeakError, r"float\(x\) would drop the gradient.*np\.sin"),
    "int": (lambda x: int(x) * x, 1.5, tg.LeakError, r"int\(x\) would drop the gradient.*np\.floor"),
    "complex": (lambda x: complex(x), 1.5, tg.LeakError, "real"),
    "np.zeros": (into_zeros, 1.0, tg.LeakError, r"np\.stack.*instead of assigning into np\.zeros"),
    "slice": (into_slice, PAIR, tg.LeakError, r"np\.stack.*instead of assigning into np\.zeros"),
    "argument": (into_argument, PAIR, tg.LeakError, r"assignment into x\[\.\.\.\].*np\.where"),
    "in place": (adds_in_place, PAIR, tg.LeakError, r"s = s \+ x instead of s \+= x"),
    "complex number": (lambda x: x * 1j, 1.0, tg.InputError, "real and imaginary parts as two"),
    "complex argument": (lambda x: x, 1j, tg.InputError, "x is complex"),
    "text": (lambda x: x + "a", 1.0, tg.InputError, "the text 'a' meets a traced value"),
    "no value": (lambda x: None, 1.0, tg.TraceError, "is a return statement missing"),
    "text result": (lambda x: "a", 1.0, tg.TraceError, "returned 'a'"),
    "no row": (lambda x: np.fft.fft(x).sum(), PAIR, tg.UnsupportedError, r"np\.fft"),
    "array result": (lambda x: 2 * x, PAIR, tg.ShapeError, r"returned an array of shape \(2,\).*jacobian"),
    "shapes": (lambda x: (x @ np.ones((3, 2))).sum(), PAIR, tg.ShapeError, r"\(3, 2\) do not conform"),
    "truth": (lambda x: x if x > 0 else -x, PAIR, ValueError, r"shape \(2,\) is ambiguous"),
    "unknown name": (lambda x: x, {"wrt": "q"}, tg.InputError, "no argument or intermediate value of that name"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_leaks_raise_and_name_the_mend(name: str) -> None:
    f, at, error, text = LEAKS[name]
    with pytest.raises(error, match=text):
        grad(f, **at)(1.0) if isinstance(at, dict) else grad(f)(at)


def test_a_value_kept_outside_can_not_be_used() -> None:
    KEPT.clear()
    assert grad(stores)(3.0) == 6.0
    for use in (lambda: KEPT[0] + 1, lambda: derivative(lambda x: x * KEPT[0])(1.0)):
        with pytest.raises(tg.LeakError, match="after the function that it was traced in has returned"):
            use()


WORKS = {
    "item": (lambda x: x.sum().item() * 2, [2.0, 2.0]),
    "tolist": (lambda x: x.tolist()[0] * 2, [2.0, 0.0]),
    "list": (lambda x: np.array([x[0], 0.0, x[1] * 3]).sum(), [1.0, 3.0]),
    "object array": (lambda x: np.array([x[0], x[1] ** 2], dtype=object).sum(), [1.0, 2.0]),
    "plus": (lambda x: ((x + 1) ** 2).sum(), [4.0, 4.0]),
    "sum": (lambda x: sum(x), [1.0, 1.0]),
    "zip": (lambda x: sum(i * a * b for i, (a, b) in enumerate(zip(x, x))), [0.0, 2.0]),
    "unpacked": (lambda x: (lambda a, b: a * b)(*x), [1.0, 1.0]),
    "mask": (lambda x: x[np.array([True, False])].sum(), [1.0, 0.0]),
    "scalar plus array": (lambda x: (np.zeros(2) + x[0]).sum(), [2.0, 0.0]),
}


@pytest.mark.parametrize("name", WORKS)
def test_what_keeps_the_gradient_works(name: str) -> None:
    f, want = WORKS[name]
    agree(grad(f)(PAIR), want)


# ---------------------------------------------------------------- threads


def in_threads(works) -> None:
    errors: list[BaseException] = []

    def guarded(work) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0]


def different_function(k: int):
    d, g = derivative(lambda x: x**k * math.sin(x)), grad(lambda v: (v**k).sum())

    def work() -> None:
        for i in range(200):
            x = 1.0 + i / 200
            assert d(x) == pytest.approx(k * x ** (k - 1) * math.sin(x) + x**k * math.cos(x), rel=1e-12)
            if i % 40 == 0:
                agree(g(np.full(i + 1, x)), np.full(i + 1, k * x ** (k - 1)))

    return work


def test_threads_with_different_functions() -> None:
    in_threads([different_function(k) for k in range(2, 8)])


def test_threads_with_one_function() -> None:
    d = derivative(branch)

    def work(sign: float) -> None:
        for i in range(1, 1000):
            x = sign * i * 0.5
            assert d(x) == (2 * x if x > 0 else -1.0)

    in_threads([functools.partial(work, s) for s in (1.0, -1.0, 1.0, -1.0)])


SPECIAL = {
    "iv": lambda x: scipy.special.iv(1, x), "kv": lambda x: scipy.special.kv(0, x),
    "jv": lambda x: scipy.special.jv(2, x), "yv": lambda x: scipy.special.yv(1, x),
    "jn": lambda x: scipy.special.jn(0, x), "expi": lambda x: scipy.special.expi(x),
    "erfi": lambda x: scipy.special.erfi(x), "erfinv": lambda x: scipy.special.erfinv(x / 3),
    "zeta": lambda x: scipy.special.zeta(x), "beta": lambda x: scipy.special.beta(x, 2.5),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
def test_functions_of_scipy_special_are_traced(name):
    f = SPECIAL[name]
    at = np.array([0.8, 1.7, 2.3])
    wanted = (f(at + 1e-6) - f(at - 1e-6)) / 2e-6
    assert np.diag(tg.jacobian(f)(at)) == pytest.approx(wanted, rel=1e-7)
    assert [derivative(f)(float(v)) for v in at] == pytest.approx(wanted, rel=1e-7)
