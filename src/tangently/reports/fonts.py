"""A math font for one page: the STIX glyphs that the page uses, joined with the table that math layout needs.

A browser sets MathML well only with a font that has an OpenType MATH table; without one, parentheses do not
grow, radicals do not reach over their contents, and sums stay small. Many machines have no such font, and the
STIX fonts that Matplotlib carries have no such table. But they do have the pieces: four larger sizes of every
delimiter, radical and big operator, and the parts from which taller ones are built. So:

1. collect the characters of the page, and the mathematical italics that a browser puts in their place;
2. copy those outlines, and the larger sizes of the ones that stretch, into a new font (about 15 KB);
3. write a MATH table: the constants of TeX's layout for these letters, the sizes, and the assemblies.

The result is a modified version under the SIL Open Font License, so it has its own name and keeps the notice.
Glyph names are ``<size>.<hexadecimal code point>``, size 0 being the text size.
"""

from __future__ import annotations

import base64
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.otlLib.builder import buildMathTable
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

FAMILY = "Tangently Math"
FILES = ("STIXGeneral", "STIXSizOneSymReg", "STIXSizTwoSymReg", "STIXSizThreeSymReg", "STIXSizFourSymReg")
NOTICE = (
    "Subset of the STIX Fonts, with a MATH table added. Copyright (c) 2001-2010 by the STI Pub Companies. "
    "Portions copyright (c) 1998-2003 by MicroPress, Inc. Portions copyright (c) 1990 by Elsevier, Inc."
)
LICENSE = "This Font Software is licensed under the SIL Open Font License, Version 1.1: scripts.sil.org/OFL"

AXIS, BEARING = 250, 70
# A browser may give every fence the width of its widest size, so all sizes of a fence have the same width.
ROOM, WIDE = 460, 510
# A prime is drawn raised, for the line of text; as a superscript it would be raised and shrunk once more.
LOWERED = 1.35
ENLARGED = 1.55
# How far the foot of a large integral lies left of its head: its lower limit goes there.
SLANT = 330
# As in TeX (\delimiterfactor=901), a delimiter may fall short of what it holds by a tenth.
SHORTFALL = 0.9

SIZES = (1, 2, 3, 4)
FENCES = "()[]{}⌈⌉⌊⌋⟨⟩"
OPERATORS = "∏∐∑⋀⋁⋂⋃⨀⨁⨂"
RADICAL = "√"
INTEGRALS = "∫∬∭∮"
BARS = "|‖∣∥"
PRIMES = "′″‴"
# Radicals above the third size are the third, drawn out upward by these factors.
TALLER = {4: 1.35, 5: 1.8, 6: 2.4}
ALWAYS = "0123456789.,:;=+-−×⋅/()[]|√′∑∏∫∂∇∞<>≤≥≠≈→↦∈ "
# The parts of tall delimiters, from the bottom up; the parts that repeat are the ones in REPEATED.
PARTS = {
    "(": "⎝⎜⎛",
    ")": "⎠⎟⎞",
    "[": "⎣⎢⎡",
    "]": "⎦⎥⎤",
    "{": "⎩⎪⎨⎪⎧",
    "}": "⎭⎪⎬⎪⎫",
}
REPEATED = "⎜⎟⎢⎥⎪"

CONSTANTS = {
    "ScriptPercentScaleDown": 71,
    "ScriptScriptPercentScaleDown": 58,
    "DelimitedSubFormulaMinHeight": 1300,
    "DisplayOperatorMinHeight": 1350,
    "MathLeading": 150,
    "AxisHeight": AXIS,
    "AccentBaseHeight": 450,
    "FlattenedAccentBaseHeight": 662,
    "SubscriptShiftDown": 200,
    "SubscriptTopMax": 360,
    "SubscriptBaselineDropMin": 100,
    "SuperscriptShiftUp": 370,
    "SuperscriptShiftUpCramped": 280,
    "SuperscriptBottomMin": 115,
    "SuperscriptBaselineDropMax": 230,
    "SubSuperscriptGapMin": 200,
    "SuperscriptBottomMaxWithSubscript": 380,
    "SpaceAfterScript": 50,
    "UpperLimitGapMin": 120,
    "UpperLimitBaselineRiseMin": 200,
    "LowerLimitGapMin": 120,
    "LowerLimitBaselineDropMin": 600,
    "StackTopShiftUp": 470,
    "StackTopDisplayStyleShiftUp": 780,
    "StackBottomShiftDown": 385,
    "StackBottomDisplayStyleShiftDown": 690,
    "StackGapMin": 150,
    "StackDisplayStyleGapMin": 300,
    "StretchStackTopShiftUp": 800,
    "StretchStackBottomShiftDown": 590,
    "StretchStackGapAboveMin": 68,
    "StretchStackGapBelowMin": 68,
    "FractionNumeratorShiftUp": 470,
    "FractionNumeratorDisplayStyleShiftUp": 690,
    "FractionDenominatorShiftDown": 400,
    "FractionDenominatorDisplayStyleShiftDown": 690,
    "FractionNumeratorGapMin": 70,
    "FractionNumDisplayStyleGapMin": 140,
    "FractionRuleThickness": 54,
    "FractionDenominatorGapMin": 70,
    "FractionDenomDisplayStyleGapMin": 140,
    "SkewedFractionHorizontalGap": 350,
    "SkewedFractionVerticalGap": 68,
    "OverbarVerticalGap": 150,
    "OverbarRuleThickness": 54,
    "OverbarExtraAscender": 54,
    "UnderbarVerticalGap": 150,
    "UnderbarRuleThickness": 54,
    "UnderbarExtraDescender": 54,
    "RadicalVerticalGap": 80,
    "RadicalDisplayStyleVerticalGap": 160,
    "RadicalRuleThickness": 54,
    "RadicalExtraAscender": 70,
    "RadicalKernBeforeDegree": 276,
    "RadicalKernAfterDegree": -400,
    "RadicalDegreeBottomRaisePercent": 60,
}


