"""What an archive holds, by QIDO-RS (PS3.18 10.6): in pages, and in windows of dates where pages end too early."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from mapper.dicom.item import Item, tag_of
from mapper.errors import AnswerTooLarge, SourceBusy
from mapper.http.target import Target
from mapper.sources.dicomweb.client import DicomwebClient

PAGE = 500
MOST = 5000
"""Studies of one question at which it is doubted that these are all: archives end there, or at 10,000, in silence."""
ROUND, ROUND_PAGE = 1000, 50
"""Limits of archives are round: of an answer in pages, and of one page."""
FIRST_DAY, DAY = date(1895, 1, 1), timedelta(days=1)
"""No image is older; what says so is asked for at once, as what lies ahead is."""
TOO_MANY = 10
"""Days that hold too much, after which no further day is asked for."""
STUDIES = Target("/studies")
ASKED = ("StudyDate", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
"""What is asked for beside the UID: archives leave out what they may."""
Found = dict[str, Any]


@dataclass
class End:
    """How an answer in pages ended."""

    rows: int = 0
    limit: int = PAGE
    says_more: bool = False
    repeats: bool = False
    """The last page had rows that were there before: the archive knows no offset."""

    def is_doubted(self, most: int) -> bool:
        """Tell whether there may be more, where an answer may end with `most`.

        An empty page proves that there is not, unless as many came as are a limit: a multiple of `most`, or round.
        """
        at_limit = self.repeats or not self.rows % most or not self.rows % ROUND
        return self.says_more or (self.rows >= most and at_limit)

    @property
    def is_page(self) -> bool:
        """Whether all that came may be the one page that an archive without offset gives."""
        return self.repeats and (self.rows >= self.limit or not self.rows % ROUND_PAGE)


@dataclass(frozen=True)
class Search:
    """Asks one archive what it holds."""

    client: DicomwebClient
    hex_keys: bool = False
    """Whether attributes are named by their tags: some archives know no other names, some no tags."""
    always: Mapping[str, str] = field(default_factory=dict)
    """What stands in every question: some archives want `PatientID=*` at least."""
    most: int = MOST
    today: Callable[[], date] = date.today

    def study(self, study_uid: str) -> list[Found]:
        """Return what the archive holds under exactly this UID: it may take a and A for the same, or all for one.

        Raises SourceBusy where what it finds has no UID at all: that is no empty answer.
        """
        found, _ = self.client.found(STUDIES, self._query(StudyInstanceUID=study_uid))
        names = [text(one, "StudyInstanceUID") for one in found]
        if found and not any(names):
            raise self._unnamed(len(found), "StudyInstanceUID")
        return [one for one, name in zip(found, names, strict=True) if name == study_uid]

    def series(self, study_uid: str) -> list[str]:
        """Return the SeriesInstanceUIDs of a study, sorted."""
        target, found = Target("/studies/{study}/series", study_uid), dict[str, None]()
        for page in self._pages(target, {}, "SeriesInstanceUID", End()):
            found |= dict.fromkeys(text(one, "SeriesInstanceUID") for one in page)
        return sorted(filter(None, found))

    def studies(self) -> Iterator[Found]:
        """Yield every study once; raises SourceBusy at the end where a day holds more than the archive answers.

        Where a question for all is answered in full nothing else is asked. Else it is asked day by day where needed:
        what has no StudyDate is then only found as far as the first question tells it.
        """
        seen: set[str] = set()
        end = End()
        for page in self._pages(STUDIES, {}, "StudyInstanceUID", end):
            yield from new_ones(page, seen)
        if not end.is_doubted(self.most) and not end.is_page:
            return
        most = self.most if end.says_more else end.rows  # so many it does answer
        ahead, too_many = self.today() + timedelta(days=366), list[str]()
        for first, last in ((None, FIRST_DAY - DAY), (FIRST_DAY, ahead), (ahead + DAY, None)):
            yield from self._between(first, last, most, seen, too_many)
        if too_many:
            raise self._too_many(most, too_many)

    def _between(
        self, first: date | None, last: date | None, most: int, seen: set[str], too_many: list[str]
    ) -> Iterator[Found]:
        window, end = "-".join(f"{day:%Y%m%d}" if day else "" for day in (first, last)), End()
        is_least = first is None or last is None or first == last
        found: list[Found] = []
        for page in self._pages(STUDIES, {"StudyDate": window}, "StudyInstanceUID", end):
            found += page
            if end.rows >= most and not is_least:
                break
        else:
            if not end.is_doubted(most):
                yield from new_ones(found, seen)
                return
        if first is None or last is None or first == last:
            yield from new_ones(found, seen)
            too_many.append(window)
            if len(too_many) == TOO_MANY:  # an archive that looks at no StudyDate would be asked for each day
                raise self._too_many(most, too_many)
            return
        middle = first + (last - first) // 2
        yield from self._between(first, middle, most, seen, too_many)
        yield from self._between(middle + DAY, last, most, seen, too_many)

    def _pages(self, target: Target, query: Mapping[str, str], name: str, end: "End") -> Iterator[list[Found]]:
        """Yield pages until one is empty or has nothing new, and tell `end` how it ended.

        A study under two PatientIDs is two rows: the offset counts rows, and a row is known by both.
        """
        known: set[tuple[str, str]] = set()
        end.limit, last = PAGE, False
        while True:
            try:
                page, more = self.client.found(target, self._query(**query) | {"limit": end.limit, "offset": end.rows})
            except AnswerTooLarge:
                if end.limit == 1:
                    raise
                end.limit //= 2
                continue
            rows = {(text(one, name), text(one, "PatientID")) for one in page}
            if rows <= known:
                end.says_more, end.repeats = more or last, bool(page)
                break
            known |= rows
            end.rows += len(page)
            last = more
            yield page
        nameless = not any(uid for uid, _ in known)
        if end.rows and nameless:
            raise self._unnamed(end.rows, name)

    def _unnamed(self, rows: int, name: str) -> SourceBusy:
        said = f"{self.client.url} finds {rows} and names none by the tag of {name}"
        return SourceBusy(f"{said}: does it answer DICOM JSON (PS3.18 Annex F)?")

    def _too_many(self, most: int, windows: list[str]) -> SourceBusy:
        said = f"{self.client.url} answers {most} studies at most, and one day has more ({', '.join(windows)})"
        return SourceBusy(f"{said}: raise its limit and ours (studies_at_most)")

    def _query(self, **wanted: str) -> dict[str, object]:
        fields = ",".join(map(self._key, ASKED))
        return {**self.always, **{self._key(name): value for name, value in wanted.items()}, "includefield": fields}

    def _key(self, keyword: str) -> str:
        return tag_of(keyword) if self.hex_keys else keyword


def text(found: Found, keyword: str) -> str:
    """Return one value of what was found as a text, empty where there is none: answers are sparse."""
    try:
        value = Item(found)[keyword]
    except ValueError:
        return ""
    return "" if value is None else str(value)


def new_ones(page: list[Found], seen: set[str]) -> Iterator[Found]:
    """Yield the studies that were not seen, and note them; those without a UID are one."""
    for one in page:
        uid = text(one, "StudyInstanceUID")
        if uid not in seen:
            seen.add(uid)
            yield one
