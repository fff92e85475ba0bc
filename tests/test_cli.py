"""The command line: answers on standard output, one clear error for bad input with its exit code, whole files only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tangently.cli import main

PENGUINS = Path(__import__("tangently").__file__).parent / "examples" / "penguins.py"


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


ANSWERS = [
    (["diff", "2x^2 + 3x + 1", "--at", "1"], "4x + 3\n7\n"),
    (["diff", "2x^2 + 3x + 1", "--order", "2", "--at", "1"], "4\n4\n"),
    (["diff", "x^3 sin x", "--order", "3"], "6 sin x + 18x cos x − 9x² sin x − x³ cos x\n"),
    (["grad", "x^2 y + x y^2 + 2", "--at", "1,2"], "8\n5\n"),
    (["grad", "x^2 y + x y^2 + 2", "--at", "y=2,x=1", "--wrt", "y"], "5\n"),
    (["hessian", "(x^2 + 2y^2 + x y)/2", "--at", "0,0"], "[[1.  0.5]\n [0.5 2. ]]\n"),
    (["diff", "sin x", "--at", "pi/2", "--order", "2"], "−sin x\n-1\n"),
]


@pytest.mark.parametrize(("args", "wanted"), ANSWERS, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_answers(args: list[str], wanted: str) -> None:
    result = run(*args)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(wanted)


WRONG = [
    (["diff", "x^2 +"], 2, "^"),
    (["diff", "sine(x)"], 2, "sin"),
    (["diff", ""], 2, "formula"),
    (["diff", "x" * 30000], 2, "20,000"),
    (["diff", "1/x", "--at", "0"], 1, "denominator"),
    (["diff", "log x", "--at", "-1"], 1, "positive"),
    (["diff", "x^2", "--at", "q"], 2, "name"),
    (["diff", "x^2", "--at", "1,2"], 2, "too many"),
    (["diff", "x^2", "--at", "x=1,2"], 2, "by name"),
    (["diff", "x^2", "--wrt", "z", "--at", "1"], 2, "z"),
    (["diff", "x^2", "--order", "0"], 2, "order"),
    (["grad", "[x, 2x]", "--at", "1"], 1, "one number"),
    (["grad", "X @ W", "--at", "X=[1,2],W=[1,2,3]"], 1, "do not conform"),
    (["diff", "nothing.py:f"], 2, "not there"),
    (["study", f"{PENGUINS}:logistics"], 2, "Did you mean"),
    (["study", str(PENGUINS)], 2, ":NAME"),
    (["study", "x^2", "--at", "1", "-o", "x.docx"], 2, ".html"),
    (["study", "x^2", "--at", "1", "-o", "/nowhere/at/all.html"], 2, "can't be written"),
    (["nonsense"], 2, "nonsense"),
]


@pytest.mark.parametrize(
    ("args", "code", "words"), WRONG, ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else ""
)
def test_bad_input_is_one_clear_error(args: list[str], code: int, words: str) -> None:
    result = run(*args)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_errors_of_the_users_own_code_name_the_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def f(x):\n    y = x + undefined\n    return y\n")
    result = run("diff", f"{file}:f", "--at", "1")
    assert result.exit_code == 1
    assert "undefined" in result.stderr
    assert "line 2 of f" in result.stderr


def test_endless_loop_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def f(x):\n    while x > 0:\n        x = x + 1\n    return x\n")
    result = run("diff", f"{file}:f", "--at", "1")
    assert result.exit_code == 1
    assert "never to end" in result.stderr


LIMITS = [
    (["limit", "sin(x)/x", "--to", "0"], ["✓ The limit is 1", "implies |f(x) − 1| < ε"]),
    (["limit", "(1 + 1/n)^n", "--to", "inf"], ["2.71828182846", "n > N"]),
    (["limit", "arctan x", "--to", "-inf"], ["−π/2"]),
    (["limit", "tan x", "--to", "pi/2", "--from", "left"], ["The limit is ∞", "x → π/2⁻"]),
    (["limit", "abs(x)/x", "--to", "x=0"], ["does not exist", "from the right   1"]),
    (["continuity", "1/x", "--on", "-2", "2"], ["f is not continuous on [−2, 2]", "infinite", "there is no other"]),
    (["continuity", "sin(x)/x", "--at", "0"], ["✗ f(0) is defined", "✓ the limit exists"]),
    (["continuity", "abs(x)", "--at", "0"], ["f is continuous at 0"]),
    (["differentiability", "abs(x)", "--at", "0"], ["kink", "slope from the left        −1"]),
    (["differentiability", "max(x, y)", "--at", "1,1"], ["(0.5, 0.5)"]),
    (["differentiability", "x abs(x)", "--at", "0", "--order", "2"], ["−2 | 2"]),
]


@pytest.mark.parametrize(("args", "words"), LIMITS, ids=lambda v: " ".join(v)[:50])
def test_limits_continuity_differentiability(args: list[str], words: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == 0, result.output
    for text in words:
        assert text in result.stdout
    assert run(*args, "--json").exit_code == 0
    assert json.loads(run(*args, "--json").stdout)["how"] in ("exact", "certified")


def test_a_limit_of_a_function_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import math\n\ndef f(x):\n    return (1 - math.cos(x)) / x**2\n")
    result = run("limit", f"{file}:f", "--to", "0")
    assert result.exit_code == 0, result.output
    assert "The limit is ½" in result.stdout


@pytest.mark.parametrize("suffix", [".html", ".json", ".tex", ".txt", ".md", ".svg", ".png", ".pdf"])
@pytest.mark.parametrize("args", [["limit", "sin(x)/x", "--to", "0"], ["continuity", "1/x", "--on", "-2", "2"]])
def test_limits_write_by_suffix(tmp_path: Path, suffix: str, args: list[str]) -> None:
    target = tmp_path / f"out{suffix}"
    assert run(*args, "-o", str(target)).exit_code == 0
    assert target.stat().st_size > 0
    assert os.listdir(tmp_path) == [target.name]


WRONG_LIMITS = [
    (["limit", "x"], 2, "--to"),
    (["limit", "x", "--to", "q"], 2, "not a number"),
    (["limit", "x", "--to", "0", "--from", "above"], 2, "--from"),
    (["limit", "x + y", "--to", "x=0,1"], 2, "by name"),
    (["limit", "x^", "--to", "0"], 2, "^"),
    (["limit", "x", "--to", "0", "-o", "x.docx"], 2, ".html"),
    (["continuity", "x"], 2, "--at POINT or --on LOW HIGH"),
    (["continuity", "x", "--at", "0", "--on", "0", "1"], 2, "--at POINT or --on LOW HIGH"),
    (["continuity", "x", "--on", "2", "1"], 2, "2"),
    (["differentiability", "x", "--at", "0", "--order", "3"], 2, "order"),
]


@pytest.mark.parametrize(("args", "code", "words"), WRONG_LIMITS, ids=lambda v: " ".join(v) if type(v) is list else "")
def test_wrong_limits_are_one_clear_error(args: list[str], code: int, words: str) -> None:
    result = run(*args)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_an_undecided_limit_fails_and_says_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    import tangently.limits as limits
    from test_limit_pictures import SCENES

    monkeypatch.setattr(limits, "limit", lambda *args, **options: SCENES["undecided"]())
    result = run("limit", "x floor(1/x)", "--to", "0")
    assert result.exit_code == 1
    assert "? The limit is undecided" in result.stdout
    assert "undecided" in result.stderr


def test_json_of_every_command() -> None:
    for verb in ("study", "diff", "grad", "hessian", "explain", "graph"):
        result = run(verb, "x^3", "--at", "2", "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)
    data = json.loads(run("study", "x^3", "--at", "2", "--json").stdout)
    assert (data["value"], data["gradient"], data["receipt"]["agree"]) == (8.0, {"x": 12.0}, True)


@pytest.mark.parametrize("suffix", [".html", ".json", ".tex", ".txt", ".svg", ".png", ".pdf"])
def test_study_writes_by_suffix(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out{suffix}"
    assert run("study", "x^2 + 1", "--at", "2", "-o", str(target)).exit_code == 0
    assert target.stat().st_size > 0
    assert os.listdir(tmp_path) == [target.name]
    if suffix == ".svg":
        ElementTree.fromstring(target.read_text())


@pytest.mark.parametrize("verb", ["explain", "graph"])
def test_others_write_pages(tmp_path: Path, verb: str) -> None:
    target = tmp_path / "out.html"
    assert run(verb, "x^2 sin x", "--at", "2", "-o", str(target)).exit_code == 0
    assert "</html>" in target.read_text()


def test_a_failing_study_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    assert run("study", "1/x", "--at", "0", "-o", str(target)).exit_code == 1
    assert not os.listdir(tmp_path)


def test_data_columns_become_arguments(tmp_path: Path) -> None:
    table = tmp_path / "points.csv"
    table.write_text("x,y,label\n0,1,a\n1,3,b\n2,5,c\n3,,d\n")
    result = run("grad", "mean((y - (a x + b))^2)", "--data", str(table), "--at", "a=2,b=0", "--json")
    assert json.loads(result.stdout)["value"] == [-2.0, -2.0]
    assert "1 of 4 rows" in result.stderr


def test_study_of_the_shipped_example() -> None:
    result = run("study", f"{PENGUINS}:logistic")
    assert result.exit_code == 0, result.output
    for words in ("0.6931471806", "bowl", "routes agree", "∂loss/∂w = Xᵀ"):
        assert words in result.stdout


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tangently", "diff", "x^2"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2x\n"


def test_help_starts_with_examples() -> None:
    text = run("--help").stdout
    assert text.index("Examples") < text.index("Options")


def test_a_list_where_an_array_was_meant() -> None:
    import tangently as tg

    with pytest.raises(tg.InputError, match=r"np\.array\(x\)"):
        tg.grad(lambda x: x**2)([1.0, 2.0])
    with pytest.raises(tg.InputError, match="got x = 'text'"):
        tg.grad(lambda x: x**2)("text")
