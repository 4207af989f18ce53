import { fsyncSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createPgliteDirectory } from "../dist/testing.js";
import { createPgliteEngine } from "../src/pglite/pglite-engine.js";
import { until } from "./until.js";

it("syncs the embedded database's log to the disk before it answers a commit", async () => {
  const directory = await mkdtemp(join(tmpdir(), "hookline-fsync-"));
  await createPgliteDirectory(directory);
  let syncs = 0;
  const engine = await createPgliteEngine({
    directory: join(directory, "pgdata"),
    fileSync: {
      byDescriptor(descriptor) {
        syncs++;
        fsyncSync(descriptor);
      },
      byPath() {
        syncs++;
      },
    },
    onNotify: () => undefined,
  });
  const run = (text: string) => engine.run({ text, params: [], name: undefined });
  expect((await run("show fsync")).rows).toEqual([{ fsync: "on" }]);
  await run("create table t (id int8)");
  for (let turn = 0; turn < 5; turn++) {
    const before = syncs;
    await run("insert into t values (1)");
    expect(syncs).toBe(before + 1);
  }
  const before = syncs;
  await run("begin; insert into t values (1); insert into t values (2); rollback");
  await run("select * from t");
  expect(syncs).toBe(before);
  await run("set synchronous_commit = off; insert into t values (1)");
  expect(syncs).toBe(before);
  await until(() => syncs === before + 1);
  await run("checkpoint");
  expect(syncs).toBeGreaterThan(before + 1);
  await engine.close();
  await rm(directory, { recursive: true, force: true });
}, 120_000);
