import { createDispatcher } from "@hookline/dispatcher";
import { createEngine } from "@hookline/engine";
import { migrate } from "@hookline/postgres";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deskMigrations } from "../src/desk/migrations/index.js";
import { createTickets } from "../src/desk/tickets.js";

const encryptionKey = Buffer.alloc(32, 7).toString("base64");
const tenantId = "acme";

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it("opens one ticket for requests with the same key at the same time, and answers it to each of them", async () => {
    const { database, schema } = await databases.open();
    const dispatcher = createDispatcher({ database, schema, encryptionKey });
    const parts = { database, schema, outbox: dispatcher };
    const engine = createEngine({ ...parts, encryptionKey, eventLog: dispatcher.events });
    await dispatcher.migrate();
    await engine.migrate();
    await migrate(database, { schema, component: "desk", migrations: deskMigrations });
    const tickets = createTickets({ ...parts, linkContact: engine.identity.linkContact });

    const open = (requestKey: string) =>
      tickets.open({
        tenantId,
        title: "Printer",
        description: "It burns.",
        priority: "low",
        createdBy: "anna",
        requestKey,
      });
    for (let round = 0; round < 5; round += 1) {
      const key = `request-${round}`;
      const opened = await Promise.all([open(key), open(key), open(key), open(key)]);
      expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    }
    const numbers = (await tickets.list(tenantId)).map(({ seq_id }) => seq_id);
    expect(numbers).toEqual([5, 4, 3, 2, 1]);
    const { events } = await dispatcher.events.list({ tenantId, type: "ticket.created" });
    expect(events).toHaveLength(5);
  });
});
