"""The fakes offer what the protocols ask for, under the same names: no more is relied on, no less is faked."""

import inspect
from typing import Any

import pytest

from mapper.sinks.sink import Sink
from mapper.sources.source import Feed, Source
from tests.support.fakes import FakeSink, FakeSource
from tests.support.protocols import offered


@pytest.mark.parametrize(
    ("protocol", "fake", "name"),
    [
        (protocol, fake, name)
        for protocol, fake in ((Source, FakeSource), (Feed, FakeSource), (Sink, FakeSink))
        for name in offered(protocol)
    ],
)
def test_a_fake_has_the_methods_of_its_protocol(protocol: Any, fake: Any, name: str) -> None:
    asked, given = (inspect.signature(getattr(one, name)).parameters for one in (protocol, fake))
    assert list(given) == list(asked)
    assert [one.default for one in given.values()] == [one.default for one in asked.values()]
