// Opens a data directory, says so, writes until it is killed. Started by pglite-directory.test.ts.
import { openDatabase } from "../../dist/index.js";

const [directory] = process.argv.slice(2);
try {
  const database = await openDatabase(`pglite://${directory}`);
  await database.query("create table if not exists numbers (id int8 primary key)");
  console.log("open");
  for (let id = 0; ; id++) {
    await database.query("insert into numbers values ($1) on conflict do nothing", [id]);
    console.log(`committed ${id}`);
  }
} catch (error) {
  console.log(`refused ${error.code}`);
  process.exit(3);
}
