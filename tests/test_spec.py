"""What tangently promises, item by item: each as text, as plain Python (NumPy and `math`), and define-by-run.

The values wanted are worked out by hand in the tables; PyTorch and JAX are asked where they have the same function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

import tangently as tg
from conftest import agree
from tangently.quotients import quotient_table

E2 = math.e**2


# ---------------------------------------------------------------- functions of numbers, on every route


@dataclass(frozen=True)
class Scalar:
    """A function in several spellings, a point, its value, gradient and Hessian there."""

    spellings: tuple
    point: tuple[float, ...]
    value: float
    gradient: tuple[float, ...]
    hessian: list[list[float]]


SCALARS = {
    "2x²+3x+1 at 1": Scalar(
        ("2x²+3x+1", "f(x) = 2x^2 + 3x + 1", "2*x**2 + 3*x + 1", lambda x: 2 * x**2 + 3 * x + 1,
         lambda x: 2 * math.pow(x, 2) + 3 * x + 1, lambda x: np.dot([2, 3, 1], np.array([x * x, x, 1]))),
        (1.0,), 6.0, (7.0,), [[4.0]],
    ),
    "3x²−4x at 1": Scalar(
        ("3x²−4x", "3x^2 - 4x", lambda x: 3 * x**2 - 4 * x, lambda x: np.polyval([3, -4, 0], x)),
        (1.0,), -1.0, (2.0,), [[6.0]],
    ),
    "x²+3x+1 at 2": Scalar(
        ("x²+3x+1", "x^2 + 3x + 1", lambda x: x**2 + 3 * x + 1, lambda x: np.square(x) + 3 * x + 1),
        (2.0,), 11.0, (7.0,), [[2.0]],
    ),
    "(x²+1)³ at 2": Scalar(
        ("(x²+1)³", "(x^2 + 1)^3", lambda x: (x**2 + 1) ** 3, lambda x: np.power(np.square(x) + 1, 3),
         lambda x: math.prod([x * x + 1] * 3)),
        (2.0,), 125.0, (300.0,), [[6 * 25.0 + 24 * 4 * 5]],
    ),
    "x²+3y+e^{xy} at (1, 2)": Scalar(
        ("x² + 3y + e^{xy}", "x^2 + 3y + e^(x y)", "x**2 + 3*y + exp(x*y)", lambda x, y: x**2 + 3 * y + np.exp(x * y),
         lambda x, y: x**2 + 3 * y + math.exp(x * y), lambda x, y: math.fsum([x * x, 3 * y, math.e ** (x * y)])),
        (1.0, 2.0), 7 + E2, (2 + 2 * E2, 3 + E2), [[2 + 4 * E2, 3 * E2], [3 * E2, E2]],
    ),
    "x²y+xy²+2 at (1, 2)": Scalar(
        ("x²y + xy² + 2", "x^2 y + x y^2 + 2", lambda x, y: x**2 * y + x * y**2 + 2, lambda x, y: x * y * (x + y) + 2),
        (1.0, 2.0), 8.0, (8.0, 5.0), [[4.0, 6.0], [6.0, 2.0]],
    ),
}  # fmt: skip
SPELLINGS = [(name, k) for name, case in SCALARS.items() for k in range(len(case.spellings))]


def first(found):
    """A gradient of one number as a tuple of one."""
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize(("name", "spelling"), SPELLINGS)
def test_spelling(name: str, spelling: int) -> None:
    case = SCALARS[name]
    f, at = case.spellings[spelling], case.point
    for _ in range(3):
        agree(first(tg.grad(f, at=at)), case.gradient, 1e-14, what=name)
        agree(first(tg.derivative(f, at=at)), case.gradient, 1e-14, what=name)
    value, gradient = tg.value_and_grad(f, at=at)
    agree(value, case.value, 1e-14)
    agree(first(gradient), case.gradient, 1e-14)
    agree(np.reshape(tg.hessian(f, at=at), (len(at), -1)), case.hessian, 1e-13)
    for k, slope in enumerate(case.gradient):
        agree(tg.partial(f, k, at=at), slope, 1e-14)


@pytest.mark.parametrize("name", SCALARS)
def test_define_by_run(name: str) -> None:
    case = SCALARS[name]
    f = next(s for s in case.spellings if callable(s))
    xs = [tg.variable(x) for x in case.point]
    y = f(*xs)
    agree(y.value, case.value, 1e-14)
    slopes = tg.grad(y, wrt=xs)
    agree([g.value for g in slopes], case.gradient, 1e-14)
    for g, row in zip(slopes, case.hessian):
        for x, second in zip(xs, row):
            agree(tg.grad(g, wrt=x).value, second, 1e-13)


@pytest.mark.parametrize("name", SCALARS)
def test_as_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    case = SCALARS[name]
    f = next(s for s in case.spellings if callable(s))
    f = {"x²+3y+e^{xy} at (1, 2)": lambda x, y: x**2 + 3 * y + jax.numpy.exp(x * y)}.get(name, f)
    with jax.enable_x64(True):
        theirs = jax.grad(f, argnums=tuple(range(len(case.point))))(*case.point)
        agree(first(tg.grad(case.spellings[0], at=case.point)), [float(g) for g in theirs], 1e-14)


FORMULAS = {
    "2x²+3x+1": ("4x + 3", "4"),
    "3x²−4x": ("6x − 4", "6"),
    "x²+3x+1": ("2x + 3", "2"),
    "(x²+1)³": ("6x (x² + 1)²", None),
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formula(text: str) -> None:
    slope, second = FORMULAS[text]
    assert str(tg.derivative(text).formula) == slope
    if second is not None:
        assert str(tg.derivative(text, order=2).formula) == second


@pytest.mark.parametrize("x", np.linspace(-5, 5, 11))
def test_parabola_everywhere(x: float) -> None:
    assert tg.derivative("2x²+3x+1")(x) == 4 * x + 3
    assert tg.derivative("2x²+3x+1", order=2)(x) == 4.0


def test_steepest_ascent() -> None:
    gradient = np.array(tg.grad("x²y + xy² + 2", at=(1.0, 2.0)))
    norm = np.linalg.norm(gradient)
    assert round(norm, 3) == 9.434
    agree(norm, math.sqrt(89))
    unit = gradient / norm
    agree(unit, [8 / math.sqrt(89), 5 / math.sqrt(89)])
    along = tg.directional("x²y + xy² + 2", tuple(unit), at=(1.0, 2.0))
    agree(along, norm, 1e-14)
    for angle in np.linspace(0, 2 * np.pi, 17):
        other = tg.directional("x²y + xy² + 2", (math.cos(angle), math.sin(angle)), at=(1.0, 2.0))
        assert other <= norm * (1 + 1e-14)


# ---------------------------------------------------------------- quotients and differences

QUOTIENTS = {
    "text": lambda: tg.parse("3x²−4x"),
    "Python": lambda: lambda x: 3 * x**2 - 4 * x,
}


@pytest.mark.parametrize("route", QUOTIENTS)
def test_difference_quotients(route: str) -> None:
    f = QUOTIENTS[route]()
    table = quotient_table(f, 1.0, hs=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5), exact=tg.derivative(f))
    assert table.reference == 2.0
    for row, h in zip(table, (1e-1, 1e-2, 1e-3, 1e-4, 1e-5), strict=True):
        assert row.h == h
        assert row.quotient == pytest.approx(2 + 3 * h, abs=1e-16 / h * 20)  # (f(1 + h) − f(1)) / h = 2 + 3h


def test_tangent_line() -> None:
    line = tg.taylor("3x²−4x", at=1.0, order=1)
    assert line.coefficients == (-1.0, 2.0)
    for x in (-2.0, 0.0, 1.0, 3.5):
        agree(line(x), 2 * x - 3)


def test_first_and_second_differences_of_samples() -> None:
    x = np.linspace(-5, 5, 100)
    y = 2 * x**2 + 3 * x + 1
    one, two = tg.differences(y, x), tg.differences(y, x, order=2)
    agree(one.value, 4 * x + 3, 1e-12)
    agree(two.value, np.full(100, 4.0), 1e-10)
    assert np.all(np.abs(one.value - (4 * x + 3)) <= one.error)
    assert np.all(np.abs(two.value - 4) <= two.error)
    agree(one.value, tg.derivative("2x²+3x+1")(x), 1e-12)


def test_both_partials_of_samples() -> None:
    x, y = np.linspace(-1, 1, 201), np.linspace(-1, 1, 161)
    X, Y = np.meshgrid(x, y, indexing="ij")
    text = "x² + 3y + e^{xy}"
    found = tg.differences(X**2 + 3 * Y + np.exp(X * Y), (x, y), accuracy=4)
    exact = (2 * X + Y * np.exp(X * Y), 3 + X * np.exp(X * Y))
    for value, error, want, ours in zip(found.value, found.error, exact, tg.derivative(text)(X, Y)):
        agree(ours, want, 1e-13)
        agree(value, want, 1e-6)
        assert (np.abs(value - want) <= error).mean() > 0.95


# ---------------------------------------------------------------- layers and networks

RNG = np.random.default_rng(5)
X, W, B = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3)), RNG.normal(size=2)
LINEAR = {
    "text": "sum(X @ W.T + b)",
    "text with Wᵀ": "f(X, W, b) = sum(X @ Wᵀ + b)",
    "method": lambda X, W, b: (X @ W.T + b).sum(),
    "np": lambda X, W, b: np.sum(np.matmul(X, np.transpose(W)) + b),
    "einsum": lambda X, W, b: np.einsum("ni,oi->no", X, W).sum() + X.shape[0] * b.sum(),
    "loops": lambda X, W, b: sum(row @ w + c for row in X for w, c in zip(W, b)),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_layer(name: str) -> None:
    d = tg.grad(LINEAR[name])
    for _ in range(3):
        dX, dW, db = d(X, W, B)
        assert (dX.shape, dW.shape, db.shape) == (X.shape, W.shape, B.shape)
        agree(dX, np.tile(W.sum(axis=0), (4, 1)))
        agree(dW, np.tile(X.sum(axis=0), (2, 1)))
        agree(db, [4.0, 4.0])
        assert {g.dtype for g in (dX, dW, db)} == {np.dtype(float)}


def test_linear_layer_define_by_run() -> None:
    x, w, b = tg.variable(X, "X"), tg.variable(W, "W"), tg.variable(B, "b")
    dX, dW, db = tg.grad((x @ w.T + b).sum(), wrt=[x, w, b])
    agree(dX.value, np.tile(W.sum(axis=0), (4, 1)))
    agree(dW.value, np.tile(X.sum(axis=0), (2, 1)))
    agree(db.value, [4.0, 4.0])


def test_linear_layer_as_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x, w, b = (torch.tensor(v, requires_grad=True) for v in (X, W, B))
    (x @ w.T + b).sum().backward()
    for ours, theirs in zip(tg.grad(LINEAR["text"])(X, W, B), (x, w, b)):
        agree(ours, theirs.grad)


def test_jacobian_of_a_linear_layer() -> None:
    w, b = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0])
    j = tg.jacobian(lambda x: x @ w.T + b)(np.ones((1, 3)))
    assert j.shape == (1, 2, 1, 3)
    agree(j[0, :, 0, :], w)
    for route in ("x @ w.T + b", "linear(x, w, b)"):
        agree(tg.jacobian(f"f(x, w, b) = {route}", wrt="x")(np.ones((1, 3)), w, b), j)


def relu_net(params, x, y):
    """2-3-1, ReLU, mean squared error."""
    z = x @ params["W1"].T + params["b1"]
    h = np.maximum(z, 0)
    out = h @ params["W2"].T + params["b2"]
    loss = np.mean((out - y) ** 2)
    return loss


def relu_net_by_hand(params, x, y):
    z = x @ params["W1"].T + params["b1"]
    h = np.maximum(z, 0)
    dout = 2 * (h @ params["W2"].T + params["b2"] - y) / y.size
    dz = dout @ params["W2"] * (z > 0)
    gradient = {"W1": dz.T @ x, "b1": dz.sum(axis=0), "W2": dout.T @ h, "b2": dout.sum(axis=0)}
    return gradient, dz @ params["W1"]


PARAMS = {
    "W1": RNG.normal(size=(3, 2)),
    "b1": RNG.normal(size=3),
    "W2": RNG.normal(size=(1, 3)),
    "b2": RNG.normal(size=1),
}
POINTS, TARGETS = RNG.normal(size=(7, 2)), RNG.normal(size=(7, 1))


def test_relu_network() -> None:
    want, want_x = relu_net_by_hand(PARAMS, POINTS, TARGETS)
    d = tg.grad(relu_net, wrt="params")
    for _ in range(3):
        gradient = d(PARAMS, POINTS, TARGETS)
        assert list(gradient) == ["W1", "b1", "W2", "b2"]
        for name in want:
            agree(gradient[name], want[name], 1e-12, what=name)
    importance = np.abs(tg.grad(relu_net, wrt="x")(PARAMS, POINTS, TARGETS))
    agree(importance, np.abs(want_x), 1e-12)
    text = "f(x, W1, b1, W2, b2, y) = mse(relu(x @ W1.T + b1) @ W2.T + b2, y)"
    by_text = tg.grad(text, wrt=("W1", "b1", "W2", "b2"))(POINTS, *PARAMS.values(), TARGETS)
    for found, name in zip(by_text, want):
        agree(found, want[name], 1e-12, what=f"text: {name}")


def test_relu_network_as_pytorch() -> None:
    torch = pytest.importorskip("torch")
    p = {name: torch.tensor(value, requires_grad=True) for name, value in PARAMS.items()}
    x = torch.tensor(POINTS, requires_grad=True)
    out = torch.relu(x @ p["W1"].T + p["b1"]) @ p["W2"].T + p["b2"]
    torch.nn.functional.mse_loss(out, torch.tensor(TARGETS)).backward()
    gradient, dx, _ = tg.grad(relu_net)(PARAMS, POINTS, TARGETS)
    for name in p:
        agree(gradient[name], p[name].grad, 1e-12, what=name)
    agree(dx, x.grad, 1e-12)


def test_one_update_at_rate_a_tenth() -> None:
    loss, gradient = tg.value_and_grad(relu_net, wrt="params")(PARAMS, POINTS, TARGETS)
    moved = {name: PARAMS[name] - 0.1 * gradient[name] for name in PARAMS}
    slope = sum(float((g**2).sum()) for g in gradient.values())
    assert relu_net(moved, POINTS, TARGETS) < loss
    gentle = {name: PARAMS[name] - 1e-6 * gradient[name] for name in PARAMS}
    assert (loss - relu_net(gentle, POINTS, TARGETS)) / 1e-6 == pytest.approx(slope, rel=1e-3)


# ---------------------------------------------------------------- Hessians and Jacobians

FORM = np.array([[1.0, 0.5], [0.5, 2.0]])
QUADRATIC = {
    "text, two numbers": ("½(x₀² + 2x₁² + x₀x₁)", (0.3, -0.7)),
    "text, slash": ("(x_0^2 + 2x_1^2 + x_0 x_1)/2", (0.3, -0.7)),
    "two numbers": (lambda a, b: 0.5 * (a**2 + 2 * b**2 + a * b), (0.3, -0.7)),
    "array": (lambda x: 0.5 * (x[0] ** 2 + 2 * x[1] ** 2 + x[0] * x[1]), (np.array([0.3, -0.7]),)),
    "matrix": (lambda x: 0.5 * x @ FORM @ x, (np.array([0.3, -0.7]),)),
}


@pytest.mark.parametrize("name", QUADRATIC)
def test_hessian(name: str) -> None:
    f, at = QUADRATIC[name]
    for _ in range(3):
        h = tg.hessian(f)(*at)
        agree(h, FORM, 1e-15)
    assert round(np.linalg.cond(h), 3) == 2.784
    agree(np.linalg.cond(h), (3 + math.sqrt(2)) / (3 - math.sqrt(2)), 1e-14)  # eigenvalues (3 ± √2) / 2
    agree(tg.laplacian(f)(*at), 3.0, 1e-15)


JACOBIAN = np.array([[2.0, 1.0], [2.0, 1.0], [math.cos(1), -math.sin(2)]])
VECTOR = {
    "array": lambda x: np.array([x[0] ** 2 + x[1], x[0] * x[1], np.sin(x[0]) + np.cos(x[1])]),
    "stack": lambda x: np.stack([x[0] ** 2 + x[1], x[0] * x[1], np.sin(x[0]) + np.cos(x[1])]),
    "math": lambda x: np.array([x[0] ** 2 + x[1], math.prod(x), math.sin(x[0]) + math.cos(x[1])]),
}


@pytest.mark.parametrize("name", VECTOR)
def test_jacobian(name: str) -> None:
    d, x = tg.jacobian(VECTOR[name]), np.array([1.0, 2.0])
    for _ in range(3):
        agree(d(x), JACOBIAN, 1e-15)
    for k, column in enumerate(JACOBIAN.T):
        agree(tg.jvp(VECTOR[name])(x, np.eye(2)[k]), column, 1e-15)
    for k, row in enumerate(JACOBIAN):
        agree(tg.vjp(VECTOR[name])(x, np.eye(3)[k]), row, 1e-15)


def test_jacobian_of_text() -> None:
    columns = tg.jacobian("(x₀²+x₁, x₀x₁, sin x₀ + cos x₁)", at=(1.0, 2.0))
    agree(np.stack(columns, axis=1), JACOBIAN, 1e-15)


# ---------------------------------------------------------------- higher order, loops, long chains


def third(x):
    return 6 * math.sin(x) + 18 * x * math.cos(x) - 9 * x**2 * math.sin(x) - x**3 * math.cos(x)


THIRD = {
    "order": lambda f: tg.derivative(f, order=3),
    "nested": lambda f: tg.derivative(tg.derivative(tg.derivative(f))),
    "mixed modes": lambda f: tg.grad(tg.derivative(tg.grad(f))),
    "of order 2": lambda f: tg.derivative(tg.derivative(f, order=2)),
}


@pytest.mark.parametrize("route", THIRD)
@pytest.mark.parametrize("spelling", ["text", "NumPy", "math"])
def test_third_derivative(route: str, spelling: str) -> None:
    f = {"text": "x^3 sin(x)", "NumPy": lambda x: x**3 * np.sin(x), "math": lambda x: x**3 * math.sin(x)}[spelling]
    d = THIRD[route](f)
    for x in (0.5, 1.0, -2.0, 0.0):
        agree(d(x), third(x), 1e-13, scale=1.0)


def test_third_derivative_define_by_run() -> None:
    x = tg.variable(0.5)
    y = x**3 * np.sin(x)
    for _ in range(3):
        y = tg.grad(y, wrt=x)
    agree(y.value, third(0.5), 1e-14)


def test_third_derivative_formula() -> None:
    formula = str(tg.derivative("x^3 sin(x)", order=3).formula)
    shown = tg.parse(formula.replace("−", "-"))
    for x in (0.5, 1.0, -2.0):
        agree(shown(x), third(x), 1e-13)


def newton(a):
    guess = a
    while abs(guess * guess - a) > 1e-14 * a:
        guess = (guess + a / guess) / 2
    return guess


def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


@pytest.mark.parametrize("a", [2.0, 3.0, 400.0, 0.01])
def test_while_loop(a: float) -> None:
    agree(tg.derivative(newton)(a), 0.5 / math.sqrt(a), 1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 50])
def test_recursion(n: int) -> None:
    agree(tg.derivative(power, wrt="x")(1.1, n), n * 1.1 ** (n - 1), 1e-13)


@dataclass
class Weights:
    w: np.ndarray
    b: np.ndarray


def test_dataclass_of_arrays() -> None:
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=5)
    weights = Weights(RNG.normal(size=3), np.array([0.5]))
    gradient = tg.grad(lambda p: np.mean((x @ p.w + p.b - y) ** 2))(weights)
    residual = x @ weights.w + weights.b - y
    assert isinstance(gradient, Weights)
    agree(gradient.w, 2 * x.T @ residual / 5, 1e-13)
    agree(gradient.b, [2 * residual.mean()], 1e-13)


def rnn(W, U, h, xs):
    for x in xs:
        h = np.tanh(W @ h + U * x)
    return (h**2).sum()


def rnn_by_hand(W, U, h, xs):
    """Back-propagation through time."""
    states = [h]
    for x in xs:
        states.append(np.tanh(W @ states[-1] + U * x))
    dW, dU, dh = np.zeros_like(W), np.zeros_like(U), 2 * states[-1]
    for x, before, after in zip(xs[::-1], states[-2::-1], states[:0:-1]):
        dz = dh * (1 - after**2)
        dW += np.outer(dz, before)
        dU += dz * x
        dh = W.T @ dz
    return dW, dU, dh


@pytest.mark.parametrize("steps", [10, 300, 10_000])
def test_unrolled_recurrent_network(steps: int) -> None:
    rng = np.random.default_rng(steps)
    W, U, h = 1.2 * np.linalg.qr(rng.normal(size=(4, 4)))[0], rng.normal(size=4), rng.normal(size=4)
    xs = 0.1 * rng.normal(size=steps)
    found = tg.grad(lambda W, U, h: rnn(W, U, h, xs))(W, U, h)
    for ours, want in zip(found, rnn_by_hand(W, U, h, xs)):
        agree(ours, want, 1e-9, scale=1e-200)


def chain(x, n):
    for _ in range(n):
        x = x * 1.0000001 + 1e-9
    return x


@pytest.mark.parametrize("n", [1_000, 50_000, pytest.param(500_000, marks=pytest.mark.slow)])
def test_long_chain(n: int) -> None:
    """Two nodes a step: 500,000 steps are a chain of 1,000,000 nodes."""
    agree(tg.grad(chain, wrt="x")(1.0, n), math.exp(n * math.log1p(1e-7)), 1e-9)
