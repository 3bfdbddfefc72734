#!/usr/bin/env python3
"""Random signed requests, and whether the vendor's Python library accepts them, as lines of JSON.

    vectors.py COUNT SEED        COUNT requests for each library: standardwebhooks and stripe

A request is made with the library's own signature, and most of them are damaged afterwards. `valid` is what the
library says of the result at the time `received_ms`. `lax` says why a connector refuses what the library accepts; it
is written for the laxities that are listed here and no others, so a new one shows as a disagreement.
"""

import base64
import json
import random
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from unittest import mock

import standardwebhooks
import stripe

# Why connectors are stricter than the libraries.
DIGITS = "a time is digits alone"
FUTURE = "a time is at most 300 s from now on both sides"
TWENTY = "twenty signatures are tried"
DOT = "a dot in the id could move into the time"
BASE64 = "a signature is written in one way"
TWICE = "a part that comes twice is refused"
VALUE = "a part without one value is refused"


def random_text(rng, alphabet, length):
    return "".join(rng.choice(alphabet) for _ in range(length))


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def random_body(rng):
    """A body: mostly JSON with text of several alphabets, sometimes empty or not JSON."""
    if rng.random() < 0.03:
        return ""
    if rng.random() < 0.03:
        return random_text(rng, LETTERS + " .,=\n", rng.randint(1, 40))
    words = ["Müller", "日本", "a.b", "t=1,v1=2", "é", "\\", '"', "/", "\U0001f600", "Acorn", ""]
    value = {
        "id": "evt_" + random_text(rng, LETTERS, 24),
        "amount": rng.randint(-(10**12), 10**12),
        "name": " ".join(rng.choice(words) for _ in range(rng.randint(0, 6))),
        "list": [rng.random() for _ in range(rng.randint(0, 3))],
    }
    separators = rng.choice([(",", ":"), (", ", ": ")])
    indent = rng.choice([None, None, 2])
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=separators, indent=indent)


def damaged_body(rng, body):
    place = rng.randint(0, len(body))
    return rng.choice(
        [
            body + rng.choice([" ", "\n", "}", "0"]),
            " " + body,
            body[:-1] if body else "x",
            body[:place] + rng.choice("x.0 \u00e9") + body[place:],
            body.replace('"', "'", 1) + ("" if '"' in body else "'"),
        ]
    )


def damaged_text(rng, text):
    """A text with one character exchanged."""
    place = rng.randrange(len(text))
    other = rng.choice([c for c in LETTERS if c != text[place]])
    return text[:place] + other + text[place + 1 :]


def request(connector, client, case, headers, body, secret, received_ms):
    return {
        "connector": connector,
        "client": f"{client} {version(client)} of Python",
        "case": case,
        "method": "POST",
        "url": "https://accredit.example.com/hooks/crm",
        "headers": headers,
        "body_base64": base64.b64encode(body.encode()).decode(),
        "secret": secret,
        "received_ms": received_ms,
    }


def standard_webhooks(rng):
    """One request with the headers of Standard Webhooks."""
    key = rng.randbytes(rng.randint(16, 64))
    text = base64.b64encode(key).decode()
    secret = rng.choice(["whsec_", "whsec_", ""]) + (text.rstrip("=") if rng.random() < 0.3 else text)
    sent = rng.randint(1_000_000_000, 2_500_000_000)
    received, body = sent + rng.randint(-300, 300), random_body(rng)
    msg_id = "msg_" + random_text(rng, LETTERS + "-_", rng.randint(1, 40))
    time_text, lax = str(sent), None

    def sign(signed_id=msg_id, signer=secret):
        hook = standardwebhooks.Webhook(signer)
        return hook.sign(signed_id, datetime.fromtimestamp(sent, timezone.utc), body)

    signature = sign()
    other = "v1," + base64.b64encode(rng.randbytes(32)).decode()
    case = rng.choice(["good"] * 8 + STANDARD_CASES)
    if case == "rotated":
        signature = " ".join(rng.sample([signature, other], 2))
    elif case == "twentieth":
        signature = " ".join([other] * rng.randint(1, 19) + [signature])
    elif case == "after twenty":
        signature, lax = " ".join([other] * rng.randint(20, 40) + [signature]), TWENTY
    elif case == "late":
        received = sent + rng.choice([301, rng.randint(301, 10**6)])
    elif case == "early":
        received = sent - rng.choice([301, rng.randint(301, 10**6)])
    elif case == "body":
        body = damaged_body(rng, body)
    elif case == "character of the signature":
        # The last digit has bits that are not used, and this library decodes without looking at them.
        signature, lax = "v1," + damaged_text(rng, signature[3:]), BASE64
    elif case == "other secret":
        signature = sign(signer="whsec_" + base64.b64encode(rng.randbytes(32)).decode())
    elif case == "other version":
        signature = signature.replace("v1,", rng.choice(["v1a,", "v2,", "V1,", "v0,"]))
    elif case == "cut":
        signature = signature[: rng.randint(0, len(signature) - 2)]
    elif case == "other time":
        time_text = str(sent + rng.choice([-1, 1]))
    elif case == "time in another form":
        time_text, lax = rng.choice([f" {sent}", f"{sent} ", f"+{sent}", f"{sent}.0", f"{sent}e0"]), DIGITS
    elif case == "no time":
        time_text = rng.choice(["", "abc", "1e9", "-5", "NaN", "inf", "9223372036854775808", "0x1"])
    elif case == "other id":
        msg_id = damaged_text(rng, msg_id)
    elif case == "id with a dot":
        msg_id = msg_id + "." + str(rng.randint(0, 9))
        signature, lax = sign(signed_id=msg_id), DOT

    headers = [["webhook-id", msg_id], ["webhook-timestamp", time_text], ["webhook-signature", signature]]
    if case == "without a header":
        headers.pop(rng.randrange(3))
    made = request("standard-webhooks", "standardwebhooks", case, headers, body, secret, received * 1000)
    return made, lax


