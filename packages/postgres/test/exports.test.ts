import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import * as main from "../dist/index.js";
import * as testing from "../dist/testing.js";

describe("what the package exports", () => {
  it("is what was meant", () => {
    expect(Object.keys(main).sort()).toMatchInlineSnapshot(`
      [
        "DatabaseError",
        "createClientTransactions",
        "createColumnCipher",
        "createKysely",
        "fromDrizzleTransaction",
        "fromKyselyTransaction",
        "fromPglite",
        "fromPgliteTransaction",
        "fromPool",
        "fromPostgresJsTransaction",
        "isDatabaseError",
        "isInsideTransaction",
        "migrate",
        "openDatabase",
        "packColumn",
        "unpackColumns",
      ]
    `);
    expect(Object.keys(testing).sort()).toMatchInlineSnapshot(`
      [
        "createPgliteDirectory",
        "createTestDatabase",
        "describeMatrix",
        "findPostgres",
        "findPostgresBinaries",
        "openTestPglite",
        "provideTestPostgres",
        "startPrivatePostgres",
      ]
    `);
  });

  it.each([
    ["CommonJS", ["-e", "run(require('./dist/index.cjs'), require('./dist/testing.cjs'))"]],
    ["ESM", ["--input-type=module", "-e", "run(await import('./dist/index.js'), await import('./dist/testing.js'))"]],
  ])(
    "works as built for %s, embedded database and all",
    async (_title, [...args]) => {
      const directory = await mkdtemp(join(tmpdir(), "hookline-exports-"));
      onTestFinished(() => rm(directory, { recursive: true }));
      await testing.createPgliteDirectory(directory);
      const script = args.pop();
      const program = `
      async function run({ openDatabase, isDatabaseError }, { describeMatrix }) {
        const database = await openDatabase("pglite://${directory}");
        const [row] = await database.query("select $1::int8 + 1 as sum", [41]);
        const error = await database.query("select 1/0").catch((reason) => reason);
        await database.close();
        console.log(row.sum, isDatabaseError(error), error.sqlState, typeof describeMatrix);
      }
      ${script}`;
      const cwd = fileURLToPath(new URL("..", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [...args, program], { cwd });
      expect(stdout.trim()).toBe("42 true 22012 function");
    },
    120_000,
  );
});
