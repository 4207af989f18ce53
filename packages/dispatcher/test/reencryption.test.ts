import { randomBytes } from "node:crypto";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDispatcher } from "../src/index.js";
import { ENCRYPTION_KEY, openDispatcher, openReceiver, TENANT } from "./open-dispatcher.js";

const NEW_KEY = randomBytes(32).toString("base64");

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("H10 encrypts the endpoints of every tenant with the newest key, so that the old one can go", async () => {
    const { dispatcher, another, database, schema } = await openDispatcher(databases);
    const receiver = await openReceiver();
    const made = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url, headers: { authorization: "Bearer hush" } },
      events: ["*"],
    });
    const other = await dispatcher.endpoints.create({
      tenantId: "globex",
      target: { url: "https://example.com/hook" },
      events: ["*"],
    });
    // More than a page.
    for (let nth = 0; nth < 120; nth++) {
      await dispatcher.endpoints.create({ tenantId: "globex", target: { url: "https://example.com" }, events: ["x"] });
    }
    expect(await dispatcher.endpoints.reencrypt()).toEqual({ reencrypted: 0, unreadable: 0 });
    const before = await dispatcher.endpoints.get(made);

    const both = another({ encryptionKey: [NEW_KEY, ENCRYPTION_KEY] });
    expect(await both.endpoints.reencrypt()).toEqual({ reencrypted: 122, unreadable: 0 });
    expect(await both.endpoints.reencrypt()).toEqual({ reencrypted: 0, unreadable: 0 });

    const without = another({ encryptionKey: NEW_KEY });
    expect(await without.endpoints.get(made)).toEqual(before);
    expect(await without.endpoints.get(other)).toMatchObject({ target: { url: "https://example.com/hook" } });
    receiver.useSecret(made.secret ?? "");
    await without.start();
    await without.publish({ tenantId: TENANT, type: "a.b", data: {} });
    expect(await receiver.waitFor(1)).toMatchObject([{ verified: true, headers: { authorization: "Bearer hush" } }]);

    // Under a key that nobody has any more.
    expect(await dispatcher.endpoints.reencrypt()).toEqual({ reencrypted: 0, unreadable: 122 });
    await database.query(`update ${schema}.endpoints set target = 'nonsense' where id = $1`, [other.id]);
    expect(await both.endpoints.reencrypt()).toEqual({ reencrypted: 0, unreadable: 1 });
    expect(await without.endpoints.get(made)).toEqual(before);
  });

  it("H10 leaves what an operator changes at the same time as it was changed", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const target = { url: "https://example.com/old" };
    const made = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    const changed = { url: "https://example.com/new" };
    let changes = 0;
    const query: typeof database.query = async (text, parameters) => {
      const isReplacement = text.includes("set target = $4");
      if (isReplacement && changes++ === 0) await dispatcher.endpoints.update(made, { target: changed });
      return database.query(text, parameters);
    };
    const both = createDispatcher({
      database: { ...database, query },
      schema,
      encryptionKey: [NEW_KEY, ENCRYPTION_KEY],
    });
    expect(await both.endpoints.reencrypt()).toEqual({ reencrypted: 0, unreadable: 0 });
    expect(await dispatcher.endpoints.get(made)).toMatchObject({ target: changed });
    expect(await both.endpoints.reencrypt()).toEqual({ reencrypted: 1, unreadable: 0 });
    expect(await both.endpoints.get(made)).toMatchObject({ target: changed });
  });
});