STANDARD_CASES = [
    "rotated", "twentieth", "after twenty", "late", "early", "body", "body", "character of the signature",
    "other secret", "other version", "cut", "other time", "time in another form", "no time", "other id",
    "id with a dot", "without a header",
]  # fmt: skip


def accepts_standard(made):
    """What the library says at the time of the request."""
    now = datetime.fromtimestamp(made["received_ms"] / 1000, timezone.utc)
    with mock.patch("standardwebhooks.webhooks.datetime", wraps=datetime) as clock:
        clock.now.return_value = now
        try:
            body = base64.b64decode(made["body_base64"])
            hook = standardwebhooks.Webhook(made["secret"])
            hook.verify(body, dict(made["headers"]), json_parse=False)
            return True
        except Exception:  # whatever it raises, it did not accept
            return False


def stripe_event(rng):
    """One request with the header of Stripe."""
    secret = "whsec_" + random_text(rng, LETTERS, rng.choice([32, 64]))
    sent = rng.randint(1_000_000_000, 2_500_000_000)
    received, body = sent + rng.randint(-300, 300), random_body(rng)

    def sign(signer=secret):
        header = stripe.WebhookSignature.generate_signature_header(body, signer, sent)
        return header.split(",v1=")[1]

    signature, lax, time_text = sign(), None, str(sent)
    other = rng.randbytes(32).hex()
    items = [f"v1={signature}"]
    case = rng.choice(["good"] * 8 + STRIPE_CASES)
    if case == "test signature":
        items.insert(rng.randint(0, 1), f"v0={other}")
    elif case == "rotated":
        items.insert(rng.randint(0, 1), f"v1={other}")
    elif case == "twentieth":
        items = [f"v1={other}"] * rng.randint(1, 19) + items
    elif case == "after twenty":
        items, lax = [f"v1={other}"] * rng.randint(20, 40) + items, TWENTY
    elif case == "late":
        received = sent + rng.choice([301, rng.randint(301, 10**6)])
    elif case == "early":
        received, lax = sent - rng.choice([301, rng.randint(301, 10**6)]), FUTURE
    elif case == "body":
        body = damaged_body(rng, body)
    elif case == "character of the signature":
        items = [f"v1={damaged_text(rng, signature)}"]
    elif case == "capitals":
        items = [f"v1={signature.upper()}"]
    elif case == "other secret":
        items = [f"v1={sign(rng.choice(['whsec_' + random_text(rng, LETTERS, 32), secret[6:]]))}"]
    elif case == "other version":
        items = [rng.choice(["v0=", "v2=", "V1=", " v1=", "v1 ="]) + signature]
    elif case == "cut":
        items = [f"v1={signature[: rng.randint(0, 63)]}"]
    elif case == "other time":
        time_text = str(sent + rng.choice([-1, 1]))
    elif case == "time in another form":
        time_text, lax = rng.choice([f" {sent}", f"{sent} ", f"+{sent}", f"0{sent}", f"{sent:_}"]), DIGITS
    elif case == "no time":
        time_text = rng.choice(["", "abc", "1e9", "-5", f"{sent}.0", "None", "0x1", "9223372036854775808"])
    elif case == "time twice":
        items, lax = items + [f"t={rng.choice([sent, 1])}"], TWICE
    elif case == "two values":
        items, lax = [f"v1={signature}={rng.choice(['', 'x'])}"], VALUE
    elif case == "part without a value":
        items, lax = items + [rng.choice(["", "x", "v0"])], VALUE

    parts = [f"t={time_text}", *items]
    if case == "without a part":
        parts.pop(rng.randrange(2))
    headers = [["stripe-signature", ",".join(parts)]]
    return request("stripe", "stripe", case, headers, body, secret, received * 1000), lax


STRIPE_CASES = [
    "test signature", "rotated", "twentieth", "after twenty", "late", "early", "body", "body",
    "character of the signature", "capitals", "other secret", "other version", "cut", "other time",
    "time in another form", "no time", "time twice", "two values", "part without a value", "without a part",
]  # fmt: skip


def accepts_stripe(made):
    """What the library says at the time of the request."""
    with mock.patch("stripe._webhook.time.time", return_value=made["received_ms"] / 1000):
        try:
            body, header = base64.b64decode(made["body_base64"]), dict(made["headers"]).get("stripe-signature")
            return stripe.WebhookSignature.verify_header(body, header, made["secret"], tolerance=300)
        except Exception:  # whatever it raises, it did not accept
            return False


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    for make, accepts in [(standard_webhooks, accepts_standard), (stripe_event, accepts_stripe)]:
        for _ in range(count):
            made, lax = make(rng)
            made["valid"] = bool(accepts(made))
            if lax and made["valid"]:
                made["lax"] = lax
            print(json.dumps(made))


main()
