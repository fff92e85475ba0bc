"""From a recorded function to a diagram: a forward value, a local derivative and an arriving gradient on every edge.

Values are those of the recording; gradients are those of the numeric reverse sweep; local derivatives are the rows' own
partials, written in the names of the operands and with the numbers put in. An exponent or a bound that is a number is
part of the label ((·)², max(·, 0)) instead of a vertex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tangently.differentiation import pull_number, sweep
from tangently.expr import CONST, INPUT, Data, Expr, depends, toposort
from tangently.pictures.model import Arc, Diagram, Vertex
from tangently.printing import to_text
from tangently.simplification import simplify
from tangently.tracing.recording import Recording

DETAILED = 600  # nodes; above it edges carry values and gradients, but no formula of the local derivative


def short(value: Any, digits: int = 4) -> str:
    """A number in four digits, a few entries, or a shape.

    >>> short(2.718281828), short(np.zeros((4, 3))), short(np.array([1.0, 2.5]))
    ('2.718', '(4, 3)', '[1, 2.5]')
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return _number(array.item(), digits)
    if array.ndim == 1 and array.size <= 4:
        return f"[{', '.join(_number(v, digits) for v in array.tolist())}]"
    return str(array.shape)


def _number(v: Any, digits: int) -> str:
    if isinstance(v, bool):
        return str(v)
    text = f"{v:.{digits}g}".replace("inf", "∞")
    return text.replace("-", "−", 1) if text.startswith("-") else text


def full(value: Any) -> str:
    """Every digit of a number; an array's entries where they are few, else its shape, norm and range."""
    array = np.asarray(value)
    if array.ndim == 0:
        return repr(array.item())
    if array.size <= 16:
        return np.array2string(array, precision=8, separator=", ")
    return f"shape {array.shape}, norm {np.linalg.norm(array):.6g}, from {array.min():.6g} to {array.max():.6g}"


def diagram_of(recording: Recording, wrt: Sequence[Expr], *, title: str = "") -> Diagram:
    """The diagram of a recording whose first output is one number (other outputs: values only, no gradients)."""
    foreign = recording.trace.foreign
    order = list(toposort(recording.outputs, stop=foreign.__contains__))
    gradients = _gradients(recording, order, wrt)
    hidden = _hidden(order)
    shown = [n for n in order if n not in hidden]
    ids = {n: f"n{k}" for k, n in enumerate(shown)}
    outputs = set(recording.outputs)
    vertices = [_vertex(n, ids[n], recording, gradients, n in outputs) for n in shown]
    arcs = [arc for n in shown for arc in _arcs(n, ids, recording, gradients, len(shown) <= DETAILED)]
    return Diagram(tuple(vertices), tuple(arcs), title, tuple(ids[y] for y in recording.outputs))


def _gradients(recording: Recording, order: Sequence[Expr], wrt: Sequence[Expr]) -> dict[Expr, Any]:
    y = recording.outputs[0]
    if y.shape != () or len(recording.outputs) != 1 or recording.trace.values.get(y) is None:
        return {}
    reached = depends(order, [x for x in wrt if x in set(order)])
    nodes = [n for n in order if n in reached]
    if y not in reached:
        return {}
    return dict(zip(nodes, sweep([y], [1.0], nodes, recording.trace.values)))


def _hidden(order: Sequence[Expr]) -> set[Expr]:
    """Plain numbers that a label already shows: they are used only as exponents and bounds."""
    users: dict[Expr, list[tuple[Expr, int]]] = {}
    for node in order:
        for i, arg in enumerate(node.args):
            users.setdefault(arg, []).append((node, i))
    return {
        n for n in order
        if n.op is CONST and n.params[0] is not Data and all(_in_label(user, i) for user, i in users.get(n, [(n, 0)]))
    }  # fmt: skip


def _in_label(user: Expr, i: int) -> bool:
    form = user.op.shown
    return isinstance(form, tuple) and form[0] in ("sup", "fn") and len(user.args) == 2 and i == 1


_SIGNS = {"product": "×", "frac": "÷", "hadamard": "⊙", "matmul": "@", "big": "Σ", "cases": "where", "transpose": "ᵀ"}


