import { request as httpRequest } from "node:http";
import { expect, it } from "vitest";
import type { EngineSource } from "../src/index.js";
import { bearerOnly, ORDER, openSources, orders, SECRET, signed, TOKEN } from "./support/sources.js";
import { counts, describeMatrix, tableText } from "./support/world.js";

describeMatrix("what sources refuse", (databases) => {
  const open = (sources: EngineSource[], options?: Parameters<typeof openSources>[2]) =>
    openSources(databases, sources, options);

  it("E8 E13 refuses who is not entitled, records why and from where, and writes nothing else", async () => {
    const world = await open(
      [
        orders({ bearer: [TOKEN], allowedAddresses: ["203.0.113.0/25", "2001:db8:1::/48"] }),
        bearerOnly({ allowedAddresses: ["203.0.113.7"] }),
      ],
      { app: { trustProxy: 1 } },
    );
    const body = JSON.stringify(ORDER);
    const good = { authorization: `Bearer ${TOKEN}`, "x-forwarded-for": "203.0.113.9" };
    const { "webhook-timestamp": _time, ...timeless } = signed(body);
    const cases: [number, string, Record<string, string>, string?][] = [
      [403, "address_not_allowed", { ...signed(body), ...good, "x-forwarded-for": "203.0.113.128" }],
      [403, "address_not_allowed", { ...signed(body), ...good, "x-forwarded-for": "203.0.113.9, 198.51.100.1" }],
      [403, "address_not_allowed", { ...signed(body), ...good, "x-forwarded-for": "2001:db8:2::1" }],
      [401, "bearer_missing", { ...signed(body), "x-forwarded-for": "203.0.113.9" }],
      [401, "bearer_mismatch", { ...signed(body), ...good, authorization: `Bearer ${TOKEN}x` }],
      [401, "signature_mismatch", { ...signed(`${body} `), ...good }],
      [401, "signature_mismatch", { ...signed(body, { secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }), ...good }],
      [401, "timestamp_too_old", { ...signed(body, { ageSeconds: 302 }), ...good }],
      [401, "timestamp_too_new", { ...signed(body, { ageSeconds: -360 }), ...good }],
      [401, "missing_header", { ...timeless, ...good }],
      [401, "missing_header", good],
      [403, "address_not_allowed", good, "/hooks/tokens"],
      [401, "bearer_missing", { "x-forwarded-for": "203.0.113.7" }, "/hooks/tokens"],
    ];
    for (const [status, code, headers, path = "/hooks/orders"] of cases) {
      const answer = await world.post(path, body, headers);
      expect([answer.status, await answer.json()]).toMatchObject([status, { status, code }]);
    }

    expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });
    expect((await world.engine.sources.executions()).executions).toEqual([]);
    const { refusals } = await world.engine.sources.refusals({ sourceId: "orders" });
    expect(refusals.map(({ reason }) => reason).sort()).toEqual(
      cases
        .filter(([, , , path]) => path === undefined)
        .map(([, code]) => code)
        .sort(),
    );
    expect(refusals.map(({ address }) => address)).toContain("198.51.100.1");
    expect(refusals.map(({ address }) => address)).toContain("2001:db8:2::1");
    expect(refusals[0]).toMatchObject({ tenantId: "acme", refusedAt: expect.stringMatching(/Z$/) });
    const kept = (await tableText(world, "source_refusals")) + world.logged();
    for (const secret of [TOKEN, SECRET, "Jo@Example.com", "v1,"]) expect(kept).not.toContain(secret);

    expect((await world.post("/hooks/orders", body, { ...signed(body), ...good })).status).toBe(200);
    const v6 = { ...signed(body), ...good, "x-forwarded-for": "2001:db8:1:ff::1" };
    expect((await world.post("/hooks/orders", body, v6)).status).toBe(200);
  });

  it("E8 believes no X-Forwarded-For unless proxies are trusted", async () => {
    const { post, engine } = await open([bearerOnly({ allowedAddresses: ["203.0.113.7", "::ffff:192.0.2.0/120"] })]);
    const headers = { authorization: `Bearer ${TOKEN}`, "x-forwarded-for": "203.0.113.7" };
    expect((await post("/hooks/tokens", JSON.stringify(ORDER), headers)).status).toBe(403);
    expect((await engine.sources.refusals()).refusals).toMatchObject([{ address: "127.0.0.1" }]);
  });

  it("E8 refuses the very request that was accepted, also with a further signature in its header", async () => {
    const world = await open([orders()]);
    const body = JSON.stringify(ORDER);
    const headers = signed(body);
    expect((await world.post("/hooks/orders", body, headers)).status).toBe(200);
    const before = await counts(world);
    const spelt = { ...headers, "webhook-signature": `v1,${"A".repeat(43)}= ${headers["webhook-signature"]}` };
    for (const again of [headers, spelt]) {
      const answer = await world.post("/hooks/orders", body, again);
      expect([answer.status, await answer.json()]).toMatchObject([409, { code: "replayed" }]);
    }
    expect(await counts(world)).toEqual(before);
    expect((await world.engine.sources.executions()).executions).toHaveLength(1);
    expect((await world.engine.sources.refusals()).refusals).toMatchObject([
      { reason: "replayed" },
      { reason: "replayed" },
    ]);
  });

  it("E8 one of any number of identical requests at once is accepted", async () => {
    const world = await open([orders()]);
    const body = JSON.stringify(ORDER);
    const headers = signed(body);
    const answers = await Promise.all(Array.from({ length: 8 }, () => world.post("/hooks/orders", body, headers)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)]);
    expect(await counts(world)).toMatchObject({ contacts: 1, events: 2 });
  });

  it("answers 200 to a message that its sender signs and sends again, and does nothing", async () => {
    const world = await open([orders()]);
    expect((await world.send(ORDER, { id: "msg_again", ageSeconds: 5 })).status).toBe(200);
    const before = await counts(world);
    const again = await world.send({ ...ORDER, number: "changed" }, { id: "msg_again" });
    expect([again.status, await again.json()]).toMatchObject([200, { status: "success" }]);
    expect(await counts(world)).toEqual(before);
    const { executions } = await world.engine.sources.executions();
    expect(executions.map(({ status }) => status)).toEqual(["duplicate", "succeeded"]);
  });

  it("lets the same request come again where the source says so, and publishes once by the events' keys", async () => {
    const world = await open([orders({ replay: false })]);
    const body = JSON.stringify(ORDER);
    const headers = signed(body);
    for (let tries = 0; tries < 2; tries++) expect((await world.post("/hooks/orders", body, headers)).status).toBe(200);
    expect(await counts(world)).toMatchObject({ contacts: 1, events: 2 });
  });

  it("E9 counts requests per source and address, answers 429 with the standard headers, and records it once", async () => {
    const rateLimit = { max: 2, windowSeconds: 60 };
    const world = await open([orders({ rateLimit }), bearerOnly({ rateLimit })], { app: { trustProxy: 1 } });
    const call = (path: string, address: string) => world.post(path, "{}", { "x-forwarded-for": address });
    for (let n = 0; n < 2; n++) expect((await call("/hooks/orders", "203.0.113.7")).status).toBe(401);
    for (let n = 0; n < 3; n++) {
      const refused = await call("/hooks/orders", "203.0.113.7");
      expect([refused.status, await refused.json()]).toMatchObject([429, { code: "rate_limited" }]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(refused.headers.get("ratelimit-policy")).toBe('"orders";q=2;w=60');
      expect(refused.headers.get("ratelimit")).toMatch(/^"orders";r=0;t=\d+$/);
    }
    expect((await call("/hooks/orders", "203.0.113.8")).status).toBe(401);
    expect((await call("/hooks/tokens", "203.0.113.7")).status).toBe(401);
    const { refusals } = await world.engine.sources.refusals({ sourceId: "orders" });
    expect(refusals.filter(({ reason }) => reason === "rate_limited")).toMatchObject([{ address: "203.0.113.7" }]);
  });

  it("E9 takes 100 requests a minute and address where nothing else is said", async () => {
    const { send } = await open([orders()]);
    expect((await send(ORDER)).headers.get("ratelimit-policy")).toBe('"orders";q=100;w=60');
  });

  it("E13 refuses a body over the source's limit before it is looked at, announced or not", async () => {
    const world = await open([orders({ maxBodyBytes: 512 })]);
    const body = JSON.stringify({ ...ORDER, number: "n".repeat(600) });
    expect((await world.post("/hooks/orders", body, signed(body))).status).toBe(413);
    expect(await chunked(`${world.url}/hooks/orders`, body, signed(body))).toBe(413);
    const { refusals } = await world.engine.sources.refusals();
    expect(refusals.map(({ reason }) => reason)).toEqual(["body_too_large", "body_too_large"]);
    expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });
  });
});

function chunked(url: string, body: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: "POST", headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.write(body);
    request.end();
  });
}
