import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAddressGuard } from "../src/address-guard.js";
import { createHttpSender } from "../src/http-sender.js";
import { createOriginPools } from "../src/origin-pools.js";
import { createVirtualClock } from "../src/testing.js";

async function serve() {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => void request.resume().on("end", () => response.end("ok")));
  server.keepAliveTimeout = 0;
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, open: () => sockets.size, connections: () => connections };
}

function open(maxPools?: number) {
  const guard = createAddressGuard({ allow: ["127.0.0.0/8"], allowHttp: true });
  const clock = createVirtualClock();
  const limits = maxPools === undefined ? {} : { maxPools };
  const pools = createOriginPools({ guard, connectTimeoutMs: 5_000, clock, proxy: null, ...limits });
  onTestFinished(() => pools.close());
  const sender = createHttpSender({ guard, pools, maxResponseBytes: 1024 });
  const post = (url: string) =>
    sender.send({ method: "POST", url, headers: {}, body: "{}" }, AbortSignal.timeout(10_000));
  return { pools, clock, post };
}

describe("origin pools", () => {
  it("leaves no connection behind that was being made when it is closed", async () => {
    const sockets = new Set<Socket>();
    // Takes the connection, and never answers the handshake.
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket
        .resume()
        .on("error", () => {})
        .on("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { pools, post } = open();
    const sent = post(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await expect.poll(() => sockets.size).toBe(1);
    await pools.close();
    await expect.poll(() => sockets.size).toBe(0);
    expect(await sent).toMatchObject({ kind: "failed" });
  });

  it("keeps one pool and its connection for all paths of an origin, another one for each other origin", async () => {
    const [a, b] = [await serve(), await serve()];
    const { pools, post } = open();
    for (const path of ["/1", "/2?x", "/3"]) {
      expect(await post(a.origin + path)).toMatchObject({ kind: "response" });
      // The connection is free again when the answer's last event is over.
      await new Promise(setImmediate);
    }
    await post(b.origin);
    expect([a.connections(), b.connections()]).toEqual([1, 1]);
    expect(pools.acquire(a.origin).pool).toBe(pools.acquire(a.origin).pool);
    expect(pools.acquire(a.origin).pool).not.toBe(pools.acquire(b.origin).pool);
    const tls = { ca: "one" };
    expect(pools.acquire(a.origin, tls).pool).toBe(pools.acquire(a.origin, { ...tls }).pool);
    expect(pools.acquire(a.origin, tls).pool).not.toBe(pools.acquire(a.origin, { ca: "two" }).pool);
    expect(pools.acquire(a.origin, tls).pool).not.toBe(pools.acquire(a.origin).pool);
  });

  it("closes a pool that nobody used for a minute, and none that is in use", async () => {
    const [idle, busy, next] = [await serve(), await serve(), await serve()];
    const { pools, clock, post } = open();
    await post(idle.origin);
    await post(busy.origin);
    const held = pools.acquire(busy.origin);
    const before = pools.acquire(idle.origin);
    before.release();
    clock.advance(61_000);
    await post(next.origin);
    await expect.poll(idle.open).toBe(0);
    expect(before.pool.destroyed).toBe(true);
    expect(held.pool.destroyed).toBe(false);
  });

  it("has no more pools than it may: the one that was not used for longest goes", async () => {
    const servers = await Promise.all(Array.from({ length: 4 }, serve));
    const { pools, post } = open(2);
    const made = [];
    for (const { origin } of servers) {
      await post(origin);
      const taken = pools.acquire(origin);
      taken.release();
      made.push(taken.pool);
    }
    expect(made.map((pool) => pool.destroyed)).toEqual([true, true, false, false]);
    await expect.poll(() => servers.slice(0, 2).map(({ open }) => open())).toEqual([0, 0]);
  });
});
