import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { defineDestination, systemClock } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { createProxy } from "proxy";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createAddressGuard, type ResolvedAddress } from "../src/address-guard.js";
import { createHttpSender } from "../src/http-sender.js";
import type { AttemptPhases } from "../src/index.js";
import { createOriginPools } from "../src/origin-pools.js";
import { createAuthority } from "./certificates.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, untilDelivery } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const DELAY_MS = 150;
const HERE: readonly ResolvedAddress[] = [{ address: "127.0.0.1", family: 4 }];
const LOCAL = { allow: ["127.0.0.0/8"], allowHttp: true };

/** No less, by the clock that the phases are measured by: a timer alone may end a fraction of a millisecond early. */
async function delay(): Promise<void> {
  const endMs = performance.now() + DELAY_MS;
  while (performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, endMs - performance.now()));
}

async function slowly(): Promise<readonly ResolvedAddress[]> {
  await delay();
  return HERE;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

const answer: RequestListener = (request, response) => {
  request.resume().on("end", () => response.end("ok"));
};

function openSender(options: { resolve?: () => Promise<readonly ResolvedAddress[]>; proxyUrl?: string } = {}) {
  const guard = createAddressGuard({ ...LOCAL, resolve: options.resolve ?? (async () => HERE) });
  const proxy = options.proxyUrl === undefined ? null : { url: options.proxyUrl };
  const pools = createOriginPools({ guard, connectTimeoutMs: 5_000, clock: systemClock, proxy });
  onTestFinished(() => pools.close());
  const sender = createHttpSender({ guard, pools, maxResponseBytes: 1024 });
  return async (url: string, more: { ca?: string; signal?: AbortSignal } = {}) => {
    const tls = more.ca === undefined ? {} : { tls: { ca: more.ca } };
    const request = { method: "POST" as const, url, headers: {}, body: "{}", ...tls };
    const sent = await sender.send(request, more.signal ?? AbortSignal.timeout(20_000));
    // The connection is free again when the answer's last event is over.
    await new Promise(setImmediate);
    return sent;
  };
}

const some = expect.any(Number) as number;
const NEW: AttemptPhases = { dnsMs: some, connectMs: some, tlsMs: null, firstByteMs: some, bodyMs: some };
const USED_AGAIN: AttemptPhases = { ...NEW, dnsMs: null, connectMs: null };

describe("phases of an attempt", () => {
  it("W1 tells the look-up from the rest, and a connection that is used again has none", async () => {
    const url = `http://receiver.test:${await listen(createServer(answer))}/`;
    const post = openSender({ resolve: slowly });
    const { phases } = await post(url);
    expect(phases).toEqual(NEW);
    expect(phases?.dnsMs).toBeGreaterThanOrEqual(DELAY_MS);
    expect((await post(url)).phases).toEqual(USED_AGAIN);
  });

  it("W1 has no look-up of an address", async () => {
    const { phases } = await openSender()(`http://127.0.0.1:${await listen(createServer(answer))}/`);
    expect(phases).toEqual({ ...NEW, dnsMs: null });
  });

  it("W1 tells the TLS handshake from the connection", async () => {
    const authority = createAuthority();
    const server = createTlsServer(authority.issue("server"), answer);
    const tlsPort = await listen(server);
    // Connects at once, and lets nothing through for a while.
    const front = createTcpServer(async (socket) => {
      socket.on("error", () => {}).pause();
      await delay();
      server.emit("connection", socket);
    });
    const post = openSender();
    const { phases } = await post(`https://localhost:${await listen(front)}/`, { ca: authority.cert });
    expect(phases).toEqual({ ...NEW, tlsMs: some });
    expect(phases?.tlsMs).toBeGreaterThanOrEqual(DELAY_MS);

    const url = `https://localhost:${tlsPort}/`;
    expect((await post(url, { ca: authority.cert })).phases).toEqual({ ...NEW, tlsMs: some });
    expect((await post(url, { ca: authority.cert })).phases).toEqual(USED_AGAIN);
  });

  it("W1 tells the wait for the answer's head from the wait for its body", async () => {
    const late = createServer(async (request, response) => {
      request.resume();
      response.writeEarlyHints({ link: "</a>; rel=preload" });
      await delay();
      response.end("ok");
    });
    const head = (await openSender()(`http://127.0.0.1:${await listen(late)}/`)).phases;
    expect(head?.firstByteMs).toBeGreaterThanOrEqual(DELAY_MS);

    const headIsThere = new Promise<void>((resolve) => {
      const note = () => resolve();
      subscribe("undici:request:headers", note);
      onTestFinished(() => void unsubscribe("undici:request:headers", note));
    });
    const slow = createServer(async (request, response) => {
      request.resume();
      response.writeHead(200).write("o");
      await headIsThere;
      await delay();
      response.end("k");
    });
    const body = (await openSender()(`http://127.0.0.1:${await listen(slow)}/`)).phases;
    expect(body?.bodyMs).toBeGreaterThanOrEqual(DELAY_MS);
  });

  it("W1 counts all of the proxy's CONNECT as the connection", async () => {
    const proxy = createProxy(createServer());
    proxy.authenticate = async () => {
      await delay();
      return true;
    };
    const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`;
    const authority = createAuthority();
    const tlsPort = await listen(createTlsServer(authority.issue("server"), answer));
    const post = openSender({ proxyUrl, resolve: slowly });
    const { phases } = await post(`https://localhost:${tlsPort}/`, { ca: authority.cert });
    expect(phases).toEqual({ ...NEW, tlsMs: some });
    expect(phases?.dnsMs).toBeGreaterThanOrEqual(DELAY_MS);
    expect(phases?.connectMs).toBeGreaterThanOrEqual(DELAY_MS);
    const plain = `http://127.0.0.1:${await listen(createServer(answer))}/`;
    expect((await post(plain)).phases).toEqual({ ...NEW, dnsMs: null });
  });

  it("W1 gives each of many requests at a time the timing of its own connection", async () => {
    const known = new WeakSet<Socket>();
    let waiting: (() => void)[] = [];
    let expected = 10;
    // Answers when all are there, so that each needs a connection of its own, and says whether that is a new one.
    const server = createServer((request, response) => {
      const isKnown = known.has(request.socket);
      known.add(request.socket);
      request.resume();
      waiting.push(() => response.end(isKnown ? "known" : "new"));
      if (waiting.length < expected) return;
      for (const go of waiting) go();
      waiting = [];
    });
    const url = `http://receiver.test:${await listen(server)}/`;
    const post = openSender({ resolve: slowly });
    const round = () =>
      Promise.all(
        Array.from({ length: expected }, async () => {
          const sent = await post(url);
          return { on: sent.kind === "response" ? sent.response.body : sent.reason, phases: sent.phases };
        }),
      );
    expect(await round()).toEqual(Array(10).fill({ on: "new", phases: NEW }));
    expected = 15;
    const second = await round();
    for (const { on, phases } of second) expect(phases).toEqual(on === "new" ? NEW : USED_AGAIN);
    expect(second.filter(({ on }) => on === "known")).toHaveLength(10);
    const longest = Math.max(...second.map(({ phases }) => phases?.dnsMs ?? 0));
    expect(longest).toBeGreaterThanOrEqual(DELAY_MS);
  });

  it("W1 times the connection that takes the place of one which the receiver closed", async () => {
    const sockets = new Set<Socket>();
    const server = createServer(answer);
    server.on("connection", (socket: Socket) => sockets.add(socket));
    const url = `http://receiver.test:${await listen(server)}/`;
    const post = openSender();
    await post(url);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => [...sockets].every((socket) => socket.closed)).toBe(true);
    const sent = await post(url);
    expect(sent).toMatchObject({ kind: "response" });
    expect(sent.phases).toEqual(NEW);
    expect(sockets.size).toBe(2);
  });

  it("W1 keeps in which phase an attempt failed, and none that came after", async () => {
    const none = { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null, bodyMs: null };
    const unknown = openSender({
      resolve: async () => {
        await delay();
        throw Object.assign(new Error("There is no such name."), { code: "ENOTFOUND" });
      },
    });
    const lost = await unknown("http://receiver.test/");
    expect(lost).toMatchObject({ errorCode: "dns_failed", phases: { ...none, dnsMs: some } });
    expect(lost.phases?.dnsMs).toBeGreaterThanOrEqual(DELAY_MS);

    const hangs = openSender({ resolve: () => new Promise(() => {}) });
    const endsAt = new AbortController();
    const timedOut = hangs("http://receiver.test/", { signal: endsAt.signal });
    await delay();
    endsAt.abort();
    expect(await timedOut).toMatchObject({ errorCode: "timeout", phases: { ...none, dnsMs: some } });
    expect((await timedOut).phases?.dnsMs).toBeGreaterThanOrEqual(DELAY_MS);

    const authority = createAuthority();
    const untrusted = createTlsServer(authority.issue("server"), answer);
    untrusted.on("tlsClientError", () => {});
    expect(await openSender()(`https://localhost:${await listen(untrusted)}/`)).toMatchObject({
      errorCode: "tls_failed",
      phases: { ...none, dnsMs: some, connectMs: some, tlsMs: some },
    });

    const deaf = createServer((request) => void request.resume().on("end", () => request.socket.destroy()));
    expect(await openSender()(`http://receiver.test:${await listen(deaf)}/`)).toMatchObject({
      errorCode: "connection_reset",
      phases: { ...none, dnsMs: some, connectMs: some, firstByteMs: some },
    });
    expect(await openSender()("ftp://receiver.test/")).toMatchObject({ errorCode: "address_refused", phases: null });
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W1 W9 shows the phases in the log, with an event's deliveries, of a test, and over HTTP", async () => {
    const { dispatcher, call, routes } = await openHttp(databases);
    const receiver = await openReceiver({ answer: () => delay().then(() => ({ status: 204 })) });
    const endpoint = await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    await dispatcher.start();
    const delivery = await untilDelivery(dispatcher, ({ status }) => status === "delivered");

    const shown = delivery?.log[0]?.phases;
    expect(shown).toEqual({ ...NEW, dnsMs: null });
    expect(shown?.firstByteMs).toBeGreaterThanOrEqual(DELAY_MS);
    expect((await call("GET", `/v1/deliveries/${delivery?.id}`)).body).toMatchObject({ log: [{ phases: shown }] });
    const ofEndpoint = await dispatcher.deliveries.log({ tenantId: TENANT, endpointId: endpoint.id });
    expect(ofEndpoint.deliveries[0]?.lastAttempt?.phases).toEqual(shown);

    const tested = await dispatcher.endpoints.test({ tenantId: TENANT, id: endpoint.id });
    expect(tested.attempt.phases?.firstByteMs).toBeGreaterThanOrEqual(DELAY_MS);
    const logged = await dispatcher.deliveries.get({ tenantId: TENANT, id: tested.deliveryId });
    expect(logged?.log[0]?.phases).toEqual(tested.attempt.phases);
    const over = await call("POST", `/v1/endpoints/${endpoint.id}/test`, { body: {} });
    expect(over.body.attempt.phases).toEqual({ ...NEW, dnsMs: null });

    const described = JSON.stringify(
      routes.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "t", version: "1" } }),
    );
    for (const phase of Object.keys(NEW)) expect(described).toContain(phase);
  });

  it("W9 has no phases of work in this process", async () => {
    const here = defineDestination({
      id: "here",
      plan: () => ({ kind: "run", run: async () => ({ outcome: "delivered" }) }),
    });
    const { dispatcher } = await openDispatcher(databases, { destinations: [here] });
    await dispatcher.start();
    await dispatcher.send({ tenantId: TENANT, destination: "here", target: {}, data: {} });
    const delivery = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(delivery?.log).toMatchObject([{ outcome: "delivered", phases: null }]);
  });
});
