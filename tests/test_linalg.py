"""Linear algebra beyond the table's own test: closed forms, singular matrices, domains and kinks, names in formulas."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tangently as tg
from conftest import agree
from tangently import functions as F
from tangently.differentiation import pullback, tangent
from tangently.errors import DomainError, ShapeError
from tangently.expr import TABLE, Dim, Expr, const, evaluate, symbol, toposort
from tangently.parsing import parse
from tangently.printing import to_text
from test_table import adjugate, definite, good, normal

X = symbol("X", (3, 3))
Y = symbol("Y", (Dim.named("n"), Dim.named("n")))


def gradient(y: Expr, x: Expr) -> Expr:
    return pullback([y], [const(1.0)], [x])[0]


def singular(rank: int, n: int = 3) -> Any:
    return normal(n, rank) @ normal(rank, n, seed=1)


# ---------------------------------------------------------------- closed forms

CLOSED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "log det": (lambda X: F.log(F.det(X)), lambda X: np.linalg.inv(X).T),
    "logdet": (F.logdet, lambda X: np.linalg.inv(X).T),
    "det": (F.det, lambda X: np.linalg.det(X) * np.linalg.inv(X).T),
    "det squared": (lambda X: F.det(X) ** 2, lambda X: 2 * np.linalg.det(X) ** 2 * np.linalg.inv(X).T),
    "trace of the inverse": (lambda X: F.trace(F.inv(X)), lambda X: -(np.linalg.inv(X) @ np.linalg.inv(X)).T),
    "trace of a cube": (lambda X: F.trace(F.matrix_power(X, 3)), lambda X: 3 * (X @ X).T),
    "trace of the exponential": (lambda X: F.trace(F.expm(X)), lambda X: np.asarray(F.expm(X)).T),
    "sum of eigenvalues": (lambda X: F.sum(F.eigvalsh(X)), lambda X: np.eye(3)),
    "nuclear norm": (F.nuclear_norm, lambda X: np.linalg.svd(X)[0] @ np.linalg.svd(X)[2]),
    "Frobenius norm squared": (lambda X: F.norm_fro(X) ** 2, lambda X: 2 * X),
    "log det by Cholesky": (
        lambda X: 2 * F.sum(F.log(F.diagonal(F.cholesky(X)))), lambda X: np.linalg.inv((X + X.T) / 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_gradients_have_their_closed_form(name: str) -> None:
    f, closed = CLOSED[name]
    at = definite(3)
    agree(evaluate([gradient(f(X), X)], {X: at})[0], closed(at), 1e-11, what=name)


@pytest.mark.parametrize("x", [X, Y], ids=["numbers", "names"])
def test_log_det_has_no_determinant_in_its_gradient(x: Expr) -> None:
    assert to_text(gradient(F.log(F.det(x)), x)) == f"({x.name}⁻¹)ᵀ"
    assert to_text(gradient(F.logdet(x), x)) == f"({x.name}⁻¹)ᵀ"


def test_a_determinant_of_named_size_is_jacobis_formula() -> None:
    assert to_text(gradient(F.det(Y), Y)) == "det(Y) (Y⁻¹)ᵀ"


def test_hessian_of_logdet() -> None:
    at = definite(3)
    inverse = np.linalg.inv(at)
    want = -np.einsum("jk,li->ijkl", inverse, inverse)
    agree(np.asarray(tg.hessian(lambda X: np.linalg.slogdet(X)[1])(at)), want, 1e-11)


def test_third_order_of_a_determinant() -> None:
    """det(X + s H) of a 3 × 3 matrix is a cubic in s, whose leading coefficient is det H."""
    h = normal(3, 3, seed=5)
    y: Expr = F.det(X)
    for _ in range(3):
        (y,) = tangent([y], {X: const(h)})
    agree(evaluate([y], {X: good(3, 3)})[0], 6 * np.linalg.det(h), 1e-10)


# ---------------------------------------------------------------- singular matrices


@pytest.mark.parametrize("at", [singular(2), singular(1), np.zeros((3, 3)), np.diag([1.0, 2.0, 0.0]), np.ones((3, 3))])
def test_a_determinant_is_a_polynomial_also_where_it_is_zero(at: np.ndarray) -> None:
    """Gradient and Hessian are those of the polynomial: the adjugate, and differences, exact for degree 2."""
    h = normal(3, 3, seed=2)
    first = gradient(F.det(X), X)
    found = evaluate([first, *tangent([first], {X: const(h)})], {X: at})
    np.testing.assert_allclose(found[0], adjugate(at).T, atol=1e-13)
    np.testing.assert_allclose(found[1], (adjugate(at + h) - adjugate(at - h)).T / 2, atol=1e-12)
    np.testing.assert_allclose(np.asarray(tg.grad(lambda x: np.linalg.det(x))(at)), adjugate(at).T, atol=1e-13)


def test_cofactors_of_an_ill_conditioned_matrix_keep_their_digits() -> None:
    at = np.diag([1.0, 1.0, 1e-14])
    turn = np.linalg.qr(normal(3, 3))[0]
    want = np.linalg.det(turn) ** 2 * turn @ np.diag([1e-14, 1e-14, 1.0]) @ turn.T
    np.testing.assert_allclose(TABLE["cofactor"](turn @ at @ turn.T), want, atol=1e-14)


OUTSIDE: list[tuple[Callable[[Any], Any], np.ndarray, str]] = [
    (lambda x: np.linalg.inv(x).sum(), np.ones((2, 2)), "X⁻¹ has no value"),
    (lambda x: np.linalg.solve(x, np.ones(2)).sum(), np.zeros((2, 2)), "an invertible matrix"),
    (lambda x: np.linalg.slogdet(x)[1], np.ones((2, 2)), "a determinant that is not 0"),
    (lambda x: np.linalg.matrix_power(x, -1).sum(), np.ones((2, 2)), "an invertible matrix"),
    (lambda x: np.linalg.cholesky(x).sum(), -np.eye(2), "a symmetric positive definite matrix was wanted"),
    (lambda x: np.log(np.linalg.det(x)), -np.eye(3), "has no value"),
]


@pytest.mark.parametrize(("f", "at", "says"), OUTSIDE)
def test_outside_the_domain_the_place_is_named(f: Callable[[Any], Any], at: np.ndarray, says: str) -> None:
    g = tg.grad(lambda X: f(X))
    with pytest.raises(DomainError, match=says):
        g(at)
    g(definite(len(at)))  # compiled now: outside the domain the same words
    with pytest.raises(DomainError, match=says):
        g(at)


@pytest.mark.parametrize("name", ["inv", "cholesky"])
def test_outside_the_domain_the_row_is_nan(name: str) -> None:
    row, at = TABLE[name], -np.ones((2, 2))
    assert row.domain is not None
    assert not row.domain(at)
    assert row.domain(definite(2))
    assert np.isnan(row(at)).all()
    assert row(at).shape == (2, 2)
    assert row.domain_text


# ---------------------------------------------------------------- kinks


def test_the_nuclear_norm_has_the_subgradient_of_least_norm() -> None:
    row = TABLE["nuclear_norm"]
    assert row.kink is not None
    at = np.diag([2.0, 0.0])
    assert row.kink((), at)
    assert not row.kink((), np.eye(2))
    agree(np.asarray(tg.grad(lambda x: np.linalg.norm(x, "nuc"))(at)), np.diag([1.0, 0.0]))
    agree(np.asarray(tg.grad(lambda x: np.linalg.norm(x, "nuc"))(np.zeros((2, 3)))), np.zeros((2, 3)))


def test_the_nuclear_norm_is_smooth_where_singular_values_agree() -> None:
    (second,) = tangent([gradient(TABLE["nuclear_norm"](X), X)], {X: const(normal(3, 3))})
    h = normal(3, 3)
    agree(evaluate([second], {X: np.eye(3)})[0], (h - h.T) / 2, 1e-12)


@pytest.mark.parametrize("name", ["eigvalsh", "svdvals"])
def test_eigenvalues_that_agree_are_a_kink(name: str) -> None:
    kink = TABLE[name].kink
    assert kink is not None
    assert kink((), np.eye(2))
    assert not kink((), np.diag([1.0, 2.0]))


# ---------------------------------------------------------------- formulas as text, and structure

TEXTS: list[tuple[str, dict[str, Any], Callable[..., Any]]] = [
    ("log det X", {"X": definite(3)}, lambda X: np.log(np.linalg.det(X))),
    ("log(det(X))", {"X": definite(3)}, lambda X: np.log(np.linalg.det(X))),
    ("logdet(X)", {"X": good(3, 3)}, lambda X: np.linalg.slogdet(X)[1]),
    ("tr(inv(X))", {"X": good(3, 3)}, lambda X: np.trace(np.linalg.inv(X))),
    ("norm2(v)^2 + norm1(v)", {"v": normal(4)}, lambda v: v @ v + abs(v).sum()),
    ("normF(X)", {"X": good(3, 3)}, np.linalg.norm),
    ("nuclear(X)", {"X": good(3, 3)}, lambda X: np.linalg.norm(X, "nuc")),
    ("tr(diag(v))", {"v": normal(4)}, np.sum),
    ("sum(vec(X)^2)", {"X": normal(2, 3)}, lambda X: (X**2).sum()),
    ("sum(kron(X, X))", {"X": normal(2, 3)}, lambda X: np.kron(X, X).sum()),
    ("np.linalg.det(X)", {"X": good(3, 3)}, np.linalg.det),
    ("vec + inverse", {"vec": 2.0, "inverse": 3.0}, lambda vec, inverse: vec + inverse),
]


@pytest.mark.parametrize(("text", "values", "want"), TEXTS, ids=[t for t, *_ in TEXTS])
def test_formulas_know_the_names(text: str, values: dict[str, Any], want: Callable[..., Any]) -> None:
    formula = parse(text)
    assert set(formula.arguments) == set(values)
    found = [values[name] for name in formula.arguments]
    agree(formula(*found), want(*found), 1e-12)


def test_a_diagonal_matrix_is_never_formed_where_it_is_multiplied() -> None:
    v, a = symbol("v", (3,)), symbol("A", (3, 4))
    product = F.matmul(F.diag(v), a)
    assert {node.op.name for node in toposort([product])} == {"input", "einsum"}
    assert max(np.prod(node.shape) for node in toposort([product])) == 12


def test_a_norm_that_is_ambiguous_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"norm2 of an array of shape \(3, 3\): a vector was wanted; of a matrix"):
        F.norm2(np.eye(3))


def test_scipy_is_not_imported_for_the_table() -> None:
    code = "import sys, tangently.functions; print([m for m in sys.modules if m.startswith('scipy.linalg')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
