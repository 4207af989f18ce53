import { createServer, request as httpRequest, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import express from "express";
import fastify, { type FastifyPluginAsync } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { aiSupport, sign, standardWebhooks, verify, xtsystems } from "../src/index.js";
import { fastifyWebhook, readRawBody, webhookMiddleware, webhookOf } from "../src/node/index.js";
import { standardVector } from "./vectors.js";

const { secret } = standardVector;
const options = { scheme: standardWebhooks, secrets: [secret] };
const body = '{ "b" : 1,\n  "a" : "Größe" }';
const open: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
}

function signed(text: string | Uint8Array = body): Record<string, string> {
  return { "content-type": "application/json", ...sign(text, { ...options, id: "msg_1" }) };
}

async function post(url: string, headers: Record<string, string>, sent: string | Uint8Array<ArrayBuffer> = body) {
  const response = await fetch(url, { method: "POST", headers, body: sent });
  return { status: response.status, text: await response.text() };
}

describe("Express", () => {
  async function app(build: (app: express.Express) => void) {
    const server = express();
    build(server);
    // biome-ignore lint/complexity/useMaxParams: Express tells an error handler by its four parameters.
    server.use(((error, _request, response, _next) => {
      response.status(error.statusCode ?? 500).send(`${error.name} ${error.code ?? ""} ${error.message}`);
    }) satisfies express.ErrorRequestHandler);
    return listen(server);
  }
  const route: express.RequestHandler = (request, response) => {
    const { id, json } = webhookOf(request);
    response.json({ id, parsed: json() });
  };

  it("verifies the raw body of a signed request and hands it to the route", async () => {
    const url = await app((server) => server.post("/webhooks", webhookMiddleware(options), route));
    expect(await post(url, signed())).toEqual({ status: 200, text: '{"id":"msg_1","parsed":{"b":1,"a":"Größe"}}' });
  });

  it("A3 refuses what is not signed, with 401 and the reason for the error handler", async () => {
    const way = { scheme: aiSupport, secrets: ["a-secret-of-enough-bytes"] };
    const url = await app((server) => server.post("/webhooks", webhookMiddleware(way), route));
    expect(await post(url, {})).toMatchObject({ status: 401, text: expect.stringContaining("missing_header") });
    const headers = sign(body, { ...way, secrets: ["another-secret-of-the-same"] });
    expect(await post(url, headers)).toMatchObject({
      status: 401,
      text: expect.stringContaining("signature_mismatch"),
    });
    expect((await post(url, sign(body, way))).status).toBe(200);
  });

  it("works beside parsers for other routes, mounted after it", async () => {
    const url = await app((server) => {
      server.post("/webhooks", webhookMiddleware(options), express.json(), route);
      server.use(express.json());
    });
    expect((await post(url, signed())).status).toBe(200);
  });

  it.each([
    ["express.raw()", express.raw({ type: "*/*" })],
    ["express.text()", express.text({ type: "*/*" })],
    [
      "a parser that keeps rawBody",
      express.json({ verify: (request, _response, raw) => Object.assign(request, { rawBody: raw }) }),
    ],
  ])("takes what %s left", async (_, parser) => {
    const url = await app((server) => server.post("/webhooks", parser, webhookMiddleware(options), route));
    expect((await post(url, signed())).status).toBe(200);
    expect((await post(url, { ...signed(), "webhook-id": "msg_2" })).status).toBe(401);
  });

  it("X1 says clearly, as the operator's fault, that a body parser has eaten the body", async () => {
    const way = { scheme: xtsystems, secrets: ["a-secret-of-enough-bytes"] };
    const url = await app((server) => server.use(express.json()).post("/webhooks", webhookMiddleware(way), route));
    const answer = await post(url, { "content-type": "application/json", ...sign(body, way) });
    expect(answer.status).toBe(500);
    expect(answer.text).toMatch(/^TypeError .*express\.json\(\)/);
  });

  it("answers 500 for a secret that will not do, never 401", async () => {
    const url = await app((server) =>
      server.post("/webhooks", webhookMiddleware({ ...options, secrets: [""] }), route),
    );
    expect(await post(url, signed())).toMatchObject({
      status: 500,
      text: expect.stringContaining("WebhookSecretError"),
    });
  });

  it("answers 413 above the limit, by the stated length and by what really comes", async () => {
    const way = { ...options, maxBodyBytes: 1000 };
    const url = await app((server) => server.post("/webhooks", webhookMiddleware(way), route));
    const long = JSON.stringify("x".repeat(2000));
    expect(await post(url, signed(long), long)).toMatchObject({
      status: 413,
      text: expect.stringContaining("body_too_large"),
    });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(url, { method: "POST", headers: signed(long) }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on("error", reject);
      request.write(long.slice(0, 1500));
      request.end(long.slice(1500));
    });
    expect(status).toBe(413);
    const fits = JSON.stringify("x".repeat(998));
    expect((await post(url, signed(fits), fits)).status).toBe(200);
  });

  it("hands over bytes that are not UTF-8 as they came", async () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0xc3, 0x28);
    const url = await app((server) =>
      server.post("/webhooks", webhookMiddleware(options), (request, response) => {
        response.send(Buffer.from(webhookOf(request).body).toString("hex"));
      }),
    );
    expect(await post(url, signed(bytes), bytes)).toEqual({ status: 200, text: "ff00c328" });
  });
});

