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

/** Runs one text on a client. Without parameters it goes as a simple query, which may hold several statements. */
export async function runOnClient(
  client: Pick<PgClient, "query">,
  statement: { readonly text: string; readonly params: readonly unknown[]; readonly name?: string | undefined },
): Promise<RunResult> {
  const { text, params, name } = statement;
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
