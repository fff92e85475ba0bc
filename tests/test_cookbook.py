"""Derivatives with a known closed form: in print, in shape, and in numbers, to second order.

The 43 identities of the Matrix Cookbook (Petersen & Pedersen, 2012) that SymPy's test suite names: 33, 61-64, 69-72,
77, 78, 81-83 and 99-127. After them, in `MORE`, identities of Magnus & Neudecker (Matrix Differential Calculus, 2019)
and of Laue, Mitterreiter & Giesen (Computing Higher Order Derivatives of Matrix and Tensor Expressions, 2018), and
layers of networks.

Each is compared at random points with the closed form of the book, written by hand in NumPy, and with JAX, which does
not know either of them; so is its Hessian. Text is read by `tg.expression` and must give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import tangently as tg
from matrix_random import NUMPY, OURS, compiled, flat, jax_world, special_value
from tangently.matrices import notation
from tangently.matrices.expressions import Matrix

T, inv, tr, det = np.transpose, np.linalg.inv, np.trace, np.linalg.det
SIZES = ({"n": 3, "m": 4, "k": 2}, {"n": 2, "m": 3, "k": 2}, {"n": 4, "m": 2, "k": 3})


@dataclass(frozen=True)
class Identity:
    """∂ f / ∂ `by`: `make` builds f in any world, `closed` is the book's derivative in NumPy, `printed` is ours."""

    shapes: str  # "A: n n, x: n"
    make: Callable[..., Any]
    by: str
    printed: str
    closed: Callable[..., Any]
    text: str = ""
    apart: bool = True  # a Hessian is compared too
    symbols: dict[str, Matrix] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", dict(_declared(part) for part in self.shapes.split(", ")))

    @property
    def e(self) -> Matrix:
        return self.make(OURS, **self.symbols)

    @property
    def wrt(self) -> Matrix:
        return self.symbols[self.by]


def _declared(part: str) -> tuple[str, Matrix]:
    name, shape = part.split(": ") if ": " in part else (part.rstrip(":"), "")
    words = shape.split()
    sizes, held = [w for w in words if len(w) == 1], [w.replace("_", " ") for w in words if len(w) > 1]
    if len(sizes) == 2:
        return name, tg.matrix(name, " ".join(sizes), properties=held)
    return name, tg.vector(name, sizes[0]) if sizes else tg.scalar(name)


def cook(shapes: str, make: Callable[..., Any], printed: str, closed: Callable[..., Any], text: str = "", **more: Any):
    return Identity(shapes, make, more.pop("by", "X"), printed, closed, text, **more)


def nn(names: str) -> str:
    """Square matrices by capital letters, columns by small ones."""
    return ", ".join(f"{c}: n n" if c.isupper() else f"{c}: n" for c in names)


XK = "X: n k"
SC, SB, SA = "C: n n symmetric", "B: n n symmetric", "A: k k symmetric"

