import {
  type Connector,
  type EventLog,
  type Identity,
  identitySubject,
  newId,
  type Outbox,
  type Transaction,
} from "@hookline/core";
import { writeAudit } from "../access/audit.js";
import { releaseTokensOf } from "../account-tokens/release-tokens.js";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import { retryConflicts } from "../storage/conflicts.js";
import type { Store } from "../storage/store.js";
import type { ContactReference } from "./personal-data.js";
import type { PersonalDataHolder } from "./personal-data-holder.js";

/** How far an erasure is. */
export interface Erasure {
  readonly id: string;
  readonly contactId: string;
  /** `running` while a worker is sending one of the events: another call looks again. */
  readonly status: "running" | "done";
  /** How many events have lost their payload. */
  readonly events: number;
  readonly requestedAt: string;
  readonly finishedAt: string | null;
}

interface ErasureRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly contact_id: string;
  readonly subject_ids: readonly string[];
  readonly identity_subjects: readonly string[] | null;
  readonly expunged: number;
  readonly cursor: string | null;
  readonly requested_at: Date;
  readonly finished_at: Date | null;
}

export interface ErasureParts {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly eventLog: EventLog;
  /** They give back to their platforms what was kept for the person. */
  readonly connectors: readonly Connector[];
  readonly holders: readonly PersonalDataHolder[];
}

/**
 * The contact goes in one transaction, which also writes down whose events have to follow. These are taken page by
 * page, and the place is kept after each page, so that a crash costs one page of work.
 */
