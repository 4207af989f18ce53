import type { Event, Identity } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import { normaliseIdentity } from "../identity/identity.js";
import { isCleanText } from "../storage/text.js";
import { decodeCursor, encodeCursor, pageLimit } from "./cursor.js";
import type { ErasureParts } from "./erasures.js";
import { type ContactExport, type ContactReference, createPersonalData, type Erasure } from "./personal-data.js";

/** A person, and what is known of it. */
export interface Contact {
  readonly id: string;
  readonly tenantId: string;
  /** Ordered by kind, then by value. */
  readonly identities: readonly Identity[];
  readonly properties: Readonly<Record<string, unknown>>;
  /** Ids of contacts that were merged into it; they keep resolving to it. */
  readonly aliases: readonly string[];
  /** When the oldest and the newest of what was observed happened: ISO 8601. */
  readonly firstSeenAt: string | null;
  readonly lastSeenAt: string | null;
  readonly createdAt: string;
  /** When something new was last learned: ISO 8601. An event that says nothing new does not count. */
  readonly updatedAt: string;
}

export interface Contacts {
  /** By its id or by the id of a contact that was merged into it; null when there is none. */
  get(contact: { readonly tenantId: string; readonly contactId: string }): Promise<Contact | null>;
  /** @throws EngineError `invalid_identity` or `invalid_email` */
  findByIdentity(identity: Identity & { readonly tenantId: string }): Promise<Contact | null>;
  /** Newest first. @throws EngineError `invalid_cursor` */
  list(query: ContactQuery): Promise<ContactPage>;
  /**
   * Contacts one of whose identities (address, external id, platform id …) begins with a text of at least two
   * characters, in small letters or capital ones; newest first. Properties are not searched.
   *
   * @throws EngineError `invalid_identity`, `invalid_cursor`
   */
  search(query: ContactQuery & { readonly text: string }): Promise<ContactPage>;
  /** Everything that is held about a person; null when there is no contact. Merged contacts are part of it. */
  export(contact: ContactReference): Promise<ContactExport | null>;
  /**
   * Removes a person: the contact with its identities, aliases and links, and what `personalData` of the options holds,
   * at once; then the payloads of its events, what receivers answered to them, what sources and automations kept of
   * them, and direct sends about the person. Deliveries that wait end as dead. What was begun is gone
   * on with by another call, or by `resumeErasures`; a call for who is erased answers the same. Null when nobody was
   * ever known by this id.
   *
   * @throws EngineError `erasure_unsupported` when the event log can't expunge events and direct sends
   */
  erase(contact: ContactReference): Promise<Erasure | null>;
  /** Goes on with erasures that a crash has broken off; answers how many have ended. To be called at start. */
  resumeErasures(): Promise<number>;
  /** The contact's events, newest first, those of merged contacts among them; null when there is no contact. */
  timeline(query: TimelineQuery): Promise<EventPage | null>;
}

export interface ContactQuery {
  readonly tenantId: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  /** What the previous page answered. */
  readonly cursor?: string;
}

export interface TimelineQuery extends ContactQuery {
  readonly contactId: string;
  /** Only events of this type. */
  readonly type?: string;
}

export interface ContactPage {
  readonly contacts: readonly Contact[];
  readonly nextCursor: string | null;
}

export interface EventPage {
  readonly events: readonly Event[];
  readonly nextCursor: string | null;
}

interface ContactRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly properties: Record<string, unknown>;
  readonly first_seen_at: Date | null;
  readonly last_seen_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly identities: readonly Identity[] | null;
  readonly aliases: readonly string[] | null;
}

interface ContactsParts extends ErasureParts {
  readonly identityKinds: ReadonlySet<string>;
}

export function createContacts(parts: ContactsParts): Contacts {
  const { store, eventLog, identityKinds } = parts;
  const { database, schema } = store;
  const person = createPersonalData(parts);
  const columns = `
    c.id, c.tenant_id, c.properties, c.first_seen_at, c.last_seen_at, c.created_at, c.updated_at,
    (select json_agg(json_build_object('kind', i.kind, 'value', i.value) order by i.kind, i.value)
     from "${schema}".contact_identities i where i.contact_id = c.id) as identities,
    (select json_agg(a.alias_id order by a.alias_id)
     from "${schema}".contact_aliases a where a.contact_id = c.id) as aliases`;

  async function get({ tenantId, contactId }: { tenantId: string; contactId: string }): Promise<Contact | null> {
    const [row] = await database.query<ContactRow>(
      `select ${columns}
       from "${schema}".contacts c
       where c.tenant_id = $1
         and c.id = coalesce((select a.contact_id from "${schema}".contact_aliases a where a.alias_id = $2), $2)`,
      [tenantId, contactId],
    );
    return row ? toContact(row) : null;
  }

  async function page({ tenantId, limit: wanted, cursor }: ContactQuery, pattern: string | null): Promise<ContactPage> {
    const limit = pageLimit(wanted);
    const rows = await database.query<ContactRow>(
      `select ${columns}
       from "${schema}".contacts c
       where c.tenant_id = $1 and ($2::text is null or c.id < $2)
         ${pattern === null ? "" : `and c.id in (select i.contact_id from "${schema}".contact_identities i where i.tenant_id = $1 and lower(i.value) like $4)`}
       order by c.id desc
       limit $3`,
      [tenantId, cursor === undefined ? null : decodeCursor(cursor), limit + 1, ...(pattern === null ? [] : [pattern])],
    );
    const contacts = rows.slice(0, limit).map(toContact);
    const last = contacts.at(-1);
    return { contacts, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
  }

  return {
    get,

    async findByIdentity({ tenantId, ...identity }) {
      const { kind, value } = normaliseIdentity(identity, identityKinds);
      const [row] = await database.query<ContactRow>(
        `select ${columns}
         from "${schema}".contact_identities wanted
         join "${schema}".contacts c on c.id = wanted.contact_id
         where wanted.tenant_id = $1 and wanted.kind = $2 and wanted.value = $3`,
        [tenantId, kind, value],
      );
      return row ? toContact(row) : null;
    },

    list: (query) => page(query, null),

    async search({ text, ...query }) {
      const wanted = text.trim().toLowerCase();
      if (wanted.length < DEFAULTS.minSearchCharacters || !isCleanText(wanted, DEFAULTS.maxIdentityCharacters)) {
        const message = `A search text has ${DEFAULTS.minSearchCharacters} to ${DEFAULTS.maxIdentityCharacters} characters.`;
        throw new EngineError("invalid_identity", message);
      }
      return page(query, `${wanted.replace(/[\\%_]/g, "\\$&")}%`);
    },

    async export({ tenantId, contactId, actor }) {
      const contact = await get({ tenantId, contactId });
      return contact && person.export(contact, actor);
    },
    erase: person.erase,
    resumeErasures: person.resume,

    async timeline({ tenantId, contactId, type, limit, cursor }) {
      const contact = await get({ tenantId, contactId });
      if (!contact) return null;
      return eventLog.list({
        tenantId,
        subjectIds: [contact.id, ...contact.aliases],
        limit: pageLimit(limit),
        ...(type === undefined ? {} : { type }),
        ...(cursor === undefined ? {} : { cursor }),
      });
    },
  };
}

function toContact(row: ContactRow): Contact {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    identities: row.identities ?? [],
    properties: row.properties,
    aliases: row.aliases ?? [],
    firstSeenAt: row.first_seen_at?.toISOString() ?? null,
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
