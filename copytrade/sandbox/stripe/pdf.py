"""A PDF of an invoice: one page of text in the reader's own font."""

from datetime import UTC, datetime

from copytrade.sandbox.stripe.currencies import written
from copytrade.sandbox.stripe.errors import Json

_HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"


def invoice(body: Json) -> bytes:
    """Write an invoice."""
    currency, day = body["currency"], datetime.fromtimestamp(body["created"], UTC).date().isoformat()
    lines = [
        "TEST MODE: no real money moves here",
        f"Invoice {body['number'] or body['id']}",
        f"{body['account_name']} to {body['customer_email'] or body['customer']}",
        f"Date {day}, {body['status']}",
        "",
        *(f"{line['description']}: {written(line['amount'], currency)}" for line in body["lines"]["data"]),
        f"Subtotal {written(body['subtotal'], currency)}",
        *(f"Discount {written(-one['amount'], currency)}" for one in body["total_discount_amounts"] if one["amount"]),
        f"Total {written(body['total'], currency)}",
        f"Paid {written(body['amount_paid'], currency)}",
    ]
    return page(lines)


def page(lines: list[str]) -> bytes:
    """Write lines of text onto one A4 page."""
    shown = b" T* ".join(b"(" + _escaped(line) + b") Tj" for line in lines)
    content = b"BT /F1 12 Tf 18 TL 56 786 Td " + shown + b" ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    made, offsets = bytearray(_HEAD), []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    at = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, at)
    return bytes(made)


def _escaped(text: str) -> bytes:
    plain = text.encode("cp1252", "replace")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
