"""The command line: `tangently study|diff|grad|hessian|explain|graph|limit|continuity|differentiability FUNCTION`,
`tangently descend FUNCTION`, and `tangently matrix EXPRESSION`.

FUNCTION is a formula as text, or `path.py:name` for a Python function in a file. Data go to standard output, progress
and errors to standard error. Exit codes: 0 ok, 1 the mathematics or a check failed, 2 the call was not understood.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from tangently import __version__
from tangently.errors import BudgetError, InputError, ParseError, TangentlyError, TangentlyWarning

WRONG_CALL = (ParseError, InputError)


class Examples(click.Group):
    """A group whose help starts with examples."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            formatter.write_text("\b\n" + EXAMPLES)
        super().format_help_text(ctx, formatter)


EXAMPLES = """tangently study "2x^2 + 3x + 1" --at 1
tangently study "x² + 3y + e^{xy}" --at x=1,y=2 -o report.html
tangently study model.py:loss -o report.html
tangently study "mean((y - (a x + b))^2)" --data points.csv --at a=1,b=0
tangently diff "x^3 sin x" --order 3 --at pi/4
tangently explain "(x^2 + 1)^3" --at 2 --depth algebra
tangently graph "(x^2 + 1)^3" --at 2 -o graph.svg
tangently limit "sin(x)/x" --to 0
tangently limit "(1 + 1/n)^n" --to inf -o e.html
tangently continuity "1/x" --on -2 2
tangently differentiability "abs(x)" --at 0
tangently matrix "norm2(X w - y)^2" --wrt w --steps
tangently descend "x^2 + y^2 - 2x - 4y + 5" --start 0,0 --rate 0.1
tangently descend "100(y-x^2)^2 + (1-x)^2" --start x=-1.2,y=1 --method adam --method newton -o paths.svg"""


