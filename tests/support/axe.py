"""What keeps people out of a page, as axe-core finds it: WCAG 2.2, levels A and AA."""

from typing import Any

from playwright.sync_api import Page

from stack.process import ROOT

AXE = ROOT / ".run/axe/axe.min.js"
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""axe's names of it."""


def violations(page: Page) -> list[Any]:
    """Return each rule that the page breaks, and where."""
    assert AXE.exists(), "setup/axe.sh fetches it"
    asked = f"axe.run({{runOnly: {{type: 'tag', values: {STANDARD}}}}})"
    found = page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')}; return {asked} }}")["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