def label_of(node: Expr) -> str:
    """What an operation is called on its vertex: +, ×, x², sin, mean."""
    form = node.op.shown(node) if callable(node.op.shown) else node.op.shown
    if not isinstance(form, tuple):
        return node.op.name
    kind = form[0]
    if kind == "sum":
        return "+" if all(sign > 0 for _, sign in form[1:]) else "−"
    if kind == "sup":
        return _power_label(node, form)
    if kind in ("fn", "apply"):
        return _call_label(node, form[1] if isinstance(form[1], str) else node.op.name)
    if kind == "relation":
        return form[1]
    if kind == "index":
        return f"[{form[2]}]"
    if kind == "fence":
        return f"{form[1]}·{form[3]}" if isinstance(form[2], int) else node.op.name
    if kind == "sqrt":
        return "√"
    return _SIGNS.get(kind, node.op.name)


_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def _power_label(node: Expr, form: Any) -> str:
    if form[1] == "e":
        return "exp"
    if not isinstance(form[1], int):
        return node.op.name
    exponent = form[2] if isinstance(form[2], str) else (str(node.args[1].value) if node.args[1].op is CONST else "")
    return (
        "(·)" + exponent.translate(_RAISED)
        if exponent.lstrip("-").isdigit()
        else (f"(·)^{exponent}" if exponent else "xʸ")
    )


def _call_label(node: Expr, name: str) -> str:
    bound = (
        node.args[1]
        if len(node.args) == 2 and node.args[1].op is CONST and node.args[1].params[0] is not Data
        else None
    )
    return f"{name}(·, {bound.value:g})" if bound is not None and isinstance(node.op.shown, tuple) else name


def _vertex(node: Expr, key: str, recording: Recording, gradients: Mapping[Expr, Any], is_output: bool) -> Vertex:
    value = recording.trace.values.get(node, node.value if node.op is CONST else None)
    gradient = gradients.get(node) if node.op is not CONST else None
    role = "input" if node.op is INPUT else "constant" if node.op is CONST else "output" if is_output else "operation"
    scope = recording.trace.scopes.get(node)
    return Vertex(
        id=key,
        label=(node.name or "x") if node.op is INPUT else short(value) if node.op is CONST else label_of(node),
        role=role,
        name=None if node.op is INPUT else recording.names.get(node),
        value=None if value is None or node.op is CONST else short(value),
        full_value=None if value is None else full(value),
        shape=node.shape or None,
        gradient=None if gradient is None else short(gradient),
        full_gradient=None if gradient is None else full(gradient),
        detail=node.op.rules[0].name if node.op.rules else None,
        group=scope.co_qualname.replace("<locals>.", "") if scope is not None else None,
    )


def _arcs(
    node: Expr, ids: Mapping[Expr, str], recording: Recording, gradients: Mapping[Expr, Any], detailed: bool
) -> list[Arc]:
    values = recording.trace.values
    xs = [values.get(a, a.value if a.op is CONST else None) for a in node.args]
    found = []
    for i, arg in enumerate(node.args):
        if arg not in ids:
            continue
        back = None
        if node in gradients and arg in gradients and node.op.vjp is not None:
            back = pull_number(node.op, node.params, values[node], xs, gradients[node], i)
        local, full_local = (
            _local(node, i, values[node], xs, recording) if detailed and back is not None else (None, None)
        )
        found.append(
            Arc(
                ids[arg],
                ids[node],
                value=None if xs[i] is None else short(xs[i]),
                full_value=None if xs[i] is None else full(xs[i]),
                local=local,
                full_local=full_local,
                gradient=None if back is None else short(back),
                full_gradient=None if back is None else full(back),
                order=i,
            )
        )
    return found


def _local(node: Expr, i: int, y: Any, xs: Sequence[Any], recording: Recording) -> tuple[str | None, str | None]:
    """∂node/∂operand as a formula in the operands' names, and its value."""
    if not node.op.partials or node.shape or any(a.shape for a in node.args) or node.op.partials[i] is None:
        return None, None
    partial: Any = node.op.partials[i]
    number = pull_number(node.op, node.params, y, xs, 1.0, i)
    number = 0.0 if number is None else number
    formula = partial(node, *node.args)
    if not isinstance(formula, Expr) or formula.op is CONST:
        return short(number), full(number)
    text = to_text(
        simplify(formula, cancel=True),
        {**recording.names, node: recording.names.get(node, "y")} if _mentions(formula, node) else recording.names,
    )
    return (f"{text} = {short(number)}" if len(text) <= 24 else short(number)), f"{text} = {full(number)}"


def _mentions(formula: Expr, node: Expr) -> bool:
    return node in set(toposort([formula]))
