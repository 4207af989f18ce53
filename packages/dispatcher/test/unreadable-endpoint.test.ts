import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, openReceiver, TENANT } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const OTHER_KEY = Buffer.alloc(32, 8).toString("base64");
const UNREADABLE = { code: "endpoint_unreadable" };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W1 lets an operator repair an endpoint whose key is lost: a whole target first, then a secret without overlap", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const receiver = await openReceiver();
    const target = { url: receiver.url };
    const made = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    const endpoint = { tenantId: TENANT, id: made.id };
    const without = another({ encryptionKey: OTHER_KEY });
    const { update, rotateSecret, test, verify, get } = without.endpoints;
    await expect(update(endpoint, { targetChanges: target })).rejects.toMatchObject(UNREADABLE);
    await expect(rotateSecret({ ...endpoint, overlapMs: 0 })).rejects.toMatchObject(UNREADABLE);
    await expect(test(endpoint)).rejects.toMatchObject(UNREADABLE);
    await expect(verify(endpoint)).rejects.toMatchObject(UNREADABLE);
    expect((await get(endpoint))?.target).toBeNull();

    expect(await update(endpoint, { target })).toMatchObject({ target });
    await expect(rotateSecret(endpoint)).rejects.toMatchObject(UNREADABLE);
    const { secret } = await rotateSecret({ ...endpoint, overlapMs: 0 });
    receiver.useSecret(secret);
    await without.start();
    await without.publish({ tenantId: TENANT, type: "a.b", data: {} });
    expect(await receiver.waitFor(1)).toMatchObject([{ verified: true }]);
  });

  it("W1 has a URL verified anew that replaces one that cannot be read", async () => {
    const { dispatcher, another, database, schema } = await openDispatcher(databases);
    const target = { url: "https://example.com/" };
    const made = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], verify: true });
    await database.query(`update ${schema}.endpoints set active = true, verification = 'verified'`);
    const { endpoints } = another({ encryptionKey: OTHER_KEY });
    expect(await endpoints.update(made, { target })).toMatchObject({ active: false, verification: "pending" });
  });

  it("W2 answers 409 where a target that cannot be read is needed", async () => {
    const { dispatcher, database, schema, call } = await openHttp(databases);
    const target = { url: "https://example.com/" };
    const { id } = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    await database.query(`update ${schema}.endpoints set target = ''`);
    const refusal = { status: 409, body: UNREADABLE };
    expect(await call("PATCH", `/v1/endpoints/${id}`, { body: target })).toMatchObject(refusal);
    expect(await call("PUT", `/v1/webhooks/${id}`, { body: target })).toMatchObject(refusal);
    for (const path of ["rotate-secret", "test", "verify"]) {
      expect(await call("POST", `/v1/endpoints/${id}/${path}`), path).toMatchObject(refusal);
    }
    expect(await call("PATCH", `/v1/endpoints/${id}`, { body: { name: "still mine" } })).toMatchObject({ status: 200 });
  });
});