COOKBOOK: dict[int, Identity] = {
    61: cook(
        nn("aXb"),
        lambda L, a, X, b: a.T @ L.inv(X) @ b,
        "−X⁻ᵀ a bᵀ X⁻ᵀ",
        lambda a, X, b: -T(inv(X)) @ np.outer(a, b) @ T(inv(X)),
        "a' inv(X) b",
    ),
    62: cook(nn("X"), lambda L, X: L.det(L.inv(X)), "−X⁻ᵀ/det(X)", lambda X: -det(inv(X)) * T(inv(X)), "det(inv(X))"),
    63: cook(
        nn("AXB"),
        lambda L, A, X, B: L.trace(A @ L.inv(X) @ B),
        "−X⁻ᵀ AᵀBᵀ X⁻ᵀ",
        lambda A, X, B: -T(inv(X) @ B @ A @ inv(X)),
        "tr(A inv(X) B)",
    ),
    64: cook(
        nn("XA"),
        lambda L, X, A: L.trace(L.inv(X + A)),
        "−(X + A)⁻ᵀ (X + A)⁻ᵀ",
        lambda X, A: -T(inv(X + A) @ inv(X + A)),
        "tr(inv(X + A))",
    ),
    69: cook("x: n, a: n", lambda L, x, a: x.T @ a, "a", lambda x, a: a, "x' a", by="x"),
    70: cook("a: m, X: m n, b: n", lambda L, a, X, b: a.T @ X @ b, "a bᵀ", lambda a, X, b: np.outer(a, b), "a' X b"),
    71: cook("a: n, X: m n, b: m", lambda L, a, X, b: a.T @ X.T @ b, "b aᵀ", lambda a, X, b: np.outer(b, a), "a' X' b"),
    72: cook(nn("aX"), lambda L, a, X: a.T @ X @ a, "a aᵀ", lambda a, X: np.outer(a, a), "a' X a"),
    77: cook(
        "b: n, X: m n, c: n",
        lambda L, b, X, c: b.T @ X.T @ X @ c,
        "X(b cᵀ + c bᵀ)",
        lambda b, X, c: X @ (np.outer(b, c) + np.outer(c, b)),
        "b' X' X c",
    ),
    78: cook(
        "B: m n, x: n, b: m, C: m k, D: k n, d: k",
        lambda L, B, x, b, C, D, d: (B @ x + b).T @ C @ (D @ x + d),
        "DᵀCᵀ(Bx + b) + BᵀC(Dx + d)",
        lambda B, x, b, C, D, d: T(B) @ C @ (D @ x + d) + T(D) @ T(C) @ (B @ x + b),
        "(B x + b)' C (D x + d)",
        by="x",
    ),
    81: cook(nn("xB"), lambda L, x, B: x.T @ B @ x, "(B + Bᵀ)x", lambda x, B: (B + T(B)) @ x, "x' B x", by="x"),
    82: cook(
        "b: n, X: m n, D: m m, c: n",
        lambda L, b, X, D, c: b.T @ X.T @ D @ X @ c,
        "DᵀXb cᵀ + DXc bᵀ",
        lambda b, X, D, c: T(D) @ X @ np.outer(b, c) + D @ X @ np.outer(c, b),
        "b' X' D X c",
    ),
    83: cook(
        "X: m n, b: n, c: m, D: m m",
        lambda L, X, b, c, D: (X @ b + c).T @ D @ (X @ b + c),
        "(D + Dᵀ)(Xb + c) bᵀ",
        lambda X, b, c, D: (D + T(D)) @ np.outer(X @ b + c, b),
        "(X b + c)' D (X b + c)",
    ),
    99: cook(nn("X"), lambda L, X: L.trace(X), "Iₙ", lambda X: np.eye(len(X)), "tr(X)"),
    100: cook("X: m n, A: n m", lambda L, X, A: L.trace(X @ A), "Aᵀ", lambda X, A: T(A), "tr(X A)"),
    101: cook(
        "A: k m, X: m n, B: n k",
        lambda L, A, X, B: L.trace(A @ X @ B),
        "AᵀBᵀ",
        lambda A, X, B: T(A) @ T(B),
        "tr(A X B)",
    ),
    102: cook(
        "A: k n, X: m n, B: m k", lambda L, A, X, B: L.trace(A @ X.T @ B), "BA", lambda A, X, B: B @ A, "tr(A X' B)"
    ),
    103: cook("X: m n, A: m n", lambda L, X, A: L.trace(X.T @ A), "A", lambda X, A: A, "tr(X' A)"),
    104: cook("X: m n, A: m n", lambda L, X, A: L.trace(A @ X.T), "A", lambda X, A: A, "tr(A X')"),
    105: cook(
        "A: m m, X: n n",
        lambda L, A, X: L.trace(L.kron(A, X)),
        "tr(A) Iₙ",
        lambda A, X: tr(A) * np.eye(len(X)),
        "tr(kron(A, X))",
    ),
    106: cook(nn("X"), lambda L, X: L.trace(X @ X), "2 Xᵀ", lambda X: 2 * T(X), "tr(X^2)"),
    107: cook(nn("XB"), lambda L, X, B: L.trace(X @ X @ B), "BᵀXᵀ + XᵀBᵀ", lambda X, B: T(X @ B + B @ X), "tr(X^2 B)"),
    108: cook(
        "X: m n, B: m m", lambda L, X, B: L.trace(X.T @ B @ X), "(B + Bᵀ)X", lambda X, B: B @ X + T(B) @ X, "tr(X' B X)"
    ),
    109: cook(
        "X: m n, B: m m", lambda L, X, B: L.trace(B @ X @ X.T), "(B + Bᵀ)X", lambda X, B: B @ X + T(B) @ X, "tr(B X X')"
    ),
    110: cook(
        "X: m n, B: m m", lambda L, X, B: L.trace(X @ X.T @ B), "(B + Bᵀ)X", lambda X, B: B @ X + T(B) @ X, "tr(X X' B)"
    ),
    111: cook(
        "X: m n, B: n n", lambda L, X, B: L.trace(X @ B @ X.T), "X(B + Bᵀ)", lambda X, B: X @ T(B) + X @ B, "tr(X B X')"
    ),
    112: cook(
        "X: m n, B: n n", lambda L, X, B: L.trace(B @ X.T @ X), "X(B + Bᵀ)", lambda X, B: X @ T(B) + X @ B, "tr(B X' X)"
    ),
    113: cook(
        "X: m n, B: n n", lambda L, X, B: L.trace(X.T @ X @ B), "X(B + Bᵀ)", lambda X, B: X @ T(B) + X @ B, "tr(X' X B)"
    ),
    114: cook(
        "A: n m, X: m n, B: n m",
        lambda L, A, X, B: L.trace(A @ X @ B @ X),
        "BᵀXᵀAᵀ + AᵀXᵀBᵀ",
        lambda A, X, B: T(A) @ T(X) @ T(B) + T(B) @ T(X) @ T(A),
        "tr(A X B X)",
    ),
    115: cook("X: m n", lambda L, X: L.trace(X.T @ X), "2 X", lambda X: 2 * X, "tr(X' X)"),
    116: cook(
        "B: n k, X: m n, C: m m",
        lambda L, B, X, C: L.trace(B.T @ X.T @ C @ X @ B),
        "(C + Cᵀ)XBBᵀ",
        lambda B, X, C: T(C) @ X @ B @ T(B) + C @ X @ B @ T(B),
        "tr(B' X' C X B)",
    ),
    117: cook(
        "X: m n, B: m m, C: n n",
        lambda L, X, B, C: L.trace(X.T @ B @ X @ C),
        "BᵀXCᵀ + BXC",
        lambda X, B, C: B @ X @ C + T(B) @ X @ T(C),
        "tr(X' B X C)",
    ),
    118: cook(
        "A: k m, X: m n, B: n n, C: m k",
        lambda L, A, X, B, C: L.trace(A @ X @ B @ X.T @ C),
        "CAXB + AᵀCᵀXBᵀ",
        lambda A, X, B, C: T(A) @ T(C) @ X @ T(B) + C @ A @ X @ B,
        "tr(A X B X' C)",
    ),
    119: cook(
        "A: k m, X: m n, B: n n, C: k n",
        lambda L, A, X, B, C: L.trace((A @ X @ B + C) @ (A @ X @ B + C).T),
        "2 Aᵀ(AXB + C)Bᵀ",
        lambda A, X, B, C: 2 * T(A) @ (A @ X @ B + C) @ T(B),
        "tr((A X B + C) (A X B + C)')",
    ),
    120: cook(
        nn("X"),
        lambda L, X: L.trace(L.kron(X, X)),
        "2 tr(X) Iₙ",
        lambda X: 2 * tr(X) * np.eye(len(X)),
        "tr(kron(X, X))",
    ),
    121: cook(
        nn("X"),
        lambda L, X: L.trace(X @ X @ X @ X),
        "4 XᵀXᵀXᵀ",
        lambda X: 4 * T(np.linalg.matrix_power(X, 3)),
        "tr(X^4)",
    ),
    122: cook(
        nn("AX"),
        lambda L, A, X: L.trace(A @ X @ X @ X),
        "Xᵀ(XᵀAᵀ + AᵀXᵀ) + AᵀXᵀXᵀ",
        lambda A, X: T(A @ X @ X + X @ A @ X + X @ X @ A),
        "tr(A X^3)",
    ),
    123: cook(
        "B: n k, X: m n, C: m m",
        lambda L, B, X, C: L.trace(B.T @ X.T @ C @ X @ X.T @ C @ X @ B),
        "CᵀX(XᵀCᵀXBBᵀ + BBᵀXᵀCᵀX) + CX(BBᵀXᵀCX + XᵀCXBBᵀ)",
        lambda B, X, C: (
            C @ X @ X.T @ C @ X @ B @ B.T
            + C.T @ X @ B @ B.T @ X.T @ C.T @ X
            + C @ X @ B @ B.T @ X.T @ C @ X
            + C.T @ X @ X.T @ C.T @ X @ B @ B.T
        ),
        "tr(B' X' C X X' C X B)",
    ),
    124: cook(
        "A: k n, X: n n, B: n k",
        lambda L, A, X, B: L.trace(A @ L.inv(X) @ B),
        "−X⁻ᵀ AᵀBᵀ X⁻ᵀ",
        lambda A, X, B: -T(inv(X)) @ T(A) @ T(B) @ T(inv(X)),
        "tr(A X^-1 B)",
    ),
    125: cook(
        f"{XK}, {SC}, A: k k",
        lambda L, X, C, A: L.trace(L.inv(X.T @ C @ X) @ A),
        "−CX (XᵀCX)⁻¹ (A + Aᵀ) (XᵀCX)⁻¹",
        lambda X, C, A: -C @ X @ inv(X.T @ C @ X) @ (A + A.T) @ inv(X.T @ C @ X),
        "tr(inv(X' C X) A)",
    ),
    126: cook(
        f"{XK}, {SC}, {SB}",
        lambda L, X, C, B: L.trace(L.inv(X.T @ C @ X) @ (X.T @ B @ X)),
        "2 (B − CX (XᵀCX)⁻¹ XᵀB)X (XᵀCX)⁻¹",
        lambda X, C, B: -2 * C @ X @ inv(X.T @ C @ X) @ X.T @ B @ X @ inv(X.T @ C @ X) + 2 * B @ X @ inv(X.T @ C @ X),
        "tr(inv(X' C X) (X' B X))",
    ),
    127: cook(
        f"{XK}, {SC}, {SB}, {SA}",
        lambda L, X, C, B, A: L.trace(L.inv(A + X.T @ C @ X) @ (X.T @ B @ X)),
        "2 (B − CX (A + XᵀCX)⁻¹ XᵀB)X (A + XᵀCX)⁻¹",
        lambda X, C, B, A: (
            -2 * C @ X @ inv(A + X.T @ C @ X) @ X.T @ B @ X @ inv(A + X.T @ C @ X) + 2 * B @ X @ inv(A + X.T @ C @ X)
        ),
        "tr(inv(A + X' C X) (X' B X))",
    ),
}
SECOND_SPELLINGS: list[tuple[int, Callable[..., Any]]] = [  # the same number, written otherwise
    (69, lambda L, x, a: a.T @ x),
    (72, lambda L, a, X: a.T @ X.T @ a),
    (115, lambda L, X: L.trace(X @ X.T)),
    (115, lambda L, X: L.norm(X) ** 2),
    (120, lambda L, X: L.trace(X) * L.trace(X)),
]


