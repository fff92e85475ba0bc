"""One self-contained HTML file from a sequence of blocks.

The page asks no one for anything and runs nothing but what it was made with:

1. every block is set as HTML (`markup`), live figures as an empty stage plus a record in a JSON block;
2. the compiled functions and the parts of the figure runtime that this page uses (`assets/`, plain ES modules,
   joined in order of dependence) become one inline script; a page without live figures has no script;
3. the style sheet, with a font of just the math characters that occur (`fonts`), becomes one inline style;
4. a content security policy allows that script and that style by their SHA-256, and nothing else: no network,
   no handlers in attributes, no style attributes, no evaluation of text.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape, unescape
from importlib.resources import files
from pathlib import Path

from tangently.errors import InputError
from tangently.files import write_whole
from tangently.reports.blocks import Block, Contour2D, GraphFigure, Heading, JsFunction, Plot1D
from tangently.reports.markup import figure_data, functions_of, set_block, tag

RUNTIME: dict[type, tuple[str, ...]] = {
    Plot1D: ("kit", "plot1d"),
    Contour2D: ("kit", "surface", "contour2d"),
    GraphFigure: ("kit", "graph"),
}
DECLARATION = r"^(?=(?:function|const|let) )"
IDENTIFIER = re.compile(r"(?:[^\W\d]|\$)[\w$]*")
CONTENTS_FROM = 5
START = """
for (const data of JSON.parse(document.getElementById("figures").textContent)) {
const figure = document.getElementById(data.id);
try { ({ %s })[data.kind](figure, data); }
catch (error) { console.error(error); figure.classList.add("broken"); }
}"""


def render_page(title: str, blocks: Sequence[Block], *, subtitle: str = "", generated: str = "") -> str:
    """The whole page as text.

    >>> page = render_page("A < B", [])
    >>> "<title>A &lt; B</title>" in page, "<script" in page
    (True, False)
    """
    named = [(block, f"b{i}") for i, block in enumerate(blocks, 1)]
    body = "".join(set_block(block, id_) + "\n" for block, id_ in named)
    head = tag("h1", escape(title)) + (tag("p", escape(subtitle), "subtitle") if subtitle else "")
    foot = tag("footer", escape(generated)) if generated else ""
    content = f"<header>{head}</header>\n{contents(named)}<main>\n{body}</main>\n{foot}"
    style, (data, script) = style_sheet(content), scripts(named)
    parts = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy(style, script)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(title)}</title>\n<style>{style}</style>",
    )
    ending = tag("script", data, type="application/json", id="figures") + f'\n<script type="module">{script}</script>\n'
    body = f"<body>\n{content}\n{ending if script else ''}</body>"
    return f'<!doctype html>\n<html lang="en"><head>{"".join(parts)}</head>\n{body}</html>\n'


def contents(named: Sequence[tuple[Block, str]]) -> str:
    """A table of contents, where the page is long enough to need one."""
    found = [(block, id_) for block, id_ in named if isinstance(block, Heading)]
    if len(found) < CONTENTS_FROM:
        return ""
    items = (tag("li", tag("a", escape(h.text), href=f"#{id_}"), f"l{min(max(h.level, 2), 4)}") for h, id_ in found)
    return tag("nav", tag("ol", "".join(items)), aria_label="contents") + "\n"


def policy(style: str, script: str) -> str:
    """The content security policy: this style, this script, fonts and images inside the page, nothing else."""
    allowed = f"script-src '{digest(script)}'" if script else "script-src 'none'"
    rest = "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; {allowed}; style-src '{digest(style)}'; {rest}"


def digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode("ascii")


def asset(name: str) -> str:
    return files("tangently.reports").joinpath("assets", name).read_text(encoding="utf-8")


def squeeze(source: str) -> str:
    """The source without lines that are only comment, and without indentation: assets hold no multi-line strings."""
    without = re.sub(r"^\s*/\*.*?\*/\n", "", source, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in without.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def style_sheet(content: str) -> str:
    from tangently.reports.fonts import FAMILY, math_font  # here, because fontTools is slow to import

    formulas = re.findall(r"<math.*?</math>", content, flags=re.DOTALL)
    face = ""
    if formulas:
        characters = set(unescape(re.sub(r"<[^>]*>", "", "".join(formulas))))
        url = f"data:font/woff;base64,{math_font(characters)}"
        face = f'@font-face{{font-family:"{FAMILY}";src:url({url}) format("woff")}}\n'
    return face + re.sub(r"\s*([{};])\s*", r"\1", squeeze(asset("page.css")))


def scripts(named: Sequence[tuple[Block, str]]) -> tuple[str, str]:
    """The data of the live figures and the script that runs them; both empty where there are none."""
    figures = [(block, id_) for block, id_ in named if type(block) in RUNTIME]
    if not figures:
        return "", ""
    functions = list(dict.fromkeys(f for block, _ in figures for f in functions_of(block)))
    data = [figure_data(block, id_, functions) for block, id_ in figures]
    kinds = sorted({record["kind"] for record in data})
    modules = dict.fromkeys(name for block, _ in figures for name in RUNTIME[type(block)])
    script = "\n".join([compiled(functions), *map(module, modules), START % ", ".join(kinds)])
    return embedded(data), script


def embedded(data: object) -> str:
    """JSON that can't end the element it stands in, nor open a comment there."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/").replace("<!", "<\\u0021")


def module(name: str) -> str:
    """One file of the runtime, made ready to be joined: all share one scope, so names are unique across them."""
    source = re.sub(r"^import .*?;\n", "", asset(f"{name}.js"), flags=re.DOTALL | re.MULTILINE)
    return squeeze(re.sub(r"^export ", "", source, flags=re.MULTILINE))


def compiled(functions: Sequence[JsFunction]) -> str:
    """All functions in the order of the page's list, in one scope with their helpers and apart from the runtime."""
    declared = (part for f in functions for part in re.split(DECLARATION, f.helpers, flags=re.MULTILINE))
    shared = squeeze("\n".join(dict.fromkeys(declared)))
    listed = ",\n".join(map(isolated, functions))
    return f"const FUNCTIONS = (() => {{\n{shared}\nreturn [\n{listed}\n];\n}})();"


def isolated(function: JsFunction) -> str:
    """A compiled function in a scope of its own, so that names don't meet those of other figures."""
    bad = next((n for n in (function.name, *function.parameters) if not IDENTIFIER.fullmatch(n)), None)
    if bad is not None:
        raise InputError(f"got {bad!r} as a name in a JavaScript function; it must be an identifier")
    if re.search(r"</script|<!--|<script", function.source + function.helpers, flags=re.IGNORECASE):
        raise InputError(
            f"the source of the JavaScript function {function.name!r} holds markup; a script can't carry that"
        )
    return f"(() => {{\n{squeeze(function.source)}\nreturn {function.name};\n}})()"


def write_page(path: str | os.PathLike[str], html: str) -> Path:
    """Write the page whole or not at all: first beside its place, then moved into it."""
    target = Path(path)
    try:
        write_whole(target, html.encode())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"can't write the page to {target} ({reason}); name a file in a folder that can be written"
        ) from error
    return target
