"""Linear algebra: identity and size, inverse, determinant, factorisations, eigenvalues, norms by singular values.

identity is the Kronecker delta δᵢⱼ as an array. It is a row, not a constant, so that it survives as structure: an
einsum drops it by renaming an index, and a symbolic size has an identity too. extent is the number that a symbolic
size is: the n of a mean over n entries.

Each derivative is written with rows of this file (and einsum), so every order follows. Outside the domain (a singular
matrix, one that is not positive definite) the value is nan, never LAPACK's exception. The polynomial det is different:
its first and second derivatives exist at singular matrices too, so for concrete shapes they are the rows cofactor and
cofactor_along, computed from singular vectors where the inverse would lose digits. What is defined on symmetric
matrices (cholesky, eigvalsh) is defined here through the symmetric part (X + Xᵀ)/2, so its gradient is symmetric.

Formulas: Petersen & Pedersen, The Matrix Cookbook (2012); Giles, Collected matrix derivative results for forward and
reverse mode (2008); Murray, Differentiation of the Cholesky decomposition (2016); Van Loan, Computing integrals
involving the matrix exponential (1978).

Glossary: y output, x operand, t tangent, g cotangent; u, s, v singular vectors and values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tangently.errors import InputError, ShapeError
from tangently.expr import TABLE, Dim, Expr, Primitive, Rule, Shape, Size, const, is_concrete
from tangently.primitives.kinds import broadcast_to, floating, join, need_numbers, plain, reshape, shape_of
from tangently.primitives.kinds import identity as eye
from tangently.primitives.tensor import einsum, matmul, transpose

Params = tuple[Any, ...]

# ---------------------------------------------------------------- without operands


def _constant(name: str, **fields: Any) -> Primitive:
    """A row without operands, whose params say which constant it is."""
    return TABLE.add(
        Primitive(
            name=name,
            kind="layout",
            arity=0,
            jvp=lambda p, y, xs, ts: None,
            vjp=lambda p, y, xs, g, i: None,
            rules=(Rule("constant", r"(c)' = 0"),),
            **fields,
        )
    )


def _number(p: Params) -> int:
    (size,) = p
    if type(size) is Dim:
        raise InputError(f"the size {size} has no number here: give it one (n=3) before numbers are asked for")
    return size


def _infer_identity(p: Params) -> tuple[Shape, str]:
    return (p[0], p[0]), "d"


identity = _constant(
    "identity",
    evaluate=lambda p: np.eye(_number(p)),
    infer=_infer_identity,
    numpy=lambda p: f"np.eye({p[0]})",
    shown=("word", "I", "I"),
)


def _known(p: Params) -> Expr | None:
    return const(p[0]) if type(p[0]) is int else None


extent = _constant(
    "extent",
    evaluate=_number,
    infer=lambda p: ((), "n"),
    simplify=_known,
    python=lambda p: str(p[0]),
    numpy=lambda p: str(p[0]),
    shown=lambda node: ("word", str(node.params[0]), str(node.params[0])),
)

# ---------------------------------------------------------------- helpers


def _square(name: str, x: Any) -> None:
    if len(x.shape) != 2 or x.shape[0] != x.shape[1]:
        raise ShapeError(f"{name} of an array of shape {x.shape}: a square matrix was wanted")


def _matrix(name: str, x: Any) -> None:
    if len(x.shape) != 2:
        raise ShapeError(f"{name} of an array of shape {x.shape}: a matrix (two axes) was wanted")


def _infer(name: str, shape: Callable[[Shape], Shape], check: Callable[[str, Any], None] = _square) -> Any:
    def infer(p: Params, x: Expr, *more: Expr) -> tuple[Shape, str]:
        check(name, x)
        return shape(x.shape), floating(x.dtype)

    return infer


def _or_nan(call: Callable[..., Any], shape: Callable[..., Shape]) -> Callable[..., Any]:
    """NumPy's value; nan where LAPACK finds none, as a row outside of its domain has it."""

    def evaluate(p: Params, *xs: Any) -> Any:
        arrays = [np.asarray(x) for x in xs]
        try:
            return plain(call(*arrays))
        except np.linalg.LinAlgError:
            return np.full(shape(*[a.shape for a in arrays]), np.nan, np.result_type(*arrays, np.float32))

    return evaluate


