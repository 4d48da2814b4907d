"""PDFs made here: of any text, of pictures only, encrypted, damaged, and one that never ends."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence

_TO_UNICODE = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CMapName /A def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
1 beginbfrange <0000> <FFFF> <0000> endbfrange
endcmap end end"""


def pdf(pages: Sequence[str], *, date: str = "20240315") -> bytes:
    """A PDF whose font names every character by its UTF-16 code; a line of a page is a line of its text."""
    return assembled([_written(page) for page in pages], date=date)


def _written(page: str) -> bytes:
    lines = [b"<" + line.encode("utf-16-be").hex().encode() + b"> Tj 0 -20 Td" for line in page.split("\n")]
    return b"BT /F 12 Tf 50 750 Td " + b"\n".join(lines) + b" ET"


def assembled(contents: Sequence[bytes], *, date: str = "20240315") -> bytes:
    """A PDF with these content streams, one a page."""
    n = len(contents)
    kids = b" ".join(b"%d 0 R" % (6 + 2 * i) for i in range(n))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % n,
        b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [4 0 R] "
        b"/ToUnicode 5 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /CIDSystemInfo << /Registry (Adobe) "
        b"/Ordering (Identity) /Supplement 0 >> /DW 600 >>",
        _stream(_TO_UNICODE),
    ]
    for i, content in enumerate(contents):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F 3 0 R >> >> >>" % (7 + 2 * i)
        )
        objects.append(_stream(content))
    objects.append(b"<< /CreationDate (D:" + date.encode() + b"120000Z) >>")
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(
        b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, len(objects), start)
    )
    return out.getvalue()


def _stream(data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed) + packed + b"\nendstream"


def scanned(n_pages: int = 2) -> bytes:
    """Pages with a line drawn on each, and no text."""
    return assembled([b"0 0 m 100 100 l S"] * n_pages)


def encrypted(password: str) -> bytes:
    """A PDF that opens with a password; with "" for everybody."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(["Nothing secret."]))))
    writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def endless() -> bytes:
    """A small file that keeps pypdf busy for minutes: two million operators, some kilobytes packed."""
    return assembled([b"BT /F 12 Tf " + b"<0041> Tj 1 0 Td " * 2_000_000 + b" ET"])
