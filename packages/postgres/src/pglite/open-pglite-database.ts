import { resolve } from "node:path";
import type { Logger } from "@hookline/core";
import type { Database } from "../database.js";
import { DatabaseError } from "../errors.js";
import { createPgliteDatabase } from "./pglite-database.js";

export async function openPgliteDatabase(path: string, { logger }: { readonly logger: Logger }): Promise<Database> {
  if (path === "") throw new DatabaseError("invalid_url", "pglite:// needs a directory, or pglite://memory.");
  if (path === "memory") return createPgliteDatabase({ directory: undefined, logger });
  return createPgliteDatabase({ directory: resolve(path), logger });
}