def softmax(z: Any) -> Any:
    return NUMPY.softmax(z)


def _norm_of_residual(X: Any, w: Any, y: Any) -> Any:
    return X.T @ (X @ w - y) / np.linalg.norm(X @ w - y)


MORE: dict[str, Identity] = {
    "49: determinant": cook(nn("X"), lambda L, X: L.det(X), "det(X) X⁻ᵀ", lambda X: det(X) * inv(X).T, "det(X)"),
    "51: det(AXB)": cook(
        nn("AXB"),
        lambda L, A, X, B: L.det(A @ X @ B),
        "det(AXB) X⁻ᵀ",
        lambda A, X, B: det(A @ X @ B) * inv(X).T,
        "det(A X B)",
    ),
    "57: log det": cook(nn("X"), lambda L, X: L.logdet(X), "X⁻ᵀ", lambda X: inv(X).T, "logdet(X)"),
    "58: power of det": cook(
        nn("X"), lambda L, X: L.det(X) ** 3, "3 (det X)³ X⁻ᵀ", lambda X: 3 * det(X) ** 3 * inv(X).T
    ),
    "log det(AXB)": cook(
        nn("AXB"), lambda L, A, X, B: L.logdet(A @ X @ B), "X⁻ᵀ", lambda A, X, B: inv(X).T, "log det(A X B)"
    ),
    "55: log det of a Gram matrix": cook(
        "X: m n", lambda L, X: L.logdet(X.T @ X), "2 X (XᵀX)⁻¹", lambda X: 2 * X @ inv(X.T @ X), "logdet(X' X)"
    ),
    "trace of an inverse": cook(
        nn("XA"), lambda L, X, A: L.trace(L.inv(X) @ A), "−X⁻ᵀ Aᵀ X⁻ᵀ", lambda X, A: -(inv(X) @ A @ inv(X)).T
    ),
    "trace of a cube": cook(nn("X"), lambda L, X: L.trace(X @ X @ X), "3 XᵀXᵀ", lambda X: 3 * (X @ X).T, "tr(X^3)"),
    "two terms": cook(nn("AB"), lambda L, A, B: L.trace(A.T @ A) + L.trace(B.T @ B), "2 A", lambda A, B: 2 * A, by="A"),
    "trace and its square": cook(
        nn("A"), lambda L, A: L.trace(A) + L.trace(A @ A), "2 Aᵀ + Iₙ", lambda A: np.eye(len(A)) + 2 * A.T, by="A"
    ),
    "least squares": cook(
        "X: m n, w: n, y: m",
        lambda L, X, w, y: L.norm(X @ w - y) ** 2,
        "2 Xᵀ(Xw − y)",
        lambda X, w, y: 2 * X.T @ (X @ w - y),
        "norm2(X w - y)^2",
        by="w",
    ),
    "84: weighted least squares": cook(
        "x: m, A: m n, s: n, W: m m symmetric",
        lambda L, x, A, s, W: (x - A @ s).T @ W @ (x - A @ s),
        "−2 AᵀW(x − As)",
        lambda x, A, s, W: -2 * A.T @ W @ (x - A @ s),
        by="s",
    ),
    "Frobenius": cook(
        "A: m n, X: n k, B: m k",
        lambda L, A, X, B: L.norm(A @ X - B) ** 2,
        "2 Aᵀ(AX − B)",
        lambda A, X, B: 2 * A.T @ (A @ X - B),
        "norm(A X - B)^2",
    ),
    "norm of a residual": cook(
        "X: m n, w: n, y: m", lambda L, X, w, y: L.norm(X @ w - y), "Xᵀ(Xw − y)/‖Xw − y‖", _norm_of_residual, by="w"
    ),
    "131: norm": cook(
        "x: n, a: n",
        lambda L, x, a: L.norm(x - a),
        "(x − a)/‖x − a‖",
        lambda x, a: (x - a) / np.linalg.norm(x - a),
        by="x",
    ),
    "ridge": cook(
        "X: m n, w: n, y: m, c: ",
        lambda L, X, w, y, c: L.norm(X @ w - y) ** 2 + c * L.norm(w) ** 2,
        "2 (cw + Xᵀ(Xw − y))",
        lambda X, w, y, c: 2 * X.T @ (X @ w - y) + 2 * c * w,
        by="w",
    ),
    "matrix factorization": cook(
        "A: m n, U: m k, V: n k",
        lambda L, A, U, V: L.norm(A - U @ V.T) ** 2,
        "2 (UVᵀ − A)V",
        lambda A, U, V: 2 * (U @ V.T - A) @ V,
        by="U",
    ),
    "logistic regression": cook(
        "X: m n, w: n, y: m",
        lambda L, X, w, y: L.sum(L.log(1 + L.exp(-y * (X @ w)))),
        "−Xᵀ(y ⊙ σ(−y ⊙ Xw))",
        lambda X, w, y: -X.T @ (y / (1 + np.exp(y * (X @ w)))),
        "sum(log(1 + exp(-y .* (X w))))",
        by="w",
    ),
    "Poisson regression": cook(
        "X: m n, w: n, y: m",
        lambda L, X, w, y: L.sum(L.exp(X @ w)) - y.T @ (X @ w),
        "Xᵀ(exp(Xw) − y)",
        lambda X, w, y: X.T @ (np.exp(X @ w) - y),
        by="w",
    ),
    "logsumexp": cook("x: n", lambda L, x: L.logsumexp(x), "softmax(x)", lambda x: softmax(x), "logsumexp(x)", by="x"),
    "softmax cross-entropy": cook(
        "W: k n, x: n, b: k, y: k",
        lambda L, W, x, b, y: -(y.T @ L.log_softmax(W @ x + b)),
        "",
        lambda W, x, b, y: np.outer(softmax(W @ x + b) * y.sum() - y, x),
        by="W",
    ),
    "softmax cross-entropy, b": cook(
        "W: k n, x: n, b: k, y: k",
        lambda L, W, x, b, y: -(y.T @ L.log_softmax(W @ x + b)),
        "",
        lambda W, x, b, y: softmax(W @ x + b) * y.sum() - y,
        by="b",
    ),
    "Gaussian, mean": cook(
        "x: n, u: n, P: n n positive_definite",
        lambda L, x, u, P: ((x - u).T @ P @ (x - u) - L.logdet(P)) / 2,
        "−P(x − u)",
        lambda x, u, P: -P @ (x - u),
        by="u",
    ),
    "Gaussian, precision": cook(
        "x: n, u: n, P: n n positive_definite",
        lambda L, x, u, P: ((x - u).T @ P @ (x - u) - L.logdet(P)) / 2,
        "",
        lambda x, u, P: (np.outer(x - u, x - u) - inv(P)) / 2,
        by="P",
        apart=False,
    ),
    "Gaussian, covariance": cook(
        "x: n, u: n, P: n n positive_definite",
        lambda L, x, u, P: ((x - u).T @ L.inv(P) @ (x - u) + L.logdet(P)) / 2,
        "",
        lambda x, u, P: (inv(P) - inv(P) @ np.outer(x - u, x - u) @ inv(P)) / 2,
        by="P",
        apart=False,
    ),
    "quadratic, symmetric": cook(
        "x: n, S: n n symmetric", lambda L, x, S: x.T @ S @ x, "2 Sx", lambda x, S: 2 * S @ x, by="x"
    ),
    "138: trace, symmetric": cook(
        "S: n n symmetric, A: n n",
        lambda L, S, A: L.trace(S @ A),
        "½ (A + Aᵀ)",
        lambda S, A: (A + A.T) / 2,
        by="S",
        apart=False,
    ),
    "140: trace, diagonal": cook(
        "D: n n diagonal, A: n n",
        lambda L, D, A: L.trace(D @ A),
        "",
        lambda D, A: np.diag(np.diag(A)),
        by="D",
        apart=False,
    ),
    "log det, positive definite": cook(
        "P: n n positive_definite", lambda L, P: L.logdet(P), "P⁻¹", lambda P: inv(P), by="P", apart=False
    ),
    "orthogonal": cook(
        "Q: n n orthogonal, x: n, a: n",
        lambda L, Q, x, a: L.norm(Q @ x - a) ** 2,
        "",
        lambda Q, x, a: 2 * (x - Q.T @ a),
        by="x",
    ),
    "Rayleigh quotient": cook(
        "x: n, S: n n symmetric",
        lambda L, x, S: (x.T @ S @ x) / (x.T @ x),
        "",
        lambda x, S: 2 * (S @ x - (x @ S @ x) / (x @ x) * x) / (x @ x),
        by="x",
    ),
    "kernel": cook(
        "x: n, a: n",
        lambda L, x, a: L.exp(-(L.norm(x - a) ** 2) / 2),
        "",
        lambda x, a: -(x - a) * np.exp(-np.sum((x - a) ** 2) / 2),
        by="x",
    ),
    "entries of a product": cook(
        "X: m n, B: n k", lambda L, X, B: L.sum(X @ B), "1ₘ 1ₖᵀ Bᵀ", lambda X, B: np.ones((len(X), B.shape[1])) @ B.T
    ),
    "hadamard": cook("X: m n, A: m n", lambda L, X, A: L.sum(X * A * X), "2 (X ⊙ A)", lambda X, A: 2 * X * A),
    "solve": cook(
        nn("AXb"),
        lambda L, A, X, b: L.sum(A @ L.solve(X, b)),
        "",
        lambda A, X, b: -inv(X).T @ A.T @ np.outer(np.ones(len(b)), inv(X) @ b),
    ),
    "nuclear norm": cook(
        "X: m n",
        lambda L, X: L.nuclear(X),
        "",
        lambda X: np.linalg.svd(X, False)[0] @ np.linalg.svd(X, False)[2],
        apart=False,
    ),
    "one layer": cook(
        "W: m n, x: n, v: m",
        lambda L, W, x, v: v.T @ L.tanh(W @ x),
        "(v ⊙ (1 − tanh(Wx)^(⊙2))) xᵀ",
        lambda W, x, v: np.outer(v * (1 - np.tanh(W @ x) ** 2), x),
        by="W",
    ),
}

