import type { Identity, Transaction } from "@hookline/core";
import { expect, it } from "vitest";
import type { Unbound } from "../src/index.js";
import { ask } from "./support/confirm.js";
import { counts, describeMatrix, openWorld, until, type World } from "./support/world.js";

const account = { tenantId: "default", kind: "discord", value: ask.platformUserId };
const email = { tenantId: "default", kind: "email", value: "jo@example.com" };

function says(world: World, key: string, further: readonly Identity[] = []) {
  return world.engine.ingest([
    {
      tenantId: "default",
      type: "discord.message_sent",
      timestamp: new Date("2026-03-01T10:00:00Z"),
      idempotencyKey: key,
      identities: [{ kind: "discord", value: ask.platformUserId }, ...further],
      data: {},
      contactProperties: { discord: { username: "nelly" } },
    },
  ]);
}

describeMatrix("unlinking", (databases) => {
  it("N8 takes the account and what is known by it away from the contact, which stays, and says so by an event", async () => {
    const gone: Unbound[] = [];
    const world = await openWorld(databases, {
      start: true,
      afterUnbind: async (unbound) => {
        gone.push(unbound);
      },
    });
    await says(world, "m1");
    const { contactId } = await world.coldConnect.bind(ask);
    const result = await world.coldConnect.unbind({ platformUserId: ask.platformUserId, idempotencyKey: "i1" });
    expect(result).toMatchObject({ status: "unlinked", contactId });

    expect(await world.engine.contacts.findByIdentity(account)).toBeNull();
    const contact = await world.engine.contacts.findByIdentity(email);
    expect(contact).toMatchObject({ id: contactId, identities: [{ kind: "email" }] });
    expect(contact?.properties).toEqual({});
    const timeline = await world.engine.contacts.timeline({ tenantId: "default", contactId });
    expect(timeline?.events.map(({ type }) => type)).toEqual([
      "discord.unlinked",
      "discord.linked",
      "discord.message_sent",
    ]);
    expect(timeline?.events[0]?.data).toEqual({ reason: "member", discord_id: ask.platformUserId });
    await until(() => gone.length === 1);
    expect(gone).toEqual([{ tenantId: "default", platformUserId: ask.platformUserId, contactId }]);
  });

  it("N8 what the account does later belongs to a contact of its own, and a new link joins it again", async () => {
    const world = await openWorld(databases);
    const { contactId } = await world.coldConnect.bind(ask);
    await world.coldConnect.unbind({ platformUserId: ask.platformUserId });
    await says(world, "m2");
    const stranger = await world.engine.contacts.findByIdentity(account);
    expect(stranger?.id).not.toBe(contactId);
    expect(stranger?.identities).toEqual([{ kind: "discord", value: ask.platformUserId }]);

    const again = await world.coldConnect.bind(ask);
    expect(again.contactId).toBe(contactId);
    expect(await world.engine.contacts.findByIdentity(account)).toMatchObject({
      id: contactId,
      properties: { discord: { username: "nelly" } },
    });
  });

  it("N8 leaves an account alone that is linked to nobody or unknown, however often it is asked", async () => {
    const world = await openWorld(databases);
    await says(world, "m3");
    const before = await counts(world);
    expect(await world.coldConnect.unbind({ platformUserId: ask.platformUserId })).toEqual({ status: "not_linked" });
    expect(await world.coldConnect.unbind({ platformUserId: "1" })).toEqual({ status: "not_linked" });
    const elsewhere = { platformUserId: ask.platformUserId, tenantId: "other" };
    expect(await world.coldConnect.unbind(elsewhere)).toEqual({ status: "not_linked" });
    expect(await counts(world)).toEqual(before);
    await expect(world.coldConnect.unbind({ platformUserId: "" })).rejects.toMatchObject({ code: "invalid_identity" });
  });

  it("N8 unlinks once when asked several times at the same moment", async () => {
    const world = await openWorld(databases);
    await world.coldConnect.bind(ask);
    const results = await Promise.all(
      [1, 2, 3, 4].map(() => world.coldConnect.unbind({ platformUserId: ask.platformUserId })),
    );
    expect(results.filter(({ status }) => status === "unlinked")).toHaveLength(1);
    const { events } = await world.dispatcher.events.list({ tenantId: "default", type: "discord.unlinked" });
    expect(events).toHaveLength(1);
  });

  it("N8 runs neither afterBind for an account that was unlinked before its turn, nor afterUnbind for one linked again", async () => {
    const ran: string[] = [];
    const world = await openWorld(databases, {
      afterBind: async () => {
        ran.push("bind");
      },
      afterUnbind: async () => {
        ran.push("unbind");
      },
    });
    await world.coldConnect.bind(ask);
    await world.coldConnect.unbind({ platformUserId: ask.platformUserId });
    const linkedAgain = { ...ask, platformUserId: "2", email: "bo@example.com" };
    await world.coldConnect.bind(linkedAgain);
    await world.coldConnect.unbind({ platformUserId: "2" });
    await world.coldConnect.bind(linkedAgain);
    await world.dispatcher.start();
    const ended = async () => {
      const { deliveries } = await world.dispatcher.deliveries.list({ tenantId: "default" });
      return deliveries.map(({ status }) => status);
    };
    await until(async () => (await ended()).every((status) => status === "delivered" || status === "dead"));
    await world.dispatcher.stop();
    // Both links of the second account find it linked; its unlinking, and the first account's link, were overtaken.
    expect(ran.sort()).toEqual(["bind", "bind", "unbind"]);
    expect((await ended()).sort()).toEqual(["dead", "dead", "delivered", "delivered", "delivered"]);
  });

  // PGlite has one connection: nobody waits there.
  if (databases.kind !== "postgres") return;

  it("N8 holds for an event that began before the unlinking and waited for an identity meanwhile", async () => {
    const world = await openWorld(databases);
    const { contactId } = await world.coldConnect.bind(ask);
    const other = { kind: "anonymous", value: "cookie-1" };
    const held = await hold(world, (transaction) =>
      world.engine.identity.linkContact({ tenantId: "default", identities: [other] }, { transaction }),
    );
    const waiting = says(world, "m4", [other]);
    await until(async () => (await waitingFor(world, "advisory")) === 1);
    expect(await world.coldConnect.unbind({ platformUserId: ask.platformUserId })).toMatchObject({ contactId });
    await held.rollBack();
    await waiting;
    await expectUnlinked(world, contactId);
  });

  it("N8 holds for an event that waited for the contact while it was unlinked", async () => {
    const world = await openWorld(databases);
    const { contactId } = await world.coldConnect.bind(ask);
    const held = await hold(world, (transaction) =>
      transaction.query(`lock table "${world.schema}".events in exclusive mode`),
    );
    const unlinking = world.coldConnect.unbind({ platformUserId: ask.platformUserId });
    await until(async () => (await waitingFor(world, "relation")) === 1);
    const waiting = says(world, "m5");
    await until(async () => (await waitingFor(world, "transactionid")) === 1);
    await held.rollBack();
    await Promise.all([unlinking, waiting]);
    await expectUnlinked(world, contactId);
  });
});

