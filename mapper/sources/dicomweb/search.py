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
FIRST_DAY = date(1895, 1, 1)
"""No image is older."""
STUDIES = Target("/studies")
ASKED = ("StudyDate", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
"""What is asked for beside the UID: archives leave out what they may."""
Found = dict[str, Any]


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
        """Return what the archive holds under exactly this UID: it may take a and A for the same, or all for one."""
        found, _ = self.client.found(STUDIES, self._query(StudyInstanceUID=study_uid))
        return [one for one in found if text(one, "StudyInstanceUID") == study_uid]

    def series(self, study_uid: str) -> list[str]:
        """Return the SeriesInstanceUIDs of a study, sorted."""
        target, found = Target("/studies/{study}/series", study_uid), dict[str, None]()
        for page in self._pages(target, {}, "SeriesInstanceUID", []):
            found |= dict.fromkeys(text(one, "SeriesInstanceUID") for one in page)
        return sorted(filter(None, found))

    def studies(self) -> Iterator[Found]:
        """Yield every study once; raises SourceBusy where no window of dates is small enough to hold all of its own.

        Where a question for all is answered in full nothing else is asked. Else it is asked day by day where needed:
        what has no StudyDate is then only found as far as the first question tells it.
        """
        seen: set[str] = set()
        ended: list[bool] = []
        yield from self._window({}, seen, ended)
        if len(seen) >= self.most or any(ended):
            yield from self._between(FIRST_DAY, self.today() + timedelta(days=366), seen)

    def _between(self, first: date, last: date, seen: set[str]) -> Iterator[Found]:
        window = {"StudyDate": f"{first:%Y%m%d}-{last:%Y%m%d}"}
        ended: list[bool] = []
        found = list(self._window(window, set(), ended))
        if len(found) < self.most and not any(ended):
            for one in found:
                if (uid := text(one, "StudyInstanceUID")) not in seen:
                    seen.add(uid)
                    yield one
            return
        if first == last:
            raise SourceBusy(
                f"{self.client.url} answers {self.most} studies at most, and one day has more: raise its limit and ours"
            )
        middle = first + (last - first) // 2
        yield from self._between(first, middle, seen)
        yield from self._between(middle + timedelta(days=1), last, seen)

    def _window(self, window: Mapping[str, str], seen: set[str], ended: list[bool]) -> Iterator[Found]:
        for page in self._pages(STUDIES, window, "StudyInstanceUID", ended):
            for one in page:
                uid = text(one, "StudyInstanceUID")
                if uid and uid not in seen:
                    seen.add(uid)
                    yield one
            if len(seen) >= self.most and window:
                return

    def _pages(self, target: Target, query: Mapping[str, str], name: str, ended: list[bool]) -> Iterator[list[Found]]:
        """Yield pages until one has nothing new: archives end earlier than asked, or know no offset.

        `ended` is told whether the archive says at the end that there is more.
        """
        known: set[str] = set()
        limit, last = PAGE, False
        while True:
            try:
                page, more = self.client.found(target, self._query(**query) | {"limit": limit, "offset": len(known)})
            except AnswerTooLarge:
                if limit == 1:
                    raise
                limit //= 2
                continue
            names = {text(one, name) for one in page}
            if names <= known:
                ended.append(more or last)
                return
            known |= names
            last = more
            yield page

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
