import type { SqlQuery } from "@hookline/core";
import type { EncryptedEndpoint } from "./list-encrypted.js";

/** Replaces what is encrypted by the same under another key; no row when somebody has changed it since it was read. */
export function replaceEncrypted(schema: string) {
  // Version and time stay: to everybody who reads it, the endpoint is as it was.
  const text = `
    update "${schema}".endpoints set target = $4::text, secrets = $5::text
    where id = $1::text and target = $2::text and secrets = $3::text
    returning id`;

  return (
    query: SqlQuery,
    { id, target, secrets }: EncryptedEndpoint,
    renewed: { readonly target: string; readonly secrets: string },
  ) => query<{ readonly id: string }>(text, [id, target, secrets, renewed.target, renewed.secrets]);
}
