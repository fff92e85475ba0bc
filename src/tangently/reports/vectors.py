"""SVG that may stand inside a page: made to obey the page's policy, and not to meddle with its neighbors.

A page with a strict policy ignores ``style`` attributes, has no place for scripts, and shares one set of ids.
So a drawing that comes from elsewhere is parsed and written again: declarations of ``style`` become the
presentation attributes of the same name, ids get a prefix, and scripts, handlers, style sheets and references
to the outside are left out.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape

from tangently.errors import InputError

UNWANTED = {"script", "style", "metadata", "foreignObject", "iframe", "object", "embed"}
NAMESPACE = re.compile(r"\{[^}]*\}")
WIDEST = 1100
LOCAL_URL = re.compile(r"url\(\s*['\"]?#([^'\")]+)['\"]?\s*\)")


def inline_svg(svg: str, prefix: str) -> str:
    """The drawing as an ``<svg>`` element for a page, with every id prefixed.

    >>> inline_svg('<svg xmlns="http://www.w3.org/2000/svg"><g id="a" style="fill: red" onclick="x()"/></svg>', "p-")
    '<svg><g id="p-a" fill="red"></g></svg>'
    """
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise InputError(
            f"got an SVG that is not well-formed XML ({error}); write it with a closed <svg> element"
        ) from None
    if local(root.tag) != "svg":
        raise InputError(f"got <{local(root.tag)}> where an <svg> element was wanted")
    return write(root, prefix).strip()


def is_wide(svg: str) -> bool:
    """Whether the drawing would be too small to read if it were fitted into the column: then it scrolls.

    >>> is_wide('<svg width="1400" height="80">'), is_wide('<svg viewBox="0 0 400 80">')
    (True, False)
    """
    width = re.search(r"<svg\b[^>]*?\swidth=[\"'](\d+)", svg)
    return bool(width) and int(width[1]) > WIDEST


def local(name: object) -> str:
    """The name without its namespace; HTML needs none. Comments have no name."""
    return NAMESPACE.sub("", name) if isinstance(name, str) else ""


def write(element: ET.Element, prefix: str) -> str:
    tag, tail = local(element.tag), escape(element.tail or "", quote=False)
    if not tag or tag in UNWANTED:
        return tail
    attributes = "".join(f' {k}="{escape(v)}"' for k, v in kept(element, prefix).items())
    inside = escape(element.text or "", quote=False) + "".join(write(child, prefix) for child in element)
    return f"<{tag}{attributes}>{inside}</{tag}>{tail}"


def kept(element: ET.Element, prefix: str) -> dict[str, str]:
    plain = {local(key): value for key, value in element.attrib.items()}
    styled = dict(declarations(plain.pop("style", "")))
    return {k: scoped(k, v, prefix) for k, v in (plain | styled).items() if allowed(k, v)}


def declarations(style: str) -> list[tuple[str, str]]:
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    return [(name.strip(), value.strip()) for name, value in pairs]


def allowed(name: str, value: str) -> bool:
    outside = name in {"href", "src"} and not value.startswith(("#", "data:image/"))
    return not (name.lower().startswith("on") or outside)


def scoped(name: str, value: str, prefix: str) -> str:
    if name == "id" or (name == "href" and value.startswith("#")):
        return value[0] + prefix + value[1:] if value.startswith("#") else prefix + value
    if name in {"aria-labelledby", "aria-describedby"}:
        return " ".join(prefix + word for word in value.split())
    return LOCAL_URL.sub(lambda found: f"url(#{prefix}{found[1]})", value)
