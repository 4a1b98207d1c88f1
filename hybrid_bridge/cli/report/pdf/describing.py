"""What a PDF says of itself to programs that read it aloud or file it: its title, language, moment (XMP, ISO 16684-1).

No structure tags: the library draws text and says nothing of headings or of the cells of tables. It is neither PDF/UA
nor PDF/A, and claims to be neither.
"""

from typing import Any
from xml.sax.saxutils import escape

from reportlab.pdfbase.pdfdoc import XMP

from hybrid_bridge.cli.report.model import Report
from hybrid_bridge.core.evidence import utc


def describe(document: Any, report: Report, lang: str) -> None:  # noqa: ANN401 reportlab has no types
    """Put the description into the document, readable as it is."""
    packet = _packet(report, lang)
    document.Catalog.Metadata = document.Reference(XMP(creator=lambda _: packet))


def _packet(report: Report, lang: str) -> bytes:
    date, clock, _ = utc(report.at).split(" ")
    moment = f"{date}T{clock}Z"
    title = escape(f"{report.title} {report.report_id}")
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(report.subtitle)}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{lang}</rdf:li></rdf:Bag></dc:language>
<dc:identifier>{report.report_id}</dc:identifier>
<xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate>
<xmp:CreatorTool>hybrid-bridge</xmp:CreatorTool><pdf:Keywords>{escape(report.code)}</pdf:Keywords>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>""".encode()