def math_font(characters: Iterable[str]) -> str:
    """A WOFF file for these characters, in base64.

    >>> base64.b64decode(math_font("xy"))[:4]
    b'wOFF'
    """
    return _font(frozenset(characters) | frozenset(ALWAYS))


@lru_cache(maxsize=16)
def _font(characters: frozenset[str]) -> str:
    wanted = outlines(characters | {i for c in characters if (i := italic(c))})
    font = assemble(wanted)
    font.flavor = "woff"
    file = io.BytesIO()
    font.save(file, reorderTables=False)
    return base64.b64encode(file.getvalue()).decode("ascii")


@lru_cache(maxsize=256)
def italic(character: str) -> str:
    """The mathematical italic that a browser shows for a lone letter; empty if there is none."""
    if character == "h":
        return "ℎ"
    name = unicodedata.name(character, "").replace("LATIN ", "").replace("GREEK ", "").replace(" LETTER", "")
    kind, _, letter = name.partition(" ")
    kind = {"CAPITAL": "CAPITAL", "SMALL": "SMALL"}.get(kind, "")
    try:
        return unicodedata.lookup(f"MATHEMATICAL ITALIC {kind} {letter}") if kind else ""
    except KeyError:
        return ""


@lru_cache(maxsize=8)
def source(name: str) -> TTFont:
    import matplotlib

    return TTFont(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"))


def cmap(size: int) -> dict[int, str]:
    return source(FILES[size]).getBestCmap() or {}


def glyph_name(size: int, character: str) -> str:
    return f"{size}.{ord(character):04X}"


@dataclass(frozen=True, slots=True)
class Copy:
    """What to copy: a character of the file for `size`, and how its outline is placed."""

    size: int
    character: str
    how: str = ""


def outlines(characters: frozenset[str]) -> dict[str, Copy]:
    """All that the font needs, by the name it gets."""
    found = sorted(characters)
    wanted = {glyph_name(0, c): Copy(0, c, "prime" if c in PRIMES else "") for c in found if has(0, c)}
    wanted |= {glyph_name(n, c): Copy(n, c, placing(c)) for c in found for n in SIZES if grows(n, c)}
    wanted |= {glyph_name(1, c): Copy(0, c, "integral") for c in found if c in INTEGRALS}
    wanted |= {glyph_name(n, c): Copy(3, c, f"taller {n}") for c in found if c == RADICAL for n in TALLER}
    return wanted | {glyph_name(1, part): Copy(1, part, "part") for c in found for part in PARTS.get(c, "")}


def placing(character: str) -> str:
    """How a larger size is put: centered on the axis, and a fence close to what it holds."""
    return "fence" if character in FENCES else "" if character == RADICAL else "axis"


def has(size: int, character: str) -> bool:
    return ord(character) in cmap(size)


def grows(size: int, character: str) -> bool:
    """Whether this size is copied. The fourth radical is the foot of a built-up one; the fourth fences are too wide."""
    tall = character in FENCES + OPERATORS + RADICAL and has(size, character)
    return tall and not (size == 4 and (character == RADICAL or character in PARTS))


Box = tuple[float, float, float, float]
Affine = tuple[float, float, float, float, float, float]


def copied(copy: Copy) -> tuple[object, int, Box]:
    """One glyph: its outline, its width and its bounds."""
    font = source(FILES[copy.size])
    glyphs, name = font.getGlyphSet(), cmap(copy.size)[ord(copy.character)]
    measure = BoundsPen(glyphs)
    glyphs[name].draw(measure)
    left, bottom, right, top = box = measure.bounds or (0, 0, 0, 0)
    place, width = placed(copy, box, font["hmtx"][name][0])
    pen = TTGlyphPen(None)
    glyphs[name].draw(TransformPen(pen, place))
    (sx, _, _, sy, dx, dy) = place
    return pen.glyph(), round(width), (left * sx + dx, bottom * sy + dy, right * sx + dx, top * sy + dy)


def placed(copy: Copy, box: Box, width: float) -> tuple[Affine, float]:
    """The affine map of an outline to its place, and its new width."""
    left, bottom, right, top = box
    middle = (bottom + top) / 2
    match copy.how.split():
        case ["axis"]:
            return (1, 0, 0, 1, 0, AXIS - middle), width
        case ["fence"]:
            room = WIDE if copy.character in "{}" else ROOM
            return (1, 0, 0, 1, (room - left - right) / 2, AXIS - middle), room
        case ["part"]:
            room = WIDE if copy.character in PARTS["{"] + PARTS["}"] else ROOM
            return (1, 0, 0, 1, (room - width) / 2, 0), room
        case ["integral"]:
            return (ENLARGED, 0, 0, ENLARGED, 0, AXIS - ENLARGED * middle), ENLARGED * right + BEARING
        case ["prime"]:
            return (LOWERED, 0, 0, LOWERED, 0, -LOWERED * bottom), LOWERED * width
        case ["taller", size]:
            return (1, 0, 0, TALLER[int(size)], 0, 0), width
    return (1, 0, 0, 1, 0, 0), width


def assemble(wanted: dict[str, Copy]) -> TTFont:
    made = {name: copied(copy) for name, copy in wanted.items()}
    widths = {".notdef": 500} | {name: width for name, (_, width, _) in made.items()}
    build = FontBuilder(1000, isTTF=True)
    build.setupGlyphOrder([*widths])
    build.setupCharacterMap({ord(copy.character): name for name, copy in wanted.items() if name[0] == "0"})
    build.setupGlyf({".notdef": TTGlyphPen(None).glyph()} | {name: glyph for name, (glyph, _, _) in made.items()})
    glyf = build.font["glyf"]
    build.setupHorizontalMetrics({name: (width, getattr(glyf[name], "xMin", 0)) for name, width in widths.items()})
    build.setupHorizontalHeader(ascent=900, descent=-250)
    names = {"familyName": FAMILY, "styleName": "Regular", "copyright": NOTICE, "licenseDescription": LICENSE}
    build.setupNameTable(names)
    build.setupOS2(sTypoAscender=900, sTypoDescender=-250, usWinAscent=1000, usWinDescent=300, sxHeight=450)
    build.setupPost(keepGlyphNames=False)
    add_math(build.font, wanted, {name: box for name, (_, _, box) in made.items()}, widths)
    return build.font


def add_math(font: TTFont, wanted: dict[str, Copy], boxes: dict[str, Box], widths: dict[str, int]) -> None:
    height = {name: round(top - bottom) for name, (_, bottom, _, top) in boxes.items()}
    text = [copy.character for name, copy in wanted.items() if name[0] == "0"]
    sizes = {c: [name for n in range(7) if (name := glyph_name(n, c)) in wanted] for c in text}
    variants = {names[0]: [(v, reach(c, height[v])) for v in names] for c, names in sizes.items() if len(names) > 1}
    built = {glyph_name(0, c): (assembly(c, height), 0) for c in text if c in PARTS or c in BARS}
    leaning = {name: round(boxes[name][2] - widths[name]) for name in (glyph_name(0, c) for c in text)}
    slant = {name: over for name, over in leaning.items() if over > 0}
    buildMathTable(
        font,
        constants=CONSTANTS,
        italicsCorrections=slant | {name: SLANT for name, copy in wanted.items() if copy.how == "integral"},
        extendedShapes={name for found in variants.values() for name, _ in found},
        minConnectorOverlap=20,
        vertGlyphVariants=variants,
        vertGlyphAssembly=built,
    )


def reach(character: str, height: int) -> int:
    """The height of what a glyph may stand beside; under a radical, nothing may stick out."""
    return height if character == RADICAL else round(height / SHORTFALL)


Part = tuple[str, int, int, int, int]


def assembly(character: str, height: dict[str, int]) -> list[Part]:
    """The parts of a tall delimiter, from below: (glyph, is it repeated, overlap below, overlap above, height)."""
    if character in BARS:
        bar = glyph_name(0, character)
        return [(bar, repeated, 150, 150, height[bar]) for repeated in (0, 1)]
    parts = PARTS[character]
    names = [glyph_name(1, part) for part in parts]
    last = len(parts) - 1
    return [
        (n, int(p in REPEATED), 100 * (i > 0), 100 * (i < last), height[n])
        for i, (n, p) in enumerate(zip(names, parts))
    ]
