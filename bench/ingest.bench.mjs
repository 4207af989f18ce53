// What ingest costs: batches of 200 with contacts resolved, events published and deliveries made, against bare inserts of
// as many rows in the same batches; and whether an event costs more when there are more contacts.
import { randomBytes } from "node:crypto";
import { createDispatcher } from "@hookline/dispatcher";
import { createEngine } from "@hookline/engine";
import { openDatabase } from "@hookline/postgres";
import { median, shuffled } from "./deliveries/sample.mjs";
import { startPostgres } from "./deliveries/services.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 25, batches: 8, contacts: [10_000, 1_000_000] };
const QUICK = { rounds: 5, batches: 4, contacts: [1_000, 10_000] };
const BATCH = 200;
// Of each element: an event, a delivery, a contact that was seen again.
const ROWS_PER_ELEMENT = 3;
const BODY = "x".repeat(1_000);
const TENANT = "acme";

export default async function bench({ quick } = {}) {
  const size = quick ? QUICK : FULL;
  const postgres = await startPostgres();
  try {
    const worlds = [];
    for (const contacts of size.contacts) worlds.push(await openWorld(postgres, contacts));
    const bare = await openBare(postgres);
    const contestants = {
      "bare, as many rows": () => bare.insert(BATCH * ROWS_PER_ELEMENT),
      "bare, as many elements": () => bare.insert(BATCH),
      ...Object.fromEntries(worlds.map((world) => [nameOf(world), world.ingest])),
    };
    const samples = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
    for (const run of Object.values(contestants)) for (let warm = 0; warm < 10; warm += 1) await run();
    for (let round = 0; round < size.rounds; round += 1) {
      for (const [name, run] of shuffled(Object.entries(contestants))) {
        const started = performance.now();
        for (let batch = 0; batch < size.batches; batch += 1) await run();
        samples[name].push((performance.now() - started) / size.batches);
      }
    }
    for (const world of worlds) await world.verify();
    for (const one of [...worlds, bare]) await one.close();
    const [few, many] = worlds.map(nameOf);
    const ratio = (one, other) => median(samples[one].map((ms, round) => ms / samples[other][round]));
    return {
      checks: [
        { what: "speed, of bare inserts of as many rows", measured: ratio("bare, as many rows", few), atLeast: 0.2 },
        { what: "speed, of bare inserts of as many elements", measured: ratio("bare, as many elements", few) },
        { what: `cost with ${many}, of that with ${few}`, measured: ratio(many, few), atMost: 1.3 },
      ],
      figures: {
        [`Batches of ${BATCH}, 1 KB bodies`]: Object.entries(samples).map(([what, rounds]) => ({
          what,
          "ms a batch": Number(median(rounds).toFixed(2)),
          "elements a second": Math.round((BATCH * 1_000) / median(rounds)),
        })),
      },
      versions: { ...versionsOf(["pg"]), postgres: postgres.version },
    };
  } finally {
    await postgres.close();
  }
}

function nameOf({ contacts }) {
  return `ingest, ${contacts} contacts`;
}

async function openWorld(postgres, contacts) {
  const database = await openDatabase(await postgres.createDatabase(`ingest_${contacts}`));
  const encryptionKey = randomBytes(32).toString("base64");
  const dispatcher = createDispatcher({ database, encryptionKey });
  const engine = createEngine({ database, outbox: dispatcher, eventLog: dispatcher.events, encryptionKey });
  await dispatcher.migrate();
  await engine.migrate();
  await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: "https://example.com/hook" }, events: ["*"] });
  await seed(database, contacts);
  let sent = 0;
  return {
    contacts,
    async ingest() {
      const elements = Array.from({ length: BATCH }, () => ({
        tenantId: TENANT,
        type: "page.viewed",
        timestamp: new Date(),
        idempotencyKey: `view:${sent++}`,
        identities: [{ kind: "external", value: `user-${Math.floor(Math.random() * contacts)}` }],
        contactProperties: { plan: "pro", visits: sent },
        data: { body: BODY },
      }));
      const results = await engine.ingest(elements);
      if (!results.every(({ status }) => status === "stored")) throw new Error("an element was not stored");
    },
    async verify() {
      const [made] = await database.query(`
        select (select count(*) from hookline.events) as events, (select count(*) from hookline.queue) as deliveries,
          (select count(*) from hookline.contacts) as contacts`);
      if (made.events !== sent || made.deliveries !== sent || made.contacts !== contacts) {
        throw new Error(`${sent} events were sent: ${JSON.stringify(made)}`);
      }
    },
    close: () => database.close(),
  };
}

async function seed(database, contacts) {
  await database.query(
    `insert into hookline.contacts (id, tenant_id, properties, property_times, first_seen_at, last_seen_at, created_at, updated_at)
     select 'con_' || lpad(n::text, 12, '0'), $2, '{"plan":"free","visits":0}', '{"plan":0,"visits":0}', now(), now(), now(), now()
     from generate_series(0, $1::int - 1) as n`,
    [contacts, TENANT],
  );
  await database.query(
    `insert into hookline.contact_identities (tenant_id, kind, value, contact_id, created_at)
     select $2, 'external', 'user-' || n, 'con_' || lpad(n::text, 12, '0'), now()
     from generate_series(0, $1::int - 1) as n`,
    [contacts, TENANT],
  );
  await database.query("vacuum analyze hookline.contacts");
  await database.query("vacuum analyze hookline.contact_identities");
}

async function openBare(postgres) {
  const database = await openDatabase(await postgres.createDatabase("ingest_bare"));
  await database.query("create table bare (id text primary key, tenant_id text, type text, at timestamptz, body text)");
  let inserted = 0;
  return {
    async insert(rows) {
      const ids = Array.from({ length: rows }, () => `row-${inserted++}`);
      const now = new Date();
      await database.query(
        `insert into bare (id, tenant_id, type, at, body)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])`,
        [
          ids,
          ids.map(() => TENANT),
          ids.map(() => "page.viewed"),
          ids.map(() => now),
          // Of what ingest writes, only the event has a body.
          ids.map((_, index) => (index < BATCH ? JSON.stringify({ body: BODY }) : "{}")),
        ],
      );
    },
    close: () => database.close(),
  };
}
