import { createRoute, z } from "@hono/zod-openapi";
import { expect, it } from "vitest";
import { createApp, createRouter } from "../src/index.js";
import { describeEmbedded, listen, openWorld } from "./support/world.js";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

describeEmbedded("text that Postgres stores in no column", (databases) => {
  async function open() {
    const { engine } = await openWorld(databases);
    const notes = createRouter();
    notes.openapi(
      createRoute({
        method: "post",
        path: "/v1/notes",
        request: { body: { content: { "application/json": { schema: z.record(z.string(), z.unknown()) } } } },
        responses: { 200: { description: "It would do." } },
      }),
      (c) => c.text("fine"),
    );
    const url = await listen(createApp(engine, { routes: [notes] }));
    const { key } = await engine.apiKeys.create({ tenantId: "acme", name: "test", scopes: ["read", "write", "admin"] });
    const call = async (method: string, path: string, body?: string): Promise<{ status: number; body: Json }> => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
      const text = await answer.text();
      return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : text };
    };
    return { call };
  }

  const pointers = ({ status, body }: { status: number; body: Json }) => [
    status,
    body.code,
    body.errors?.map(({ pointer }: Json) => pointer),
  ];

  it.each([
    ["GET", "/v1/contacts/con_1%00", "/param/contactId"],
    ["GET", "/v1/contacts/con_1%00/timeline", "/param/contactId"],
    ["GET", "/v1/contacts?kind=email&value=%00", "/query/value"],
    ["GET", "/v1/automations/aut_%00", "/param/automationId"],
    ["GET", "/v1/sources/src_%00", "/param/sourceId"],
    ["POST", "/v1/sources/src_%00/activate", "/param/sourceId"],
    ["GET", "/v1/source-executions/exe_%00", "/param/executionId"],
    ["DELETE", "/v1/api-keys/key_%00", "/param/id"],
  ])("is refused by name: %s %s", async (method, path, pointer) => {
    const { call } = await open();
    expect(pointers(await call(method, path))).toEqual([400, "validation_failed", [pointer]]);
  });

  it("is refused wherever it stands in a body, and nothing else is", async () => {
    const { call } = await open();
    const post = (body: unknown) => call("POST", "/v1/notes", JSON.stringify(body));
    const faulty = { a: { list: ["fine", "\u0000"] }, "b/c": "x\u0000y", "na\u0000me": 1, fine: "\u0001 \\u0000 ü" };
    const answer = await post(faulty);
    expect(answer.body.errors[0].message).toBe("must not hold U+0000");
    const [status, code, found] = pointers(answer);
    expect([status, code, found.sort()]).toEqual([
      400,
      "validation_failed",
      ["/body/a/list/1", "/body/b~1c", "/body/na\u0000me"],
    ]);
    expect(await post({ fine: faulty.fine, none: null, number: 1 })).toEqual({ status: 200, body: "fine" });
  });

  it("is found however deep it lies, and told in a short answer", async () => {
    const { call } = await open();
    const nested = (inner: string) => `{"a":${"[".repeat(400_000)}${inner}${"]".repeat(400_000)}}`;
    const answer = await call("POST", "/v1/notes", nested('"\\u0000"'));
    expect(pointers(answer)).toEqual([400, "validation_failed", [`/body/a${"/0".repeat(31)}`]]);
    expect((await call("POST", "/v1/notes", nested('""'))).status).toBe(200);
    const many = JSON.stringify({ list: Array.from({ length: 1_000 }, () => "\u0000") });
    expect((await call("POST", "/v1/notes", many)).body.errors).toHaveLength(20);
  });
});
