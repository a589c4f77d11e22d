"""Options that are numbers with a fraction, of a size that clocks can count with."""

from typing import Any

from oslo_config import cfg, types

#: Over 31 years of seconds. Far more overflows dates and waits, somewhere and later.
MOST = 1e9

#: Days for which what was deleted stays. Of what was deleted a moment ago, somebody may be about
#: to refer to it.
LEAST_DAYS, MOST_DAYS = 0.01, 36500


class Finite(types.Float):
    """Without ``nan``, which is neither above nor below any bound, ``inf`` and the like.

    >>> Finite(min=1)('nan')
    Traceback (most recent call last):
    ...
    ValueError: nan is no number from 1 to 1e+09
    """

    def __call__(self, value: Any) -> float | None:
        number: float | None = super().__call__(value)
        most = MOST if self.max is None else self.max
        least = -MOST if self.min is None else self.min
        if number is not None and not least <= number <= most:
            raise ValueError(f'{number:g} is no number from {least:g} to {most:g}')
        return number


class Days(Finite):
    """How long something is kept once it is deleted; 0 is for ever.

    >>> Days()('0'), Days()('0.5')
    (0.0, 0.5)
    >>> Days()('0.001')
    Traceback (most recent call last):
    ...
    ValueError: 0.001 days are neither 0 (for ever) nor 0.01 to 36500
    """

    def __init__(self) -> None:
        super().__init__(min=0, max=MOST_DAYS)

    def __call__(self, value: Any) -> float | None:
        days = super().__call__(value)
        if days and days < LEAST_DAYS:
            raise ValueError(
                f'{days:g} days are neither 0 (for ever) nor {LEAST_DAYS:g} to {MOST_DAYS:g}'
            )
        return days


class FloatOpt(cfg.FloatOpt):
    """oslo.config's, with ``Finite`` for its type, or one like it."""

    def __init__(
        self,
        name: str,
        *,
        min: float | None = None,
        max: float | None = None,
        type: Finite | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(name, min=min, max=max, **rest)
        self.type = type or Finite(min=min, max=max)
