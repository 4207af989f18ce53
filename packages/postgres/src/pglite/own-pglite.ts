import { types } from "@electric-sql/pglite";
import { DatabaseError } from "../errors.js";
import { toDatabaseError } from "../pg/pg-error.js";
import type { RunResult } from "../run-transaction.js";
import { DECODED_TYPES, decoderOf } from "../values/decode-value.js";
import { type EncodedParameter, encodeParameters } from "../values/encode-parameter.js";

// Not PGlite's own types: they need those of Emscripten, which whoever checks its libraries would have to install.

/** The part of a PGlite object that is needed. */
export interface OwnPglite extends PgliteStatements {
  transaction<T>(fn: (transaction: PgliteTransaction) => Promise<T>): Promise<T>;
  listen(channel: string, callback: (payload: string) => void): Promise<unknown>;
  unlisten(channel: string, callback: (payload: string) => void): Promise<void>;
  onNotification(callback: (channel: string, payload: string) => void): () => void;
  /** By the oids of the types. */
  readonly parsers: object;
}

/** The part of the transaction that PGlite hands to its own `transaction` that is needed. */
export interface PgliteTransaction extends PgliteStatements {
  rollback(): Promise<void>;
  readonly closed: boolean;
}

interface PgliteStatements {
  // biome-ignore lint/suspicious/noExplicitAny: as PGlite has them
  query(text: string, params: any[], options: PgliteQueryOptions): Promise<PgliteResults>;
  exec(text: string, options: PgliteQueryOptions): Promise<readonly PgliteResults[]>;
}

interface PgliteQueryOptions {
  // biome-ignore lint/suspicious/noExplicitAny: as PGlite has it
  parsers: Record<number, (value: string) => any>;
  // biome-ignore lint/suspicious/noExplicitAny: as PGlite has it
  serializers: Record<number, (value: any) => string>;
}

interface PgliteResults {
  readonly rows: readonly unknown[];
  readonly rowCount?: number | null;
  readonly command?: string;
}

/** Where a statement runs. */
export interface PglitePlace {
  readonly on: PgliteStatements;
  /** The oids of the types that PGlite has parsers for. */
  readonly types: () => readonly (number | string)[];
}

/** The oids of Postgres's own types, where the object's are not at hand. */
export const BUILT_IN_TYPES: readonly number[] = [...Object.values<unknown>(types).filter(isOid), ...DECODED_TYPES];

// Whichever the type: the serializers of the object, and of its caller, are passed by.
const SERIALIZERS = new Proxy<Record<number, typeof toWire>>({}, { get: () => toWire });

/**
 * Runs a statement through PGlite's own functions, which queue behind its transactions, with the values of this package.
 *
 * @throws DatabaseError
 */
export async function runOnPglite(
  { on, types: typesOf }: PglitePlace,
  text: string,
  params: readonly unknown[],
): Promise<RunResult> {
  if (text.includes("\0")) throw new DatabaseError("invalid_parameter", "An SQL text holds a zero character.");
  const encoded = encodeParameters(params);
  const options = { parsers: parsersFor(typesOf()), serializers: SERIALIZERS };
  try {
    const result =
      encoded.length === 0 ? (await on.exec(text, options)).at(-1) : await on.query(text, encoded, options);
    return { rows: result?.rows ?? [], rowCount: result?.rowCount ?? 0, command: result?.command ?? "" };
  } catch (error) {
    throw toDatabaseError(error);
  }
}

function parsersFor(oids: readonly (number | string)[]): PgliteQueryOptions["parsers"] {
  return Object.fromEntries([...oids, ...DECODED_TYPES].map((oid) => [oid, decoderOf(Number(oid))]));
}

function isOid(value: unknown): value is number {
  return typeof value === "number";
}

/** PGlite writes what it is given as text, or as bytes, into the message; null never comes here. */
function toWire(value: EncodedParameter): string {
  return value as string;
}
