import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { verifyRequest as verifyOnNode } from "../src/fetch/node.js";
import { verifyRequest as verifyOnWeb } from "../src/fetch/web.js";
import { isWebhookVerificationError, sign, standardWebhooks } from "../src/index.js";
import { standardVector } from "./vectors.js";

const options = { scheme: standardWebhooks, secrets: [standardVector.secret] };
const body = '{ "b" : 1,\n  "a" : "Größe" }';
const url = "http://app.example/webhooks";
const signed = (text: string = body) => sign(text, { ...options, id: "msg_1" });

describe.each([
  ["node:crypto", verifyOnNode],
  ["WebCrypto", verifyOnWeb],
])("verifyRequest (%s)", (_, verifyRequest) => {
  it("verifies a Request's body as it came", async () => {
    const verified = await verifyRequest(new Request(url, { method: "POST", headers: signed(), body }), options);
    expect(verified.id).toBe("msg_1");
    expect(new TextDecoder().decode(verified.body)).toBe(body);
    expect(verified.json()).toEqual({ b: 1, a: "Größe" });
  });

  it("refuses another body and a missing one", async () => {
    const other = new Request(url, { method: "POST", headers: signed(), body: `${body} ` });
    await expect(verifyRequest(other, options)).rejects.toThrow(
      expect.objectContaining({ code: "signature_mismatch" }),
    );
    const none = new Request(url, { method: "POST", headers: signed() });
    await expect(verifyRequest(none, options)).rejects.toThrow(expect.objectContaining({ code: "signature_mismatch" }));
  });

  it("says clearly when the body was read before", async () => {
    const request = new Request(url, { method: "POST", headers: signed(), body });
    await request.json();
    await expect(verifyRequest(request, options)).rejects.toThrow(/read before/);
  });

  it("stops reading at the limit, also when no length is stated, and cancels the rest", async () => {
    let pulled = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(400));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    const request = new Request(url, { method: "POST", headers: signed(), body: endless, duplex: "half" });
    const refused = verifyRequest(request, { ...options, maxBodyBytes: 1000 });
    await expect(refused).rejects.toThrow(expect.objectContaining({ code: "body_too_large", statusCode: 413 }));
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(10);
    const stated = new Request(url, { method: "POST", headers: { ...signed(), "content-length": "1001" }, body });
    await expect(verifyRequest(stated, { ...options, maxBodyBytes: 1000 })).rejects.toThrow(
      expect.objectContaining({ code: "body_too_large" }),
    );
  });

  it("joins a body that comes in pieces", async () => {
    const pieces = Readable.toWeb(Readable.from(Array.from(Buffer.from(body), (byte) => Uint8Array.of(byte))));
    const request = new Request(url, { method: "POST", headers: signed(), body: pieces as never, duplex: "half" });
    expect((await verifyRequest(request, options)).json()).toEqual({ b: 1, a: "Größe" });
  });

  it("serves a route of Hono", async () => {
    const app = new Hono();
    app.post("/webhooks", async (c) => c.json((await verifyRequest(c.req.raw, options)).json() as object));
    app.onError((error, c) => c.text(error.name, isWebhookVerificationError(error) ? error.statusCode : 500));
    const accepted = await app.request("/webhooks", { method: "POST", headers: signed(), body });
    expect([accepted.status, await accepted.json()]).toEqual([200, { b: 1, a: "Größe" }]);
    const refused = await app.request("/webhooks", { method: "POST", body });
    expect([refused.status, await refused.text()]).toEqual([401, "WebhookVerificationError"]);
  });
});

it("serves a Next or Remix route handler, a function of Request, over HTTP", async () => {
  const POST = async (request: Request) => Response.json((await verifyOnNode(request, options)).json());
  const server = createServer(async (request, response) => {
    const handed = new Request(url, {
      method: "POST",
      headers: request.headers as never,
      body: Readable.toWeb(request) as never,
      duplex: "half",
    });
    const answer = await POST(handed).catch(() => new Response(null, { status: 401 }));
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await (await fetch(address, { method: "POST", headers: signed(), body })).json()).toEqual({
      b: 1,
      a: "Größe",
    });
    expect((await fetch(address, { method: "POST", body })).status).toBe(401);
  } finally {
    server.close();
  }
});