export function createErasures(parts: ErasureParts) {
  const { store, eventLog, holders } = parts;
  const { database, schema, clock, logger } = store;
  const columns =
    "id, tenant_id, contact_id, subject_ids, identity_subjects, expunged, cursor, requested_at, finished_at";

  async function begin({ tenantId, contactId, actor }: ContactReference): Promise<ErasureRow | null> {
    return database.transaction(async (tx) => {
      const [contact] = await tx.query<{ id: string; properties: string }>(
        `select id, properties::text as properties from "${schema}".contacts
         where tenant_id = $1
           and id = coalesce((select contact_id from "${schema}".contact_aliases where alias_id = $2), $2)
         for update`,
        [tenantId, contactId],
      );
      if (!contact) return find(tx, { tenantId, contactId });
      const nowMs = clock.now();
      const identities = await tx.query<Identity>(
        `select kind, value from "${schema}".contact_identities where contact_id = $1`,
        [contact.id],
      );
      const [erasure] = await tx.query<ErasureRow>(
        `insert into "${schema}".erasures
           (id, tenant_id, contact_id, subject_ids, identity_subjects, requested_at)
         values ($1, $2, $3,
           array[$3] || array(select alias_id from "${schema}".contact_aliases where contact_id = $3),
           array(select json_array_elements_text($5::text::json)), $4)
         returning ${columns}`,
        [newId("era", nowMs), tenantId, contact.id, new Date(nowMs), JSON.stringify(identities.map(identitySubject))],
      );
      const aliases = (erasure as ErasureRow).subject_ids.filter((id) => id !== contact.id);
      const properties = JSON.parse(contact.properties) as Readonly<Record<string, unknown>>;
      const person = { tenantId, contactId: contact.id, aliases, identities, properties };
      for (const holder of holders) await holder.erase(person, { transaction: tx });
      await releaseTokensOf(parts, tx, { tenantId, contactId: contact.id });
      await removeContact(tx, tenantId, contact.id);
      const act = { tenantId, action: "contact.erased", target: contact.id };
      await writeAudit(store, tx, [{ ...act, ...(actor === undefined ? {} : { actor }) }]);
      return erasure as ErasureRow;
    });
  }

  async function find(
    tx: Pick<Transaction, "query">,
    { tenantId, contactId }: ContactReference,
  ): Promise<ErasureRow | null> {
    const [known] = await tx.query<ErasureRow>(
      `select ${columns} from "${schema}".erasures where tenant_id = $1 and subject_ids @> array[$2]
       order by id desc limit 1`,
      [tenantId, contactId],
    );
    return known ?? null;
  }

  async function removeContact(tx: Transaction, tenantId: string, id: string): Promise<void> {
    await tx.query(
      `with person as (select kind, value from "${schema}".contact_identities where contact_id = $2),
       links as (
         delete from "${schema}".confirm_tokens t using person p
         where t.tenant_id = $1
           and (p.kind = 'email' and p.value = t.email or p.kind = t.connector_id and p.value = t.platform_user_id)
       )
       delete from "${schema}".local_mails m using person p
       where p.kind = 'email' and p.value = m.recipient and coalesce(m.tenant_id, $1) = $1`,
      [tenantId, id],
    );
    await forgetRequests(tx, tenantId, id);
    await tx.query(`delete from "${schema}".contact_identities where contact_id = $1`, [id]);
    // Aliases go with it.
    await tx.query(`delete from "${schema}".contacts where id = $1`, [id]);
  }

  /**
   * Requests to sources that became no event, such as refused ones, are known by what they say: an identity of six
   * characters and more anywhere, a shorter one as a JSON string. Upper and lower case of ASCII are the same.
   */
  async function forgetRequests(tx: Transaction, tenantId: string, contactId: string): Promise<void> {
    await tx.query(
      `update "${schema}".source_executions e set payload = '', error_message = null
       where e.tenant_id = $1 and e.event_ids = '{}' and exists (
         select 1 from "${schema}".contact_identities p
         where p.contact_id = $2 and position(
           lower(encode(convert_to(case when length(p.value) < 6 then '"' || p.value || '"' else p.value end, 'UTF8'), 'escape'))
           in lower(encode(e.payload, 'escape'))) > 0)`,
      [tenantId, contactId],
    );
  }

  /** From where the last page ended. What was being sent meanwhile leaves it open, to be begun again from the front. */
  async function run(begun: ErasureRow): Promise<ErasureRow> {
    if (begun.finished_at) return begun;
    const { expunge, expungeSends } = eventLog;
    if (!expunge || !expungeSends) throw unsupported();
    let erasure = begun;
    let inFlight = 0;
    for (;;) {
      const page = await eventLog.list({
        tenantId: erasure.tenant_id,
        subjectIds: erasure.subject_ids,
        limit: DEFAULTS.subjectPage,
        ...(erasure.cursor === null ? {} : { cursor: erasure.cursor }),
      });
      for (const { id, tenantId } of page.events) {
        inFlight += (await expunge.call(eventLog, { tenantId, id })).inFlight;
      }
      if (page.nextCursor === null) {
        const { tenant_id: tenantId, subject_ids: contacts, identity_subjects: identities } = erasure;
        const subjectIds = [...contacts, ...(identities ?? [])];
        inFlight += (await expungeSends.call(eventLog, { tenantId, subjectIds })).inFlight;
      }
      const done = page.nextCursor === null && inFlight === 0;
      erasure = await save(erasure, {
        eventIds: page.events.map(({ id }) => id),
        cursor: page.nextCursor,
        finishedAt: done ? new Date(clock.now()) : null,
      });
      if (page.nextCursor === null) return erasure;
    }
  }

  async function save(
    { id, tenant_id: tenantId }: ErasureRow,
    step: { readonly eventIds: readonly string[]; readonly cursor: string | null; readonly finishedAt: Date | null },
  ): Promise<ErasureRow> {
    const ids = JSON.stringify(step.eventIds);
    return database.transaction(async (tx) => {
      await tx.query(
        `update "${schema}".source_executions set payload = ''
         where tenant_id = $1 and event_ids && array(select json_array_elements_text($2::text::json))`,
        [tenantId, ids],
      );
      await forgetRuns(tx, tenantId, ids);
      const [saved] = await tx.query<ErasureRow>(
        `update "${schema}".erasures
         set expunged = case when cursor is null then $2 else expunged + $2 end,
             cursor = $3, finished_at = $4,
             identity_subjects = case when $4::timestamptz is null then identity_subjects end
         where id = $1
         returning ${columns}`,
        [id, step.eventIds.length, step.cursor, step.finishedAt],
      );
      return saved as ErasureRow;
    });
  }

  /** What automations have made of the events. A run whose event is gone does not go on. */
  async function forgetRuns(tx: Transaction, tenantId: string, eventIds: string): Promise<void> {
    const runs = `select id from "${schema}".automation_executions
      where tenant_id = $1 and event_id = any(array(select json_array_elements_text($2::text::json)))`;
    await tx.query(
      `update "${schema}".automation_steps set input = 'null', output = 'null', error = null
       where execution_id in (${runs})`,
      [tenantId, eventIds],
    );
    await tx.query(
      `update "${schema}".automation_executions
       set error = null, status = case status when 'running' then 'failed' else status end,
           ended_at = coalesce(ended_at, $3)
       where id in (${runs})`,
      [tenantId, eventIds, new Date(clock.now())],
    );
  }

  return {
    async erase(contact: ContactReference): Promise<Erasure | null> {
      if (!eventLog.expunge || !eventLog.expungeSends) throw unsupported();
      const erasure = await retryConflicts(() => begin(contact));
      return erasure && toErasure(await run(erasure));
    },

    async resume(): Promise<number> {
      const open = await database.query<ErasureRow>(
        `select ${columns} from "${schema}".erasures where finished_at is null order by id`,
      );
      let ended = 0;
      for (const erasure of open) {
        try {
          if ((await run(erasure)).finished_at) ended += 1;
        } catch (error) {
          // The others are not to wait for this one.
          logger.error({ err: error, erasureId: erasure.id }, "an erasure could not be gone on with");
        }
      }
      return ended;
    },
  };
}

function unsupported(): EngineError {
  return new EngineError("erasure_unsupported", "The event log can't take out what its events and direct sends hold.");
}

function toErasure(row: ErasureRow): Erasure {
  return {
    id: row.id,
    contactId: row.contact_id,
    status: row.finished_at ? "done" : "running",
    events: row.expunged,
    requestedAt: row.requested_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
