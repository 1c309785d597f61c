"""Parse the numbers and dates of a row on the inferred scales, and count the cells without one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from collector.datasets.column_roles.feature_headers import DURATION, POPULARITY
from collector.datasets.parsing import cells
from collector.datasets.scales.column_scale import ColumnScale
from collector.datasets.scales.date_columns import DateScale
from collector.records import AudioFeatures, DurationMs
from genrebase.store import tables

_KEY, _MODE = (tables.FEATURES.index(name) for name in ("key", "mode"))
_TEMPO: Final = tables.FEATURES.index("tempo")
_SPEECHINESS: Final = tables.FEATURES.index("speechiness")
_BEAT_DEPENDENT: Final = tuple(
    tables.FEATURES.index(name) for name in ("time_signature", "danceability", "valence")
)


class NumberParser:
    """Parses the features, duration, popularity and release date of rows."""

    def __init__(
        self,
        columns: Mapping[str, tuple[int, ColumnScale]],
        dates: Mapping[int, DateScale],
        date_parts: tuple[int, int] | None,
    ) -> None:
        """Parse rows whose fields are at the positions, and on the scales, of `columns`.

        `dates` are the columns of release dates and years; the first one with a date counts.
        `date_parts` are the columns of month and day of a date that is a year.
        """
        self._date_parts = date_parts
        self._dates = tuple(dates.items())
        self._duration, self._popularity = (
            (*columns[name], columns[name][1].is_plain) if name in columns else None
            for name in (DURATION, POPULARITY)
        )
        taken = {place: columns[f] for place, f in enumerate(tables.FEATURES) if f in columns}
        self._features = tuple(
            (place, position, scale, scale.is_plain, scale.low, scale.high, scale.is_whole)
            for place, (position, scale) in taken.items()
        )
        self._positions = {place: position for place, (position, _) in taken.items()}
        self._is_mode_in_key = self._positions.get(_MODE) == self._positions.get(_KEY)
        self.unreadable: Counter[int] = Counter()
        """Per column, non-empty cells that hold no number or date."""
        self.out_of_range: Counter[int] = Counter()
        """Per column, numbers and dates out of range."""
        self.without_beat: Counter[int] = Counter()
        """Per column, numbers not taken because the row's tempo is 0."""

    def duration(self, row: Sequence[str]) -> DurationMs | None:
        """Return the row's duration in milliseconds."""
        value = self._number(row, self._duration)
        return None if value is None else DurationMs(round(value))

    def popularity(self, row: Sequence[str]) -> int | None:
        """Return the row's popularity, 0..100."""
        value = self._number(row, self._popularity)
        return None if value is None else round(value)

    def released(self, row: Sequence[str]) -> tuple[str | None, int | None]:
        """Return the release date and its year, from the first column with a date."""
        for position, scale in self._dates:
            cell = row[position]
            text, year, is_readable = scale.read(cell)
            if year is not None:
                return self._with_parts(text, row), year
            if not cells.is_missing(cell):
                (self.out_of_range if is_readable else self.unreadable)[position] += 1
        return None, None

    def _with_parts(self, text: str | None, row: Sequence[str]) -> str | None:
        """Complete a year by the row's month and day."""
        if self._date_parts is None or text is None or not text.isdecimal():
            return text
        for position, last in zip(self._date_parts, (12, 31), strict=True):
            part = cells.parse_integer(row[position], 1, last)
            if part is None:
                self.unreadable[position] += not cells.is_missing(row[position])
                break
            text = f"{text}-{part:02}"
        return text

    def features(self, row: Sequence[str]) -> AudioFeatures | None:
        """Return the row's audio features, None if it has none."""
        values: list[float | None] = [None] * len(tables.FEATURES)
        is_any, has_beat = False, True
        for place, position, scale, is_plain, low, high, is_whole in self._features:
            cell = row[position]
            try:
                value = float(cell) if is_plain else scale.read(cell)
            except ValueError:
                value = scale.read(cell)
            if value is None:
                self._count_unreadable(place, position, cell)
            elif low <= value <= high and (not is_whole or value.is_integer()):
                values[place] = int(value) if is_whole else value
                is_any = True
            elif value == value:
                self.out_of_range[position] += 1
                has_beat = has_beat and not (place == _TEMPO and value == 0)
        if not has_beat:
            self._drop_beat_features(values)
            is_any = any(value is not None for value in values)
        return AudioFeatures(*values) if is_any else None  # type: ignore[arg-type]  # whole: int

    def _number(
        self, row: Sequence[str], column: tuple[int, ColumnScale, bool] | None
    ) -> float | None:
        if column is None:
            return None
        position, scale, is_plain = column
        cell = row[position]
        try:
            value = float(cell) if is_plain else scale.read(cell)
        except ValueError:
            value = scale.read(cell)
        if value is None:
            self.unreadable[position] += not cells.is_missing(cell)
        elif scale.fits(value):
            return value
        elif value == value:
            self.out_of_range[position] += 1
        return None

    def _count_unreadable(self, place: int, position: int, cell: str) -> None:
        """Count a cell once, even if it holds both key and mode."""
        if not (self._is_mode_in_key and place == _MODE):
            self.unreadable[position] += not cells.is_missing(cell)

    def _drop_beat_features(self, values: list[float | None]) -> None:
        """Drop features that depend on the beat: with a tempo of 0 the analysis failed."""
        lost = [place for place in _BEAT_DEPENDENT if values[place] is not None]
        if values[_SPEECHINESS] == 0:
            lost.append(_SPEECHINESS)
        for place in lost:
            values[place] = None
            self.without_beat[self._positions[place]] += 1