def flip(x: Any) -> Any:
    """The transposed matrix."""
    return transpose(x)


def chain(*xs: Any) -> Any:
    """The product of matrices, from the left."""
    return functools.reduce(matmul, xs)


def symmetric(x: Any) -> Any:
    """(X + Xᵀ)/2."""
    return (x + flip(x)) / 2


def trace_of(a: Any, b: Any) -> Any:
    """tr(A B), without the product."""
    return einsum(a, b, params=("ij,ji->",))


def _delta(x: Any, size: Any) -> Any:
    return eye(size) if type(x) is Expr else np.eye(size, dtype=x.dtype if x.dtype.kind == "f" else float)


def row(name: str, rule: Rule, **fields: Any) -> Primitive:
    """A row of linear algebra: it has no source but NumPy's, and is opaque to differentiation."""
    return TABLE.add(Primitive(name=name, kind="linalg", rules=(rule,), **fields))


def of_one(derivative: Callable[..., Any], adjoint: Callable[..., Any]) -> dict[str, Any]:
    """The rules of a row with one operand: derivative(y, x, t) and adjoint(y, x, g)."""
    return {
        "arity": 1,
        "jvp": lambda p, y, xs, ts: derivative(y, xs[0], ts[0]),
        "vjp": lambda p, y, xs, g, i: adjoint(y, xs[0], g),
    }


def invertible(x: Any, *_: Any) -> bool:
    """Does LAPACK find an inverse?"""
    return bool(np.all(np.isfinite(x)) and np.linalg.slogdet(x)[0] != 0)


_INVERTIBLE = {"domain": invertible, "domain_text": "an invertible matrix (a determinant that is not 0)"}

# ---------------------------------------------------------------- inverse and linear systems

inv = row(
    "inv",
    Rule("inverse of a matrix", r"(U^{-1})' = -U^{-1}\, U'\, U^{-1}"),
    evaluate=_or_nan(np.linalg.inv, lambda s: s),
    infer=_infer("the inverse", lambda s: s),
    simplify=lambda p, x: x if x.op is identity else None,
    numpy=lambda p, x: f"np.linalg.inv({x})",
    shown=("sup", 0, "-1"),
    calls=("inv",),
    **_INVERTIBLE,
    **of_one(lambda y, x, t: -chain(y, t, y), lambda y, x, g: -chain(flip(y), g, flip(y))),
)


def _infer_solve(p: Params, a: Expr, b: Expr) -> tuple[Shape, str]:
    _square("solve(A, b): A", a)
    if len(b.shape) not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ShapeError(f"solve(A, b): A of shape {a.shape} and b of shape {b.shape} do not conform: b needs as many rows as A")  # fmt: skip  # noqa: E501
    return b.shape, floating(join(a.dtype, b.dtype))


def _solve_jvp(p: Params, y: Any, xs: Sequence[Any], ts: Sequence[Any]) -> Any:
    moved = ts[1]
    if ts[0] is not None:
        pulled = matmul(ts[0], y)
        moved = -pulled if moved is None else moved - pulled
    return solve(xs[0], moved)


