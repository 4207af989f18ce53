import { type Event, newId, silentLogger } from "@hookline/core";
import { createDispatcher } from "@hookline/dispatcher";
import { createReceiver } from "@hookline/dispatcher/testing";
import { createEngine } from "@hookline/engine";
import { migrate } from "@hookline/postgres";
import { describeMatrix, type TestDatabases } from "@hookline/postgres/testing";
import { erxes } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createAccounts } from "../src/desk/accounts.js";
import { createAiResponses } from "../src/desk/ai-responses.js";
import { createConversations } from "../src/desk/conversations.js";
import type { DeskStore } from "../src/desk/desk-store.js";
import { erxesIntake } from "../src/desk/erxes-intake.js";
import { createMachines } from "../src/desk/machines.js";
import { deskMigrations } from "../src/desk/migrations/index.js";
import { deskPersonalData } from "../src/desk/personal-data.js";
import { createTicketAction } from "../src/desk/ticket-action.js";
import { deskIntake } from "../src/desk/ticket-intake.js";
import { createTickets } from "../src/desk/tickets.js";
import { catalogue } from "../src/events/index.js";

const encryptionKey = Buffer.alloc(32, 7).toString("base64");
const tenantId = "acme";
const DISCORD_ID = "80351110224678912";

async function openDesk(databases: TestDatabases) {
  const { database, schema } = await databases.open();
  const dispatcher = createDispatcher({ database, schema, encryptionKey, events: catalogue });
  const store: DeskStore = {
    database,
    outbox: dispatcher,
    linkContact: (...linking) => engine.identity.linkContact(...linking),
    schema,
  };
  const engine = createEngine({
    database,
    schema,
    outbox: dispatcher,
    eventLog: dispatcher.events,
    connectors: [{ id: "discord", identityKinds: ["discord"], mergedProperties: [], routes: [], destinations: [] }],
    encryptionKey,
    personalData: [deskPersonalData(store)],
  });
  await dispatcher.migrate();
  await engine.migrate();
  await migrate(database, { schema, component: "desk", migrations: deskMigrations });
  const everyTable = async () => {
    const tables = await database.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = $1",
      [schema],
    );
    const texts = tables.map(({ name }) => database.query(`select t::text as row from "${schema}"."${name}" t`));
    return JSON.stringify(await Promise.all(texts));
  };
  return { engine, dispatcher, database, store, everyTable };
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N9 exports and erases what the desk holds of a person: tickets, also those handed on, what was said about them, users", async () => {
    const { engine, dispatcher, database, store, everyTable } = await openDesk(databases);
    const tickets = createTickets(store);
    const submitted = {
      tenantId,
      requestKey: "discord:1",
      title: "Jo needs help",
      description: "My illness",
      priority: 1,
      further: {},
      requesterId: DISCORD_ID,
      userId: DISCORD_ID,
      userName: "jo_discord",
      channelName: null,
      submittedAt: new Date(),
    };
    await deskIntake(tickets).submit(submitted, new AbortController().signal);
    await engine.identity.linkContact({
      tenantId,
      identities: [
        { kind: "discord", value: DISCORD_ID },
        { kind: "email", value: "jo@example.com" },
      ],
    });
    const about = { tenantId, priority: "low", createdBy: "staff" } as const;
    const byMail = { ...about, requestKey: "2", title: "Jo's printer", description: "Jo says it burns" };
    const { id } = await tickets.open({ ...byMail, customerEmail: "Jo@Example.com", customerName: "Jo Doe" });
    await tickets.note({ tenantId, id }, { author: "staff", text: "Called Jo" });
    await createConversations(store).add({ tenantId, id }, { author: "Jo", sender: "customer", message: "Jo here" });
    await createConversations(store).rate({ tenantId, id }, { rating: 5, comment: "Jo is happy" });
    await createAiResponses(store).add({ tenantId, id }, { text: "Dear Jo", confidence: 1 });
    await createAccounts(store).createUser({ tenantId, username: "jo", email: "jo@example.com" });
    await tickets.open({ ...about, requestKey: "3", title: "Al's", description: "x", customerEmail: "al@example.com" });
    await tickets.open({ ...about, requestKey: "4", title: "Nobody's", description: "x", customerEmail: "no address" });
    const contact = await engine.contacts.findByIdentity({ tenantId, kind: "email", value: "jo@example.com" });
    if (!contact) throw new Error("no contact");

    // By an automation: about whom its event is about.
    const event: Event = { id: newId("evt", 1), type: "ticket.create", timestamp: "", tenantId, data: {} };
    await database.transaction((transaction) =>
      createTicketAction({ tickets }).run(
        {
          name: "Jo by webhook",
          description: "Jo",
          priority: "low",
          team: undefined,
          category: undefined,
          customer_email: undefined,
          customer_name: undefined,
        },
        {
          tenantId,
          automationId: "a",
          executionId: "e",
          idempotencyKey: "5",
          transaction,
          event: { ...event, subjectId: contact.id },
        },
      ),
    );

    // What was handed to another system, also by staff from the member's message, is about the member here all the same.
    const secret = "hmac-secret-key-of-the-automation";
    const automation = await createReceiver({ secret, scheme: erxes, answer: () => ({ body: '{"number":1042}' }) });
    onTestFinished(() => automation.close());
    await erxesIntake({ url: automation.url, bearerToken: "token", secret, store, logger: silentLogger }).submit(
      { ...submitted, requestKey: "discord:6", title: "Jo asks elsewhere", userId: "900", userName: "staff" },
      new AbortController().signal,
    );
    expect(await engine.contacts.findByIdentity({ tenantId, kind: "discord", value: "900" })).toBeNull();

    const timeline = await engine.contacts.timeline({ tenantId, contactId: contact.id, limit: 200 });
    expect([...new Set(timeline?.events.map(({ type }) => type))].sort()).toEqual([
      "ai.response.generated",
      "conversation.added",
      "feedback.received",
      "ticket.created",
      "ticket.updated",
      "user.created",
    ]);
    expect(timeline?.events.map(({ data }) => (data as { title?: string }).title)).toContain("Jo asks elsewhere");
    const exported = await engine.contacts.export({ tenantId, contactId: contact.id });
    expect(exported?.held.desk).toMatchObject({
      tickets: [{ title: "Jo needs help" }, { title: "Jo's printer" }, { title: "Jo by webhook" }],
      notes: [{ text: "Called Jo" }],
      messages: [{ message: "Jo here" }],
      feedback: [{ comment: "Jo is happy" }],
      aiResponses: [{ text: "Dear Jo" }],
      users: [{ email: "jo@example.com" }],
    });

    const isJo = /\bjo\b|jo_discord|illness|80351110224678912/i;
    expect(await everyTable()).toMatch(isJo);
    expect(await engine.contacts.erase({ tenantId, contactId: contact.id })).toMatchObject({ status: "done" });
    const left = await everyTable();
    expect(isJo.exec(left)?.[0]).toBeUndefined();
    for (const text of ["Al's", "al@example.com", "Nobody's"]) expect(left).toContain(text);
    expect(await tickets.get({ tenantId, id })).toMatchObject({ title: "(erased)", status: "new" });
    // The desk goes on, and what it says about the ticket is about nobody.
    await tickets.change({ tenantId, id }, { changedBy: "staff", status: "closed" });
    const { events } = await dispatcher.events.list({ tenantId, type: "ticket.closed" });
    expect(events).toMatchObject([{ data: { title: "(erased)" } }]);
    expect(events[0]).not.toHaveProperty("subjectId");
  });

  it("N9 takes a member's name out of what they did about others' tickets and machines", async () => {
    const { engine, store } = await openDesk(databases);
    const tickets = createTickets(store);
    const machines = createMachines(store);
    await engine.ingest([
      {
        tenantId,
        type: "ticket.seen",
        timestamp: new Date(),
        idempotencyKey: "seen",
        identities: [{ kind: "discord", value: DISCORD_ID }],
        data: {},
        contactProperties: { discord: { username: "jo_discord" } },
      },
    ]);
    const contact = await engine.contacts.findByIdentity({ tenantId, kind: "discord", value: DISCORD_ID });
    const asked = { title: "Al's", description: "x", priority: "low", createdBy: "al" } as const;
    const ticket = { tenantId, id: (await tickets.open({ ...asked, tenantId, requestKey: "1" })).id };
    await tickets.change(ticket, { changedBy: "jo_discord", assignee: "jo_discord" });
    await tickets.note(ticket, { author: "jo_discord", text: "Done" });
    const { asset_id: id } = await machines.register({ tenantId, hostname: "PC-1", ipAddress: "192.0.2.1" });
    await machines.decide({ tenantId, id, decision: "approved", decidedBy: "jo_discord" });
    const elsewhere = {
      tenantId: "globex",
      id: (await tickets.open({ ...asked, tenantId: "globex", requestKey: "1" })).id,
    };
    await tickets.change(elsewhere, { changedBy: "jo_discord", status: "open" });

    await engine.contacts.erase({ tenantId, contactId: contact?.id ?? "" });
    expect(await tickets.get(ticket)).toMatchObject({
      title: "Al's",
      created_by: "al",
      assignee: "(erased)",
      updated_by: "(erased)",
      notes: [{ author: "(erased)", text: "Done" }],
    });
    expect(await machines.get(tenantId, id)).toMatchObject({ status: "approved", decided_by: "(erased)" });
    // Another tenant's member of the same name is somebody else's matter.
    expect(await tickets.get(elsewhere)).toMatchObject({ updated_by: "jo_discord" });
  });
});
