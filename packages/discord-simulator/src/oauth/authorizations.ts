import { DiscordSimulatorError } from "../errors.js";
import type { WebhookEvents } from "../webhook-events/webhook-events.js";
import type { UserState, World } from "../world/model.js";
import type { Grant, Grants } from "./grants.js";

/** What an application has attached to a person, for Linked Roles. */
export interface RoleConnection {
  readonly platform_name: string | null;
  readonly platform_username: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a person sees under "Authorized Apps". */
export interface Authorization {
  readonly userId: string;
  readonly username: string;
  readonly scopes: readonly string[];
  readonly roleConnection: RoleConnection | null;
}

/** Who has let the application in, and what it has attached to them. */
export interface Authorizations {
  /** After a person pressed Authorize. */
  add(grant: Grant, guild: object | null): void;
  /** Takes all of it back: tokens, role connection; the application is told. Throws `not_authorized`. */
  remove(user: UserState): void;
  list(): readonly Authorization[];
  roleConnectionOf(userId: string): RoleConnection | null;
  setRoleConnection(userId: string, connection: RoleConnection | null): void;
}

export function createAuthorizations(context: {
  readonly world: World;
  readonly grants: Grants;
  readonly webhookEvents: WebhookEvents;
}): Authorizations {
  const scopesOf = new Map<string, ReadonlySet<string>>();
  const connections = new Map<string, RoleConnection>();

  return {
    add({ user, scopes }, guild) {
      const { id } = user.user;
      scopesOf.set(id, new Set([...(scopesOf.get(id) ?? []), ...scopes]));
      context.webhookEvents.send("APPLICATION_AUTHORIZED", {
        ...(guild ? { integration_type: 0, guild } : {}),
        scopes,
        user: user.user,
      });
    },
    remove(user) {
      const { id, username } = user.user;
      if (!scopesOf.delete(id)) {
        throw new DiscordSimulatorError("not_authorized", `${username} has not authorized the application.`);
      }
      connections.delete(id);
      context.grants.forget(id);
      context.webhookEvents.send("APPLICATION_DEAUTHORIZED", { user: user.user });
    },
    list: () =>
      [...scopesOf].map(([userId, scopes]) => ({
        userId,
        username: context.world.users.get(userId)?.user.username ?? userId,
        scopes: [...scopes],
        roleConnection: connections.get(userId) ?? null,
      })),
    roleConnectionOf: (userId) => connections.get(userId) ?? null,
    setRoleConnection(userId, connection) {
      if (connection) {
        connections.set(userId, connection);
      } else {
        connections.delete(userId);
      }
    },
  };
}