@click.group(cls=Examples, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tangently")
def main() -> None:
    """Calculus for deep learning that shows its work."""


SUFFIXES = "Write a file by its suffix (.html .svg .png .pdf .tex .json .txt)."


def arguments(f: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments that every command takes."""
    for decorate in reversed((
        click.argument("function"),
        click.option("--at", metavar="POINT", help="The point: 1  or  1,2  or  x=1,y=2  or  w=[0.5,1],b=pi/2."),
        click.option("--wrt", metavar="NAMES", help="With respect to which arguments (or named intermediate values)."),
        click.option("--data", type=click.Path(), metavar="CSV", help="A table: columns become arguments by name."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("-o", "--output", type=click.Path(), metavar="FILE", help=SUFFIXES),
    )):  # fmt: skip
        f = decorate(f)
    return f


def guarded(f: Callable[..., Any]) -> Callable[..., Any]:
    """One clear error instead of a traceback."""

    @functools.wraps(f)
    def run(*args: Any, **keywords: Any) -> None:
        try:
            with noted():
                f(*args, **keywords)
        except WRONG_CALL as error:
            _fail(error, 2)
        except TangentlyError as error:
            _fail(error, 1)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(130)
        except RecursionError:
            _fail(BudgetError("the function or formula is nested too deeply: a flatter one was wanted"), 1)
        except MemoryError:
            _fail(BudgetError("memory ran out: try a smaller input"), 1)
        except (click.ClickException, click.Abort, SystemExit):
            raise
        except Exception as error:
            _fail(TangentlyError(_of_the_user(error)), 1)

    return run


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Each warning of ours as one line; those of other people as Python shows them."""
    shown = warnings.showwarning

    def show(message: Any, category: Any, *place: Any, **more: Any) -> None:
        if category is TangentlyWarning:
            click.echo(click.style("note: ", fg="yellow", bold=True) + str(message), err=True)
        else:
            shown(message, category, *place, **more)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _fail(error: Exception, code: int) -> None:
    click.echo(click.style("error: ", fg="red", bold=True) + str(error), err=True)
    sys.exit(code)


def _of_the_user(error: Exception) -> str:
    """An error raised inside the user's function: its kind, its text, and the line in the user's file."""
    from tangently.tracing.names import is_ours

    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not is_ours(code) and "site-packages" not in code.co_filename and "lib/python" not in code.co_filename:
            place = f", in line {trace.tb_lineno} of {code.co_name} ({Path(code.co_filename).name})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"


# ---------------------------------------------------------------- reading the call


def load(text: str) -> Any:
    """A function from `path.py:name`, or a formula."""
    path, colon, name = text.rpartition(":")
    if colon and path.endswith(".py"):
        return load_file(Path(path), name)
    if text.endswith(".py") and Path(text).exists():
        raise InputError(f"{text} is a file: name the function in it, {text}:NAME")
    from tangently.parsing import parse

    return parse(text)


def load_file(path: Path, name: str) -> Any:
    """The function of that name in a Python file."""
    import difflib
    import importlib.util

    if not path.is_file():
        raise InputError(f"{path} is not there: the path of a Python file was wanted")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} can't be read as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not callable(found):
        names = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", None) == path.stem]
        near = difflib.get_close_matches(name, names, 1)
        hint = f" Did you mean {path}:{near[0]}?" if near else ""
        raise InputError(f"{path} has no function {name!r}; it has {', '.join(sorted(names)) or 'none'}.{hint}")
    return found


def split(text: str) -> list[str]:
    """Split at commas that are not inside brackets.

    >>> split("w=[1, 2], b=3")
    ['w=[1, 2]', 'b=3']
    """
    parts, depth = [""], 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [p.strip() for p in parts]


def number(text: str, option: str = "--at") -> Any:
    """A number, or an array in brackets, from text: parsed by the grammar of formulas.

    >>> number("pi/2"), number("[1, 2]").tolist()
    (1.5707963267948966, [1.0, 2.0])
    """
    import numpy as np

    from tangently.parsing import parse

    formula = parse(text)
    if formula.arguments:
        raise InputError(f"{option} {text}: {', '.join(formula.arguments)} is a name; a number or [a, b, …] was wanted")
    value = np.asarray(formula(), float)
    return float(value) if value.ndim == 0 else value


def point(text: str | None, option: str = "--at") -> Any:
    """The point of `--at` (or another option): positional (a tuple) or by name (a dict).

    >>> point("x=1,y=2"), point("1, 2"), point(None)
    ({'x': 1.0, 'y': 2.0}, (1.0, 2.0), None)
    """
    if text is None:
        return None
    parts = split(text)
    if all("=" in p for p in parts):
        return {_name(k): number(v, option) for k, v in (p.split("=", 1) for p in parts)}
    if any("=" in p for p in parts):
        raise InputError(f"{option} {text}: either all values by name (x=1,y=2) or all by position (1,2)")
    return tuple(number(p, option) for p in parts)


def _name(text: str) -> str:
    from tangently.parsing import parse

    arguments = parse(text.strip()).arguments
    return arguments[0] if len(arguments) == 1 else text.strip()


def with_data(function: Any, path: str | None, at: Any) -> tuple[Any, Any]:
    """Columns of a table as the arguments of their names; they are data, not differentiated."""
    if path is None:
        return function, at
    import inspect

    columns = read_table(Path(path))
    names = list(inspect.signature(function).parameters)
    used = {n: columns[n] for n in names if n in columns}
    if not used:
        raise InputError(
            f"{path} has columns {', '.join(columns)}; the function's arguments are {', '.join(names)}: none in common"
        )
    rest = [p for p in inspect.signature(function).parameters.values() if p.name not in used]

    def loss(*args: Any) -> Any:
        return function(**{**dict(zip([p.name for p in rest], args)), **used})

    loss.__name__ = getattr(function, "name", None) or getattr(function, "__name__", "loss")
    loss.__signature__ = inspect.Signature(rest)  # type: ignore[attr-defined]
    return loss, at


def read_table(path: Path) -> dict[str, Any]:
    """Numeric columns of a CSV file with a header; rows with gaps are left out."""
    import csv

    import numpy as np

    if not path.is_file():
        raise InputError(f"{path} is not there: a CSV file with a header was wanted")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise InputError(f"{path} has no rows: a header and rows of numbers were wanted")
    numeric = {k: [_float(r[k]) for r in rows] for k in rows[0] if k}
    columns = {k: np.array(v) for k, v in numeric.items() if any(x == x for x in v)}
    if not columns:
        raise InputError(f"{path} has no column of numbers; it has {', '.join(map(str, rows[0]))}")
    complete = np.all([np.isfinite(v) for v in columns.values()], axis=0)
    if not complete.all():
        click.echo(f"{int((~complete).sum())} of {len(rows)} rows have gaps and are left out", err=True)
    return {k: v[complete] for k, v in columns.items()}


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def names_of(wrt: str | None) -> Any:
    if wrt is None:
        return None
    parts = tuple(int(p) if p.lstrip("-").isdigit() else p for p in split(wrt))
    return parts[0] if len(parts) == 1 else parts


# ---------------------------------------------------------------- answering


def progress(words: str) -> None:
    """One line on standard error, where a person is watching."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[2K… {words}", nl=False, err=True)


def done() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[2K", nl=False, err=True)


def emit(result: Any, text: Callable[[], str], data: Callable[[], Any], as_json: bool, output: str | None) -> None:
    """To a file by its suffix, as JSON, or as text."""
    from tangently.reports.saving import to_json

    if output is not None:
        result.save(output)
        click.echo(f"wrote {output}", err=True)
    elif as_json:
        click.echo(to_json(data()), nl=False)
    else:
        click.echo(text())


@main.command()
@arguments
@click.option(
    "--depth", type=click.Choice(["summary", "rules", "algebra"]), default="rules", help="How much of the derivation."
)
@click.option("--notation", type=click.Choice(["leibniz", "lagrange", "newton", "euler"]), default="leibniz")
@guarded
def study(
    function: str,
    at: str | None,
    wrt: str | None,
    data: str | None,
    as_json: bool,
    output: str | None,
    depth: str,
    notation: str,
) -> None:
    """Everything about FUNCTION at a point: value, derivatives, Hessian, steps, graph, receipt."""
    from tangently import studies
    from tangently.reports.saving import study_data, to_json

    f, where = with_data(load(function), data, point(at))
    try:
        found = studies.study(f, at=where, wrt=names_of(wrt), depth=depth, notation=notation, progress=progress)
    finally:
        done()
    if output is not None:
        found.save(output)
        click.echo(f"wrote {output}", err=True)
    if as_json:
        click.echo(to_json(study_data(found)), nl=False)
    else:
        _print_rich(found)
    if (found.receipt is not None and found.receipt.agree is False) or not found.explanation.agrees:
        raise TangentlyError("independent routes disagree: see the receipt")


def _print_rich(found: Any) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=110)
    console.print(found)


class Answer:
    """A number, array or nest from a one-line command."""

    def __init__(self, function: str, verb: str, formula: Any, value: Any, derived: Any) -> None:
        self.function, self.verb, self.formula, self.value, self.derived = function, verb, formula, value, derived

    def text(self) -> str:
        if self.value is None:
            return "\n".join(self._formulas())
        from tangently.reports.terminal import digits

        lines = self._formulas()
        return "\n".join([*lines, *_value_lines(self.value, digits)])

    def _formulas(self) -> list[str]:
        """One line a formula; several are told apart by what they are with respect to."""
        found = self.formula if isinstance(self.formula, tuple) else () if self.formula is None else (self.formula,)
        texts = [str(f) for f in found if len(str(f)) < 400]
        labels = self.labels if len(texts) == len(self.labels) > 1 else []
        return [f"∂f/∂{label} = {text}" for label, text in zip(labels, texts)] or texts

    @property
    def labels(self) -> list[str]:
        engine = self.derived._engine
        names = list(engine.signature.parameters)
        return names if engine.wrt is None else [str(w) for w in _several(engine.wrt)]

    def data(self) -> dict[str, Any]:
        return {"function": self.function, "verb": self.verb, "formula": self._formulas() or None, "value": self.value}

    def save(self, path: str) -> None:
        from tangently.reports.saving import save, to_json

        writers: dict[str, Any] = {".json": lambda: to_json(self.data()), ".txt": lambda: self.text() + "\n"}
        if self.formula is not None:
            writers[".tex"] = lambda: self.derived.latex() + "\n"
        if Path(path).suffix.lower() in (".svg", ".png", ".pdf", ".html"):
            self.derived.save(path)
        else:
            save(path, writers)


def _several(wrt: Any) -> list[Any]:
    return list(wrt) if isinstance(wrt, tuple) else [wrt]


def _value_lines(value: Any, digits: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{k}: {digits(v)}" for k, v in value.items()]
    if isinstance(value, tuple):
        return [digits(v) for v in value]
    return [digits(value)]


def answer(verb: str, function: str, derived: Any, at: Any) -> Answer:
    """The formula where there is one, and the value where a point is given (or the defaults are one)."""
    from tangently.studies import _arguments

    value = None
    missing = [p.name for p in derived._engine.signature.parameters.values() if p.default is p.empty]
    if at is not None or not missing:
        args, keywords = _arguments(derived._engine.signature, at)
        value = derived(*args, **keywords)
    try:
        formula = derived.formula
    except TangentlyError as error:
        if value is None:
            raise InputError(f"{error}. Give --at") from None
        formula = None
    return Answer(function, verb, formula, value, derived)


def one_line(
    verb: str, make: Callable[..., Any], function: str, at: Any, wrt: Any, data: Any, as_json: bool, output: Any
) -> None:
    f, where = with_data(load(function), data, point(at))
    for note in getattr(f, "notes", ()):
        click.echo(f"note: {note}", err=True)
    found = answer(verb, function, make(f, wrt=names_of(wrt)), where)
    emit(found, found.text, found.data, as_json, output)


@main.command()
@arguments
@click.option("--order", type=click.IntRange(1, 50), default=1, help="The order of the derivative.")
@guarded
def diff(
    function: str, at: str | None, wrt: str | None, data: str | None, as_json: bool, output: str | None, order: int
) -> None:
    """The derivative of FUNCTION (of any order), as a formula and at a point."""
    from tangently.function import derivative

    one_line("derivative", functools.partial(derivative, order=order), function, at, wrt, data, as_json, output)


@main.command()
@arguments
@guarded
def grad(function: str, at: str | None, wrt: str | None, data: str | None, as_json: bool, output: str | None) -> None:
    """The gradient of FUNCTION."""
    from tangently.function import grad as gradient

    one_line("gradient", gradient, function, at, wrt, data, as_json, output)


@main.command()
@arguments
@guarded
def hessian(
    function: str, at: str | None, wrt: str | None, data: str | None, as_json: bool, output: str | None
) -> None:
    """The Hessian of FUNCTION."""
    from tangently.function import hessian as second

    one_line("hessian", second, function, at, wrt, data, as_json, output)


@main.command()
@arguments
@click.option("--order", type=click.IntRange(1, 10), default=1, help="The order of the derivative.")
@click.option("--depth", type=click.Choice(["summary", "rules", "algebra"]), default="rules", help="How much to show.")
@click.option("--notation", type=click.Choice(["leibniz", "lagrange", "newton", "euler"]), default="leibniz")
@guarded
def explain(
    function: str,
    at: str | None,
    wrt: str | None,
    data: str | None,
    as_json: bool,
    output: str | None,
    order: int,
    depth: str,
    notation: str,
) -> None:
    """The derivation, step by step."""
    from tangently import studies
    from tangently.reports.saving import explanation_data

    f, where = with_data(load(function), data, point(at))
    found = studies.explain(f, at=where, wrt=names_of(wrt), order=order, depth=depth, notation=notation)
    emit(found, lambda: str(found), lambda: explanation_data(found), as_json, output)
    if not found.agrees:
        raise TangentlyError("the derivation and the reverse sweep disagree")


@main.command()
@arguments
@click.option(
    "--limit", type=click.IntRange(9, 2000), default=60, help="Vertices to show; larger graphs are collapsed."
)
@guarded
def graph(
    function: str, at: str | None, wrt: str | None, data: str | None, as_json: bool, output: str | None, limit: int
) -> None:
    """The computational graph: a value forward and a gradient backward on every edge."""
    import shutil

    from tangently import studies
    from tangently.reports.saving import graph_data

    f, where = with_data(load(function), data, point(at))
    if where is None:
        where_point, _ = studies._somewhere(f, None, names_of(wrt))
        where = where_point.args
    found = studies.graph(f, at=where, wrt=names_of(wrt), limit=limit)
    width = shutil.get_terminal_size((100, 24)).columns
    emit(found, lambda: found.text(width), lambda: graph_data(found), as_json, output)


# ---------------------------------------------------------------- limits


def shown_by_suffix(f: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command about limits."""
    for decorate in reversed((
        click.argument("function"),
        click.option("--wrt", metavar="NAME", help="Which variable moves, where there are several."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("-o", "--output", type=click.Path(), metavar="FILE", help=SUFFIXES.replace(")", " .md)")),
    )):  # fmt: skip
        f = decorate(f)
    return f


def target(texts: tuple[str, ...], wrt: Any) -> tuple[Any, Any]:
    """The point of `--to`, as text that is read exactly later, and the variables that move.

    >>> target(("pi/2",), None), target(("x=0, y=1",), None), target(("0", "1"), None)
    (('pi/2', None), (('0', '1'), ('x', 'y')), (('0', '1'), None))
    """
    parts = [p for text in texts for p in split(text)]
    if any("=" in p for p in parts):
        if not all("=" in p for p in parts):
            raise InputError(f"--to {', '.join(texts)}: either all values by name (x=0, y=0) or none")
        pairs = [p.split("=", 1) for p in parts]
        parts, wrt = [v.strip() for _, v in pairs], tuple(_name(k) for k, _ in pairs)
        wrt = wrt[0] if len(wrt) == 1 else wrt
    return (parts[0] if len(parts) == 1 else tuple(parts)), wrt


def answered(found: Any, as_json: bool, output: str | None) -> None:
    """To a file, as JSON, or to the terminal; an answer that is not known is a failure that says what is."""
    import shutil

    from tangently.reports.limits import report_of, save_result, to_terminal
    from tangently.reports.saving import to_json

    if output is not None:
        save_result(found, output)
        click.echo(f"wrote {output}", err=True)
    elif as_json:
        click.echo(to_json(report_of(found).data()), nl=False)
    else:
        _print_rich(to_terminal(found, min(shutil.get_terminal_size((100, 24)).columns, 100)))
    if found.how == "undecided":
        raise TangentlyError("undecided: what is known stands in the report")


SIDES = {"both": "both", "right": "+", "left": "-"}


@main.command(epilog="A point is 0, 1/2, pi/2, sqrt(2), inf or -inf, read exactly.")
@shown_by_suffix
@click.option("--to", "to", multiple=True, required=True, metavar="POINT", help="0, pi/2, inf, or x=0,y=0 for two.")
@click.option("--from", "side", type=click.Choice(list(SIDES)), default="both", help="From which side.")
@click.option("--integers", is_flag=True, help="The variable runs over the whole numbers: a sequence.")
@click.option("--seconds", type=click.FloatRange(0.01, 600), default=5.0, help="The budget of time.")
@guarded
def limit(
    function: str, wrt: str | None, as_json: bool, output: str | None, to: tuple[str, ...], side: str, integers: bool,
    seconds: float,
) -> None:  # fmt: skip
    """The limit of FUNCTION as a variable goes to a point, how it is known, and why."""
    from tangently.limits import limit as limit_of

    point, moving = target(to, names_of(wrt))
    progress("taking the limit")
    try:
        found = limit_of(load(function), point, SIDES[side], wrt=moving, integers=integers, seconds=seconds)
    finally:
        done()
    answered(found, as_json, output)


def somewhere(f: Callable[..., Any]) -> Callable[..., Any]:
    """A point, or an interval."""
    for decorate in reversed((
        click.option("--at", metavar="POINT", help="At a point: 0, pi/2, sqrt(2)."),
        click.option("--on", nargs=2, metavar="LOW HIGH", help="On an interval, ends included: --on -2 2."),
    )):  # fmt: skip
        f = decorate(f)
    return f


def only_one(at: str | None, on: tuple[str, str] | None) -> None:
    if (at is None) == (on is None):
        raise InputError("give either --at POINT or --on LOW HIGH")


@main.command()
@shown_by_suffix
@somewhere
@guarded
def continuity(
    function: str, wrt: str | None, as_json: bool, output: str | None, at: str | None, on: tuple[str, str] | None
) -> None:
    """Is FUNCTION continuous? At a point by the definition; on an interval with every discontinuity."""
    from tangently.smoothness.continuing import continuity as continuity_of

    only_one(at, on)
    answered(continuity_of(load(function), at=at, on=on, wrt=names_of(wrt)), as_json, output)


@main.command()
@shown_by_suffix
@somewhere
@click.option("--order", type=click.IntRange(1, 2), default=1, help="2: second derivatives from both sides too.")
@guarded
def differentiability(
    function: str,
    wrt: str | None,
    as_json: bool,
    output: str | None,
    at: str | None,
    on: tuple[str, str] | None,
    order: int,
) -> None:
    """Is FUNCTION differentiable, and how? Slopes from both sides, subgradients, corners on an interval."""
    from tangently.smoothness.differing import differentiability as differentiability_of

    only_one(at, on)
    where = point(at) if at is not None and any(c in at for c in ",=[") else at  # exact where it is one number
    found = differentiability_of(load(function), at=where, on=on, wrt=names_of(wrt), order=order)
    answered(found, as_json, output)


# ---------------------------------------------------------------- descent


def settings_of(texts: tuple[str, ...]) -> dict[str, Any]:
    """The options of `--set`: numbers where they are numbers, else text.

    >>> settings_of(("momentum=0.8", "search=strong Wolfe"))
    {'momentum': 0.8, 'search': 'strong Wolfe'}
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equal, value = (part.strip() for part in text.partition("="))
        if not equal or not key or not value:
            raise InputError(f"--set {text}: a name and its value were wanted, such as momentum=0.8")
        try:
            found[key] = float(value)
        except ValueError:
            found[key] = value
    return found


@main.command(epilog="Several --method draw several paths. --set takes an option of the method: --set momentum=0.8.")
@click.argument("function")
@click.option("--start", metavar="POINT", help="Where to begin: 0  or  0,0  or  x=0,y=0  or  w=[0,1],b=0.")
@click.option("--rate", type=float, metavar="NUMBER", help="The learning rate (step size).")
@click.option("--method", "methods", multiple=True, metavar="NAME", help="gradient descent, momentum, adam, newton, …")
@click.option("--steps", type=click.IntRange(0), metavar="N", help="At most so many steps.")
@click.option("--tolerance", type=float, default=1e-6, metavar="NUMBER", help="Stop where ‖∇f‖ is at most this.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="An option of the method.")
@click.option("--data", type=click.Path(), metavar="CSV", help="A table: columns become arguments by name.")
@click.option("--seed", type=int, default=0, help="The seed of what is random.")
@click.option("--rows", type=click.IntRange(2), metavar="N", help="Rows of the table that are printed.")
@click.option("--theory", is_flag=True, help="Bounds and predicted factors beside what the steps did.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help=SUFFIXES.replace(".tex", ".gif .mp4"))
@guarded
def descend(
    function: str, start: str | None, rate: float | None, methods: tuple[str, ...], steps: int | None, tolerance: float,
    settings: tuple[str, ...], data: str | None, seed: int, rows: int | None, theory: bool, as_json: bool,
    output: str | None,
) -> None:  # fmt: skip
    """Minimize FUNCTION step by step: the table, why it stopped, and what that means."""
    from tangently.descent.minimizing import minimize
    from tangently.reports import descent
    from tangently.reports.saving import to_json

    f, at = with_data(load(function), data, point(start, "--start"))
    at = at[0] if isinstance(at, tuple) and len(at) == 1 else at
    named: dict[str, Any] = {
        "rate": rate,
        "steps": steps,
        "tolerance": tolerance,
        "seed": seed,
        **settings_of(settings),
    }
    runs = []
    try:
        for method in methods or (None,):
            progress(f"descending{f' by {method}' if method else ''}")
            runs.append(minimize(f, at, method, **named))
        progress("diagnosing")
        diagnoses = [descent.diagnosis_of(t) for t in runs]
        if output is not None:
            descent.save_descent(runs, output, diagnoses, progress)
    finally:
        done()
    if as_json:
        click.echo(to_json(descent._all_data(runs, diagnoses)), nl=False)
    else:
        click.echo(descent.to_text_report(runs, diagnoses, rows, theory))
    if output is not None:
        click.echo(f"wrote {output}", err=True)


# ---------------------------------------------------------------- matrices


def shapes_of(texts: tuple[str, ...]) -> dict[str, str]:
    """The shapes of `--shape`.

    >>> shapes_of(("A: n n symmetric", "x: n"))
    {'A': 'n n symmetric', 'x': 'n'}
    """
    found: dict[str, str] = {}
    for text in texts:
        name, colon, shape = text.partition(":")
        if not colon or not name.strip():
            raise InputError(f"--shape {text}: a name and its sizes were wanted, such as 'A: n n' or 'x: n'")
        found[name.strip()] = shape.strip()
    return found


@main.command()
@click.argument("expression")
@click.option("--wrt", metavar="NAMES", help="With respect to which names; left out, the expression itself is shown.")
@click.option("--shape", "shapes", multiple=True, metavar="SHAPE", help="'A: n n', 'x: n', 'c:', 'S: n n symmetric'.")
@click.option("--layout", type=click.Choice(["numerator", "denominator"]), help="Whose entries are the rows.")
@click.option("--hessian", is_flag=True, help="The second derivative.")
@click.option("--steps", is_flag=True, help="The derivation too.")
@click.option("--latex", is_flag=True, help="LaTeX.")
@click.option("--source", type=click.Choice(["numpy", "torch", "jax", "julia", "matlab"]), help="A function in code.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@guarded
def matrix(
    expression: str, wrt: str | None, shapes: tuple[str, ...], layout: str | None, hessian: bool, steps: bool,
    latex: bool, source: str | None, as_json: bool,
) -> None:  # fmt: skip
    """The derivative of a matrix EXPRESSION as a matrix expression, such as x' A x or norm2(X w - y)^2."""
    from tangently.matrices import expressions
    from tangently.matrices.text import expression as read
    from tangently.reports.saving import to_json

    e = read(expression, shapes_of(shapes))
    if wrt is None and (hessian or steps or layout):
        raise InputError(f"with respect to what? --wrt NAME; the names are {', '.join(expressions.names_of(e))}")
    names = split(wrt) if wrt is not None else []
    by = names[0] if len(names) == 1 else tuple(names)
    verb: Any = expressions.hessian if hessian else expressions.grad
    named: Any = {} if hessian else {"layout": layout}
    found = e if wrt is None else verb(e, by, **named)
    rows = found if type(found) is tuple else (found,)
    results = [m for row in rows for m in (row if type(row) is tuple else (row,))]
    if as_json:
        click.echo(to_json([expressions.data_of(m) for m in results]), nl=False)
        return
    for m in results:
        click.echo(m.source(source) if source else m.latex() if latex else str(m))
        if steps:
            click.echo(f"\n{m.steps}")


__all__ = ["main"]
