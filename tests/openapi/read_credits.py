"""Reads the credits of a server page by page, with a client that was made from its OpenAPI document."""

import os

from accredit_client import AuthenticatedClient
from accredit_client.api.credits_ import get_credit, list_credits
from accredit_client.models import PostedCreditPage, Problem
from accredit_client.types import UNSET

client = AuthenticatedClient(base_url=os.environ["ACCREDIT_URL"], token=os.environ["ACCREDIT_TOKEN"])

credits, cursor = [], UNSET
while cursor is not None:
    page = list_credits.sync(client=client, payee="ann", limit=7, cursor=cursor)
    assert isinstance(page, PostedCreditPage), page
    credits.extend(page.data)
    cursor = page.next_cursor

wrong = get_credit.sync("none", client=client)
assert isinstance(wrong, Problem) and wrong.type_ == "/problems/not_found", wrong
assert len(credits) >= 8, credits
print(f"Python: {len(credits)} credits, the first of {credits[0].amount} {credits[0].unit_type}")
