"""What schemathesis does not know by itself, for tests/openapi/run: media types, and names of the company."""

import zlib

import schemathesis

# Names that mean something to the server, so that requests come further than to a 404.
KNOWN = {
    "plan": ["reps"],
    "period": ["2026-04", "2026-03", "2026-Q2"],
    "payee": ["ann", "bob", "max"],
    "source": ["crm"],
    "reason_code": ["error", "dispute"],
    "credit_type": ["booking"],
    "mode": ["full", "incremental", "selected"],
    "amount": ["12.50", "-3", "79228162514264337593543950335"],
    "incentive_date": ["2026-04-10"],
}

# Bodies that are taken, in place of some of those that are made up.
TAKEN = {
    "/v1/credits": {"payee": "ann", "plan": "reps", "period": "2026-04", "amount": "5", "reason_code": "error"},
    "/v1/rewards": {"payee": "bob", "plan": "reps", "period": "2026-04", "amount": "5", "reason_code": "error"},
}


@schemathesis.serializer("application/x-ndjson", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def rows(context, value):
    """Text or bytes as they are: most of them are no rows, which is what is to be refused."""
    return value if isinstance(value, bytes) else str(value).encode()


def dice(*values):
    """A number that is the same for the same values."""
    return zlib.crc32(repr(values).encode())


def with_names(values):
    """The same with names of the company in place of most texts that are known."""
    if not isinstance(values, dict):
        return values
    return {
        key: KNOWN[key][dice(key, value) % len(KNOWN[key])]
        if key in KNOWN and isinstance(value, str) and dice(value, key) % 4
        else value
        for key, value in values.items()
    }


@schemathesis.hook
def before_call(context, case, kwargs):
    case.path_parameters = with_names(case.path_parameters)
    case.query = with_names(case.query)
    case.body = with_names(case.body)
    if case.method == "POST" and case.path in TAKEN and isinstance(case.body, dict) and dice(case.body) % 3 == 0:
        case.body = dict(TAKEN[case.path])
    if case.method in ("PUT", "DELETE") and dice(case.path_parameters) % 2 and case.headers is not None:
        case.headers["If-Match"] = "*"
