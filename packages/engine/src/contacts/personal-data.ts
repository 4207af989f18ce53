import { type Event, type EventAttempt, identitySubject, type RecordedSend } from "@hookline/core";
import { writeAudit } from "../access/audit.js";
import { type AutomationExecution, createExecutionLog } from "../automations/execution-log.js";
import { DEFAULTS } from "../defaults.js";
import type { Contact } from "./contacts.js";
import { createErasures, type Erasure, type ErasureParts } from "./erasures.js";

export type { Erasure } from "./erasures.js";

export interface ContactReference {
  readonly tenantId: string;
  /** Its own id, or that of a contact that was merged into it. */
  readonly contactId: string;
  /** Who asks, for the audit log. */
  readonly actor?: string;
}

/** Everything that is held about a person. */
export interface ContactExport {
  readonly contact: Contact;
  /** Newest first. */
  readonly events: readonly Event[];
  /** How these events were delivered, and what receivers answered. */
  readonly attempts: readonly EventAttempt[];
  /** Direct messages to or about the person, newest first: without their targets, which may hold tokens. */
  readonly sends: readonly RecordedSend[];
  /** What automations have made of these events. */
  readonly automationRuns: readonly AutomationExecution[];
  /** What other parts of the app hold, by their names. */
  readonly held: Readonly<Record<string, unknown>>;
  /** Confirm links that were asked for with one of the contact's identities. */
  readonly links: readonly ConfirmLink[];
  /** What sources received that became some of these events. */
  readonly received: readonly { readonly sourceId: string; readonly receivedAt: string; readonly payload: string }[];
}

export interface ConfirmLink {
  readonly connectorId: string;
  readonly platformUserId: string;
  readonly platformUserName: string;
  readonly email: string;
  readonly createdAt: string;
  readonly usedAt: string | null;
}

/** Contacts, identities and links are the engine's; events and their deliveries are the event log's. */
export function createPersonalData(parts: ErasureParts) {
  const { store, eventLog, holders } = parts;
  const { database, schema } = store;
  const erasures = createErasures(parts);
  const runs = createExecutionLog(store);

  async function eventsOf({ tenantId, id, aliases }: Contact) {
    const events: Event[] = [];
    const attempts: EventAttempt[] = [];
    const automationRuns: AutomationExecution[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await eventLog.list({
        tenantId,
        subjectIds: [id, ...aliases],
        limit: DEFAULTS.subjectPage,
        ...(cursor ? { cursor } : {}),
      });
      events.push(...page.events);
      const eventIds = page.events.map((event) => event.id);
      if (eventIds.length > 0) {
        attempts.push(...((await eventLog.listAttempts?.({ tenantId, eventIds })) ?? []));
        automationRuns.push(...(await runs.listOfEvents(database.query, { tenantId, eventIds })));
      }
      cursor = page.nextCursor;
    } while (cursor);
    return { events, attempts, automationRuns };
  }

  async function sendsTo({ tenantId, id, aliases, identities }: Contact): Promise<readonly RecordedSend[]> {
    const subjectIds = [id, ...aliases, ...identities.map(identitySubject)];
    const sends: RecordedSend[] = [];
    let cursor: string | null | undefined;
    do {
      const query = { tenantId, subjectIds, limit: DEFAULTS.subjectPage };
      const page = await eventLog.listSends?.(cursor ? { ...query, cursor } : query);
      sends.push(...(page?.sends ?? []));
      cursor = page?.nextCursor;
    } while (cursor);
    return sends;
  }

  return {
    async export(contact: Contact, actor?: string): Promise<ContactExport> {
      const { tenantId, id, aliases, identities, properties } = contact;
      const { events, attempts, automationRuns } = await eventsOf(contact);
      const sends = await sendsTo(contact);
      const person = { tenantId, contactId: id, aliases, identities, properties };
      const held: Record<string, unknown> = {};
      for (const holder of holders) held[holder.name] = await holder.export(person);
      const links = await database.query<LinkRow>(
        `select connector_id, platform_user_id, platform_user_name, email, created_at, used_at
         from "${schema}".confirm_tokens t
         where t.tenant_id = $1 and exists (
           select from "${schema}".contact_identities i
           where i.contact_id = $2 and (i.kind = 'email' and i.value = t.email
             or i.kind = t.connector_id and i.value = t.platform_user_id))
         order by created_at desc`,
        [tenantId, id],
      );
      const received = await database.query<ReceivedRow>(
        `select source_id, received_at, payload from "${schema}".source_executions
         where tenant_id = $1 and event_ids && array(select json_array_elements_text($2::text::json))
         order by id desc`,
        [tenantId, JSON.stringify(events.map((event) => event.id))],
      );
      await writeAudit(store, database, [
        { tenantId, action: "contact.exported", target: id, ...(actor === undefined ? {} : { actor }) },
      ]);
      return {
        contact,
        events,
        attempts,
        sends,
        automationRuns,
        held,
        links: links.map(toLink),
        received: received.map(toReceived),
      };
    },
    erase: (contact: ContactReference): Promise<Erasure | null> => erasures.erase(contact),
    resume: () => erasures.resume(),
  };
}

interface LinkRow {
  readonly connector_id: string;
  readonly platform_user_id: string;
  readonly platform_user_name: string;
  readonly email: string;
  readonly created_at: Date;
  readonly used_at: Date | null;
}

interface ReceivedRow {
  readonly source_id: string;
  readonly received_at: Date;
  readonly payload: Uint8Array;
}

function toLink(row: LinkRow): ConfirmLink {
  return {
    connectorId: row.connector_id,
    platformUserId: row.platform_user_id,
    platformUserName: row.platform_user_name,
    email: row.email,
    createdAt: row.created_at.toISOString(),
    usedAt: row.used_at?.toISOString() ?? null,
  };
}

function toReceived(row: ReceivedRow): ContactExport["received"][number] {
  return {
    sourceId: row.source_id,
    receivedAt: row.received_at.toISOString(),
    payload: Buffer.from(row.payload).toString("utf8"),
  };
}
