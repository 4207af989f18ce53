import { createHmac } from "node:crypto";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyTemplateIssues, createBodyTemplates } from "../src/destinations/body-template.js";
import { openDispatcher, openReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

const event = {
  id: "evt_1",
  type: "ticket.created",
  timestamp: "2026-01-02T03:04:05.678Z",
  tenantId: TENANT,
  data: { title: 'Say "hi",\n"admin":true', tags: ["a", "b"], n: 2, nothing: null },
};
const LINE = "0123456789".repeat(1_000);
const render = (template: string): unknown => JSON.parse(createBodyTemplates()({}, template, event));

describe("body template", () => {
  it("W9 writes the body out of the event", () => {
    const template = `{"text": "{{ type }}: {{ data.title }}", "n": {{ data.n | plus: 1 }},
      {% if data.tags contains "b" %}"tagged": true,{% endif %} "tags": {{ data.tags | json }},
      "day": "{{ timestamp | date: "%Y-%m-%d", "UTC" }}", "ids": ["{{ id }}", "{{ tenantId }}"], "none": "{{ data.nothing }}{{ data.missing.deep }}"}`;
    expect(render(template)).toEqual({
      text: `ticket.created: ${event.data.title}`,
      n: 3,
      tagged: true,
      tags: ["a", "b"],
      day: "2026-01-02",
      ids: ["evt_1", TENANT],
      none: "",
    });
  });

  it("W9 keeps data within the quotes around them", () => {
    expect(render('{"title":"{{ data.title }}"}')).toEqual({ title: event.data.title });
    expect(render('{"tags":"{{ data.tags }}"}')).toEqual({ tags: '["a","b"]' });
  });

  it("W9 sees nothing but the event's own fields", () => {
    expect(
      render('{"x":"{{ data.constructor.name }}{{ data.title.length.constructor }}{{ data.__proto__ }}{{ process }}"}'),
    ).toEqual({ x: "" });
  });

  it("W9 says so when what is written is no JSON", () => {
    expect(() => render('{"n": {{ data.missing }} }')).toThrow("The endpoint's template wrote no JSON");
  });

  it("W9 ends a template that makes too much, or takes too long", () => {
    expect(() => render("{% for i in (1..100000000) %}x{% endfor %}")).toThrow("memory alloc limit exceeded");
    const loop = (depth: number): string =>
      depth === 0 ? "{{ data.n }}" : `{% for i in (1..1000) %}${loop(depth - 1)}{% endfor %}`;
    expect(() => render(loop(4))).toThrow("limit exceeded");
  });

  it("W9 looks at the time before each filter, and has none that takes an expression", () => {
    const slow = `{% assign a = (1..100000) %}{{ a ${"| default: 1 ".repeat(2_000)}| size }}`;
    expect(() => render(slow)).toThrow("template render limit exceeded");
    expect(bodyTemplateIssues("template", "{{ data.tags | has_exp: 'x', 'x == 1' }}")).toMatchObject([
      { path: "template", message: expect.stringContaining("has_exp") },
    ]);
  });

  it.each([
    ["loops", `"{% for i in (1..1000) %}${LINE}{% endfor %}"`],
    ["captures", `{% capture x %}{% for i in (1..1000) %}${LINE}{% endfor %}{% endcapture %}1`],
    ["writes data as JSON again and again", "[{% for i in (1..3000) %}{{ data.big | json }},{% endfor %}1]"],
    ["escapes data again and again", '"{% for i in (1..3000) %}{{ data.big }}{% endfor %}"'],
  ])("W9 ends a template that %s beyond a mebibyte", (_how, template) => {
    const big = { ...event, data: { big: ["x".repeat(1_000)] } };
    expect(() => createBodyTemplates()({}, template, big)).toThrow("writes more than 1048576 characters");
  });

  const doubled = `{% assign a = data.tags %}${"{% assign a = a | push: a %}".repeat(40)}`;
  it.each(["{{ a | json }}", "{{ a }}", "{{ a | raw }}", "{{ a | upcase }}", "{{ a | join: ',' }}"])(
    "W9 ends a template that nests a list in itself without end and writes it by %s",
    (output) => {
      expect(() => createBodyTemplates()({}, doubled + output, event)).toThrow(
        "a value of more than 4000000 characters",
      );
    },
  );

  it("W9 writes what is large but allowed", () => {
    expect(
      createBodyTemplates()({}, '"{% for i in (1..1000) %}{{ data.big }}{% endfor %}"', {
        ...event,
        data: { big: "x".repeat(1_000) },
      }),
    ).toHaveLength(1_000_002);
  });

  it.each([
    ["{% if %}", "is no Liquid template"],
    ["{{ data.title | shout }}", "undefined filter"],
    ['{% include "a" %}', 'tag "include" not found'],
    ['{% render "/etc/passwd" %}', 'tag "render" not found'],
    ['{% layout "a" %}', 'tag "layout" not found'],
    ["{% for a in data.tags %}", "not closed"],
    ["x".repeat(32_769), "1 to 32768 characters"],
    ["", "1 to 32768 characters"],
    [7, "1 to 32768 characters"],
  ])("W9 refuses %j", (template, message) => {
    expect(bodyTemplateIssues("target.template", template)).toEqual([
      { path: "target.template", message: expect.stringContaining(message) },
    ]);
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W9 signs and sends what the endpoint's template writes", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const target = { url: receiver.url, template: '{"text":"{{ data.title }}"}' };
    const endpoint = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    receiver.useSecret(endpoint.secret ?? "");
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { title: "Printer" } });
    const [request] = await receiver.waitFor(1);
    expect(request).toMatchObject({ verified: true, body: '{"text":"Printer"}' });
    expect((await dispatcher.endpoints.get(endpoint))?.target).toEqual(target);
  });

  it("W4 W9 judges by the condition, writes by the template, and keeps the profile's headers and every scheme's signature", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: {
        url: receiver.url,
        profile: "support",
        scheme: ["standard-webhooks", "ai-support"],
        headers: { "X-Team": "blue" },
        template: '{"text":"{{ data.ticket.title }}","of":"{{ type }}"}',
      },
      events: ["ticket.*"],
      condition: { "ticket.priority": { $gte: 2 } },
    });
    receiver.useSecret(endpoint.secret ?? "");
    const event = (title: string, priority: number) => ({
      tenantId: TENANT,
      type: "ticket.created",
      data: { ticket: { title, priority } },
    });
    await dispatcher.publishMany([event("Mouse", 1), event('The "new" printer', 3), event("Screen", 0)]);
    await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
      return deliveries.length === 1 && deliveries[0]?.status === "delivered";
    });
    const body = '{"text":"The \\"new\\" printer","of":"ticket.created"}';
    expect(receiver.requests).toMatchObject([
      {
        verified: true,
        body,
        headers: {
          "user-agent": "AI-Support-Autoresponder/1.0",
          "x-webhook-event": "ticket.created",
          "x-webhook-signature": createHmac("sha256", endpoint.secret ?? "")
            .update(body)
            .digest("hex"),
          "x-team": "blue",
        },
      },
    ]);
  });

  it("W9 refuses a broken template at its path, and ends a delivery as dead whose template fails, saying why", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const input = (template: string) => ({ tenantId: TENANT, target: { url: receiver.url, template }, events: ["*"] });
    await expect(dispatcher.endpoints.create(input("{% if %}"))).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path: "target.template" }],
    });
    await dispatcher.endpoints.create(input('{"n":{{ data.n }}}'));
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    const delivery = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(delivery?.log).toMatchObject([{ outcome: "dead", errorCode: "plan_failed", status: null }]);
    expect(delivery?.reason).toContain("The endpoint's template wrote no JSON");
    expect(receiver.requests).toHaveLength(0);
  });

  it("W9 ends a delivery as dead whose template writes too much", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const template = `"{% for i in (1..1000) %}${LINE}{% endfor %}"`;
    const target = { url: "https://example.com/", template };
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    const delivery = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(delivery?.log).toMatchObject([{ outcome: "dead", errorCode: "plan_failed", status: null }]);
    expect(delivery?.reason).toContain("writes more than 1048576 characters");
  });
});
