import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { systemClock } from "@hookline/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AddressGuardOptions, createAddressGuard } from "../src/address-guard.js";
import { createHttpSender } from "../src/http-sender.js";
import { createOriginPools } from "../src/origin-pools.js";

const LOCAL: AddressGuardOptions = { allow: ["127.0.0.0/8"], allowHttp: true };

function openSender(options: { guard?: AddressGuardOptions; maxResponseBytes?: number } = {}) {
  const guard = createAddressGuard(options.guard ?? LOCAL);
  const pools = createOriginPools({ guard, connectTimeoutMs: 5_000, clock: systemClock, proxy: null });
  onTestFinished(() => pools.close());
  const sender = createHttpSender({ guard, pools, maxResponseBytes: options.maxResponseBytes ?? 1024 });
  return (url: string, signal: AbortSignal = AbortSignal.timeout(5_000)) =>
    sender.send({ method: "POST", url, headers: { "content-type": "text/plain" }, body: "hello" }, signal);
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function serveTcp(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe("http sender", () => {
  it("sends the body as it is and answers status, headers and body", async () => {
    const url = await serve(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.writeHead(201, { "x-a": ["1", "2"] }).end(`${request.method} ${Buffer.concat(chunks)}`);
    });
    expect(await openSender()(url)).toMatchObject({
      kind: "response",
      cut: false,
      response: { status: 201, headers: { "x-a": "2" }, body: "POST hello" },
    });
  });

  it("A7 N3 ends a body that comes drop by drop at the deadline, and keeps the status that came", async () => {
    let closed = false;
    let drops = 0;
    const url = await serve((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => {
        drops += 1;
        response.write(".");
      }, 10);
      response.on("close", () => {
        closed = true;
        clearInterval(drip);
      });
    });
    const deadline = new AbortController();
    let isEnded = false;
    const sent = openSender()(url, deadline.signal).finally(() => {
      isEnded = true;
    });
    await expect.poll(() => drops).toBeGreaterThan(5);
    // However much has come by then: it is the deadline that ends it.
    expect(isEnded).toBe(false);
    deadline.abort();
    const result = await sent;
    expect(result).toMatchObject({ kind: "response", cut: true, response: { status: 200 } });
    await expect.poll(() => closed).toBe(true);
  });

  it("N3 stops reading at the cap while the body still streams", async () => {
    let written = 0;
    let closed = false;
    const url = await serve((_request, response) => {
      response.on("close", () => {
        closed = true;
      });
      const more = () => {
        while (!closed && written < 1e9) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536, "x"))) return void response.once("drain", more);
        }
      };
      more();
    });
    const result = await openSender({ maxResponseBytes: 5_000 })(url);
    expect(result).toMatchObject({ kind: "response", cut: true, response: { status: 200, body: "x".repeat(5_000) } });
    await expect.poll(() => closed).toBe(true);
    expect(written).toBeLessThan(50e6);
  });

  it.each([
    { weight: "less than the cap", unpackedBytes: 5_000_000 },
    { weight: "more than the cap", unpackedBytes: 200_000_000 },
  ])("N3 caps what a gzip bomb unpacks to that weighs $weight", async ({ weight, unpackedBytes }) => {
    const bomb = gzipSync(Buffer.alloc(unpackedBytes, "x"));
    expect(bomb.length < 10_000).toBe(weight.startsWith("less"));
    const url = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    const beforeBytes = process.memoryUsage().rss;
    const result = await openSender({ maxResponseBytes: 10_000 })(url);
    expect(result).toMatchObject({ kind: "response", cut: true });
    expect(result.kind === "response" && result.response.body).toBe("x".repeat(10_000));
    expect(process.memoryUsage().rss - beforeBytes).toBeLessThan(100_000_000);
  });

  it.each([
    { what: "blocks that unpack to nothing", head: Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 0, 3]) },
    { what: "bytes after the end of what is packed", head: gzipSync("short") },
    { what: "bytes that are not packed", head: Buffer.from("no gzip") },
  ])("N3 ends an endless stream of $what", async ({ head }) => {
    // A stored block of length 0, again and again.
    const empty = Buffer.alloc(65_535, Buffer.from([0, 0, 0, 255, 255]));
    let written = 0;
    let closed = false;
    const url = await serve((_request, response) => {
      response.on("close", () => {
        closed = true;
      });
      response.writeHead(200, { "content-encoding": "gzip" }).write(head);
      const more = () => {
        while (!closed) {
          written += empty.length;
          if (!response.write(empty)) return void response.once("drain", more);
        }
      };
      more();
    });
    const result = await openSender({ maxResponseBytes: 300_000 })(url, AbortSignal.timeout(20_000));
    expect(result).toMatchObject({ kind: "response", response: { status: 200 } });
    await expect.poll(() => closed).toBe(true);
    expect(written).toBeLessThan(50e6);
  });

  it("N3 keeps no more for a body than its bytes, however small the pieces that it comes in", async () => {
    const pieces = 60_000;
    const requests = 40;
    const ends: (() => void)[] = [];
    const url = await serve((_request, response) => {
      response.writeHead(200).write("x");
      response.socket?.write("1\r\nx\r\n".repeat(pieces - 1), () => ends.push(() => response.end()));
    });
    const send = openSender({ maxResponseBytes: 65_536 });
    const beforeBytes = process.memoryUsage().rss;
    let mostBytes = beforeBytes;
    const look = setInterval(() => {
      mostBytes = Math.max(mostBytes, process.memoryUsage().rss);
    }, 5);
    onTestFinished(() => clearInterval(look));
    const results = Promise.all(Array.from({ length: requests }, () => send(url, AbortSignal.timeout(50_000))));
    // None ends before all are there.
    await expect.poll(() => ends.length, { timeout: 30_000 }).toBe(requests);
    for (const end of ends) end();
    for (const result of await results) {
      expect(result).toMatchObject({ cut: false, response: { body: "x".repeat(pieces) } });
    }
    expect(mostBytes - beforeBytes).toBeLessThan(150_000_000);
  });

  it("unpacks a body of many pieces to its end", async () => {
    const text = Array.from({ length: 20_000 }, (_, n) => `${n * 7919}`).join();
    const packed = gzipSync(text);
    const url = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      for (let at = 0; at < packed.length; at += 500) response.write(packed.subarray(at, at + 500));
      response.end();
    });
    const result = await openSender({ maxResponseBytes: 1_000_000 })(url);
    expect(result).toMatchObject({ cut: false, response: { body: text } });
  });

  it("does not connect when its time is over before it begins", async () => {
    let connections = 0;
    const url = await serveTcp(() => {
      connections += 1;
    });
    const send = openSender();
    expect(await send(url, AbortSignal.abort())).toMatchObject({ kind: "failed", errorCode: "timeout" });
    expect(await send(url, AbortSignal.timeout(200))).toMatchObject({ kind: "failed", errorCode: "timeout" });
    expect(connections).toBe(1);
  });

  it("unpacks a short compressed body, and keeps the status of one that is no gzip", async () => {
    const fine = await serve((_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("short")),
    );
    expect(await openSender()(fine)).toMatchObject({ cut: false, response: { body: "short" } });
    const broken = await serve((_request, response) =>
      response.writeHead(500, { "content-encoding": "gzip" }).end("no gzip"),
    );
    expect(await openSender()(broken)).toMatchObject({ cut: true, response: { status: 500 } });
  });

  it("answers a redirect as it is", async () => {
    const url = await serve((request, response) =>
      response.writeHead(request.url === "/" ? 307 : 200, { location: "/there" }).end(),
    );
    expect(await openSender()(url)).toMatchObject({ response: { status: 307 } });
  });

  it("A7 fails with timeout when no answer comes, be it before or after the connection", async () => {
    const url = await serveTcp(() => {});
    const signal = AbortSignal.timeout(100);
    expect(await openSender()(url, signal)).toMatchObject({ kind: "failed", errorCode: "timeout" });
    expect(await openSender()(url, signal)).toMatchObject({ kind: "failed", errorCode: "timeout" });
    const never = openSender({ guard: { ...LOCAL, resolve: () => new Promise(() => {}) } });
    const unresolved = await never("http://never.example/", AbortSignal.timeout(100));
    expect(unresolved).toMatchObject({ kind: "failed", errorCode: "timeout" });
  });

  it("does not send a request any more whose time ran out before it had a connection", async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      requests += 1;
      response.end();
    });
    let resolveHost: () => void = () => {};
    const host = new Promise<void>((resolve) => {
      resolveHost = resolve;
    });
    const send = openSender({
      guard: { ...LOCAL, resolve: () => host.then(() => [{ address: "127.0.0.1", family: 4 }]) },
    });
    const target = url.replace("127.0.0.1", "late.example");
    expect(await send(target, AbortSignal.timeout(50))).toMatchObject({ errorCode: "timeout" });
    resolveHost();
    // The next one goes over the same connection, so the first would have come before it.
    expect(await send(target)).toMatchObject({ kind: "response", response: { status: 200 } });
    expect(requests).toBe(1);
  });

  it("tells a reset, a refused connection and an unknown name apart", async () => {
    const reset = await serveTcp((socket) => socket.once("data", () => socket.destroy()));
    expect(await openSender()(reset)).toMatchObject({ errorCode: "connection_reset" });
    const gone = createTcpServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise<void>((resolve) => gone.close(() => resolve()));
    expect(await openSender()(`http://127.0.0.1:${port}/`)).toMatchObject({ errorCode: "connection_refused" });
    const unknown = openSender({
      guard: {
        ...LOCAL,
        resolve: () => Promise.reject(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" })),
      },
    });
    expect(await unknown("http://nobody.example/")).toMatchObject({ errorCode: "dns_failed" });
  });

  it("looks a name up once for all connections that are made to it at the same time", async () => {
    let looked = 0;
    let resolveHost: () => void = () => {};
    const host = new Promise<void>((resolve) => {
      resolveHost = resolve;
    });
    const url = await serve((_request, response) => response.end());
    const send = openSender({
      guard: {
        ...LOCAL,
        async resolve() {
          looked += 1;
          await host;
          return [{ address: "127.0.0.1", family: 4 }];
        },
      },
    });
    const target = url.replace("127.0.0.1", "many.example");
    const sent = Promise.all(Array.from({ length: 64 }, () => send(target)));
    await new Promise((resolve) => setImmediate(resolve));
    resolveHost();
    expect((await sent).every(({ kind }) => kind === "response")).toBe(true);
    expect(looked).toBe(1);
  });

  it("N3 connects to the very address that was judged, however the name resolves later", async () => {
    let looked = 0;
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.host ?? "");
      response.end();
    });
    const send = openSender({
      guard: {
        allow: ["127.0.0.1/32"],
        allowHttp: true,
        // The first answer is fine, the next one leads elsewhere: a rebinding name.
        resolve: async () => {
          looked += 1;
          return [{ address: looked === 1 ? "127.0.0.1" : "169.254.169.254", family: 4 }];
        },
      },
    });
    const target = url.replace("127.0.0.1", "rebind.example");
    expect(await send(target)).toMatchObject({ kind: "response" });
    expect(looked).toBe(1);
    expect(seen[0]).toMatch(/^rebind\.example/);
    const again = openSender({
      guard: { ...LOCAL, resolve: async () => [{ address: "169.254.169.254", family: 4 }] },
    });
    expect(await again(target)).toMatchObject({ kind: "failed", errorCode: "address_refused" });
  });
});
