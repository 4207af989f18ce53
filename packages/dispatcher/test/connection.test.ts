import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { type RequestTls, systemClock } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { createProxy } from "proxy";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type AddressGuardOptions, createAddressGuard } from "../src/address-guard.js";
import type { ProxyOptions } from "../src/connector.js";
import { createHttpSender } from "../src/http-sender.js";
import { createDispatcher } from "../src/index.js";
import { createOriginPools } from "../src/origin-pools.js";
import { type Authority, createAuthority, type KeyPair } from "./certificates.js";
import { ENCRYPTION_KEY, openDispatcher, TENANT } from "./open-dispatcher.js";

const LOCAL: AddressGuardOptions = { allow: ["127.0.0.0/8"], allowHttp: true };

let authority: Authority;
let stranger: Authority;
let serverPair: KeyPair;
let clientPair: KeyPair;
beforeAll(() => {
  [authority, stranger] = [createAuthority(), createAuthority()];
  [serverPair, clientPair] = [authority.issue("server"), authority.issue("client")];
});

function openSender(options: { guard?: AddressGuardOptions; proxy?: ProxyOptions } = {}) {
  const guard = createAddressGuard(options.guard ?? LOCAL);
  const pools = createOriginPools({ guard, connectTimeoutMs: 5_000, clock: systemClock, proxy: options.proxy ?? null });
  onTestFinished(() => pools.close());
  const sender = createHttpSender({ guard, pools, maxResponseBytes: 1024 });
  return (url: string, tls?: RequestTls) =>
    sender.send(
      { method: "POST", url, headers: { "content-type": "text/plain" }, body: "hello", ...(tls ? { tls } : {}) },
      AbortSignal.timeout(10_000),
    );
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const greet: RequestListener = (request, response) => {
  request.resume().on("end", () => response.end(`hello ${request.headers.host}`));
};

async function serveTls(options: ServerOptions = {}): Promise<string> {
  const server = createServer({ ...serverPair, ...options }, greet);
  server.on("tlsClientError", () => {});
  return `https://127.0.0.1:${await listen(server)}/`;
}

/** A proxy that records what it is asked to connect to. */
async function openProxy(answer: { readonly authorization?: string } = {}) {
  const asked: string[] = [];
  const server = createProxy(createHttpServer());
  server.prependListener("connect", ({ url }: { readonly url?: string }) => void asked.push(url ?? ""));
  if (answer.authorization !== undefined) {
    server.authenticate = (request) => request.headers["proxy-authorization"] === answer.authorization;
  }
  return { port: await listen(server), asked };
}

describe("TLS", () => {
  it("N3 refuses a server whose authority it does not know, and takes the endpoint's own authority", async () => {
    const url = await serveTls();
    const send = openSender();
    expect(await send(url)).toMatchObject({ kind: "failed", errorCode: "tls_failed" });
    expect(await send(url, { ca: stranger.cert })).toMatchObject({ kind: "failed", errorCode: "tls_failed" });
    expect(await send(url, { ca: authority.cert })).toMatchObject({ kind: "response", response: { status: 200 } });
  });

  it("N3 verifies also where the environment says not to", async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    onTestFinished(() => {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    });
    expect(await openSender()(await serveTls())).toMatchObject({ kind: "failed", errorCode: "tls_failed" });
  });

  it("N3 refuses a certificate for another name", async () => {
    const url = await serveTls(authority.issue("other", "DNS:other.example"));
    const result = await openSender()(url, { ca: authority.cert });
    expect(result).toMatchObject({
      kind: "failed",
      errorCode: "tls_failed",
      reason: expect.stringContaining("altnames"),
    });
  });

  it("N3 refuses a certificate that has run out", async () => {
    const url = await serveTls(authority.issueExpired("old"));
    const result = await openSender()(url, { ca: authority.cert });
    expect(result).toMatchObject({
      kind: "failed",
      errorCode: "tls_failed",
      reason: expect.stringContaining("expired"),
    });
  });

  it("N3 refuses a server that speaks TLS 1.1 at most, also where Node would take it", async () => {
    const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tls;
    onTestFinished(() => void Object.assign(tls, { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS }));
    Object.assign(tls, { DEFAULT_MIN_VERSION: "TLSv1", DEFAULT_CIPHERS: "DEFAULT@SECLEVEL=0" });
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const result = await openSender()(await serveTls(old), { ca: authority.cert });
    expect(result).toMatchObject({ kind: "failed", errorCode: "tls_failed" });
    const newer = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
    expect(await openSender()(await serveTls(newer), { ca: authority.cert })).toMatchObject({ kind: "response" });
  });

  it("shows its certificate to a server that asks for one, and keeps such connections apart", async () => {
    const url = await serveTls({ requestCert: true, rejectUnauthorized: true, ca: authority.cert });
    const send = openSender();
    expect(await send(url, { ca: authority.cert, ...clientPair })).toMatchObject({ kind: "response" });
    // The open connection of the first one is not taken for those that show none, or another's.
    expect(await send(url, { ca: authority.cert })).toMatchObject({ kind: "failed" });
    expect(await send(url, { ca: authority.cert, ...stranger.issue("client") })).toMatchObject({ kind: "failed" });
  });
});

