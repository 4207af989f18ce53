import type { Outbox } from "@hookline/core";
import type { ColumnCipher } from "@hookline/postgres";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import type { Store } from "../storage/store.js";
import { claimKeys } from "./accept-once.js";
import { type ConfiguredSecret, createSecretAges, type SecretAge } from "./secret-ages.js";

export interface Notices {
  /** API keys, credentials and secrets of sources that are older than 90 days, the oldest first. */
  rotationDue(query?: { readonly tenantId?: string }): Promise<readonly SecretAge[]>;
  /**
   * Publishes `secret.rotation_due` for each of them and for those of `further` that are too old: once per secret and
   * rotation, however often and by however many processes it is called. Answers those that were told now.
   */
  publishRotationDue(options?: { readonly further?: readonly SecretAge[] }): Promise<readonly SecretAge[]>;
}

/** The type of the event that tells that a secret is due. */
export const ROTATION_DUE_EVENT = "secret.rotation_due";

const DAY_MS = 24 * 60 * 60 * 1000;
const EVENTS_AT_ONCE = 200;
const TOLD_FOR_SECONDS = 10 * 365 * 24 * 60 * 60;

/** @throws EngineError `invalid_options` */
export function createNotices(parts: {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly cipher: ColumnCipher;
  /** Secrets of the configuration, which are looked at each time. */
  readonly configured: readonly ConfiguredSecret[];
  readonly maxAgeDays?: number | undefined;
}): Notices {
  const { store, outbox, configured, maxAgeDays = DEFAULTS.secretMaxAgeDays } = parts;
  if (!(maxAgeDays > 0)) throw new EngineError("invalid_options", "secretMaxAgeDays is more than 0.");
  const { database, schema, clock, logger } = store;
  const ages = createSecretAges(parts);
  const dueBefore = () => new Date(clock.now() - maxAgeDays * DAY_MS);

  async function rotationDue({ tenantId }: { readonly tenantId?: string } = {}): Promise<readonly SecretAge[]> {
    const rows = await database.query<{ tenant_id: string; kind: string; id: string; since: Date }>(
      `select tenant_id, 'api_key' as kind, id, created_at as since
       from "${schema}".api_keys
       where created_at <= $1 and revoked_at is null and (expires_at is null or expires_at > $2)
         and ($3::text is null or tenant_id = $3)
       union all
       select tenant_id, 'credential', provider_id, updated_at
       from "${schema}".derived_credentials
       where updated_at <= $1 and ($3::text is null or tenant_id = $3)
       union all
       select tenant_id, 'source_secret', id, rotated_at
       from "${schema}".sources
       where rotated_at <= $1 and active and ($3::text is null or tenant_id = $3)
       order by since, id`,
      [dueBefore(), new Date(clock.now()), tenantId ?? null],
    );
    const stored = rows.map(({ tenant_id, ...row }) => ({ tenantId: tenant_id, ...row }));
    const wanted = configured.filter((secret) => tenantId === undefined || secret.tenantId === tenantId);
    const seen = await Promise.all(wanted.map(ages.look));
    const due = seen.filter(({ since }) => since <= dueBefore());
    return [...stored, ...due].sort((a, b) => a.since.getTime() - b.since.getTime() || (a.id < b.id ? -1 : 1));
  }

  /** What was told stays known for longer than an outbox keeps its idempotency keys. */
  const tellNew = (secrets: readonly SecretAge[]): Promise<readonly SecretAge[]> =>
    database.transaction(async (transaction) => {
      const claiming = { query: transaction.query, schema, now: new Date(clock.now()) };
      const claimed = await claimKeys(claiming, secrets.map(keyOf), TOLD_FOR_SECONDS);
      const fresh = secrets.filter((secret) => claimed.has(keyOf(secret)));
      if (fresh.length === 0) return [];
      const outcomes = await outbox.publishEach(fresh.map(toEvent), { transaction });
      return fresh.filter((secret, index) => {
        const outcome = outcomes[index];
        if (outcome?.status !== "refused") return true;
        logger.error({ code: outcome.code, kind: secret.kind }, "a rotation notice was refused");
        return false;
      });
    });

  return {
    rotationDue,
    async publishRotationDue({ further = [] } = {}) {
      const limit = dueBefore();
      const due = [...(await rotationDue()), ...further.filter(({ since }) => since <= limit)];
      const told: SecretAge[] = [];
      for (let start = 0; start < due.length; start += EVENTS_AT_ONCE) {
        told.push(...(await tellNew(due.slice(start, start + EVENTS_AT_ONCE))));
      }
      return told;
    },
  };
}

/** The same for the same secret until it is rotated. */
function keyOf({ tenantId, kind, id, since }: SecretAge): string {
  return JSON.stringify([ROTATION_DUE_EVENT, tenantId, kind, id, since.toISOString()]);
}

function toEvent({ tenantId, kind, id, since }: SecretAge) {
  return { tenantId, type: ROTATION_DUE_EVENT, data: { kind, id, since: since.toISOString() } };
}
