"""Receipts: routes that agree, routes that were broken on purpose, kinks, rounding, arrays, and the Hessian."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tangently.primitives  # noqa: F401  (fills the table)
from tangently.errors import InputError, ShapeError
from tangently.expr import TABLE, Expr, Primitive, const, raw, symbol
from tangently.primitives.kinds import jvp_elementwise, vjp_elementwise
from tangently.primitives.tensor import matmul, sum_of, transpose
from tangently.verification import Receipt, hessian_receipt, receipt
from tangently.verification.routes import NotApplicableError, limited

T = TABLE
x, y = symbol("x"), symbol("y")


def verdict_of(found: Receipt) -> dict[str, bool | None]:
    return {r.name: r.verdict for r in found.rows}


def wrong_routes(found: Receipt) -> set[str]:
    return {r.name for r in found.rows if r.verdict is False}


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


SCALAR: dict[str, tuple[Expr, dict[Expr, float], Callable[..., float], int]] = {
    # name: (output, point, the original function, digits that every route has at least)
    "cubic": (x**3 - 2 * x, {x: 1.5}, lambda x: x**3 - 2 * x, 12),
    "product": (T["sin"](x) * T["exp"](y), {x: 0.7, y: -0.3}, lambda x, y: math.sin(x) * math.exp(y), 11),
    "power": (T["pow"](x, y), {x: 1.3, y: 2.2}, lambda x, y: x**y, 11),
    "tower": (T["tanh"](T["log"](x * x + 1) / y), {x: 2.0, y: 3.0}, lambda x, y: math.tanh(math.log1p(x * x) / y), 11),
    "sigmoid": (T["sigmoid"](x * y), {x: 0.4, y: 2.0}, lambda x, y: sigmoid(x * y), 11),
    "erf": (T["erf"](x) + T["gamma"](x), {x: 2.3}, lambda x: math.erf(x) + math.gamma(x), 11),
    "zero slope": ((x - 1) ** 2, {x: 1.0}, lambda x: (x - 1) ** 2, 9),
    "zero at zero": (x**3, {x: 0.0}, lambda x: x**3, 9),
    "unused": (x * 1.0, {x: 2.0, y: 5.0}, lambda x, y: x, 11),
    "huge": (1e200 * x**2, {x: 3.0}, lambda x: 1e200 * x**2, 11),
    "tiny": (1e-200 * x**2, {x: 3.0}, lambda x: 1e-200 * x**2, 11),
}


@pytest.mark.parametrize("name", SCALAR)
def test_every_route_agrees(name: str) -> None:
    output, values, function, least = SCALAR[name]
    found = receipt(list(values), output, list(values), values, function=function)
    assert found.agree is True, str(found)
    assert found.odd_one_out is None
    assert sum(r.verdict is True for r in found.rows) >= 7, str(found)
    assert min(r.digits for r in found.rows if r.verdict) >= least, str(found)
    assert (found.sweep_h is not None) == (len(values) == 1)


def test_a_row_that_is_not_analytic_is_left_out_of_the_complex_step() -> None:
    for f in (T["abs"](x) * x, T["sign"](x) * T["sin"](x), T["hypot"](x, 2.0)):
        found = receipt([x], f, [x], {x: -1.3})
        assert verdict_of(found)["complex step"] is None, str(found)
        assert found.agree is True, str(found)
    smooth = receipt([x], T["where"](T["gt"](x, 0), T["sqrt"](x), -x), [x], {x: 1.7})
    assert verdict_of(smooth)["complex step"] is True, str(smooth)


def test_the_mean_of_max_is_one_branch() -> None:
    found = receipt([x, y], T["maximum"](x, y) * y, [x, y], {x: 2.0, y: 3.0}, function=lambda x, y: max(x, y) * y)
    assert found.agree is True
    assert found.reference == (0.0, 6.0)


# ---------------------------------------------------------------- what is broken is named


def broken(name: str, *wrong: Any, forward: bool = True, reverse: bool = True) -> Primitive:
    """A row whose partial derivatives are wrong, outside of the table."""
    fields: dict[str, Any] = {"name": f"broken_{name}"}
    if forward:
        fields["jvp"] = jvp_elementwise(wrong)
    if reverse:
        fields["vjp"] = vjp_elementwise(wrong)
    return replace(T[name], **fields)


RULES = {"forward mode", "reverse mode", "numeric sweep", "generated code", "ball arithmetic"}
WRONG_SIN = lambda y, x: T["cos"](x) * (1 + 1e-5)


def test_a_wrong_partial_is_named_though_most_routes_read_it() -> None:
    f = raw(broken("sin", WRONG_SIN), (x * y,)) ** 2
    found = receipt([x, y], f, [x, y], {x: 0.7, y: 1.1}, function=lambda x, y: math.sin(x * y) ** 2)
    assert found.agree is False
    assert wrong_routes(found) == RULES
    assert (found.odd_one_out or "").startswith("the rules of the table (forward mode, reverse mode")
    assert verdict_of(found)["SymPy"] is verdict_of(found)["differences"] is verdict_of(found)["complex step"] is True
    assert found.reference == pytest.approx((1.1 * math.sin(1.54), 0.7 * math.sin(1.54)), rel=1e-12)


def test_a_sign_in_reverse_mode_alone() -> None:
    f = raw(broken("cos", lambda y, x: T["sin"](x), forward=False), (x,))
    found = receipt([x], f, [x], {x: 0.7}, function=math.cos)
    assert wrong_routes(found) == RULES - {"forward mode"}


def test_a_sign_in_forward_mode_alone() -> None:
    f = raw(broken("cos", lambda y, x: T["sin"](x), reverse=False), (x,))
    found = receipt([x], f, [x], {x: 0.7}, function=math.cos)
    assert found.odd_one_out == "forward mode"
    assert "rounding" not in next(r.note for r in found.rows if r.name == "forward mode")


def test_wrong_code_alone() -> None:
    row = replace(T["tanh"], name="broken_tanh", python="math.sin({0})", numpy="np.sin({0})")
    found = receipt([x], raw(row, (x,)), [x], {x: 0.7}, function=math.tanh)
    assert found.odd_one_out == "generated code"


def test_a_wrong_derivative_of_the_caller_is_named() -> None:
    f, values = T["exp"](x) * y, {x: 0.5, y: 2.0}
    right = receipt([x, y], f, [x, y], values, derivative_function=lambda x, y: (math.exp(x) * y, math.exp(x)))
    assert right.agree is True
    wrong = receipt([x, y], f, [x, y], values, derivative_function=lambda x, y: (math.exp(x) * y, y * math.exp(x)))
    assert wrong.odd_one_out == "your derivative"
    assert wrong.worst is not None
    assert (wrong.worst.route, wrong.worst.entry) == ("your derivative", "y")
    assert wrong.worst.difference == pytest.approx(math.exp(0.5))
    raising = receipt([x, y], f, [x, y], values, derivative_function=lambda x, y: 1 / 0)
    assert raising.agree is True
    assert "raised ZeroDivisionError" in str(raising)


def test_a_graph_that_is_not_the_function() -> None:
    found = receipt([x], T["sin"](x), [x], {x: 0.7}, function=math.cos)
    assert found.odd_one_out == "differences"


def test_a_wrong_partial_in_an_array_is_told_by_the_differences() -> None:
    w = symbol("w", (2, 3))
    f = sum_of(raw(broken("tanh", lambda y, x: 1 - y), (w,)))
    point = np.linspace(-1, 1, 6).reshape(2, 3)
    found = receipt([w], f, [w], {w: point}, function=lambda w: np.tanh(w).sum())
    assert wrong_routes(found) == RULES - {"ball arithmetic"}
    assert (found.odd_one_out or "").startswith("the rules of the table")
    np.testing.assert_allclose(found.reference, 1 - np.tanh(point) ** 2, rtol=1e-8)
    assert "at w[" in str(found)


# ---------------------------------------------------------------- kinks, rounding, no value


def test_at_a_kink_the_routes_agree_on_a_convention_only() -> None:
    found = receipt([x], T["abs"](x), [x], {x: 0.0}, function=abs)
    assert found.agree is None
    assert found.kinks == ("abs",)
    assert "convention" in found.summary
    assert verdict_of(found)["differences"] is None


def test_a_kink_that_does_not_matter_does_not_matter() -> None:
    found = receipt([x], T["abs"](x) * x, [x], {x: 0.0}, function=lambda x: abs(x) * x)
    assert found.agree is True, str(found)
    assert found.reference == 0.0


def test_cancellation_is_told_from_a_wrong_rule() -> None:
    found = receipt([x], (1 - T["cos"](x)) / x**2, [x], {x: 1e-5}, function=lambda x: (1 - math.cos(x)) / x**2)
    assert found.agree is False
    assert {"reverse mode", "forward mode"} <= wrong_routes(found)
    assert verdict_of(found)["ball arithmetic"] is True
    assert found.reference == pytest.approx(-1e-5 / 12, rel=1e-9)
    assert "lost to rounding" in str(found)


def test_no_value_no_verdict() -> None:
    found = receipt([x], T["log"](x), [x], {x: -1.0}, function=math.log)
    assert verdict_of(found)["differences"] is None
    assert "raised" in str(found) or "no value" in str(found)
    vertical = receipt([x], T["sqrt"](x), [x], {x: 0.0}, function=math.sqrt)
    assert vertical.agree is None, str(vertical)


def test_sympy_is_bounded() -> None:
    deep = x
    for _ in range(40):
        deep = T["sin"](deep) * deep + 1
    found = receipt([x], deep, [x], {x: 0.3})
    assert verdict_of(found)["SymPy"] is None
    long = x
    for _ in range(300):
        long = long * 0.99 + 0.1
    assert "too large: 6" in str(receipt([x], long, [x], {x: 0.3}))
    big = receipt([x], x * T["pow"](const(7), 10**9) * 0, [x], {x: 1.0})
    assert big.rows


def test_a_time_limit_is_kept() -> None:
    start = time.perf_counter()
    with pytest.raises(NotApplicableError, match=r"stopped after 0\.1 s"):
        limited(lambda: time.sleep(2), 0.1)
    assert time.perf_counter() - start < 1
    with pytest.raises(ZeroDivisionError):
        limited(lambda: 1 / 0, 1.0)


# ---------------------------------------------------------------- arrays, precision, intermediates


def mlp() -> tuple[Expr, dict[Expr, Any], Callable[..., float]]:
    rng = np.random.default_rng(3)
    w, b = symbol("W", (4, 3)), symbol("b", (4,))
    data = rng.normal(size=(5, 3))
    f = sum_of(T["tanh"](matmul(const(data), transpose(w)) + b) ** 2)
    values = {w: rng.normal(size=(4, 3)), b: rng.normal(size=4)}
    return f, values, lambda w, b: float((np.tanh(data @ w.T + b) ** 2).sum())


def test_arrays_are_compared_whole() -> None:
    f, values, function = mlp()
    found = receipt(list(values), f, list(values), values, function=function)
    assert found.agree is True, str(found)
    assert [np.shape(part) for part in found.reference] == [(4, 3), (4,)]
    assert {r.name for r in found.rows if r.verdict} == RULES - {"ball arithmetic"} | {"differences"}


def test_an_entry_is_named_where_a_derivative_of_an_array_is_wrong() -> None:
    f, values, function = mlp()
    good = receipt(list(values), f, list(values), values, function=function).reference

    def wrong(w: Any, b: Any) -> tuple[Any, Any]:
        part = good[0].copy()
        part[1, 2] += 0.25
        return part, good[1]

    found = receipt(list(values), f, list(values), values, function=function, derivative_function=wrong)
    assert found.odd_one_out == "your derivative"
    assert found.worst is not None
    assert found.worst.entry == "W[1, 2]"
    assert "off by 0.25 at W[1, 2]" in str(found)


def test_a_big_gradient_is_compared_on_directions() -> None:
    v = symbol("V", (50, 40))
    point = np.random.default_rng(0).normal(size=(50, 40))
    function = lambda v: float((np.sin(v) * v).sum())
    start = time.perf_counter()
    found = receipt([v], sum_of(T["sin"](v) * v), [v], {v: point}, function=function)
    assert time.perf_counter() - start < 5
    assert found.agree is True, str(found)
    wrong = raw(broken("sin", WRONG_SIN), (v,))
    assert receipt([v], sum_of(wrong * v), [v], {v: point}, function=function).agree is False
    assert receipt([v], sum_of(T["sin"](v)), [v], {v: point}, function=function).odd_one_out


def test_single_precision_is_judged_by_fewer_digits() -> None:
    w = symbol("w", (6,), "f")
    point = np.linspace(-1, 1, 6, dtype=np.float32)
    found = receipt([w], sum_of(T["tanh"](w) ** 2), [w], {w: point})
    assert verdict_of(found)["reverse mode"] is True, str(found)
    assert found.agree is not False, str(found)


def test_an_intermediate_value_is_an_input_of_its_own() -> None:
    h = x * x + 1
    found = receipt([x], T["log"](h) * x, [h, x], {x: 2.0, h: 5.0})
    assert found.agree is True, str(found)
    assert found.reference == pytest.approx((0.4, math.log(5.0)))


def test_recorded_values_of_other_nodes_are_no_inputs() -> None:
    h = T["sin"](x)
    found = receipt([x], h * h, [x], {x: 0.5, h: 99.0, h * h: 7.0})
    assert found.reference == pytest.approx(math.sin(1.0))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="'y' has no value"):
        receipt([x], x * y, [x], {x: 1.0})
    with pytest.raises(ShapeError, match=r"shape \(3,\)"):
        receipt([], symbol("w", (3,)) * 2, [], {})
    with pytest.raises(InputError, match="wrt is empty"):
        receipt([x], x * 2, [], {x: 1.0})


# ---------------------------------------------------------------- text


def test_text_is_aligned_and_ends_with_the_verdict() -> None:
    text = str(receipt([x], T["sin"](x), [x], {x: 0.5}, function=math.sin))
    lines = text.splitlines()
    assert lines[0].split() == ["route", "derivative", "digits", "time"]
    assert all(line[0] in "✓✗–" for line in lines[1:])
    assert lines[-1].startswith("✓  8 routes agree, to ")
    column = lines[0].index("derivative")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines[1:-1] if line[0] != "–")


def test_a_table_for_reports_and_a_rich_one() -> None:
    from rich.console import Console

    found = receipt([x], T["abs"](x), [x], {x: -0.5})
    rows = found.table()
    assert [len(row) for row in rows] == [6] * len(found.rows)
    assert {row[0] for row in rows} == {"✓", "–"}
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(found)
    assert "reverse mode" in console.export_text()


# ---------------------------------------------------------------- second order


def test_hessian_by_four_routes() -> None:
    f = T["exp"](x * y) + T["sin"](x)
    found = hessian_receipt([x, y], f, [x, y], {x: 0.4, y: 1.5})
    assert found.agree is True, str(found)
    e = math.exp(0.6)
    wanted = [[2.25 * e - math.sin(0.4), e * 1.6], [e * 1.6, 0.16 * e]]
    np.testing.assert_allclose(found.reference, wanted, rtol=1e-12)
    assert all(r.verdict for r in found.rows)


def test_a_second_partial_that_is_wrong_is_named() -> None:
    wrong = broken("exp", lambda y, x: T["exp"](x))  # right to first order, with a wrong row inside
    second = replace(wrong, jvp=jvp_elementwise([lambda y, x: raw(broken("sin", WRONG_SIN), (x,))]))
    found = hessian_receipt([x], raw(second, (x,)), [x], {x: 0.4})
    assert found.agree is True  # reverse mode never reads that rule
    third = raw(replace(T["sin"], name="bad", vjp=vjp_elementwise([lambda y, x: raw(BAD_COS, (x,))])), (x,))
    found = hessian_receipt([x], third, [x], {x: 0.4})
    assert wrong_routes(found) == {"forward over reverse", "reverse over reverse"}


BAD_COS = broken("cos", lambda y, x: T["sin"](x))


def test_hessian_of_an_array() -> None:
    w = symbol("w", (3,))
    found = hessian_receipt([w], sum_of(w**3) * 1.0, [w], {w: np.array([1.0, 2.0, 3.0])})
    assert found.agree is True, str(found)
    np.testing.assert_allclose(found.reference, np.diag([6.0, 12.0, 18.0]), atol=1e-12)
    big = symbol("v", (40,))
    many = hessian_receipt([big], sum_of(T["sin"](big) ** 2), [big], {big: np.linspace(0, 1, 40)})
    assert many.agree is True
    assert many.reference is None
