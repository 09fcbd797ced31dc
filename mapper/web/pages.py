"""The pages for people, each of which is a folder here."""

from fastapi import FastAPI

from mapper.inquiry import Inquiry
from mapper.service import Service
from mapper.web.about import page as about
from mapper.web.asking import Asking
from mapper.web.lately import Lately
from mapper.web.mapping import page as mapping
from mapper.web.marker import Marker
from mapper.web.overview import page as overview
from mapper.web.problems import page as problems
from mapper.web.settings import page as settings
from mapper.web.studies import page as studies
from mapper.web.study import explained
from mapper.web.study import page as one_study
from mapper.web.study.explorers import Explorers
from mapper.web.study.ways import Ways
from mapper.web.syncs import page as syncs
from mapper.web.view import View
from mapper.words import Links


def add_pages(app: FastAPI, service: Service, marker: Marker, links: Links, view: View) -> None:
    """Add all pages."""
    inquiry, asking, lately = Inquiry(service), Asking(), Lately(service.ledger)
    ways, place = Ways(service.settings, links, Explorers(inquiry.plugins).has_2), service.place
    overview.add(app, service, lately, view)
    studies.add(app, service, marker, inquiry, asking, lately, view, ways)
    explained.add(app, service.ledger, inquiry, asking, view)
    one_study.add(app, service, marker, view, ways)
    problems.add(app, service, lately, view)
    syncs.add(app, service.ledger, view)
    mapping.add(app, view, service.settings.options)
    settings.add(app, view, service.settings, service.namespace, place)
    about.add(app, view, place)
