import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const HOUR_MS = 3_600_000;

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async () => {
    const clock = createVirtualClock();
    const mails: { readonly to: string; readonly subject: string }[] = [];
    const { dispatcher, database, schema } = await openDispatcher(databases, {
      clock,
      mailer: { send: async (mail: (typeof mails)[number]) => void mails.push(mail) },
    });
    const receiver = await openReceiver({ answer: () => ({ status: 410 }) });
    const make = (type: string, tenantId = TENANT, contactAddress = "ops@acme.example") =>
      dispatcher.endpoints.create({ tenantId, target: { url: receiver.url }, events: [type], contactAddress });
    await dispatcher.start();
    /** Publishes, and waits until nobody is active any more and all that there is to mail was mailed. */
    const disableAll = async (
      endpoints: readonly { readonly id: string; readonly tenantId: string }[],
      type: string,
    ) => {
      for (const tenantId of new Set(endpoints.map((endpoint) => endpoint.tenantId))) {
        await dispatcher.publish({ tenantId, type, data: {} });
      }
      await until(async () => {
        clock.advance(10);
        const found = await Promise.all(endpoints.map(dispatcher.endpoints.get));
        return found.every((endpoint) => endpoint?.active === false);
      });
      await until(async () => {
        clock.advance(10);
        // Held are those of the endpoints: what is left besides is a mail.
        const mailing = await database.query(`select from ${schema}.queue where state <> 1 limit 1`);
        return mailing.length === 0;
      });
    };
    return { clock, dispatcher, mails, make, disableAll };
  };

  it("N4 mails of one endpoint once an hour, however often it is disabled", async () => {
    const { clock, dispatcher, mails, make, disableAll } = await open();
    const endpoint = await make("a.b");
    for (let times = 0; times < 3; times += 1) {
      await disableAll([endpoint], "a.b");
      expect(mails).toHaveLength(1);
      await dispatcher.endpoints.enable(endpoint);
    }
    await disableAll([endpoint], "a.b");
    clock.advance(HOUR_MS);
    await dispatcher.endpoints.enable(endpoint);
    await disableAll([endpoint], "a.b");
    expect(mails).toHaveLength(2);
  });

  it("N4 mails one address ten times an hour, of however many endpoints, and another tenant's beside it", async () => {
    const { mails, make, disableAll } = await open();
    const mine = await Promise.all(Array.from({ length: 14 }, () => make("a.b")));
    const theirs = await make("a.b", "other");
    const elsewhere = await make("a.b", TENANT, "dev@acme.example");
    await disableAll([...mine, theirs, elsewhere], "a.b");
    const names = new Set(mails.map(({ subject }) => subject));
    expect(names.size).toBe(mails.length);
    expect(mails.filter(({ to }) => to === "ops@acme.example")).toHaveLength(10 + 1);
    expect(mails.filter(({ to }) => to === "dev@acme.example")).toHaveLength(1);
  });
});
