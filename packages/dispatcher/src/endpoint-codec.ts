import type { Clock, Condition } from "@hookline/core";
import type { ColumnCipher } from "@hookline/postgres";
import { compileCondition } from "./condition.js";
import { withoutKey } from "./destinations/target-tls.js";
import type { Endpoint, EndpointHealth, EndpointPolicy } from "./endpoint.js";
import type { KeptSecret } from "./secrets.js";
import type { EndpointRow } from "./sql/endpoint-row.js";
import { isUnreadable } from "./unreadable-target.js";

/** An endpoint as attempts see it: target and secrets readable. */
export interface OpenEndpoint {
  readonly id: string;
  readonly tenantId: string;
  readonly destination: string;
  readonly target: unknown;
  readonly secrets: readonly KeptSecret[];
  readonly policy: EndpointPolicy;
  readonly active: boolean;
  /** Null: any data will do. */
  readonly accepts: ((data: unknown) => boolean) | null;
  readonly version: number;
}

/** Writes and reads the encrypted columns. Each text is bound to its column and row. */
export interface EndpointCodec {
  encryptTarget(id: string, target: unknown): string;
  /** Undefined when no key of this process can decrypt it. */
  readTarget(row: Pick<EndpointRow, "id" | "target">): unknown;
  /** Undefined when no key of this process can decrypt them. */
  readSecrets(row: Pick<EndpointRow, "id" | "secrets">): readonly KeptSecret[] | undefined;
  encryptSecrets(id: string, secrets: readonly KeptSecret[]): string;
  /** Both under the newest key; null where they are, undefined when no key of this process can decrypt them. */
  renew(row: Pick<EndpointRow, "id" | "target" | "secrets">): { target: string; secrets: string } | null | undefined;
  encryptMessageTarget(id: string, target: unknown): string;
  decryptMessageTarget(id: string, text: string): unknown;
  /** Whether two targets are the same as JSON; true as well when no key of this process can decrypt the stored one. */
  isMessageTarget(id: string, text: string, target: unknown): boolean;
  open(row: EndpointRow): OpenEndpoint;
  /** As the API shows it: without secrets; the target null when no key of this process can decrypt it. */
  show(row: EndpointRow): Endpoint;
}

export function createEndpointCodec(cipher: ColumnCipher, clock: Clock): EndpointCodec {
  const encrypt = (value: unknown, context: string) => cipher.encrypt(JSON.stringify(value ?? null), context);
  const decrypt = (text: string, context: string): unknown => JSON.parse(cipher.decrypt(text, context));
  const targetOf = (id: string) => `endpoints.target:${id}`;
  const secretsOf = (id: string) => `endpoints.secrets:${id}`;
  const messageTargetOf = (id: string) => `messages.target:${id}`;

  const read = (text: string, context: string): unknown => {
    try {
      return decrypt(text, context);
    } catch (error) {
      if (isUnreadable(error)) return undefined;
      throw error;
    }
  };
  const readTarget: EndpointCodec["readTarget"] = ({ id, target }) => read(target, targetOf(id));
  const readSecrets: EndpointCodec["readSecrets"] = ({ id, secrets }) =>
    read(secrets, secretsOf(id)) as readonly KeptSecret[] | undefined;

  const isMessageTarget: EndpointCodec["isMessageTarget"] = (id, text, target) => {
    const stored = read(text, messageTargetOf(id));
    return stored === undefined || JSON.stringify(stored) === JSON.stringify(target ?? null);
  };

  const secretMadeAt = (row: EndpointRow): Date | null => {
    const newest = readSecrets(row)?.[0];
    return newest === undefined ? null : new Date(newest.madeAtMs ?? row.created_at.getTime());
  };

  return {
    readTarget,
    readSecrets,
    isMessageTarget,
    encryptTarget: (id, target) => encrypt(target, targetOf(id)),
    encryptSecrets: (id, secrets) => encrypt(secrets, secretsOf(id)),
    renew({ id, target, secrets }) {
      const renewed = (text: string, context: string) => cipher.encrypt(cipher.decrypt(text, context), context);
      try {
        if (!cipher.needsRotation(target) && !cipher.needsRotation(secrets)) return null;
        return { target: renewed(target, targetOf(id)), secrets: renewed(secrets, secretsOf(id)) };
      } catch (error) {
        if (isUnreadable(error)) return undefined;
        throw error;
      }
    },
    encryptMessageTarget: (id, target) => encrypt(target, messageTargetOf(id)),
    decryptMessageTarget: (id, text) => decrypt(text, messageTargetOf(id)),
    open: (row) => ({
      id: row.id,
      tenantId: row.tenant_id,
      destination: row.destination,
      target: decrypt(row.target, targetOf(row.id)),
      secrets: decrypt(row.secrets, secretsOf(row.id)) as KeptSecret[],
      policy: JSON.parse(row.policy) as EndpointPolicy,
      active: row.active,
      accepts: row.condition === null ? null : compileCondition(JSON.parse(row.condition) as Condition),
      version: row.version,
    }),
    show: (row) => ({
      id: row.id,
      tenantId: row.tenant_id,
      key: row.key,
      name: row.name,
      destination: row.destination,
      target: withoutKey(readTarget(row)) ?? null,
      events: row.events,
      policy: JSON.parse(row.policy) as EndpointPolicy,
      active: row.active,
      disabledAt: row.disabled_at,
      disabledReason: row.disabled_reason,
      contactAddress: row.contact_address,
      health: healthOf(row, clock.now()),
      description: row.description,
      metadata: JSON.parse(row.metadata ?? "{}") as Record<string, string>,
      condition: JSON.parse(row.condition ?? "null") as Condition | null,
      verification: row.verification ?? "none",
      secretMadeAt: secretMadeAt(row),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }),
  };
}

function healthOf(row: EndpointRow, nowMs: number): EndpointHealth {
  const blockedMs = Math.max(row.circuit_until?.getTime() ?? 0, row.held_until?.getTime() ?? 0);
  return {
    circuit: row.openings > 0 ? "open" : "closed",
    failures: row.failures,
    failingSince: row.failing_since,
    blockedUntil: blockedMs > nowMs ? new Date(blockedMs) : null,
  };
}
