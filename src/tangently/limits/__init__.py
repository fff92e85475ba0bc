"""Limits, decided: exact where they can be, refused where they can't."""

from tangently.limits.deciding import limit
from tangently.limits.results import Limit, Row, Side

__all__ = ["Limit", "Row", "Side", "limit"]
