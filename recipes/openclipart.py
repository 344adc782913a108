"""What openclipart's drawings, as Debian's openclipart-svg packs them, say of themselves."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from pathlib import Path


def titles_and_keywords(drawing: Path) -> tuple[list[str], list[str]]:
    """Of its RDF, as its maker wrote them, empty ones too; nothing if there is none, or it is no XML."""
    try:
        work = next((element for element in xml.parse(drawing).iter() if _local(element) == "Work"), ())
    except xml.ParseError:
        return [], []
    titles = [element.text or "" for element in work if _local(element) == "title"]
    keywords = [item.text or "" for subject in work if _local(subject) == "subject"
                for item in subject.iter() if _local(item) == "li"]
    return titles, keywords


def _local(element: xml.Element) -> str:
    return element.tag.rpartition("}")[2]
