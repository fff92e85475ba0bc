"""Figures as files and as elements of a page.

A file is written beside its place and then moved there, so that a failure leaves nothing and nobody reads half a
file. The same figure, made anew, gives the same bytes: no date, and ids that depend on the content alone. Text stays
text. In a page with a strict policy `style` attributes are forbidden, so `figure_svg` writes presentation attributes
instead, and gives its ids a prefix, because a page has one set of ids.
"""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Any

from tangently.errors import InputError
from tangently.files import write_whole
from tangently.pictures.style import figure_of, house

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".svg", ".png", ".pdf")
SVG = {"svg.fonttype": "none", "svg.hashsalt": "tangently"}
DOTS = 200  # dots to the inch of a PNG
_STYLE = r'\sstyle="([^"]*)"'
_FONT = r"(?s)(?:(italic|oblique|normal)\s+)?(?:small-caps\s+)?(?:(\d+|bold)\s+)?([\d.]+px)\s+(.*)"
_OUTLINE = ' stroke-linejoin="round" stroke-linecap="butt"'  # what matplotlib's style sheet says


def described(drawn: Any) -> str:
    """The text alternative: what the pictures left in the labels of their Axes, else the titles and labels."""
    axes = figure_of(drawn).axes
    left = [str(ax.get_label()) for ax in axes if ax.get_label() and ax.get_label() != "<colorbar>"]
    shown = [text for ax in axes for text in (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) if text]
    return "; ".join(dict.fromkeys(left or shown)) or "a figure"


def save_figure(drawn: Any, path: str | os.PathLike[str], alt: str = "") -> Path:
    """Write a figure to a .svg, .png or .pdf file; `alt` is its text alternative. Returns the path."""
    from pathlib import Path

    target, figure = Path(path), figure_of(drawn)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"got the path {target.name!r}; a suffix {', '.join(SUFFIXES)} was wanted")
    content = _rendered(figure, suffix[1:], alt or described(drawn))
    write_atomically(target, content)
    return target


def _rendered(figure: Any, kind: str, alt: str) -> bytes:
    buffer = io.BytesIO()
    with house(**SVG):
        figure.savefig(buffer, format=kind, dpi=DOTS, metadata=_metadata(kind, alt))
    return buffer.getvalue()


def _metadata(kind: str, alt: str) -> dict[str, Any]:
    if kind == "svg":
        return {"Title": alt, "Description": alt, "Date": None}
    return {"Title": alt, "Subject": alt, "CreationDate": None} if kind == "pdf" else {"Title": alt, "Description": alt}


def write_atomically(target: Path, content: bytes) -> None:
    """Write to a file of another name in the same directory, and move it to its place."""
    if not target.parent.is_dir():
        raise InputError(f"got the path {str(target)!r}; there is no directory {str(target.parent)!r}: create it first")
    write_whole(target, content)


# ---------------------------------------------------------------- SVG for a page


def figure_svg(drawn: Any, alt: str = "") -> str:
    """The figure as an `<svg>` element: no prolog, no style attributes, and a title that is read aloud."""
    text = alt or described(drawn)
    return page_svg(_rendered(figure_of(drawn), "svg", text).decode(), text)


def page_svg(svg: str, alt: str) -> str:
    """Matplotlib's SVG file as an element of a page.

    >>> page_svg('<?xml?><svg width="9pt" viewBox="0 0 9 9"><g style="fill: red"/></svg>', "a < b").partition("><")[2]
    'title>a &lt; b</title><g fill="red"/></svg>'
    """
    import hashlib

    body = svg[svg.index("<svg") :].strip()
    body = re.sub(r"\s*<(metadata|title|style)\b.*?</\1>|<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r"\s*<defs>\s*</defs>", "", body)
    body = re.sub(r'xlink:href=|\sxmlns(:\w+)?="[^"]*"', lambda m: "href=" if m[0] == "xlink:href=" else "", body)
    body = re.sub(_STYLE, lambda m: presentation(m[1]), body)
    body = _prefixed(body, "f" + hashlib.sha256(body.encode()).hexdigest()[:6] + "-")
    return _opened(body, alt)


def _prefixed(body: str, prefix: str) -> str:
    return re.sub(r'(\sid="|\shref="#|url\(#)', lambda m: m[1] + prefix, body)


def _opened(body: str, alt: str) -> str:
    """The root: its size is left to the page, its name to those who can't see it."""
    from html import escape

    head, rest = body.split(">", 1)
    head = re.sub(r'\s(width|height|version)="[^"]*"', "", head)
    return f'{head} role="img"{_OUTLINE}><title>{escape(alt, quote=False)}</title>{rest}'


def presentation(style: str) -> str:
    """The declarations of a style attribute as presentation attributes.

    >>> presentation("fill: none; stroke-width: 0.8")
    ' fill="none" stroke-width="0.8"'
    >>> presentation("font: italic 700 10px 'STIXGeneral', serif; text-anchor: end")
    ' font-style="italic" font-weight="700" font-size="10px" font-family="\\'STIXGeneral\\', serif" text-anchor="end"'
    """
    from html import unescape

    pairs = [part.partition(":")[::2] for part in unescape(style).split(";") if ":" in part]
    found = [pair for name, value in pairs for pair in _attribute(name.strip(), value.strip())]
    return "".join(f' {name}="{_quoted(value)}"' for name, value in found)


def _quoted(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _attribute(name: str, value: str) -> list[tuple[str, str]]:
    if name == "font-family":
        return [(name, _with_fallback(value))]
    if name != "font":
        return [(name, value)]
    match = re.fullmatch(_FONT, value)
    if not match:
        raise InputError(f"got the font {value!r} in an SVG; '[style] [weight] size family' was wanted")
    keys = ("font-style", "font-weight", "font-size", "font-family")
    return [(k, _with_fallback(v) if k == "font-family" else v) for k, v in zip(keys, match.groups()) if v]


def _with_fallback(family: str) -> str:
    """A reader without the STIX fonts sees another serif; matplotlib names nothing after STIXGeneral."""
    return f"{family}, 'STIX Two Text', 'Times New Roman', serif" if family == "'STIXGeneral'" else family
