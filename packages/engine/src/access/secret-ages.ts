import { createHash } from "node:crypto";
import { type ColumnCipher, isDatabaseError } from "@hookline/postgres";
import type { Store } from "../storage/store.js";

/** A secret that has been in use since a time. */
export interface SecretAge {
  readonly tenantId: string;
  /**
   * `api_key`, `credential`, `source_secret`, `source_bearer`, or a kind of the app's own such as `endpoint_secret`.
   */
  readonly kind: string;
  /** Of the key, the provider, the source, the endpoint; never the secret. */
  readonly id: string;
  /** When it was made, or rotated last; of a source's, when it was first seen. */
  readonly since: Date;
}

/** A secret that the configuration holds, newest of its kind. */
export interface ConfiguredSecret {
  readonly tenantId: string;
  readonly kind: string;
  readonly id: string;
  readonly secret: string;
}

/**
 * Since when secrets of the configuration are the ones they are. Nobody says when they were made: it is when a look first
 * found them. Of each a digest is kept, encrypted, to see it change.
 */
export function createSecretAges({ store, cipher }: { readonly store: Store; readonly cipher: ColumnCipher }) {
  const { database, schema, clock } = store;

  /** Null where the keys that could read it are gone; then it counts as unchanged. */
  const read = (digest: string, context: string): string | null => {
    try {
      return cipher.decrypt(digest, context);
    } catch (error) {
      if (isDatabaseError(error)) return null;
      throw error;
    }
  };

  return {
    async look({ secret, ...about }: ConfiguredSecret): Promise<SecretAge> {
      const { tenantId, kind, id } = about;
      const context = `secret_ages.digest:${JSON.stringify([tenantId, kind, id])}`;
      const digest = createHash("sha256").update(secret).digest("base64url");
      const [known] = await database.query<{ digest: string; since: Date }>(
        `select digest, since from "${schema}".secret_ages where tenant_id = $1 and kind = $2 and id = $3`,
        [tenantId, kind, id],
      );
      const before = known && read(known.digest, context);
      if (known && before === digest) return { ...about, since: known.since };
      const since = known && before === null ? known.since : new Date(clock.now());
      await database.query(
        `insert into "${schema}".secret_ages (tenant_id, kind, id, digest, since) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, kind, id) do update set digest = excluded.digest, since = excluded.since`,
        [tenantId, kind, id, cipher.encrypt(digest, context), since],
      );
      return { ...about, since };
    },
  };
}

/** The newest secret and the newest bearer token of a source. */
export function secretsOfSource(source: {
  readonly id: string;
  readonly tenantId: string;
  readonly secrets?: readonly string[] | undefined;
  readonly bearer?: readonly string[] | undefined;
}): readonly ConfiguredSecret[] {
  const { id, tenantId } = source;
  const of = (kind: string, [secret]: readonly string[] = []): readonly ConfiguredSecret[] =>
    secret === undefined ? [] : [{ tenantId, kind, id, secret }];
  return [...of("source_secret", source.secrets), ...of("source_bearer", source.bearer)];
}
