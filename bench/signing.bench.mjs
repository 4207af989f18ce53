// Signing and verifying against hand-written node:crypto and against the libraries that people use.
import { createHmac, createPublicKey, createSecretKey, timingSafeEqual, verify as verifyEd25519 } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  discord,
  generateKeyPair,
  generateSecret,
  github,
  sign,
  standardWebhooks,
  verify,
} from "@hookline/webhook-signing";
import { sign as signOnWebCrypto } from "@hookline/webhook-signing/web";
import { sign as octokitSign, verify as octokitVerify } from "@octokit/webhooks-methods";
import { verifyKey } from "discord-interactions";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { compare } from "./compare.mjs";

const sizes = { "200 B": 200, "2 KB": 2_000, "20 KB": 20_000 };
const limits = {
  sign: { raw: 0.95, peers: { "200 B": 3, "2 KB": 6, "20 KB": 12 } },
  verify: { raw: 0.9, peers: { "200 B": 2, "2 KB": 3.5, "20 KB": 6 } },
  discord: { raw: 0.95, peer: 1.9 },
};

const secret = generateSecret();
const secrets = [secret];
const key = createSecretKey(Buffer.from(secret.slice(6), "base64"));
const standardPeer = new StandardWebhook(secret);
const svixPeer = new SvixWebhook(secret);

/** JSON of so many bytes as ticket webhooks carry it: a few fields and what people wrote. */
function jsonBody(bytes) {
  const ticket = { id: "0b5e5f0c", number: "TKT-2026-001", status: "open", priority: 2, description: "" };
  const event = { type: "ticket.created", timestamp: "2026-01-15T10:30:00.000Z", data: { ticket } };
  const prose = "The printer on the second floor prints every page twice since Monday. ";
  const room = bytes - JSON.stringify(event).length;
  ticket.description = prose.repeat(Math.ceil(room / prose.length)).slice(0, room);
  return JSON.stringify(event);
}

/** JSON of about so many bytes in many small objects: parsing it costs more than any signature. */
function denseJsonBody(bytes) {
  const items = [];
  while (JSON.stringify({ items }).length < bytes) items.push({ id: `item-${items.length}`, open: true, priority: 2 });
  return JSON.stringify({ items });
}

/** As a careful author writes it by hand: key made once, update in parts. */
function rawSign(body, id, timestamp) {
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": `v1,${signature}` };
}

/** The same checks as ours: headers present and single, digits, tolerance, a list of signatures, constant time. */
function rawVerify(body, headers) {
  const id = headers["webhook-id"];
  const time = headers["webhook-timestamp"];
  const list = headers["webhook-signature"];
  if (typeof id !== "string" || typeof time !== "string" || typeof list !== "string") throw new Error("missing header");
  if (id.includes(".") || !/^[0-9]{1,15}$/.test(time)) throw new Error("malformed header");
  if (Math.abs(Math.floor(Date.now() / 1000) - Number(time)) > 300) throw new Error("stale");
  const expected = createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest();
  for (const entry of list.split(" ", 17)) {
    if (!entry.startsWith("v1,")) continue;
    const given = Buffer.from(entry.slice(3), "base64");
    if (given.length === expected.length && timingSafeEqual(given, expected))
      return { id, timestamp: Number(time), body };
  }
  throw new Error("mismatch");
}

async function benchStandard(figures, checks) {
  for (const [label, bytes] of Object.entries(sizes)) {
    const text = jsonBody(bytes);
    const buffer = Buffer.from(text);
    const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const date = new Date();
    const timestamp = Math.floor(date.getTime() / 1000);
    const options = { scheme: standardWebhooks, secrets, id, timestamp };
    const signed = await compare({
      "raw, bytes": () => rawSign(buffer, id, timestamp),
      "ours, bytes": () => sign(buffer, options),
      "raw, string": () => rawSign(text, id, timestamp),
      "ours, string": () => sign(text, options),
      standardwebhooks: () => standardPeer.sign(id, date, buffer),
      svix: () => svixPeer.sign(id, date, buffer),
    });
    // Headers that were parsed from the wire are new strings each time; one object stands for them here on both sides.
    const headers = rawSign(text, id, timestamp);
    const how = { scheme: standardWebhooks, secrets, toleranceSeconds: 300 };
    const verified = await compare({
      "raw, bytes": () => rawVerify(buffer, headers),
      "ours, bytes": () => verify(buffer, headers, how),
      "raw, string": () => rawVerify(text, headers),
      "ours, string": () => verify(text, headers, how),
      "ours, parsed": () => verify(text, headers, how).json(),
      "standardwebhooks, parsed": () => standardPeer.verify(text, headers),
      "svix, parsed": () => svixPeer.verify(text, headers),
    });
    figures.push(row(`sign ${label}`, signed), row(`verify ${label}`, verified));
    for (const kind of ["bytes", "string"]) {
      checks.push(
        {
          what: `sign ${label} ${kind}, of raw`,
          measured: signed.speed(`ours, ${kind}`, `raw, ${kind}`),
          atLeast: limits.sign.raw,
        },
        {
          what: `verify ${label} ${kind}, of raw`,
          measured: verified.speed(`ours, ${kind}`, `raw, ${kind}`),
          atLeast: limits.verify.raw,
        },
      );
    }
    // All sign the same Buffer, and verify and parse the same string.
    for (const peer of ["standardwebhooks", "svix"]) {
      checks.push(
        {
          what: `sign ${label}, times ${peer}`,
          measured: signed.speed("ours, bytes", peer),
          atLeast: limits.sign.peers[label],
        },
        {
          what: `verify ${label} parsed, times ${peer}`,
          measured: verified.speed("ours, parsed", `${peer}, parsed`),
          atLeast: limits.verify.peers[label],
        },
      );
    }
  }
}

