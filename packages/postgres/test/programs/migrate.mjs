// Migrates the database of a URL, as several processes do that start at once. Started by migrate.test.ts.
import { migrate, openDatabase } from "../../dist/index.js";

const [url, schema] = process.argv.slice(2);
const database = await openDatabase(url);
const migrations = Array.from({ length: 5 }, (_, index) => ({
  id: `000${index + 1}`,
  async up(transaction) {
    await transaction.query(`create table ${schema}.t${index} (id int8); insert into ${schema}.log values (${index})`);
    await transaction.query("select pg_sleep(0.02)");
  },
}));
const applied = await migrate(database, { schema, component: "racers", migrations });
await database.close();
console.log(JSON.stringify(applied));