describe("plain node:http", () => {
  it("A5 a receiver of a few lines verifies with readRawBody and verify", async () => {
    const way = { scheme: aiSupport, secrets: ["a-secret-of-enough-bytes"] };
    const url = await listen(async (request, response) => {
      try {
        const { json } = verify(await readRawBody(request), request.headers, way);
        response.end(JSON.stringify(json()));
      } catch (error) {
        response.writeHead((error as { statusCode?: number }).statusCode ?? 500).end();
      }
    });
    expect(await post(url, sign(body, way))).toEqual({ status: 200, text: '{"b":1,"a":"Größe"}' });
    expect((await post(url, {})).status).toBe(401);
  });

  it("tells a connection that ended before its body did", async () => {
    let failed = (_: unknown) => {};
    const failure = new Promise((resolve) => {
      failed = resolve;
    });
    const url = await listen((request) => {
      readRawBody(request).catch(failed);
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.end("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
    socket.on("data", () => undefined);
    expect(await failure).toMatchObject({ code: "body_incomplete", statusCode: 400 });
  });

  it.each([
    ["a part of the body", "abc"],
    ["the whole body", "abcdefghij"],
  ])("tells a client that sent %s and was gone before the body was asked for", async (_, sent) => {
    let asked = (_: Promise<unknown>) => {};
    const answer = new Promise<unknown>((resolve) => {
      asked = resolve;
    });
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const url = await listen((request) => {
      request.on("close", () => asked(readRawBody(request)));
      arrived();
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n${sent}`);
    await arrival;
    socket.resetAndDestroy();
    await expect(answer).rejects.toMatchObject({ code: "body_incomplete", statusCode: 400 });
  });

  it("webhookOf throws where nothing was verified", () => {
    expect(() => webhookOf({})).toThrow(TypeError);
    expect(() => webhookOf({ webhook: null })).toThrow(TypeError);
  });
});

describe("Fastify", () => {
  async function app(way = options as Parameters<typeof webhookMiddleware>[0]) {
    const server = fastify();
    const routes: FastifyPluginAsync = async (scope) => {
      await scope.register(fastifyWebhook, way);
      scope.post("/webhooks", async (request) => {
        const { id, json } = webhookOf(request);
        return { id, parsed: json() };
      });
    };
    await server.register(routes);
    server.post("/other", async (request) => ({ parsedByFastify: request.body }));
    await server.listen({ port: 0, host: "127.0.0.1" });
    open.push(() => server.close());
    return `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/webhooks`;
  }

  it("verifies the raw body in the scope that registers it, and leaves other routes alone", async () => {
    const url = await app();
    expect(await post(url, signed())).toEqual({ status: 200, text: '{"id":"msg_1","parsed":{"b":1,"a":"Größe"}}' });
    const other = await post(url.replace("webhooks", "other"), { "content-type": "application/json" });
    expect(JSON.parse(other.text)).toEqual({ parsedByFastify: { b: 1, a: "Größe" } });
  });

  it("takes any content type, and none", async () => {
    const url = await app();
    for (const type of ["application/x-www-form-urlencoded", "application/cloudevents+json", "text/plain"]) {
      expect((await post(url, { ...signed(), "content-type": type })).status).toBe(200);
    }
    const { "content-type": _, ...untyped } = signed();
    expect((await post(url, untyped, Uint8Array.from(Buffer.from(body)))).status).toBe(200);
  });

  it("answers 401 to what is not signed or signed otherwise, 413 above the limit, 500 for a bad secret", async () => {
    const url = await app({ ...options, maxBodyBytes: 1000 });
    expect(JSON.parse((await post(url, {})).text)).toMatchObject({ statusCode: 401, code: "missing_header" });
    expect((await post(url, { ...signed(), "webhook-id": "msg_2" })).status).toBe(401);
    const long = JSON.stringify("x".repeat(2000));
    expect((await post(url, signed(long), long)).status).toBe(413);
    expect((await post(await app({ ...options, secrets: [""] }), signed())).status).toBe(500);
  });

  it("verifies a request without a body like any other", async () => {
    const url = await app();
    expect((await fetch(url, { method: "POST" })).status).toBe(401);
    expect((await fetch(url, { method: "POST", headers: sign("", { ...options, id: "msg_1" }) })).status).toBe(400);
  });
});
