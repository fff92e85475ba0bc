"""Exact constants: π, Euler's γ, Catalan's G. Rows without operands, so that a formula can hold them as they are.

A float is a binary fraction: sin(3.141592653589793) is not 0. The row `pi` is the number itself. It evaluates to the
nearest float, its ball has as many digits as are asked for, its derivative is 0, and no arithmetic folds it away: 2·π
stays 2π. (e needs no row: it is `exp(1)`. The golden ratio is (1 + √5)/2.)

Other rows are told by their operands whether a node or a number is wanted; these have none. So the call `TABLE["pi"]()`
builds the node, and the call of an interpreter that walks a graph, which passes the node's params, gives the number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tangently.expr import TABLE, Expr, Primitive, raw


class Constant(Primitive):
    """A row without operands."""

    def __call__(self, *args: Any, params: tuple[Any, ...] | None = None) -> Any:
        if args:
            raise TypeError(f"{self.name} is a constant and takes no operands; it was given {len(args)}")
        return raw(self, ()) if params is None else self.evaluate(params)


def constant(name: str, value: float, ball: str, *, shown: Any, sympy: str, python: str = "", numpy: str = "",
    javascript: str = "") -> Primitive:  # fmt: skip
    """The row of a constant: its nearest float, the name that `flint.arb` has for it, its letter, and its sources."""
    text = repr(value)
    return TABLE.add(
        Constant(
            name=name,
            kind="elementwise",
            arity=0,
            evaluate=lambda p: value,
            infer=lambda p: ((), "w"),
            jvp=lambda p, y, xs, ts: None,
            vjp=lambda p, y, xs, g, i: None,
            python=_source(python or text),
            numpy=_source(numpy or python or text),
            javascript=_source(javascript or text),
            sympy=sympy,
            shown=shown,
            enclosure=lambda: _ball(ball),
        )
    )


def _source(text: str) -> Callable[..., str]:
    """The template of a word: as text it would be taken for an operator's, and put in parentheses."""
    return lambda p: text


def _ball(name: str) -> Any:
    from flint import arb

    return getattr(arb, name)()


pi = constant(
    "pi", math.pi, "pi", shown="π", sympy="pi", python="math.pi", numpy="np.pi", javascript="Math.PI"
)  # fmt: skip
euler_gamma = constant(
    "euler_gamma",
    float(np.euler_gamma),
    "const_euler",
    shown=("word", "γ", "euler_gamma"),
    sympy="EulerGamma",
    numpy="np.euler_gamma",
)
catalan = constant("catalan", 0.915965594177219, "const_catalan", shown=("word", "G", "catalan"), sympy="Catalan")

PI: Expr = pi()
EULER: Expr = euler_gamma()

__all__ = ["EULER", "PI", "Constant", "catalan", "constant", "euler_gamma", "pi"]
