import type { Context, Hono } from "hono";
import { type FieldFault, REFUSALS, refuse, refuseFields } from "../rest/refusal.js";
import { readBody, readList } from "../rest/rest-context.js";
import type { Simulation } from "../simulation.js";
import type { RoleConnectionMetadata } from "../world/model.js";
import { readBearer } from "./oauth-routes.js";

const MAX_RECORDS = 5;
const METADATA = "/applications/:application/role-connections/metadata";
const CONNECTION = "/users/@me/applications/:application/role-connection";
const SCOPE = "role_connections.write";

/** Linked Roles: what an application can say of people, and what it says of one. */
export function roleConnectionRoutes(app: Hono, simulation: Simulation): void {
  const { world, check, authorizations } = simulation;

  function demandOwn(c: Context): void {
    if (c.req.param("application") !== world.application.id) {
      throw refuse(REFUSALS.unknownApplication);
    }
  }

  app.get(METADATA, (c) => {
    demandOwn(c);
    return c.json(world.application.roleConnectionMetadata);
  });

  app.put(METADATA, async (c) => {
    demandOwn(c);
    const records = await readList(c);
    for (const record of records) {
      check.check("ApplicationRoleConnectionsMetadataItemRequestSchema", record);
    }
    const faults = faultsOfRecords(records);
    if (faults.length > 0) {
      throw refuseFields(faults);
    }
    world.application.roleConnectionMetadata = records as unknown as readonly RoleConnectionMetadata[];
    return c.json(world.application.roleConnectionMetadata);
  });

  app.get(CONNECTION, (c) => {
    demandOwn(c);
    const { user } = readBearer(simulation, c, SCOPE);
    return c.json(authorizations.roleConnectionOf(user.user.id) ?? { platform_name: null, metadata: {} });
  });

  app.put(CONNECTION, async (c) => {
    demandOwn(c);
    const { user } = readBearer(simulation, c, SCOPE);
    const body = await readBody(c);
    const metadata = Object.fromEntries(
      Object.entries((body.metadata ?? {}) as Record<string, unknown>).map(([key, value]) => [key, String(value)]),
    );
    check.check("UpdateApplicationUserRoleConnectionRequestSchema", { ...body, metadata });
    const faults = Object.entries(metadata).flatMap(([key, value]) =>
      faultsOfValue(world.application.roleConnectionMetadata, key, value),
    );
    if (faults.length > 0) {
      throw refuseFields(faults);
    }
    const connection = {
      platform_name: (body.platform_name as string | null | undefined) ?? null,
      platform_username: (body.platform_username as string | null | undefined) ?? null,
      metadata,
    };
    authorizations.setRoleConnection(user.user.id, connection);
    simulation.bus.changed();
    return c.json(connection);
  });

  app.delete(CONNECTION, (c) => {
    demandOwn(c);
    authorizations.setRoleConnection(readBearer(simulation, c, SCOPE).user.user.id, null);
    simulation.bus.changed();
    return c.body(null, 204);
  });
}

function faultsOfRecords(records: readonly Readonly<Record<string, unknown>>[]): FieldFault[] {
  const keys = records.map(({ key }) => String(key));
  const tooMany: FieldFault[] =
    records.length > MAX_RECORDS
      ? [{ path: [], code: "BASE_TYPE_MAX_LENGTH", message: `Must be ${MAX_RECORDS} or fewer in length.` }]
      : [];
  return keys.reduce<FieldFault[]>((faults, key, index) => {
    const path = [index, "key"];
    if (!/^[a-z0-9_]{1,50}$/.test(key)) {
      faults.push({ path, code: "STRING_TYPE_REGEX", message: "String value did not match validation regex." });
    } else if (keys.indexOf(key) < index) {
      faults.push({ path, code: "METADATA_KEY_DUPLICATE", message: "Metadata keys must be unique." });
    }
    return faults;
  }, tooMany);
}

/** Types 1 to 4 are whole numbers, 5 and 6 moments, 7 and 8 yes or no. */
function faultsOfValue(records: readonly RoleConnectionMetadata[], key: string, value: string): FieldFault[] {
  const path = ["metadata", key];
  const type = records.find((record) => record.key === key)?.type;
  if (type === undefined) {
    return [{ path, code: "METADATA_KEY_UNKNOWN", message: "There is no metadata record of this key." }];
  }
  const fits =
    type <= 4 ? /^-?\d{1,10}$/.test(value) : type <= 6 ? !Number.isNaN(Date.parse(value)) : /^[01]$/.test(value);
  return fits ? [] : [{ path, code: "METADATA_VALUE_INVALID", message: `"${value}" is no value of this type.` }];
}
