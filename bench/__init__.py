"""Measurements behind the numbers we state; ``python -m bench``."""
