import { expect, it } from "vitest";
import { createApp } from "../src/index.js";
import { describeEmbedded, listen, openWorld } from "./support/world.js";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

describeEmbedded("what will not do is refused by its fields", (databases) => {
  async function open() {
    const { engine } = await openWorld(databases);
    const url = await listen(createApp(engine));
    const { key } = await engine.apiKeys.create({ tenantId: "acme", name: "test" });
    return async (path: string, body: unknown) => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
      const { code, detail, errors } = (await answer.json()) as Json;
      expect([answer.status, detail]).toEqual([422, expect.not.stringContaining("..")]);
      return { code, errors };
    };
  }

  it("E16 of an automation", async () => {
    const post = await open();
    const call = { id: "call", action: "http.request", input: { url: "{{ broken", headers: { "X-Team": "{% if %}" } } };
    const steps = [call, { ...call, input: {} }, { id: "x", action: "nope", input: {} }];
    const automation = { name: "A", trigger: { events: ["a.b"] }, steps };
    const { code, errors } = await post("/v1/automations", automation);
    expect([code, errors.map(({ pointer }: Json) => pointer)]).toEqual([
      "invalid_automation",
      ["/body/steps/0/input/url", "/body/steps/0/input/headers/X-Team", "/body/steps/1/id", "/body/steps/2/action"],
    ]);
    expect(errors[2].message).toBe('another step has the id "call"');
    const condition = { "data.p": { $gtx: 1 } };
    expect((await post("/v1/automations", { ...automation, trigger: { events: [] }, condition })).errors).toEqual([
      { pointer: "/body/trigger/events", message: expect.any(String) },
      { pointer: "/body/condition", message: "condition.data.p.$gtx is no operator that is allowed" },
    ]);
  });

  it("E7 E8 of a source", async () => {
    const post = await open();
    const fields = [
      { name: "mail", type: "string" },
      { name: "mail", type: "string" },
    ];
    expect(await post("/v1/sources", { endpoint: "orders", fields, allowedAddresses: ["127.0.0.0/33"] })).toEqual({
      code: "invalid_source",
      errors: [
        { pointer: "/body/fields/1/name", message: 'another field has the name "mail"' },
        { pointer: "/body/allowedAddresses", message: '"127.0.0.0/33" is neither an address nor a network.' },
      ],
    });
    const closed = { endpoint: "orders", bearerToken: null, secret: null };
    expect((await post("/v1/sources", closed)).errors).toBeUndefined();
  });
});
