// A worker on the tables of recover.test.ts, which kills it.
import { openDatabase } from "@hookline/postgres";
import { createDispatcher } from "../../dist/index.js";

const [url, schema, encryptionKey] = process.argv.slice(2);
const dispatcher = createDispatcher({ database: await openDatabase(url), schema, encryptionKey });
await dispatcher.start();
