"""Asymptotics: exact constants, multiseries, bounds, and what a function does near a point."""
