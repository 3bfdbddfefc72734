// People sign in to a real server with a real provider, `oidc-provider` of npm; everything is on loopback.
//
// Not a browser: redirects are followed one by one, so that each can be changed on its way. The provider runs in this
// process, with its own pages for development, which take any name and password.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Provider from "oidc-provider";

const binary = process.argv[2];
const TOKEN = "token-of-the-administrator-0001";
const CLIENT_SECRET = "canary client/secret+0001";

// The provider's clock, so that its tokens can be of another time.
const realNow = Date.now;
let shiftMs = 0;
Date.now = () => realNow() + shiftMs;

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** A provider that signs with an algorithm. */
async function startProvider(alg, redirect) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const pair = {
    RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    EdDSA: () => generateKeyPairSync("ed25519"),
  }[alg]();
  const jwk = { ...pair.privateKey.export({ format: "jwk" }), use: "sig", alg, kid: `key-${alg}` };
  const client = (client_id) => ({
    client_id,
    client_secret: CLIENT_SECRET,
    redirect_uris: [redirect],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    id_token_signed_response_alg: alg,
  });
  const provider = new Provider(issuer, {
    clients: [client("accredit"), client("another")],
    jwks: { keys: [jwk] },
    cookies: { keys: ["a key of a test"] },
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: true } },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@Acme.example`, email_verified: !id.startsWith("unverified") }),
    }),
  });
  const server = provider.listen(port, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { issuer, stop: () => server.close() };
}

const folder = mkdtempSync(join(tmpdir(), "accredit-oidc-"));
let log = "";

function start(words, env) {
  const child = spawn(binary, words, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.on("data", (text) => (log += text));
  return child;
}

const ended = (child) => new Promise((resolve) => child.once("exit", resolve));

async function startServer(issuer, port) {
  const server = start(
    ["serve", "--create", "--data", join(folder, `${port}.redb`), "--workspace", join(folder, "acme"),
      "--listen", `127.0.0.1:${port}`],
    {
      ACCREDIT_TOKEN: TOKEN,
      ACCREDIT_OIDC_ISSUER: issuer,
      ACCREDIT_OIDC_CLIENT_ID: "accredit",
      ACCREDIT_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      ACCREDIT_OIDC_REDIRECT: `http://127.0.0.1:${port}/v1/session/oidc/callback`,
    },
  );
  for (let tries = 0; ; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/livez`);
      return server;
    } catch {
      assert(tries < 400 && server.exitCode === null, log);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Cookies by host and port, as a browser keeps them. */
class Browser {
  cookies = new Map();

  async send(url, form) {
    const { host } = new URL(url);
    const own = this.cookies.get(host) ?? new Map();
    const headers = { cookie: [...own].map(([name, value]) => `${name}=${value}`).join("; ") };
    const body = form && new URLSearchParams(form);
    const answer = await fetch(url, { method: form ? "POST" : "GET", headers, body, redirect: "manual" });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair] = cookie.split(";");
      const at = pair.indexOf("=");
      own.set(pair.slice(0, at), pair.slice(at + 1));
    }
    this.cookies.set(host, own);
    return answer;
  }

  /** Follows redirects up to the callback, which it does not send; signs in and agrees on the way. */
  async toCallback(url, login) {
    for (let steps = 0; steps < 20; steps += 1) {
      if (new URL(url).pathname.endsWith("/oidc/callback")) return url;
      const answer = await this.send(url);
      if (answer.status === 303 || answer.status === 302) {
        url = new URL(answer.headers.get("location"), url).href;
        continue;
      }
      const page = await answer.text();
      assert.equal(answer.status, 200, page);
      const prompt = page.includes('value="login"') ? "login" : "consent";
      const done = await this.send(url, prompt === "login" ? { prompt, login, password: "any" } : { prompt });
      assert.equal(done.status, 303, await done.text());
      url = new URL(done.headers.get("location"), url).href;
    }
    throw new Error("too many redirects");
  }
}

async function campaign(alg) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const provider = await startProvider(alg, `${base}/v1/session/oidc/callback`);
  const server = await startServer(provider.issuer, port);
  const api = async (method, path, body) => {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    assert(answer.ok, `${path}: ${await answer.clone().text()}`);
    return answer.json();
  };
  const add = (name) => api("POST", "/v1/people", { name, email: `${name}@acme.example`, role: "reader" });
  await add("ann");
  await add("unverified");
  const disabled = await add("dora");
  await api("POST", `/v1/people/${disabled.id}/disable`);

  const begin = async (browser, change) => {
    const answer = await browser.send(`${base}/v1/session/oidc`);
    assert.equal(answer.status, 303, await answer.text());
    const url = new URL(answer.headers.get("location"));
    assert.equal(url.searchParams.get("code_challenge_method"), "S256");
    change?.(url.searchParams);
    return url.href;
  };
  const code = async (answer) => `${answer.status} ${(await answer.json()).type}`;
  const me = async (browser) => (await browser.send(`${base}/v1/me`)).status;

  // The whole way.
  const browser = new Browser();
  const callback = await browser.toCallback(await begin(browser), "ann");
  const done = await browser.send(callback);
  assert.equal(done.status, 303, await done.text());
  assert.equal(done.headers.get("location"), "/v1/me");
  const cookie = done.headers.getSetCookie().find((one) => one.startsWith("__Host-accredit="));
  for (const wanted of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"]) assert(cookie.includes(wanted), cookie);
  assert.equal(await me(browser), 200);

  // A state counts once, and in the browser that began.
  assert.equal(await code(await browser.send(callback)), "400 /problems/sign_in_over");
  const victim = new Browser();
  const attacker = new Browser();
  const stolen = await attacker.toCallback(await begin(attacker), "ann");
  assert.equal(await code(await victim.send(stolen)), "400 /problems/sign_in_over");
  assert.equal(await me(victim), 401);
  assert.equal(await code(await victim.send(`${base}/v1/session/oidc/callback?code=x`)), "400 /problems/sign_in_over");

  const refused = async (login, change, changeCallback) => {
    const browser = new Browser();
    let callback = await browser.toCallback(await begin(browser, change), login);
    if (changeCallback) callback = changeCallback(callback);
    const answer = await browser.send(callback);
    assert.equal(await code(answer), "401 /problems/sign_in_refused");
    assert.equal(await me(browser), 401);
  };
  await refused("ann", (query) => query.set("nonce", "another"));
  await refused("ann", (query) => query.set("client_id", "another"));
  await refused("ann", (query) => query.set("code_challenge", "A".repeat(43)));
  await refused("ann", undefined, (url) => url.replace(/code=[^&]*/, "code=another"));
  await refused("ann", undefined, (url) => url.replace(/code=[^&]*/, "error=access_denied"));
  await refused("nobody");
  await refused("dora");
  await refused("unverified");
  shiftMs = -2 * 3600 * 1000;
  await refused("ann");
  shiftMs = 2 * 3600 * 1000;
  await refused("ann");
  shiftMs = 0;

  // Disabled while signed in.
  const people = await api("GET", "/v1/people");
  const ann = people.data.find((one) => one.name === "ann");
  await api("POST", `/v1/people/${ann.id}/disable`);
  assert.equal(await me(browser), 401);

  const trail = JSON.stringify(await api("GET", "/v1/audit?what=signed_in"));
  assert(trail.includes('"by":"oidc"'), trail);
  server.kill("SIGTERM");
  await ended(server);
  for (const secret of [CLIENT_SECRET, encodeURIComponent(CLIENT_SECRET), new URL(callback).searchParams.get("code")]) {
    assert(!log.includes(secret) && !trail.includes(secret), "a secret is in the log or the trail");
  }
  provider.stop();
  console.log(`${alg}: signed in, and 13 other tries were refused`);
}

try {
  const made = start(["new", join(folder, "acme")], {});
  assert.equal(await ended(made), 0, log);
  for (const alg of ["RS256", "ES256", "EdDSA"]) await campaign(alg);
  process.exitCode = 0;
} catch (error) {
  console.error(error, log.slice(-4000));
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
