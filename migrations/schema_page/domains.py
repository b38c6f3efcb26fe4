"""The tables of the models by domain: one domain is one module of `storage.models`."""

import sys
from dataclasses import dataclass

from sqlalchemy import Table

from storage.models import Base

READING_ORDER = (
    "accounts", "classes", "materials", "notes", "tests", "flashcards", "documents", "courses", "study",
    "conversations", "sharing", "operations",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Domain:
    """`purpose` is the module's docstring; `tables` are in the order of the module."""

    name: str
    purpose: str
    tables: tuple[Table, ...]

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


def domains() -> list[Domain]:
    """All domains in the order to read them in. Raises ValueError for a module that READING_ORDER lacks."""
    models: dict[str, list[type[Base]]] = {}
    for mapper in Base.registry.mappers:
        models.setdefault(mapper.class_.__module__, []).append(mapper.class_)
    found = [_domain(module, classes) for module, classes in models.items()]
    return sorted(found, key=lambda domain: READING_ORDER.index(domain.name))


def _domain(module: str, models: list[type[Base]]) -> Domain:
    source = sys.modules[module]
    order = list(vars(source))
    models.sort(key=lambda model: order.index(model.__name__))
    tables = [model.__table__ for model in models if isinstance(model.__table__, Table)]
    return Domain(module.rsplit(".", 1)[1], " ".join((source.__doc__ or "").split()), tuple(tables))
