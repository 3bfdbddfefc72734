"""What schemathesis does not know by itself, for tests/openapi/run: media types, and names of the company."""

import random

import schemathesis

# Names that mean something to the server, so that requests come further than to a 404.
KNOWN = {
    "plan": ["reps"],
    "period": ["2026-04", "2026-03", "2026-Q2"],
    "payee": ["ann", "bob", "max"],
    "position": ["ann", "max"],
    "source": ["crm"],
    "reason_code": ["error", "dispute"],
    "credit_type": ["booking"],
    "unit_type": ["USD", "EUR"],
    "mode": ["full", "incremental", "selected"],
    "amount": ["12.50", "-3", "79228162514264337593543950335"],
    "incentive_date": ["2026-04-10"],
}


@schemathesis.serializer("application/x-ndjson", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def rows(context, value):
    """Text or bytes as they are: most of them are no rows, which is what is to be refused."""
    return value if isinstance(value, bytes) else str(value).encode()


def with_names(values):
    """The same with names of the company in place of some texts."""
    if not isinstance(values, dict):
        return values
    return {
        key: random.choice(KNOWN[key]) if key in KNOWN and isinstance(value, str) and random.random() < 0.7 else value
        for key, value in values.items()
    }


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return with_names(path_parameters)


@schemathesis.hook
def map_query(context, query):
    return with_names(query)


@schemathesis.hook
def map_body(context, body):
    return with_names(body)
