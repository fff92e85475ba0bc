"""Matrix expressions as text: what is read, which shapes are inferred, and the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner, Result

import tangently as tg
from tangently.cli import main
from tangently.errors import InputError, ParseError, ShapeError, TangentlyError

READ: list[tuple[str, str, dict[str, str]]] = [  # the text, as it is shown, and the shapes that are inferred
    ("x' A x", "xᵀAx", {"x": "n", "A": "n n"}),
    ("x^T A x", "xᵀAx", {"x": "n", "A": "n n"}),
    ("x' * A * x", "xᵀAx", {"x": "n", "A": "n n"}),
    ("norm2(X w - y)^2", "‖Xw − y‖²", {"X": "m n", "w": "n", "y": "m"}),
    ("||X w - y||^2", "‖Xw − y‖²", {"X": "m n", "w": "n", "y": "m"}),
    ("tr(A B)", "tr(AB)", {"A": "m n", "B": "n m"}),
    ("tr(A' A) + tr(B' B)", "tr(AᵀA) + tr(BᵀB)", {"A": "m n", "B": "k p"}),
    ("log det X", "log det X", {"X": "n n"}),
    ("logdet(X)", "log det X", {"X": "n n"}),
    ("det X", "det X", {"X": "n n"}),
    ("sum(log(1 + exp(-y .* (X w))))", "sum(ln(1 + exp(−y ⊙ Xw)))", {"y": "m", "X": "m n", "w": "n"}),
    ("softmax(W x + b)", "softmax(Wx + b)", {"W": "m n", "x": "n", "b": "m"}),
    ("cross_entropy(W x + b, t)", "−tᵀ log softmax(Wx + b)", {"W": "m n", "x": "n", "b": "m", "t": "m"}),
    ("A^T", "Aᵀ", {"A": "m n"}),
    ("inv(A)", "A⁻¹", {"A": "n n"}),
    ("A^-1", "A⁻¹", {"A": "n n"}),
    ("A^{-1}", "A⁻¹", {"A": "n n"}),
    ("A^-T", "A⁻ᵀ", {"A": "n n"}),
    ("A^{-T}", "A⁻ᵀ", {"A": "n n"}),
    ("tr(X^-1 A)", "tr(X⁻¹ A)", {"X": "n n", "A": "n n"}),
    ("x^T x", "xᵀx", {"x": "n"}),
    ("x x'", "x xᵀ", {"x": "n"}),
    ("c x' x", "c xᵀx", {"c": "", "x": "n"}),
    ("(x - y)' A (x - y)", "(x − y)ᵀA(x − y)", {"x": "n", "y": "n", "A": "n n"}),
    ("w' x + b", "wᵀx + b", {"w": "n", "x": "n", "b": ""}),
    ("a' X b", "aᵀXb", {"a": "m", "X": "m n", "b": "n"}),
    ("X .* Y", "X ⊙ Y", {"X": "m n", "Y": "m n"}),
    ("X ./ Y", "X ⊘ Y", {"X": "m n", "Y": "m n"}),
    ("sum(x.^2)", "xᵀx", {"x": "n"}),
    ("(A B)^T C", "BᵀAᵀC", {"A": "m n", "B": "n k", "C": "m p"}),
    ("A^3", "AAA", {"A": "n n"}),
    ("diag(x) A", "diag(x) A", {"x": "n", "A": "n k"}),
    ("exp(-||x||^2 / 2)", "exp(−½ ‖x‖²)", {"x": "n"}),
    ("log(c)", "ln(c)", {"c": ""}),
]


def declared(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@pytest.mark.parametrize(("text", "shown", "shapes"), READ, ids=[t for t, _, _ in READ])
def test_read(text: str, shown: str, shapes: dict[str, str]) -> None:
    e = tg.expression(text)
    assert e.unicode() == shown
    found = {str(x.name): x.shape for x in e_inputs(e)}
    assert _pattern(found) == _pattern({k: declared(v) for k, v in shapes.items() if k in found})
    assert any("inferred" in n for n in e.notes)
    assert tg.expression(text, shapes).unicode() == shown


def e_inputs(e: tg.matrices.expressions.Matrix) -> list:  # type: ignore[name-defined,type-arg]
    from tangently.expr import inputs_of

    return inputs_of([e.expr])


def _pattern(shapes: dict[str, tuple[object, ...]]) -> dict[str, tuple[int, ...]]:
    """Shapes up to the names of sizes."""
    numbers: dict[str, int] = {}
    return {k: tuple(numbers.setdefault(str(s), len(numbers)) for s in shapes[k]) for k in sorted(shapes)}


def test_the_value_of_a_text() -> None:
    rng = np.random.default_rng(0)
    X, w, y = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)
    e = tg.expression("sum(log(1 + exp(-y .* (X w))))")
    assert e(X=X, w=w, y=y) == pytest.approx(np.log1p(np.exp(-y * (X @ w))).sum())
    g = tg.grad(e, wrt="w")(X=X, w=w, y=y)
    np.testing.assert_allclose(g, -X.T @ (y / (1 + np.exp(y * (X @ w)))))


def test_properties_in_a_shape() -> None:
    e = tg.expression("x' S x", S="n n symmetric", x="n")
    assert tg.grad(e, wrt="x").unicode() == "2 Sx"
    e = tg.expression("log det P", P="n n positive definite")
    assert tg.grad(e, wrt="P").unicode() == "P⁻¹"
    A = tg.matrix("A", "n n")
    assert tg.expression("x' A x", A=A).unicode() == "xᵀAx"


WRONG: list[tuple[str, dict[str, str], type[Exception], str]] = [
    ("A * B", {}, InputError, "two readings"),
    ("A * B", {"A": "n n", "B": "n n"}, InputError, "two readings"),
    ("x' A x", {"A": "m n", "x": "m"}, ShapeError, "xᵀA (1×n) @ x (m)"),
    ("x' A x", {"B": "m n"}, InputError, "B was given a shape"),
    ("x' A x", {"A": "m n k"}, InputError, "m n"),
    ("A x + B", {"A": "m n", "x": "n", "B": "m k"}, ShapeError, "entry by entry"),
    ("A^-1", {"A": "m n"}, ShapeError, "inverse"),
    ("tr(x)", {"x": "n"}, ShapeError, "square"),
    ("x' A", {"A": "m n", "x": ""}, TangentlyError, ""),
    ("x' A +", {}, ParseError, "^"),
]


@pytest.mark.parametrize(("text", "shapes", "kind", "word"), WRONG)
def test_wrong(text: str, shapes: dict[str, str], kind: type[Exception], word: str) -> None:
    if kind is TangentlyError:
        assert tg.expression(text, shapes).unicode() == "xA"
        return
    with pytest.raises(kind) as caught:
        tg.expression(text, shapes)
    assert word in str(caught.value)


def test_stars_in_a_text() -> None:
    """A star is entry by entry where only that conforms, the product where only that does, or where .* is beside it."""
    assert tg.expression("X * Y", X="m n", Y="m n").unicode() == "X ⊙ Y"
    assert tg.expression("X * W", X="m n", W="n k").unicode() == "XW"
    assert tg.expression("A * B .* C", A="n n", B="n n", C="n n").unicode() == "AB ⊙ C"


# ---------------------------------------------------------------- the command


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["matrix", *args])


COMMANDS: list[tuple[list[str], str]] = [
    (["x' A x", "--wrt", "x"], "(A + Aᵀ)x"),
    (["x' S x", "--wrt", "x", "--shape", "S: n n symmetric"], "2 Sx"),
    (["A x", "--wrt", "x"], "Aᵀ"),
    (["A x", "--wrt", "x", "--layout", "numerator"], "numerator layout"),
    (["x' A x", "--wrt", "x", "--hessian"], "A + Aᵀ"),
    (["norm2(X w - y)^2", "--wrt", "w", "--steps"], "collect like terms"),
    (["norm2(X w - y)^2", "--wrt", "w", "--latex"], "X^{\\top}"),
    (["norm2(X w - y)^2", "--wrt", "w", "--source", "numpy"], "X.T @"),
    (["norm2(X w - y)^2", "--wrt", "w,y"], "‖"),
    (["tr(A B)"], "tr(AB)"),
]


@pytest.mark.parametrize(("args", "wanted"), COMMANDS, ids=[" ".join(a) for a, _ in COMMANDS])
def test_command(args: list[str], wanted: str) -> None:
    result = run(*args)
    assert result.exit_code == 0, result.output
    assert wanted.replace("\\\\", "\\") in result.stdout or (wanted == "‖" and "y − Xw" in result.stdout)


def test_command_as_json() -> None:
    (found,) = json.loads(run("x' A x", "--wrt", "x", "--json").stdout)
    assert found["formula"] == "(A + Aᵀ)x"
    assert found["shape"] == ["n"]
    assert found["steps"][0]["name"] == "product rule"


REFUSED = [
    (["x' A x", "--steps"], 2, "--wrt"),
    (["x' A x", "--wrt", "q"], 2, "q"),
    (["x' A x", "--wrt", "x", "--shape", "A n n"], 2, "A: n n"),
    (["x' A x", "--wrt", "x", "--shape", "A: m n", "--shape", "x: m"], 1, "xᵀA (1×n) @ x (m)"),
    (["x' A +", "--wrt", "x"], 2, "^"),
]


@pytest.mark.parametrize(("args", "code", "word"), REFUSED)
def test_command_refuses(args: list[str], code: int, word: str) -> None:
    result = run(*args)
    assert result.exit_code == code
    assert word in result.stderr
