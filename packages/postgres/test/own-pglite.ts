import { randomBytes } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe } from "vitest";
import { type Database, fromPglite } from "../dist/index.js";
import type { TestDatabases } from "../dist/testing.js";

export interface OwnPglite {
  readonly databases: TestDatabases;
  /** The object that the databases stand on; inside a test or a hook. */
  pglite(): PGlite;
}

/** Runs a suite on `fromPglite`, as `describeMatrix` does for the databases that this package opens itself. */
export function describeOwnPglite(suite: (own: OwnPglite) => void): void {
  describe("a PGlite of the caller's own", () => {
    let pglite: PGlite;
    let database: Database;
    beforeAll(async () => {
      pglite = await PGlite.create();
      database = fromPglite(pglite);
    }, 120_000);
    afterAll(async () => {
      await database.close();
      await pglite.close();
    });
    const open: TestDatabases["open"] = async () => {
      const schema = `t_${randomBytes(6).toString("hex")}`;
      await database.query(`create schema ${schema}`);
      return { database, schema, url: undefined };
    };
    suite({ databases: { kind: "pglite", open }, pglite: () => pglite });
  });
}
