"""Parser of XML that neither expands nor loads entities and adds no default attributes."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from sklearn_tree.preprocessing.parsers.builder import TreeBuilder
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.formats.leaves import Splitter, keep_label
from sklearn_tree.trees.formats.markup import strip_namespace


def parse_xml(text: str, split: Splitter = keep_label) -> FlatTree:
    """Parse one document into the tree that ``ElementTree`` builds; entity declarations are refused.

    ``split`` splits texts and the values of attributes.
    Prefixes are removed here: with namespaces enabled, expat would copy the URI into every name.
    """
    builder = TreeBuilder(split)
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.specified_attributes = True  # without the defaults of a DTD, which may be long
    parser.buffer_text = True

    def start(tag: str, attributes: list[str]) -> None:
        builder.open(strip_namespace(tag))
        for name, value in zip(attributes[::2], attributes[1::2], strict=True):
            if name != "xmlns" and not name.startswith("xmlns:"):
                builder.add_attribute(strip_namespace(name), value)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: builder.close()
    parser.CharacterDataHandler = builder.add_text
    parser.EntityDeclHandler = _refuse_entity
    parser.ExternalEntityRefHandler = _refuse_entity
    parser.SkippedEntityHandler = _refuse_entity  # entities of a DTD that is not loaded
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    return builder.build()


def _refuse_entity(name: Any, *rest: Any) -> int:
    raise ValueError(f"XML must not declare or load entities, got the entity {name!r:.60}")
