import type { SqlQuery } from "@hookline/core";
import { ENDPOINT_COLUMNS, type EndpointRow } from "./endpoint-row.js";

/** Replaces an endpoint's secrets; no row when it has changed since that version. */
export function replaceSecrets(schema: string) {
  const text = `
    update "${schema}".endpoints set secrets = $3::text, version = version + 1, updated_at = $4::text::timestamptz
    where id = $1::text and version = $2::integer
    returning ${ENDPOINT_COLUMNS}`;

  return (
    query: SqlQuery,
    known: { readonly id: string; readonly version: number },
    replaced: { readonly secrets: string; readonly now: string },
  ) => query<EndpointRow>(text, [known.id, known.version, replaced.secrets, replaced.now]);
}
