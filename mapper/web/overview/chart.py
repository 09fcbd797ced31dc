"""Charts drawn here, as SVG without any style or script of its own; each has its numbers in a table behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mapper.ledger.outcome import Span

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 600, 150, 44, 20, 8
GOOD = ("synced", "removed")
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time: where it stands, how high its syncs reach and of these those that failed."""

    x: float
    width: float
    good_y: float
    good: float
    bad_y: float
    bad: float
    span: Span | None
    begins: int

    @property
    def failed(self) -> int:
        """How many syncs failed."""
        return failed(self.span) if self.span else 0


@dataclass(frozen=True, slots=True)
class Chart:
    """Syncs of a time, a stretch at a time, and how long they took."""

    title: str
    bars: tuple[Bar, ...]
    most: float
    """What the top of the upper scale stands for."""
    longest: float
    """What the top of the lower scale stands for, in seconds."""
    line: str
    """Points of the average duration, as a polyline has them."""
    dots: tuple[tuple[float, float], ...]
    begins: int
    ends: float
    seconds: int

    @property
    def last(self) -> int:
        """Where its last stretch ends."""
        return int(self.ends) // self.seconds * self.seconds + self.seconds

    @property
    def total(self) -> int:
        """How many syncs ended in all."""
        return sum(sum(bar.span.fates.values()) for bar in self.bars if bar.span)

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(failed(bar.span) for bar in self.bars if bar.span)

    @property
    def mean(self) -> float:
        """How long one took on average."""
        spans = [bar.span for bar in self.bars if bar.span]
        number = sum(sum(span.fates.values()) for span in spans)
        return sum(span.mean * sum(span.fates.values()) for span in spans) / number if number else 0.0

    @property
    def spans(self) -> list[Span]:
        """The stretches in which something happened, newest first."""
        return [bar.span for bar in reversed(self.bars) if bar.span]


def failed(span: Span) -> int:
    """Return how many syncs of a stretch failed."""
    return sum(number for fate, number in span.fates.items() if fate not in GOOD)


def chart(title: str, spans: Sequence[Span], ends: float, length: float, seconds: int) -> Chart:
    """Return the chart of the time before `ends`; what is not in `spans` was nothing.

    It begins with the stretch that holds the first moment, so that nothing of the time is left out.
    """
    known = {round(span.begins): span for span in spans}
    first = int((ends - length) // seconds) * seconds
    starts = range(first, int(ends) + 1, seconds)
    most = scale(max((sum(span.fates.values()) for span in known.values()), default=0))
    longest = scale(max((span.mean for span in known.values()), default=0.0))
    step, room = (WIDTH - LEFT) / max(len(starts), 1), HEIGHT - BOTTOM - TOP
    bars, dots = [], []
    for number, begins in enumerate(starts):
        span = known.get(begins)
        bad = failed(span) / most * room if span else 0.0
        whole = sum(span.fates.values()) / most * room if span else 0.0
        x = LEFT + number * step
        floor = HEIGHT - BOTTOM
        at = round(x + step * 0.1, 1), round(step * 0.8, 1)
        bars.append(
            Bar(*at, round(floor - whole, 1), round(whole - bad, 1), round(floor - bad, 1), round(bad, 1), span, begins)
        )
        if span:
            dots.append((round(x + step / 2, 1), round(floor - span.mean / longest * room, 1)))
    line = " ".join(f"{x},{y}" for x, y in dots)
    return Chart(title, tuple(bars), most, longest, line, tuple(dots), first, ends, seconds)


def scale(largest: float) -> float:
    """Return the next round number that is not smaller: 1, 2 or 5 times a power of ten."""
    if largest <= 0:
        return 1.0
    power = 1.0
    while power > largest:
        power /= 10
    while power * 10 < largest:
        power *= 10
    return next((step * power for step in STEPS if step * power >= largest), 10 * power)
