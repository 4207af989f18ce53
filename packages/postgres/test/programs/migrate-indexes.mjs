// Builds the index of `things` in the database of a URL; may be killed on the way. Started by index-migrations.test.ts.
import { migrate, openDatabase } from "../../dist/index.js";

const [url, schema] = process.argv.slice(2);
const database = await openDatabase(url);
const indexes = [{ name: "things_by_name", table: "things", definition: "(name, id)" }];
const applied = await migrate(database, { schema, component: "c", migrations: [{ id: "0001", indexes }] });
await database.close();
console.log(JSON.stringify(applied));
