import type { Logger, SqlQuery } from "@hookline/core";
import type { EndpointCodec } from "./endpoint-codec.js";
import type { Statements } from "./sql/statements.js";

/** What became of the endpoints that were not encrypted with the newest key. */
export interface ReencryptedEndpoints {
  readonly reencrypted: number;
  /** No key of this process fits; they were left as they are. */
  readonly unreadable: number;
}

const PAGE_ENDPOINTS = 100;

/** Goes through the endpoints in pages; each is a statement of its own, so that nothing waits for the rest. */
export async function reencryptEndpoints(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly codec: EndpointCodec;
  readonly logger: Logger;
}): Promise<ReencryptedEndpoints> {
  const { query, statements, codec, logger } = options;
  let reencrypted = 0;
  let unreadable = 0;
  for (let after: string | undefined = ""; after !== undefined; ) {
    const rows = await statements.listEncrypted(query, { after, limit: PAGE_ENDPOINTS });
    for (const row of rows) {
      const renewed = codec.renew(row);
      if (renewed === null) continue;
      if (renewed === undefined) {
        unreadable += 1;
        logger.error({ endpointId: row.id, tenantId: row.tenant_id }, "none of the encryption keys fits an endpoint");
      } else if ((await statements.replaceEncrypted(query, row, renewed)).length > 0) reencrypted += 1;
    }
    after = rows.length < PAGE_ENDPOINTS ? undefined : rows.at(-1)?.id;
  }
  return { reencrypted, unreadable };
}
