import { z } from "zod";
import { DiscordConnectorError } from "../errors.js";
import type { DiscordRest } from "../rest/discord-rest.js";
import { LINKED_ROLE_TYPES, type LinkedRoleField } from "./options.js";

/** The keys of our fields by what was done about them. */
export interface RegisteredLinkedRoleFields {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
}

const MAX_FIELDS = 5;

const recordsSchema = z.array(
  z.looseObject({ key: z.string(), type: z.number(), name: z.string(), description: z.string() }),
);

/** Brings our fields up to date in one call, or in none when they fit; records of other keys stay as they are. */
export async function registerLinkedRoleFields(
  rest: DiscordRest,
  { applicationId, fields }: { readonly applicationId: string; readonly fields: readonly LinkedRoleField[] },
): Promise<RegisteredLinkedRoleFields> {
  const authorization = rest.botAuthorization();
  const path = `/applications/${applicationId}/role-connections/metadata`;
  const records = recordsSchema.parse(await rest.request({ method: "GET", path, authorization }));
  const known = new Map(records.map((record) => [record.key, record]));
  const done = { created: [] as string[], changed: [] as string[], unchanged: [] as string[] };
  for (const { key, type, name, description } of fields) {
    const record = known.get(key);
    const fits = record?.type === LINKED_ROLE_TYPES[type] && record.name === name && record.description === description;
    done[record === undefined ? "created" : fits ? "unchanged" : "changed"].push(key);
    if (!fits) known.set(key, { ...record, key, type: LINKED_ROLE_TYPES[type], name, description });
  }
  if (done.created.length + done.changed.length === 0) return done;
  if (known.size > MAX_FIELDS) {
    const message = `Discord takes ${MAX_FIELDS} fields of linked roles, and with those of others there are ${known.size}.`;
    throw new DiscordConnectorError("invalid_option", message);
  }
  await rest.request({ method: "PUT", path, authorization, body: [...known.values()] });
  return done;
}
