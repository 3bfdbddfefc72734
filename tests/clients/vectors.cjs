#!/usr/bin/env node
/**
 * Random signed requests, and whether the vendor's Node library accepts them, as lines of JSON.
 *
 *     vectors.cjs COUNT SEED       COUNT requests for each library: @hubspot/api-client and standardwebhooks
 *
 * The lines are those of vectors.py. `strict` says why a connector accepts what the library refuses, and `legacy` that
 * the source allows signatures without a time.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { Signature } = require("@hubspot/api-client");
const { Webhook } = require("standardwebhooks");

const DIGITS = "a time is digits alone";
const FUTURE = "a time is at most 300 s from now on both sides";
const TWENTY = "twenty signatures are tried";
const DOT = "a dot in the id could move into the time";
const DECODED = "HubSpot documents that it decodes twelve escapes before it signs a URL";

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Numbers that a seed repeats. */
class Dice {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** From 0 to less than 1: mulberry32. */
  fraction() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  one(list) {
    return list[this.between(0, list.length - 1)];
  }

  text(alphabet, length) {
    return Array.from({ length }, () => this.one(alphabet)).join("");
  }

  bytes(length) {
    return Buffer.from(Array.from({ length }, () => this.between(0, 255)));
  }
}

function randomBody(dice) {
  if (dice.fraction() < 0.03) return "";
  const words = ["Müller", "日本", "closedwon", "é", "\\", '"', "/", "😀", "Acorn", "", "POSThttps://a/b"];
  const event = () => ({
    eventId: dice.between(1, 4294967295),
    portalId: dice.between(1, 99999999),
    occurredAt: dice.between(1e12, 2e12),
    subscriptionType: "deal.propertyChange",
    attemptNumber: dice.between(0, 9),
    objectId: dice.between(1, 2 ** 40),
    propertyName: "dealname",
    propertyValue: Array.from({ length: dice.between(0, 5) }, () => dice.one(words)).join(" "),
  });
  return JSON.stringify(Array.from({ length: dice.between(1, 3) }, event), null, dice.one([0, 0, 2]));
}

function damagedBody(dice, body) {
  const place = dice.between(0, body.length);
  // Half of a character outside of the first plane would be another text once it is encoded.
  const whole = !/[\ud800-\udfff]/.test(body.slice(place - 1, place + 1));
  const put = body.slice(0, place) + dice.one([..."x.0 é"]) + body.slice(place);
  return dice.one([body + dice.one([" ", "\n", "0"]), " " + body, body.slice(0, -1) || "x", whole ? put : body + "x"]);
}

/** A text with one character exchanged. */
function damagedText(dice, text) {
  const place = dice.between(0, text.length - 1);
  const other = dice.one([...LETTERS].filter((letter) => letter !== text[place]));
  return text.slice(0, place) + other + text.slice(place + 1);
}

/** What `run` answers while the clock shows `now`; false where it throws. */
function atTime(now, run) {
  const clock = Date.now;
  Date.now = () => now;
  try {
    return run();
  } catch {
    return false;
  } finally {
    Date.now = clock;
  }
}

const VERSIONS = {};
function client(name) {
  const folder = () => require.resolve(name).split("node_modules")[0];
  const manifest = () => path.join(folder(), "node_modules", name, "package.json");
  VERSIONS[name] ??= JSON.parse(fs.readFileSync(manifest(), "utf8")).version;
  return `${name} ${VERSIONS[name]} of Node`;
}

const HUBSPOT_CASES = [
  "body", "body", "slash", "http", "host", "query", "method", "character", "cut", "capitals", "no padding",
  "other secret", "late", "early", "other time", "time in another form", "no time", "without a time", "escapes",
  "decoded",
];