/** A transaction that keeps the locks that it took, until it is told. */
async function hold({ database }: World, take: (transaction: Transaction) => Promise<unknown>) {
  let begin = () => {};
  let end = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ending = new Promise<void>((resolve) => {
    end = resolve;
  });
  const ended = expect(
    database.transaction(async (transaction) => {
      await take(transaction);
      begin();
      await ending;
      throw new Error("rolled back");
    }),
  ).rejects.toThrow("rolled back");
  await Promise.race([begun, ended]);
  return {
    async rollBack() {
      end();
      await ended;
    },
  };
}

/** What came after the unlinking belongs to a contact of its own. */
async function expectUnlinked({ engine }: World, contactId: string): Promise<void> {
  const [kept, stranger] = [await engine.contacts.findByIdentity(email), await engine.contacts.findByIdentity(account)];
  expect(kept).toMatchObject({ id: contactId, identities: [{ kind: "email" }], properties: {} });
  expect(stranger?.id).not.toBe(contactId);
  expect(stranger?.properties).toEqual({ discord: { username: "nelly" } });
  const timeline = await engine.contacts.timeline({ tenantId: "default", contactId });
  expect(timeline?.events.map(({ type }) => type)).toEqual(["discord.unlinked", "discord.linked"]);
}

async function waitingFor({ database }: World, lockType: string): Promise<number> {
  const waiting = await database.query(
    `select 1 as found from pg_locks l join pg_stat_activity a using (pid)
     where not l.granted and l.locktype = $1 and a.datname = current_database()`,
    [lockType],
  );
  return waiting.length;
}
