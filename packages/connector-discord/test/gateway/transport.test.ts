import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createPoolTransport, fromFetch, type PostAnswer, type Transport } from "../../src/gateway/transport.js";

const WAYS = {
  pool: (origin: string) => createPoolTransport({ origin, connectTimeoutMs: 5_000 }),
  fetch: () => fromFetch(fetch),
};

async function startServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(way: keyof typeof WAYS, origin: string): Transport {
  const transport = WAYS[way](origin);
  onTestFinished(() => transport.close());
  return transport;
}

function post(transport: Transport, url: string, signal = new AbortController().signal): Promise<PostAnswer> {
  return transport.post({ url, headers: { "x-test": "yes" }, body: Buffer.from("ü{}"), signal });
}

describe.each(Object.keys(WAYS) as (keyof typeof WAYS)[])("transport by %s", (way) => {
  test("brings path, headers and bytes, and answers status, text and Retry-After", async () => {
    const seen: unknown[] = [];
    const origin = await startServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const { method, url, headers } = request;
        expect(headers["user-agent"]).toMatch(/./);
        seen.push({ method, url, header: headers["x-test"], text: Buffer.concat(chunks).toString() });
        response.writeHead(503, { "retry-after": "7" }).end("späť");
      });
    });
    const answer = await post(open(way, origin), `${origin}/below/ingress`);
    expect(answer).toEqual({ status: 503, retryAfter: "7", text: "späť" });
    expect(seen).toEqual([{ method: "POST", url: "/below/ingress", header: "yes", text: "ü{}" }]);
  });

  test("follows no redirect", async () => {
    let requests = 0;
    const origin = await startServer((_, response) => {
      requests += 1;
      response.writeHead(308, { location: "/else" }).end();
    });
    expect(await post(open(way, origin), `${origin}/a`)).toMatchObject({ status: 308, retryAfter: null });
    expect(requests).toBe(1);
  });

  test("N2 refuses an answer that is too long to be the API's", async () => {
    const origin = await startServer((_, response) => {
      response.end("x".repeat(2 * 1024 * 1024));
    });
    await expect(post(open(way, origin), `${origin}/a`)).rejects.toThrow();
  });

  test("N2 ends a request whose answer does not end", async () => {
    const origin = await startServer((_, response) => {
      response.write("{");
      ending.abort(new Error("enough"));
    });
    const ending = new AbortController();
    await expect(post(open(way, origin), `${origin}/a`, ending.signal)).rejects.toThrow("enough");
  });

  test("keeps connections open for later requests", async () => {
    const ports = new Set<number | undefined>();
    const origin = await startServer((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume().on("end", () => response.end("{}"));
    });
    const transport = open(way, origin);
    for (let round = 0; round < 5; round += 1) {
      await post(transport, `${origin}/a`);
    }
    expect(ports.size).toBeLessThan(5);
  });
});