def _solve_vjp(p: Params, y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
    back = solve(flip(xs[0]), g)
    if i == 1:
        return back
    return -einsum(back, y, params=("i,j->ij" if len(shape_of(y)) == 1 else "ik,jk->ij",))


solve = row(
    "solve",
    Rule("linear system", r"A y = b:\; A\, y' = b' - A' y"),
    arity=2,
    evaluate=_or_nan(np.linalg.solve, lambda a, b: b),
    infer=_infer_solve,
    jvp=_solve_jvp,
    vjp=_solve_vjp,
    simplify=lambda p, a, b: b if a.op is identity else None,
    numpy=lambda p, a, b: f"np.linalg.solve({a}, {b})",
    shown=("matmul", ("sup", 0, "-1"), 1),
    calls=("solve",),
    **_INVERTIBLE,
)

# ---------------------------------------------------------------- determinants


def _reciprocal_of(g: Any, y: Any) -> Any:
    """c where g is c/y (the cotangent of y under log y), else None."""
    return g.args[0] if type(g) is Expr and g.op.name == "div" and g.args[1] is y else None


def _det_adjoint(y: Any, x: Any, g: Any) -> Any:
    """g·cof X. Of log det X it is X⁻ᵀ; a symbolic size has cof X = det(X) X⁻ᵀ, where X is invertible."""
    over = _reciprocal_of(g, y)
    if over is not None:
        return over * flip(inv(x))
    return g * cofactor(x) if is_concrete(shape_of(x)) else g * y * flip(inv(x))


def _det_push(y: Any, x: Any, t: Any) -> Any:
    if is_concrete(shape_of(x)):
        return einsum(cofactor(x), t, params=("ij,ij->",))
    return y * trace_of(inv(x), t)


det = row(
    "det",
    Rule("determinant (Jacobi)", r"(\det U)' = \det(U)\, \operatorname{tr}(U^{-1} U')"),
    evaluate=lambda p, x: plain(np.linalg.det(x)),
    infer=_infer("the determinant", lambda s: ()),
    simplify=lambda p, x: const(1.0) if x.op is identity else None,
    numpy=lambda p, x: f"np.linalg.det({x})",
    shown=("fn", "det", 0),
    calls=("det",),
    **of_one(_det_push, _det_adjoint),
)
logdet = row(
    "logdet",
    Rule("logarithm of the determinant", r"(\ln |\det U|)' = \operatorname{tr}(U^{-1} U')"),
    evaluate=lambda p, x: plain(np.linalg.slogdet(x)[1]),
    infer=_infer("the log-determinant", lambda s: ()),
    simplify=lambda p, x: const(0.0) if x.op is identity else None,
    numpy=lambda p, x: f"np.linalg.slogdet({x})[1]",
    shown=("fn", "ln", ("fence", "|", ("fn", "det", 0), "|")),
    calls=("logdet",),
    **_INVERTIBLE,
    **of_one(lambda y, x, t: trace_of(inv(x), t), lambda y, x, g: g * flip(inv(x))),
)


def _well_conditioned(x: np.ndarray) -> np.ndarray | None:
    """The inverse, where it is good to eight digits."""
    try:
        found = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return None
    size = np.abs(x).sum(0).max(initial=0.0) * np.abs(found).sum(0).max(initial=0.0)
    return found if size * np.finfo(found.dtype).eps < 1e-8 else None


def _products_without_two(s: np.ndarray) -> np.ndarray:
    """P[i, j], the product of all but the entries i and j (all but i, on the diagonal): no division, so 0 is fine."""
    found = np.empty((len(s), len(s)), s.dtype)
    for i in range(len(s)):
        rest = np.where(np.arange(len(s)) == i, 1, s)
        before, after = np.cumprod(rest), np.cumprod(rest[::-1])[::-1]
        found[i] = np.append(1, before[:-1]) * np.append(after[1:], 1)
    return found


def _cofactor(p: Params, x: Any) -> Any:
    """det(X) X⁻ᵀ, also where X is singular: from X = U S Vᵀ it is det(U Vᵀ) U cof(S) Vᵀ."""
    x = np.asarray(x) * 1.0
    inverse = _well_conditioned(x)
    if inverse is not None:
        return np.linalg.det(x) * inverse.T
    u, s, vt = _svd(x)
    return np.linalg.det(u @ vt).round() * (u * _products_without_two(s).diagonal()) @ vt


def _cofactor_along(p: Params, x: Any, h: Any) -> Any:
    """The second derivative of det at X along H. In the basis of the singular vectors it is a sum over 2×2 minors."""
    x = np.asarray(x) * 1.0
    inverse = _well_conditioned(x)
    if inverse is not None:
        k = inverse @ h
        return np.linalg.det(x) * (np.trace(k) * inverse - k @ inverse).T
    u, s, vt = _svd(x)
    w, rest = u.T @ h @ vt.T, _products_without_two(s)
    core = -rest * w.T
    np.fill_diagonal(core, rest @ w.diagonal() - rest.diagonal() * w.diagonal())
    return np.linalg.det(u @ vt).round() * u @ core @ vt


def _third_of_det(x: Any, h: Any, k: Any) -> Any:
    """The third derivative of det at X along H and K, where X is invertible."""
    a = inv(x)
    ah, ak = matmul(a, h), matmul(a, k)
    th, tk = einsum(ah, params=("ii->",)), einsum(ak, params=("ii->",))
    once = (th * tk - trace_of(ah, ak)) * a - tk * matmul(ah, a) - th * matmul(ak, a)
    return det(x) * flip(once + chain(ah, ak, a) + chain(ak, ah, a))


cofactor = row(
    "cofactor",
    Rule("cofactors (adjugate, transposed)", r"(\operatorname{cof} U)' = D^2\!\det(U)[U']"),
    evaluate=_cofactor,
    infer=_infer("the cofactors", lambda s: s),
    shown=("fn", "cof", 0),
    **of_one(lambda y, x, t: cofactor_along(x, t), lambda y, x, g: cofactor_along(x, g)),
)


def _along_jvp(p: Params, y: Any, xs: Sequence[Any], ts: Sequence[Any]) -> Any:
    x, h = xs
    moved = None if ts[1] is None else cofactor_along(x, ts[1])
    if ts[0] is None:
        return moved
    turned = _third_of_det(x, h, ts[0])
    return turned if moved is None else turned + moved


cofactor_along = row(
    "cofactor_along",
    Rule("second derivative of a determinant", r"D^2\!\det(U)[V] = \det(U)\,(\operatorname{tr}(U^{-1}V)\,U^{-\top} - U^{-\top}V^\top U^{-\top})"),  # noqa: E501
    arity=2,
    evaluate=_cofactor_along,
    infer=_infer("the second derivative of a determinant", lambda s: s),
    jvp=_along_jvp,
    vjp=lambda p, y, xs, g, i: cofactor_along(xs[0], g) if i == 1 else _third_of_det(xs[0], xs[1], g),
    shown=("apply", "dcof", 0, 1),
)  # fmt: skip

# ---------------------------------------------------------------- triangles and the Cholesky factor


def _triangle(name: str, call: Any, shown: str) -> Primitive:
    """The part of a matrix on one side of a diagonal; params (k,) as NumPy counts diagonals. Its own transpose."""
    apply = lambda p, x: TABLE[name](x, params=p)
    return row(
        name,
        Rule("a triangle of a matrix", rf"(\operatorname{{{name}}} U)' = \operatorname{{{name}}} U'"),
        arity=1,
        evaluate=lambda p, x: call(x, p[0]),
        infer=lambda p, x: (_matrix(f"the {shown} triangle", x), (x.shape, x.dtype))[1],
        jvp=lambda p, y, xs, ts: apply(p, ts[0]),
        vjp=lambda p, y, xs, g, i: apply(p, g),
        numpy=lambda p, x: f"np.{name}({x}, {p[0]})" if p[0] else f"np.{name}({x})",
        shown=lambda node: ("apply", name, 0, *[str(k) for k in node.params if k]),
        calls=(name,),
    )


tril, triu = _triangle("tril", np.tril, "lower"), _triangle("triu", np.triu, "upper")


def _half(x: Any) -> Any:
    """The lower triangle, with half the diagonal."""
    return (tril(x, params=(0,)) + tril(x, params=(-1,))) / 2


def _between(y: Any, x: Any) -> Any:
    """L⁻ᵀ X L⁻¹."""
    upper = flip(y)
    return flip(solve(upper, flip(solve(upper, x))))


def _cholesky_push(y: Any, x: Any, t: Any) -> Any:
    return matmul(y, _half(solve(y, flip(solve(y, symmetric(t))))))


def positive_definite(x: Any) -> bool:
    """Is the symmetric part of X positive definite?"""
    try:
        np.linalg.cholesky(symmetric(np.asarray(x)))
    except np.linalg.LinAlgError:
        return False
    return bool(np.all(np.isfinite(x)))


cholesky = row(
    "cholesky",
    Rule("Cholesky factor", r"A = L L^\top:\; L' = L\, \Phi(L^{-1} A' L^{-\top})"),
    evaluate=_or_nan(lambda x: np.linalg.cholesky(symmetric(x)), lambda s: s),
    infer=_infer("the Cholesky factor", lambda s: s),
    domain=positive_definite,
    domain_text="a symmetric positive definite matrix",
    simplify=lambda p, x: x if x.op is identity else None,
    numpy=lambda p, x: f"np.linalg.cholesky(({x} + {x}.T) / 2)",
    shown=("fn", "chol", 0),
    calls=("cholesky",),
    **of_one(_cholesky_push, lambda y, x, g: symmetric(_between(y, _half(matmul(flip(y), g))))),
)

# ---------------------------------------------------------------- eigenvalues and singular values


def _repeated(values: Any) -> bool:
    return bool((np.diff(np.sort(values)) == 0).any())


def _gaps(values: Any) -> Any:
    """1/(λⱼ - λᵢ), and 0 on the diagonal."""
    here = _delta(values, shape_of(values)[0])
    column = reshape(values, (*shape_of(values), 1))
    return (1 - here) / (values - column + here)


def _eigenvectors_push(y: Any, x: Any, t: Any) -> Any:
    return matmul(y, _gaps(eigvalsh(x)) * chain(flip(y), symmetric(t), y))


eigvalsh = row(
    "eigvalsh",
    Rule("eigenvalues of a symmetric matrix", r"\lambda_i' = v_i^\top A'\, v_i"),
    evaluate=_or_nan(lambda x: np.linalg.eigvalsh(symmetric(x)), lambda s: s[:1]),
    infer=_infer("eigenvalues", lambda s: s[:1]),
    kink=lambda p, x: _repeated(np.linalg.eigvalsh(symmetric(np.asarray(x)))),
    numpy=lambda p, x: f"np.linalg.eigvalsh(({x} + {x}.T) / 2)",
    shown=("fn", "λ", 0),
    calls=("eigvalsh",),
    **of_one(
        lambda y, x, t: einsum(eigvecsh(x), symmetric(t), eigvecsh(x), params=("ki,kl,li->i",)),
        lambda y, x, g: matmul(eigvecsh(x) * g, flip(eigvecsh(x))),
    ),
)
eigvecsh = row(
    "eigvecsh",
    Rule("eigenvectors of a symmetric matrix", r"V' = V\,(F \odot V^\top A' V),\; F_{ij} = 1/(\lambda_j - \lambda_i)"),
    evaluate=_or_nan(lambda x: np.linalg.eigh(symmetric(x)).eigenvectors, lambda s: s),
    infer=_infer("eigenvectors", lambda s: s),
    kink=lambda p, x: _repeated(np.linalg.eigvalsh(symmetric(np.asarray(x)))),
    numpy=lambda p, x: f"np.linalg.eigh(({x} + {x}.T) / 2).eigenvectors",
    shown=("fn", "V", 0),
    **of_one(
        _eigenvectors_push,
        lambda y, x, g: symmetric(chain(y, _gaps(eigvalsh(x)) * matmul(flip(y), g), flip(y))),
    ),
)


def _svd(x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)


def _shorter(shape: Shape) -> Size:
    """The number of singular values."""
    if shape[0] == shape[1]:
        return shape[0]
    need_numbers(shape, "singular values")
    return min(shape)


def _outside(u: Any, x: Any) -> Any:
    """(I - U Uᵀ) X: what is orthogonal to the columns of U."""
    return x - chain(u, flip(u), x)


def _left_push(y: Any, x: Any, t: Any) -> Any:
    s, v = svdvals(x), svd_right(x)
    p = chain(flip(y), t, v)
    turned = matmul(y, _gaps(s**2) * (p * s + flip(p * s)))
    return turned if _fills(y) else turned + _outside(y, matmul(t, v)) / s


def _left_pull(y: Any, x: Any, g: Any) -> Any:
    s, v = svdvals(x), svd_right(x)
    m = _gaps(s**2) * matmul(flip(y), g)
    inside = matmul(y, (m + flip(m)) * s)
    return matmul(inside if _fills(y) else inside + _outside(y, g) / s, flip(v))


def _right_push(y: Any, x: Any, t: Any) -> Any:
    s, u = svdvals(x), svd_left(x)
    p = chain(flip(u), t, y)
    turned = matmul(y, _gaps(s**2) * (flip(p) * s + flip(flip(p) * s)))
    return turned if _fills(y) else turned + _outside(y, matmul(flip(t), u)) / s


def _right_pull(y: Any, x: Any, g: Any) -> Any:
    s, u = svdvals(x), svd_left(x)
    m = _gaps(s**2) * matmul(flip(y), g)
    inside = matmul(y, (m + flip(m)) * s)
    return matmul(u, flip(inside if _fills(y) else inside + _outside(y, g) / s))


def _fills(u: Any) -> bool:
    """Is it a square matrix, whose columns span everything?"""
    return shape_of(u)[0] == shape_of(u)[1]


_SINGULAR = Rule("singular vectors", r"U' = U\,(F \odot (U^\top X' V \Sigma + \Sigma V^\top X'^\top U)) + (I - UU^\top) X' V \Sigma^{-1}")  # fmt: skip  # noqa: E501
_broken = lambda p, x: bool(_repeated(s := _svd(np.asarray(x))[1]) or s.min(initial=np.inf) == 0)
svdvals = row(
    "svdvals",
    Rule("singular values", r"\sigma_i' = u_i^\top X'\, v_i"),
    evaluate=_or_nan(lambda x: np.linalg.svd(x, compute_uv=False), lambda s: (min(s),)),
    infer=_infer("singular values", lambda s: (_shorter(s),), _matrix),
    kink=_broken,
    numpy=lambda p, x: f"np.linalg.svd({x}, compute_uv=False)",
    shown=("fn", "σ", 0),
    calls=("svdvals",),
    **of_one(
        lambda y, x, t: einsum(svd_left(x), t, svd_right(x), params=("ki,kl,li->i",)),
        lambda y, x, g: matmul(svd_left(x) * g, flip(svd_right(x))),
    ),
)
svd_left = row(
    "svd_left",
    _SINGULAR,
    evaluate=_or_nan(lambda x: _svd(x)[0], lambda s: (s[0], min(s))),
    infer=_infer("singular vectors", lambda s: (s[0], _shorter(s)), _matrix),
    kink=_broken,
    numpy=lambda p, x: f"np.linalg.svd({x}, full_matrices=False)[0]",
    shown=("fn", "U", 0),
    **of_one(_left_push, _left_pull),
)
svd_right = row(
    "svd_right",
    _SINGULAR,
    evaluate=_or_nan(lambda x: _svd(x)[2].T, lambda s: (s[1], min(s))),
    infer=_infer("singular vectors", lambda s: (s[1], _shorter(s)), _matrix),
    kink=_broken,
    numpy=lambda p, x: f"np.linalg.svd({x}, full_matrices=False)[2].T",
    shown=("fn", "V", 0),
    **of_one(_right_push, _right_pull),
)


def _polar_turn(y: Any, x: Any, t: Any) -> Any:
    """The derivative of W = U Vᵀ along T, which is its own adjoint; wide matrices by their transpose.

    With H = WᵀX (symmetric, positive): W' = W Ω + (I - W Wᵀ) T H⁻¹, where H Ω + Ω H = WᵀT - TᵀW.
    """
    need_numbers(() if _fills(x) else shape_of(x), "the derivative of U Vᵀ")
    if not _fills(x) and shape_of(x)[0] < shape_of(x)[1]:
        return flip(_polar_turn(flip(y), flip(x), flip(t)))
    h = symmetric(matmul(flip(y), x))
    k = matmul(flip(y), t)
    turned = matmul(y, sylvester(h, h, k - flip(k)))
    return turned if _fills(x) else turned + flip(solve(h, flip(_outside(y, t))))


def _vanishes(s: np.ndarray, shape: Shape) -> Any:
    """Which singular values are 0, up to rounding?"""
    return s <= max(shape) * np.finfo(s.dtype).eps * s.max(initial=0.0)


def _deficient(p: Params, x: Any) -> bool:
    return bool(_vanishes(_svd(np.asarray(x))[1], np.shape(x)).any())


def _polar(x: Any) -> Any:
    """U Vᵀ over the singular values that are not 0: at a kink of the nuclear norm, its subgradient of least norm."""
    u, s, vt = _svd(x)
    return (u * ~_vanishes(s, x.shape)) @ vt


nuclear_norm = row(
    "nuclear_norm",
    Rule("nuclear norm", r"\lVert X \rVert_*' = \operatorname{tr}\bigl((U V^\top)^\top X'\bigr)"),
    evaluate=lambda p, x: plain(_svd(x)[1].sum()),
    infer=_infer("the nuclear norm", lambda s: (), _matrix),
    kink=_deficient,
    numpy=lambda p, x: f"np.linalg.norm({x}, 'nuc')",
    shown=("sub", ("fence", "‖", 0, "‖"), "*"),
    calls=("nuclear_norm",),
    **of_one(lambda y, x, t: einsum(polar(x), t, params=("ij,ij->",)), lambda y, x, g: g * polar(x)),
)
polar = row(
    "polar",
    Rule("orthogonal factor U Vᵀ", r"W' = W \Omega + (I - W W^\top) X' H^{-1}"),
    evaluate=_or_nan(_polar, lambda s: s),
    infer=_infer("the orthogonal factor", lambda s: s, _matrix),
    kink=_deficient,
    shown=("fn", "polar", 0),
    **of_one(_polar_turn, _polar_turn),
)


def _sylvester(a: Any, b: Any, c: Any) -> Any:
    import scipy.linalg

    return scipy.linalg.solve_sylvester(a, b, c)


def _infer_sylvester(p: Params, a: Expr, b: Expr, c: Expr) -> tuple[Shape, str]:
    for x in (a, b):
        _square("A Y + Y B = C: a factor", x)
    if c.shape != (a.shape[0], b.shape[0]):
        raise ShapeError(f"A Y + Y B = C: shapes {a.shape}, {b.shape} and {c.shape} do not conform")
    return c.shape, floating(join(a.dtype, b.dtype, c.dtype))


def _sylvester_jvp(p: Params, y: Any, xs: Sequence[Any], ts: Sequence[Any]) -> Any:
    a, b, _ = xs
    moved = ts[2]
    for part in (None if ts[0] is None else matmul(ts[0], y), None if ts[1] is None else matmul(y, ts[1])):
        if part is not None:
            moved = -part if moved is None else moved - part
    return sylvester(a, b, moved)


def _sylvester_vjp(p: Params, y: Any, xs: Sequence[Any], g: Any, i: int) -> Any:
    back = sylvester(flip(xs[0]), flip(xs[1]), g)
    return back if i == 2 else -matmul(back, flip(y)) if i == 0 else -matmul(flip(y), back)


sylvester = row(
    "sylvester",
    Rule("Sylvester equation", r"A Y + Y B = C:\; A Y' + Y' B = C' - A' Y - Y B'"),
    arity=3,
    evaluate=_or_nan(_sylvester, lambda a, b, c: c),
    infer=_infer_sylvester,
    jvp=_sylvester_jvp,
    vjp=_sylvester_vjp,
    shown=("fn", "sylvester", 0, 1, 2),
)

# ---------------------------------------------------------------- the exponential


def _expm(x: Any) -> Any:
    import scipy.linalg

    return scipy.linalg.expm(x)


def _expm_along(x: Any, t: Any) -> Any:
    """The derivative of e^X along T is the upper right block of exp [[X, T], [0, X]] (Van Loan 1978)."""
    n = shape_of(x)[0]
    zeros = broadcast_to(const(0.0), (n, n)) if type(x) is Expr else np.zeros((n, n), x.dtype)
    join_rows = TABLE["concatenate"]
    whole = expm(join_rows(join_rows(x, t, params=(1,)), join_rows(zeros, x, params=(1,)), params=(0,)))
    return TABLE["index"](whole, params=((("s", None, n, None), ("s", n, None, None)),))


expm = row(
    "expm",
    Rule("matrix exponential", r"(e^{U})' = \int_0^1 e^{sU}\, U'\, e^{(1-s)U}\, \mathrm{d}s"),
    evaluate=lambda p, x: _expm(np.asarray(x)),
    infer=_infer("the matrix exponential", lambda s: s),
    shown=("sup", "e", 0),
    calls=("expm",),
    **of_one(lambda y, x, t: _expm_along(x, t), lambda y, x, g: _expm_along(flip(x), g)),
)
