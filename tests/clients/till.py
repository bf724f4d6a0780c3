"""A till with the client that was generated from the document: a quote, a sale, the same again, and its return."""

import sys
from datetime import UTC, datetime

from client import AuthenticatedClient
from client.api.members import get_member
from client.api.sales import post_quote, post_return, post_sale
from client.models import LineIn, LineInCategory, OrderIn, ProblemDetail, Quote, QuoteIn, ReturnIn, Sold

url, key, member, order = sys.argv[1:]
service = AuthenticatedClient(base_url=url, token=key)
lines = [LineIn(item="滤芯", category=LineInCategory.PARTS, qty=2, list_=36000)]
now = datetime.now(UTC)

quote = post_quote.sync(client=service, body=QuoteIn(member=member, lines=lines))
assert isinstance(quote, Quote), quote
assert quote.lines[0].list_ == 36000

said = OrderIn(member=member, order=order, occurred_at=now, lines=lines)
sold = post_sale.sync(client=service, body=said, idempotency_key=f"py-{order}")
assert isinstance(sold, Sold), sold
assert sold.status == "recorded"

again = post_sale.sync_detailed(client=service, body=said, idempotency_key=f"py-{order}")
assert again.headers["idempotent-replayed"] == "true", again

back = post_return.sync_detailed(
    order, client=service, body=ReturnIn(source_id=f"{order}-R", occurred_at=now), idempotency_key=f"py-{order}-R"
)
assert back.status_code == 201, back

nobody = get_member.sync("nobody", client=service)
assert isinstance(nobody, ProblemDetail), nobody
assert nobody.code == "unknown_member"
print("done")