async function benchDense(figures) {
  for (const [label, bytes] of Object.entries(sizes)) {
    const text = denseJsonBody(bytes);
    const headers = rawSign(text, "msg_1", Math.floor(Date.now() / 1000));
    const how = { scheme: standardWebhooks, secrets };
    const verified = await compare({
      ours: () => verify(text, headers, how).json(),
      standardwebhooks: () => standardPeer.verify(text, headers),
      "JSON.parse alone": () => JSON.parse(text),
    });
    figures.push(row(`dense JSON ${label}`, verified));
  }
}

async function benchWebCrypto(figures) {
  const text = jsonBody(2_000);
  const options = { scheme: standardWebhooks, secrets, id: "msg_1", timestamp: Math.floor(Date.now() / 1000) };
  const signed = await compare({
    ours: () => sign(text, options),
    "ours, ./web": () => signOnWebCrypto(text, options),
  });
  figures.push(row("WebCrypto sign 2 KB", signed));
}

async function benchGithub(figures) {
  for (const [label, bytes] of Object.entries(sizes)) {
    const text = jsonBody(bytes);
    const options = { scheme: github, secrets };
    const headers = sign(text, options);
    const signature = headers["x-hub-signature-256"];
    const signed = await compare({
      ours: () => sign(text, options),
      "@octokit/webhooks-methods": () => octokitSign(secret, text),
    });
    const verified = await compare({
      ours: () => verify(text, headers, options),
      "@octokit/webhooks-methods": () => octokitVerify(secret, text, signature),
    });
    figures.push(row(`GitHub sign ${label}`, signed), row(`GitHub verify ${label}`, verified));
  }
}

async function benchDiscord(figures, checks) {
  const pair = generateKeyPair();
  const publicKey = Buffer.from(pair.publicKey.slice(5), "base64");
  const publicKeyHex = publicKey.toString("hex");
  const privateKeyHex = Buffer.from(pair.privateKey.slice(5), "base64").toString("hex");
  const keyObject = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: publicKey.toString("base64url") },
    format: "jwk",
  });
  const body = Buffer.from(jsonBody(1_000));
  const headers = sign(body, { scheme: discord, secrets: [privateKeyHex] });
  const signature = headers["x-signature-ed25519"];
  const timestamp = headers["x-signature-timestamp"];
  const options = { scheme: discord, secrets: [publicKeyHex] };
  const raw = () => {
    const content = Buffer.concat([Buffer.from(timestamp), body]);
    if (!verifyEd25519(null, content, keyObject, Buffer.from(signature, "hex"))) throw new Error("mismatch");
  };
  const ours = () => verify(body, headers, options);
  const peer = async () => {
    if (!(await verifyKey(body, signature, timestamp, publicKeyHex))) throw new Error("mismatch");
  };
  const withRaw = await compare({ "raw with a cached key": raw, ours }, { rounds: 750 });
  // Longer rounds, since each call of the peer goes to another thread and back: see README.md.
  const withPeer = await compare({ ours, "discord-interactions": peer }, { rounds: 225, roundMs: 10 });
  figures.push(
    row("Discord verify 1 KB", withRaw),
    row("Discord verify 1 KB, wall clock", withPeer),
    row("Discord verify 1 KB, CPU time", withPeer, "cpu"),
  );
  checks.push(
    {
      what: "Discord verify 1 KB, of raw",
      measured: withRaw.speed("ours", "raw with a cached key"),
      atLeast: limits.discord.raw,
    },
    {
      what: "Discord verify 1 KB, times discord-interactions",
      measured: withPeer.speed("ours", "discord-interactions"),
      atLeast: limits.discord.peer,
    },
    {
      what: "Discord verify 1 KB, times discord-interactions, CPU time",
      measured: withPeer.speed("ours", "discord-interactions", "cpu"),
    },
  );
}

function row(what, compared, clock = "wall") {
  const perSecond = compared.names.map((name) => [name, Math.round(1e9 / compared.nsPerCall(name, clock))]);
  return { what, ...Object.fromEntries(perSecond) };
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
}

export default async function bench() {
  const figures = [];
  const checks = [];
  await benchStandard(figures, checks);
  await benchDiscord(figures, checks);
  await benchDense(figures);
  await benchWebCrypto(figures);
  await benchGithub(figures);
  const group = (start) => figures.filter(({ what }) => what.startsWith(start));
  return {
    checks,
    figures: {
      "Standard Webhooks, sign (calls a second)": group("sign"),
      "Standard Webhooks, verify (calls a second)": group("verify"),
      "Discord (calls a second)": group("Discord"),
      "Standard Webhooks, verify and parse dense JSON (calls a second, for comparison only)": group("dense"),
      "WebCrypto under Node (calls a second, for comparison only)": group("WebCrypto"),
      "GitHub (calls a second, for comparison only)": group("GitHub"),
    },
    versions: Object.fromEntries(
      ["standardwebhooks", "svix", "@octokit/webhooks-methods", "discord-interactions"].map((name) => [
        name,
        versionOf(name),
      ]),
    ),
  };
}
