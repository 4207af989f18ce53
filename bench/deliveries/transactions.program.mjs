// An application with 16 clients, each with a connection of its own that runs one transaction after another.
import { createDispatcher } from "@hookline/dispatcher";
import { createClientTransactions, openDatabase } from "@hookline/postgres";
import pg from "pg";
import { DISPATCHER_OPTIONS } from "./contestants/hookline.mjs";
import { createEventSource, EVENT_TYPE, tenantOf } from "./events.mjs";
import { serveCalls } from "./program.mjs";

const CLIENTS = 16;
const ENDPOINTS = 3;

let database;
let dispatcher;
let clients = [];
let published = 0;
const transactionOn = createClientTransactions();
const nextEvent = createEventSource("transaction", 1);

async function transact(client, publishes) {
  const event = nextEvent();
  await client.query("begin");
  await client.query({
    name: "insert-ticket",
    text: "insert into tickets (number, description) values ($1, $2)",
    values: [event.data.number, event.data.description],
  });
  if (publishes) {
    const transaction = transactionOn(client);
    await dispatcher.publish({ tenantId: tenantOf(0), type: EVENT_TYPE, data: event.data }, { transaction });
    published += 1;
  }
  await client.query("commit");
}

serveCalls({
  async open({ databaseUrl }) {
    database = await openDatabase(databaseUrl);
    // No worker runs: what it would take of the machine is no part of the publication.
    dispatcher = createDispatcher({ ...DISPATCHER_OPTIONS, database });
    await dispatcher.migrate();
    for (let index = 0; index < ENDPOINTS; index += 1) {
      const target = { url: `http://receiver-${index + 1}.bench.test/webhooks` };
      await dispatcher.endpoints.create({ tenantId: tenantOf(0), target, events: ["ticket.*"] });
    }
    await database.query(
      "create table tickets (id bigserial primary key, number text not null, description text not null)",
    );
    clients = Array.from({ length: CLIENTS }, () => new pg.Client({ connectionString: databaseUrl }));
    await Promise.all(clients.map((client) => client.connect()));
  },
  async run(way, durationMs) {
    let count = 0;
    const startedMs = performance.now();
    const endMs = startedMs + durationMs;
    const runOn = async (client) => {
      while (performance.now() < endMs) {
        await transact(client, way === "with");
        count += 1;
      }
    };
    await Promise.all(clients.map(runOn));
    return { count, perSecond: (1000 * count) / (performance.now() - startedMs) };
  },
  /** Each publication left a delivery for each endpoint. */
  async verify() {
    const [{ count }] = await database.query("select count(*)::integer as count from hookline.queue");
    if (count !== published * ENDPOINTS) throw new Error(`${count} deliveries of ${published} publications.`);
  },
  async close() {
    await Promise.all(clients.map((client) => client.end()));
    await database.close();
  },
});
