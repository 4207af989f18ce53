// Publishes and delivers until it is killed: `node ordering-worker.mjs <database url> <schema> <first number>`.
import { createDispatcher } from "@hookline/dispatcher";
import { openDatabase } from "@hookline/postgres";

const [url, schema, first] = process.argv.slice(2);
const database = await openDatabase(url);
const dispatcher = createDispatcher({
  database,
  schema,
  encryptionKey: Buffer.alloc(32, 7).toString("base64"),
  addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
  timeoutMs: 1_000,
  leaseMs: 1_500,
  pollMs: 100,
});
await dispatcher.start();

for (let n = Number(first); ; n += 1) {
  await dispatcher.transaction((transaction) =>
    dispatcher.publish({ tenantId: "acme", type: "a.b", orderingKey: `key-${n % 12}`, data: { n } }, { transaction }),
  );
  process.stdout.write(`${n}\n`);
}
