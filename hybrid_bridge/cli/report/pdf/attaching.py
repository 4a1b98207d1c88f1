"""Files inside a PDF, and what makes its bytes follow from its content alone (ISO 32000-1 §7.11.4, §14.4)."""

import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from reportlab.lib.utils import TimeStamp
from reportlab.pdfbase.pdfdoc import (
    PDFArray,
    PDFDate,
    PDFDictionary,
    PDFName,
    PDFStream,
    PDFString,
    PDFZCompress,
)

from hybrid_bridge.units import UnixSeconds


def attach(document: Any, files: Mapping[str, tuple[str, bytes]]) -> None:  # noqa: ANN401 reportlab has no types
    """Put files by name, each with its media type, into the document; a reader shows them as attachments."""
    names: list[Any] = []
    for name, (media_type, content) in sorted(files.items()):
        parameters = {"Size": len(content), "ModDate": PDFDate(ts=document._timeStamp)}  # noqa: SLF001
        stream = PDFStream(
            PDFDictionary(
                {
                    "Type": PDFName("EmbeddedFile"),
                    "Subtype": _name(media_type),
                    "Params": PDFDictionary(parameters),
                }
            ),
            content,
            [PDFZCompress],
        )
        held = document.Reference(stream)
        specification = PDFDictionary(
            {
                "Type": PDFName("Filespec"),
                "F": PDFString(name),
                "UF": PDFString(name),
                "AFRelationship": PDFName("Source"),
                "EF": PDFDictionary({"F": held, "UF": held}),
            }
        )
        names += [PDFString(name), document.Reference(specification)]
    document.Catalog.Names = PDFDictionary({"EmbeddedFiles": PDFDictionary({"Names": PDFArray(names)})})
    document.Catalog.setPageMode("UseOutlines")


def _name(media_type: str) -> str:
    """A slash within a name is its number (ISO 32000-1 §7.3.5, example in §7.11.4); reportlab writes it as it is."""
    return "/" + media_type.replace("/", "#2F")


def settle(document: Any, at: UnixSeconds, content: bytes) -> None:  # noqa: ANN401 reportlab has no types
    """The report's own moment as the document's, and an id that follows from what it is about."""
    stamp = TimeStamp(invariant=1)
    stamp.t, stamp.lt = at, time.gmtime(at)
    stamp.YMDhms = tuple(stamp.lt)[:6]
    document._timeStamp = stamp  # noqa: SLF001
    document_id = sha256(content).hexdigest()[:32].encode()
    document._ID = b"[<" + document_id + b"><" + document_id + b">]\n"  # noqa: SLF001