describe("forward proxy", () => {
  it("fails the attempt, and nothing else, when TLS cannot be begun over the tunnel", async () => {
    const { port, asked } = await openProxy();
    const send = openSender({ proxy: { url: `http://127.0.0.1:${port}` } });
    const result = await send(await serveTls(), { cert: "no certificate", key: "no key" });
    expect(result).toMatchObject({ kind: "failed", errorCode: "tls_failed" });
    expect(asked).toHaveLength(1);
  });

  it("N3 resolves and judges here, and asks the proxy for the judged address, over TLS end to end", async () => {
    const { port, asked } = await openProxy();
    const url = new URL(await serveTls(authority.issue("hook", "DNS:hook.example")));
    const resolve = async () => [{ address: "127.0.0.1", family: 4 as const }];
    const send = openSender({ guard: { ...LOCAL, resolve }, proxy: { url: `http://127.0.0.1:${port}` } });
    const target = `https://hook.example:${url.port}/`;
    expect(await send(target, { ca: authority.cert })).toMatchObject({
      kind: "response",
      response: { body: `hello hook.example:${url.port}` },
    });
    expect(asked).toEqual([`127.0.0.1:${url.port}`]);
    expect(await send(target, { ca: stranger.cert })).toMatchObject({ kind: "failed", errorCode: "tls_failed" });
  });

  it("N3 asks the proxy for nothing that the guard refuses", async () => {
    const { port, asked } = await openProxy();
    const resolve = async () => [{ address: "10.0.0.1", family: 4 as const }];
    const send = openSender({ guard: { resolve }, proxy: { url: `http://127.0.0.1:${port}` } });
    expect(await send("https://hook.example/")).toMatchObject({ kind: "failed", errorCode: "address_refused" });
    expect(await send("https://127.0.0.1/")).toMatchObject({ kind: "failed", errorCode: "address_refused" });
    expect(asked).toEqual([]);
  });

  it("tunnels plain http as well, and sends the credentials to the proxy alone", async () => {
    const authorization = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
    const { port, asked } = await openProxy({ authorization });
    const seen: unknown[] = [];
    const server = createHttpServer((request, response) => {
      seen.push(request.headers["proxy-authorization"], request.method, request.url);
      greet(request, response);
    });
    const url = `http://127.0.0.1:${await listen(server)}/hook`;
    const send = openSender({ proxy: { url: `http://me:p%40ss@127.0.0.1:${port}` } });
    expect(await send(url)).toMatchObject({ kind: "response", response: { status: 200 } });
    expect(asked).toEqual([new URL(url).host]);
    expect(seen).toEqual([undefined, "POST", "/hook"]);
    const stranger = await openSender({ proxy: { url: `http://127.0.0.1:${port}` } })(url);
    expect(stranger).toMatchObject({ kind: "failed", errorCode: "proxy_failed", reason: "The proxy answered 407." });
  });

  it("N3 gives a proxy that does not answer one time limit for all addresses of a name, and leaves no tunnel behind", async () => {
    const asked: string[] = [];
    let open = 0;
    const server = createHttpServer();
    server.on("connect", ({ url }, socket) => {
      asked.push(url ?? "");
      open += 1;
      socket
        .resume()
        .on("error", () => {})
        .on("close", () => (open -= 1))
        .on("end", () => socket.end());
    });
    const port = await listen(server);
    const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map((address) => ({ address, family: 4 as const }));
    const guard = createAddressGuard({ ...LOCAL, resolve: async () => addresses });
    const proxy = { url: `http://127.0.0.1:${port}` };
    const make = (connectTimeoutMs: number) => {
      const pools = createOriginPools({ guard, connectTimeoutMs, clock: systemClock, proxy });
      onTestFinished(() => pools.close());
      const sender = createHttpSender({ guard, pools, maxResponseBytes: 1024 });
      const request = { method: "POST", url: "http://hook.example/", headers: {}, body: "" } as const;
      return { pools, send: () => sender.send(request, AbortSignal.timeout(20_000)) };
    };
    const impatient = make(300);
    expect(await impatient.send()).toMatchObject({ errorCode: "proxy_failed" });
    expect(asked).toEqual(["127.0.0.1:80"]);
    await expect.poll(() => open).toBe(0);

    // The end of all does not wait for the limit.
    const patient = make(600_000);
    const sent = patient.send();
    await expect.poll(() => open).toBe(1);
    await patient.pools.close();
    await expect.poll(() => open).toBe(0);
    expect(await sent).toMatchObject({ kind: "failed" });
  });

  it("says so when the proxy is gone", async () => {
    const port = await listen(createHttpServer());
    const closed = createHttpServer();
    const gone = await listen(closed);
    closed.close();
    const send = openSender({ proxy: { url: `http://127.0.0.1:${gone}` } });
    const result = await send(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ errorCode: "proxy_failed", reason: "The proxy could not be reached." });
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W8 keeps an endpoint's certificate encrypted, never shows its key, and delivers with it", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const url = await serveTls({ requestCert: true, rejectUnauthorized: true, ca: authority.cert });
    const tls = { ca: authority.cert, ...clientPair };
    const endpoint = await dispatcher.endpoints.create({ tenantId: TENANT, target: { url, tls }, events: ["*"] });
    const shown = { url, tls: { ca: tls.ca, cert: tls.cert } };
    expect(endpoint.target).toEqual(shown);
    expect((await dispatcher.endpoints.get(endpoint))?.target).toEqual(shown);
    expect((await dispatcher.endpoints.list({ tenantId: TENANT })).endpoints[0]?.target).toEqual(shown);
    const [row] = await database.query<{ target: string }>(`select target from "${schema}".endpoints`);
    expect(row?.target).not.toContain("BEGIN");
    expect((await dispatcher.endpoints.test(endpoint)).attempt).toMatchObject({ outcome: "delivered" });

    // What was read can be written back: the key stays.
    await dispatcher.endpoints.update(endpoint, { target: { ...shown, profile: "support" } });
    expect((await dispatcher.endpoints.test(endpoint)).attempt).toMatchObject({ outcome: "delivered" });
    await dispatcher.endpoints.update(endpoint, { target: { url, tls: { ca: tls.ca } } });
    expect((await dispatcher.endpoints.test(endpoint)).attempt).toMatchObject({ outcome: "retry", status: null });
    await expect(dispatcher.endpoints.update(endpoint, { target: shown })).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path: "target.tls.key" }],
    });
  });

  it("W8 refuses certificates and keys that cannot be used, at their paths", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const create = (tls: unknown) =>
      dispatcher.endpoints.create({ tenantId: TENANT, target: { url: "https://example.com/", tls }, events: ["*"] });
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (const [tls, path] of [
      ["pem", "target.tls"],
      [{ ca: "text" }, "target.tls.ca"],
      [{ ca: broken }, "target.tls.ca"],
      [{ cert: clientPair.cert }, "target.tls.key"],
      [{ key: clientPair.key }, "target.tls.cert"],
      [{ cert: clientPair.cert, key: serverPair.key }, "target.tls.cert"],
      [{ rejectUnauthorized: false }, "target.tls.rejectUnauthorized"],
    ] as const) {
      await expect(create(tls), path).rejects.toMatchObject({ code: "invalid_endpoint", issues: [{ path }] });
    }
  });

  it("W8 refuses own headers of the connection, the length and the signature in any spelling, at their paths", async () => {
    const { dispatcher } = await openDispatcher(databases);
    for (const name of [
      "Host",
      "CONTENT-LENGTH",
      "Transfer-Encoding",
      "connection",
      "Keep-Alive",
      "Upgrade",
      "TE",
      "Trailer",
      "Expect",
      "Proxy-Authorization",
      "Webhook-Id",
      "WEBHOOK-TIMESTAMP",
      "webhook-signature",
    ]) {
      const target = { url: "https://example.com/", headers: { [name]: "x" } };
      await expect(
        dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] }),
        name,
      ).rejects.toMatchObject({ code: "invalid_endpoint", issues: [{ path: `target.headers.${name}` }] });
    }
  });

  it("W8 refuses a URL whose port is not allowed, when it is made and when it is sent to", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const strict = another({ addressGuard: { ...LOCAL, ports: [443, 8443] } });
    const input = (url: string) => ({ tenantId: TENANT, target: { url }, events: ["*"] });
    await strict.endpoints.create(input("https://example.com/"));
    await strict.endpoints.create(input("https://example.com:8443/"));
    for (const url of ["https://example.com:22/", "http://example.com/"]) {
      await expect(strict.endpoints.create(input(url))).rejects.toMatchObject({ issues: [{ path: "target.url" }] });
    }
    const older = await dispatcher.endpoints.create(input("http://127.0.0.1:9/"));
    expect((await strict.endpoints.test(older)).attempt).toMatchObject({ errorCode: "address_refused" });
  });

  it("refuses ports, translators and proxies that there cannot be", async () => {
    const { database } = await databases.open();
    for (const options of [
      { addressGuard: { ports: [0] } },
      { addressGuard: { ports: [] } },
      { addressGuard: { nat64Prefixes: ["2001:db8::/65"] } },
      { addressGuard: { nat64Prefixes: ["10.0.0.0/32"] } },
      { proxy: { url: "socks5://127.0.0.1" } },
      { proxy: { url: "127.0.0.1:3128" } },
    ]) {
      expect(() => createDispatcher({ database, encryptionKey: ENCRYPTION_KEY, ...options })).toThrow(
        /^createDispatcher: (addressGuard|proxy)\./,
      );
    }
  });
});
