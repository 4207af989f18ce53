import { DatabaseError } from "../errors.js";
import type { RunResult } from "../run-transaction.js";
import { type Decoder, decoderOf } from "../values/decode-value.js";
import { encodeParameters } from "../values/encode-parameter.js";
import { toDatabaseError } from "./pg-error.js";
import type { PgClient } from "./pool-face.js";

const TYPES = { getTypeParser: (oid: number): Decoder => decoderOf(oid) };

interface PgResult {
  readonly rows: readonly unknown[];
  readonly rowCount: number | null;
  readonly command: string | null;
}

export interface PgStatement {
  readonly text: string;
  readonly params: readonly unknown[];
  /** Keeps the statement prepared under this name. */
  readonly name?: string | undefined;
}

/** Runs statements on one client, one after another: node-postgres wants to be asked only when it is idle. */
export function createClientRunner(client: Pick<PgClient, "query">): (statement: PgStatement) => Promise<RunResult> {
  let last: Promise<unknown> | undefined;
  return (statement) => {
    const next = last === undefined ? runOnClient(client, statement) : last.then(() => runOnClient(client, statement));
    const settled = next.then(ignore, ignore);
    last = settled;
    return next;
  };
}

function ignore(): void {}

/** Without parameters it goes as a simple query, which may hold several statements. */
async function runOnClient(client: Pick<PgClient, "query">, { text, params, name }: PgStatement): Promise<RunResult> {
  if (text.includes("\0")) throw new DatabaseError("invalid_parameter", "An SQL text holds a zero character.");
  const config =
    params.length === 0
      ? { text, types: TYPES }
      : { text, values: encodeParameters(params), types: TYPES, ...(name === undefined ? {} : { name }) };
  try {
    const answer: PgResult | PgResult[] = await client.query(config);
    const result = Array.isArray(answer) ? answer.at(-1) : answer;
    return { rows: result?.rows ?? [], rowCount: result?.rowCount ?? 0, command: result?.command ?? "" };
  } catch (error) {
    throw toDatabaseError(error);
  }
}