ALL = {**{str(k): i for k, i in COOKBOOK.items()}, **MORE}


def point(identity: Identity, sizes: Mapping[str, int], seed: int) -> dict[str, Any]:
    """Values for the symbols; square ones are far from singular."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for name, s in identity.symbols.items():
        shape = tuple([sizes[str(n)] for n in s.shape])
        array = rng.normal(size=shape) * 0.6
        square = len(shape) == 2 and shape[0] == shape[1]
        array = array + 2 * np.eye(shape[0]) if square and not s.properties else array
        found[name] = special_value(s.properties, array) if shape else abs(float(array)) + 0.5
    if identity.by == "X" and found["X"].ndim == 2 and identity.wrt.shape[0] != identity.wrt.shape[1]:
        found["X"] = found["X"] + 2 * np.eye(*found["X"].shape)
    return found


def usable(name: str, identity: Identity, sizes: Mapping[str, int]) -> bool:
    """XᵀX has an inverse where X has at least as many rows as columns."""
    tall = "Gram" in name or name in ("125", "126", "127")
    return not tall or sizes[str(identity.wrt.shape[0])] >= sizes[str(identity.wrt.shape[1])]


def agree(m: Matrix, at: Mapping[str, Any], sizes: Mapping[str, int], want: Any) -> None:
    """The graph, the printed formula and the NumPy source."""
    scale = 1 + np.abs(want).max(initial=0)
    found = [m.evaluate(at), notation.evaluate(m.formula, at, sizes)]
    if "polar" not in m.unicode():  # the nuclear norm's gradient has no source
        found.append(compiled(m.source("numpy"))({**sizes, **at}))
    for got in found:
        np.testing.assert_allclose(np.squeeze(got), np.squeeze(want), atol=1e-9 * scale, rtol=0)


@pytest.mark.parametrize("name", ALL)
def test_gradients_of_the_book(name: str) -> None:
    """In print, in shape; by hand, and by JAX, at three sizes."""
    identity = ALL[name]
    g = tg.grad(identity.e, wrt=identity.wrt)
    assert g.shape == identity.wrt.shape
    assert not identity.printed or g.unicode() == identity.printed
    jax, world = jax_world()
    for seed, sizes in enumerate(SIZES):
        if not usable(name, identity, sizes):
            continue
        at = point(identity, sizes, seed)
        closed = identity.closed(**at)
        agree(g, at, sizes, closed)
        other = jax.grad(lambda v, at=at: identity.make(world, **{**at, identity.by: v}))(at[identity.by])
        np.testing.assert_allclose(_like(identity, np.asarray(other)), closed, atol=1e-8 * (1 + np.abs(closed).max()))


def _like(identity: Identity, g: np.ndarray) -> np.ndarray:
    held = identity.wrt.properties
    if "diagonal" in held:
        return np.diag(np.diagonal(g))
    return (g + g.T) / 2 if held & {"symmetric", "positive definite"} else g


@pytest.mark.parametrize("name", [n for n, i in ALL.items() if i.apart])
def test_hessians_of_the_book(name: str) -> None:
    """Second order of every number, against JAX; no Hessian falls back to automatic differentiation."""
    identity = ALL[name]
    h = tg.hessian(identity.e, wrt=identity.wrt)
    assert not any("no closed form" in note for note in h.notes)
    jax, world = jax_world()
    sizes = SIZES[0]
    at = point(identity, sizes, 5)
    want = np.asarray(jax.hessian(lambda v: identity.make(world, **{**at, identity.by: v}))(at[identity.by]))
    agree(h, at, sizes, want if h.ndim > 2 else flat(want, identity.wrt.ndim))
    structured = tg.hessian(lambda v: identity.make(OURS, **{**at, identity.by: v}))(at[identity.by])
    np.testing.assert_allclose(np.asarray(structured), want, atol=1e-8 * (1 + np.abs(want).max()))


def test_the_forty_three() -> None:
    numbers = {33, *range(61, 65), *range(69, 73), 77, 78, *range(81, 84), *range(99, 128)}
    assert len(numbers) == 43
    assert {33, *COOKBOOK} == numbers


def test_33_a_constant_has_no_derivative() -> None:
    A, B, X = (tg.matrix(c, "n n") for c in "ABX")
    j = tg.jacobian(A @ B, wrt=X)
    assert j.unicode() == "0_(n²×n²)"
    assert not j.evaluate(X=np.eye(2)).any()
    assert tg.grad(np.trace(A @ B), wrt=X).unicode() == "0_(n×n)"


@pytest.mark.parametrize(("number", "make"), SECOND_SPELLINGS)
def test_second_spellings(number: int, make: Callable[..., Any]) -> None:
    identity = COOKBOOK[number]
    assert tg.grad(make(OURS, **identity.symbols), wrt=identity.wrt).unicode() == identity.printed


@pytest.mark.parametrize("name", [n for n, i in ALL.items() if i.text])
def test_the_same_as_text(name: str) -> None:
    identity = ALL[name]
    e = tg.expression(identity.text, identity.symbols)
    assert tg.grad(e, wrt=identity.by).unicode() == identity.printed


@pytest.mark.parametrize("name", ALL)
def test_numerator_layout_is_the_transpose(name: str) -> None:
    identity = ALL[name]
    at = point(identity, SIZES[0], 2)
    both = [np.asarray(v(identity.e, wrt=identity.wrt).evaluate(at)) for v in (tg.grad, tg.jacobian)]
    np.testing.assert_allclose(both[1], both[0].T)