/** One request with a signature of version 3. */
function hubspot(dice) {
  const secret = [8, 4, 4, 4, 12].map((length) => dice.text("0123456789abcdef", length)).join("-");
  const query = dice.one(["", "", "?tenant=1", "?a=b&c=%20d"]);
  let url = `https://${dice.text("abcdefgh", 8)}.example.com/hooks/${dice.text(LETTERS, 6)}${query}`;
  let [method, body] = [dice.one(["POST", "POST", "POST", "PUT", "GET"]), randomBody(dice)];
  const sent = dice.between(1e12, 2.5e12);
  let received = sent + dice.one([300000, -300000, 0, dice.between(-300000, 300000)]);
  let [timestamp, lax, strict] = [String(sent), undefined, undefined];

  const sign = (parts) =>
    Signature.getSignature(method, "v3", { clientSecret: secret, requestBody: body, url, timestamp, ...parts });
  let signature = sign({});
  const name = dice.one([...Array(10).fill("good"), ...HUBSPOT_CASES]);
  switch (name) {
    case "body": body = damagedBody(dice, body); break;
    case "slash": url = query ? url.replace("?", "/?") : `${url}/`; break;
    case "http": signature = sign({ url: url.replace("https:", "http:") }); break;
    case "host": signature = sign({ url: url.replace("example.com", "Example.com") }); break;
    case "query": url += query ? "&x=1" : "?x=1"; break;
    case "method": method = dice.one(["PATCH", "post", "POS", ""]); break;
    case "character": signature = damagedText(dice, signature); break;
    case "cut": signature = signature.slice(0, dice.between(0, 43)); break;
    case "capitals": signature = signature.toUpperCase(); break;
    case "no padding": signature = signature.replace("=", dice.one(["", "=="])); break;
    case "other secret": signature = sign({ clientSecret: damagedText(dice, secret) }); break;
    case "late": received = sent + dice.one([300001, 301000, dice.between(300001, 1e9)]); break;
    case "early":
      [received, lax] = [sent - dice.one([300001, 301000, dice.between(300001, 1e9)]), FUTURE];
      break;
    case "other time": timestamp = String(sent + dice.one([-1, 1])); break;
    case "time in another form":
      timestamp = dice.one([` ${sent}`, `${sent} `, `+${sent}`, `${sent}.0`, `${sent}e0`, `0x${sent.toString(16)}`]);
      [signature, lax] = [sign({ timestamp }), DIGITS];
      break;
    case "no time":
      timestamp = dice.one(["abc", "NaN", "undefined", "-5", "", "1e9", "9223372036854775808", "2023-09-02T12:26:00Z"]);
      [signature, lax] = [sign({ timestamp }), timestamp.startsWith("922") ? FUTURE : DIGITS];
      break;
    case "escapes":
      url = `${url.split("?")[0]}%2Cx%20y?z=%3A%3a%2B`;
      signature = sign({ url });
      break;
    case "decoded":
      url = `${url.split("?")[0]}%2Cx%20y?z=%3A%3a%2B`;
      [signature, strict] = [sign({ url: `${url.split("%2C")[0]},x%20y?z=::%2B` }), DECODED];
      break;
  }

  const headers = [["X-HubSpot-Signature-v3", signature], ["X-HubSpot-Request-Timestamp", timestamp]];
  if (name === "without a time") headers.pop();
  const given = name === "without a time" ? undefined : timestamp;
  const options = { signature, clientSecret: secret, requestBody: body, url, method, signatureVersion: "v3" };
  const valid = atTime(received, () => Signature.isValid({ ...options, timestamp: given }));
  return { name, method, url, headers, body, secret, received, valid, lax, strict };
}

const LEGACY_CASES = ["body", "url", "method", "character", "capitals", "cut", "other secret", "other version"];

/** One request with a signature of version 1 or 2. */
function hubspotLegacy(dice) {
  const secret = dice.text(LETTERS, 36);
  let [url, method, body] = ["https://a.example.com/hooks/crm?tenant=1", dice.one(["POST", "GET"]), randomBody(dice)];
  let version = dice.one(["v1", "v2"]);
  const sign = (parts) =>
    Signature.getSignature(method, version, { clientSecret: secret, requestBody: body, url, ...parts });
  let signature = sign({});
  const name = dice.one([...Array(4).fill("good"), ...LEGACY_CASES]);
  switch (name) {
    case "body": body = damagedBody(dice, body); break;
    case "url": url += dice.one(["/", "&x=1"]); break;
    case "method": method = "PUT"; break;
    case "character": signature = damagedText(dice, signature); break;
    case "capitals": signature = signature.toUpperCase(); break;
    case "cut": signature = signature.slice(0, dice.between(0, 63)); break;
    case "other secret": signature = sign({ clientSecret: damagedText(dice, secret) }); break;
    case "other version": version = version === "v1" ? "v2" : "v1"; break;
  }
  const headers = [["X-HubSpot-Signature", signature], ["X-HubSpot-Signature-Version", version]];
  const options = { signature, clientSecret: secret, requestBody: body, url, method, signatureVersion: version };
  const received = dice.between(1e12, 2.5e12);
  const valid = atTime(received, () => Signature.isValid(options));
  return { name: `${version} ${name}`, method, url, headers, body, secret, received, valid, legacy: true };
}

const STANDARD_CASES = [
  "rotated", "twentieth", "after twenty", "late", "early", "body", "body", "character", "cut", "no padding",
  "other secret", "other version", "other time", "time in another form", "no time", "other id", "id with a dot",
  "without a header",
];

/** One request with the headers of Standard Webhooks. */
function standardWebhooks(dice) {
  const secret = dice.one(["whsec_", ""]) + dice.bytes(dice.between(16, 64)).toString("base64");
  const [sent, other] = [dice.between(1e9, 2.5e9), `v1,${dice.bytes(32).toString("base64")}`];
  let [received, body] = [sent + dice.between(-300, 300), randomBody(dice)];
  let [id, time, lax] = [`msg_${dice.text(LETTERS, dice.between(1, 40))}`, String(sent), undefined];

  const sign = (signedId, signer) => new Webhook(signer ?? secret).sign(signedId ?? id, new Date(sent * 1000), body);
  let signature = sign();
  const name = dice.one([...Array(8).fill("good"), ...STANDARD_CASES]);
  switch (name) {
    case "rotated": signature = dice.one([`${signature} ${other}`, `${other} ${signature}`]); break;
    case "twentieth": signature = `${`${other} `.repeat(dice.between(1, 19))}${signature}`; break;
    case "after twenty": [signature, lax] = [`${`${other} `.repeat(dice.between(20, 40))}${signature}`, TWENTY]; break;
    case "late": received = sent + dice.one([301, dice.between(301, 1e6)]); break;
    case "early": received = sent - dice.one([301, dice.between(301, 1e6)]); break;
    case "body": body = damagedBody(dice, body); break;
    case "character": signature = `v1,${damagedText(dice, signature.slice(3))}`; break;
    case "cut": signature = signature.slice(0, dice.between(0, 46)); break;
    case "no padding": signature = signature.replace("=", dice.one(["", "=="])); break;
    case "other secret": signature = sign(id, dice.bytes(32).toString("base64")); break;
    case "other version": signature = signature.replace("v1,", dice.one(["v1a,", "v2,", "V1,", "v0,", ""])); break;
    case "other time": time = String(sent + dice.one([-1, 1])); break;
    case "time in another form":
      [time, lax] = [dice.one([` ${sent}`, `${sent} `, `+${sent}`, `${sent}.5`, `${sent}abc`, `0${sent}`]), DIGITS];
      break;
    case "no time": time = dice.one(["", "abc", "1e9", "-5", "NaN", "0x1", "9223372036854775808"]); break;
    case "other id": id = damagedText(dice, id); break;
    case "id with a dot": [id, lax] = [`${id}.1`, DOT]; signature = sign(id); break;
  }

  const headers = [["webhook-id", id], ["webhook-timestamp", time], ["webhook-signature", signature]];
  if (name === "without a header") headers.splice(dice.between(0, 2), 1);
  received *= 1000;
  const verify = () => {
    new Webhook(secret).verify(body, Object.fromEntries(headers), { jsonParse: false });
    return true;
  };
  const url = "https://accredit.example.com/hooks/crm";
  return { name, method: "POST", url, headers, body, secret, received, valid: atTime(received, verify), lax };
}

function line(connector, library, made) {
  const { name, method, url, headers, body, secret, received, valid, lax, strict, legacy } = made;
  const written = {
    connector, client: client(library), case: name, method, url, headers,
    body_base64: Buffer.from(body).toString("base64"), secret, received_ms: received, valid,
  };
  if (lax && valid) written.lax = lax;
  if (strict && !valid) written.strict = strict;
  if (legacy) written.legacy = true;
  return `${JSON.stringify(written)}\n`;
}

const [count, seed] = process.argv.slice(2).map(Number);
const dice = new Dice(seed);
const lines = [];
for (let number = 0; number < count; number += 1) {
  const make = number % 5 === 4 ? hubspotLegacy : hubspot;
  lines.push(line("hubspot", "@hubspot/api-client", make(dice)));
  lines.push(line("standard-webhooks", "standardwebhooks", standardWebhooks(dice)));
}
process.stdout.write(lines.join(""));
