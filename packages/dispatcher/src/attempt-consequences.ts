import type { SqlQuery } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import type { AskedEndpoint, AttemptOutcome } from "./attempt-outcome.js";
import {
  blockedUntilMs,
  type HealthObservation,
  type HealthRules,
  type HealthState,
  nextHealth,
} from "./circuit-breaker.js";
import type { EndpointPolicy } from "./endpoint.js";
import type { EndpointCodec } from "./endpoint-codec.js";
import type { KnownHealth } from "./endpoint-gate.js";
import { type ContactNotice, createEndpointNotices } from "./endpoint-notices.js";
import { isOperationalType, type OperationalEvent } from "./operational-events.js";
import type { OperationalLog } from "./operational-log.js";
import type { Settings } from "./options.js";
import { isoTime } from "./sql/columns.js";
import type { LockedEndpointRow } from "./sql/lock-endpoints.js";
import type { RecordedRow } from "./sql/record-attempts.js";
import type { HealthRow } from "./sql/save-health.js";
import type { Statements } from "./sql/statements.js";

/** What has become of an endpoint. */
export interface EndpointChange {
  readonly endpointId: string;
  readonly health: KnownHealth;
  readonly hasClosed: boolean;
  readonly isDisabled: boolean;
}

export interface Recorded {
  /** Of the deliveries whose lease still held: only these attempts were written. */
  readonly rows: readonly RecordedRow[];
  readonly changes: readonly EndpointChange[];
  readonly events: readonly OperationalEvent[];
}

export interface AttemptConsequences {
  /** Whether more follows from an attempt than its record. */
  hasAny(outcome: AttemptOutcome): boolean;
  /** Records attempts, what they mean for their endpoints, and the events that tell of it: all of it or nothing. */
  record(outcomes: readonly AttemptOutcome[], nowMs: number): Promise<Recorded>;
}

export function createAttemptConsequences(options: {
  readonly settings: Settings;
  readonly database: Database;
  readonly statements: Statements;
  readonly codec: EndpointCodec;
  readonly log: OperationalLog;
  /** Notified of new deliveries. */
  readonly channel: string;
  /** Whether a success of this delivery would be news for its endpoint. */
  readonly wasFailing: (outcome: AttemptOutcome) => boolean;
}): AttemptConsequences {
  const { settings, database, statements } = options;

  const rulesOf = (policy: EndpointPolicy): HealthRules => ({
    circuitBreaker: policy.circuitBreaker === false ? null : settings.circuitBreaker,
    disableAfterMs: policy.disableAfterMs === undefined ? settings.disableAfterMs : policy.disableAfterMs,
  });

  const decide = (locked: LockedEndpointRow, outcomes: readonly AttemptOutcome[], nowMs: number): Decision | null => {
    const asked = outcomes.filter(({ endpoint }) => endpoint?.version === locked.version);
    const last = asked.at(-1);
    if (last?.endpoint == null) return null;
    const gone = asked.find(({ endpoint }) => endpoint?.isGone);
    const known = stateOf(locked);
    const rules = rulesOf(last.endpoint.policy);
    const { state, hasClosed, isGivenUp } = nextHealth(known, observe(asked), { rules, nowMs });
    const disabled = gone ?? (isGivenUp ? last : undefined);
    const cause = gone === undefined ? "failing" : "gone";
    const failedMs = nowMs - (state.failingSinceMs ?? nowMs);
    const reason =
      cause === "failing" ? `Every attempt failed for ${inWords(failedMs)}.` : (gone?.row.reason ?? "It is gone.");
    return { locked, known, state, hasClosed, disabled: disabled && { outcome: disabled, cause, reason }, nowMs };
  };

  const decideAll = async (
    query: SqlQuery,
    outcomes: readonly AttemptOutcome[],
    { locked, nowMs }: { readonly locked: readonly LockedEndpointRow[]; readonly nowMs: number },
  ): Promise<readonly Decision[]> => {
    const byEndpoint = outcomesByEndpoint(outcomes);
    const decisions = locked.flatMap((row) => decide(row, byEndpoint.get(row.id) ?? [], nowMs) ?? []);
    const rows = decisions.filter((decision) => isChange(decision)).map(toHealthRow);
    if (rows.length > 0) await statements.saveHealth(query, rows, isoTime(nowMs));
    return decisions;
  };

  const notices = createEndpointNotices(options);

  const contactNotices = (decisions: readonly Decision[]): readonly ContactNotice[] => {
    if (settings.mailer === null) return [];
    return decisions.flatMap(({ locked, disabled, nowMs }) => {
      if (disabled === undefined || locked.contact_address === null) return [];
      const { data, tenantId } = disabledEvent(locked, disabled, nowMs);
      const notice = { ...data, host: hostOf(disabled.outcome.endpoint?.target) };
      const key = `hookline:endpoint.disabled:${locked.id}:${locked.version}`;
      return [{ tenantId, to: locked.contact_address, key, notice }];
    });
  };

  return {
    hasAny(outcome) {
      if (isTold(outcome)) return true;
      if (outcome.endpoint === null) return false;
      const { signal, isGone } = outcome.endpoint;
      return isGone || (signal === "success" ? options.wasFailing(outcome) : signal !== "none");
    },
    record: (outcomes, nowMs) =>
      database.transaction(async ({ query }) => {
        // Before what the record writes of their states: to delete an endpoint locks in the same order.
        const ids = [...outcomesByEndpoint(outcomes).keys()];
        const locked = ids.length === 0 ? [] : await statements.lockEndpoints(query, ids);
        const rows = await statements.recordAttempts(
          query,
          outcomes.map(({ row }) => row),
        );
        const leases = new Map(rows.map((row) => [row.id, row.lease_no]));
        const expunged = new Set(rows.flatMap((row) => (row.expunged ? [row.id] : [])));
        const written = outcomes.filter(({ row }) => leases.get(row.deliveryId) === row.leaseNo);
        const decisions = await decideAll(query, written, { locked, nowMs });
        const events = [
          ...written.filter(isTold).map((outcome) => exhaustedEvent(outcome, expunged.has(outcome.row.deliveryId))),
          ...decisions.flatMap(eventsOf),
        ];
        await options.log(query, events, nowMs);
        await notices(query, contactNotices(decisions), nowMs);
        for (const { locked, disabled } of decisions) {
          if (!isDeleted(disabled)) continue;
          await statements.deleteEndpoint(query, { tenantId: locked.tenant_id, id: locked.id });
        }
        return { rows, changes: decisions.map(toChange), events };
      }),
  };
}

interface Disabling {
  readonly outcome: AttemptOutcome;
  readonly cause: "gone" | "failing";
  readonly reason: string;
}

/** What waits for it ends as dead, as it does when its owner deletes an endpoint. */
function isDeleted(disabled: Disabling | undefined): boolean {
  return disabled?.cause === "gone" && disabled.outcome.endpoint?.policy.deleteWhenGone === true;
}

interface Decision {
  readonly locked: LockedEndpointRow;
  readonly known: HealthState;
  readonly state: HealthState;
  readonly hasClosed: boolean;
  readonly disabled: Disabling | undefined;
  readonly nowMs: number;
}

/** What says something about endpoints. */
function outcomesByEndpoint(outcomes: readonly AttemptOutcome[]): ReadonlyMap<string, readonly AttemptOutcome[]> {
  const byEndpoint = new Map<string, AttemptOutcome[]>();
  for (const outcome of outcomes) {
    if (outcome.endpoint === null || (outcome.endpoint.signal === "none" && !outcome.endpoint.isGone)) continue;
    const { id } = outcome.endpoint;
    byEndpoint.set(id, [...(byEndpoint.get(id) ?? []), outcome]);
  }
  return byEndpoint;
}

/** Of an operational event's own failure nobody is told by another one: that would never end. */
function isTold({ row, job }: AttemptOutcome): boolean {
  return row.ending === "exhausted" && job.recipient.kind === "endpoint" && !isOperationalType(job.event.type);
}

function observe(outcomes: readonly AttemptOutcome[]): HealthObservation {
  let seen = { hasSucceeded: false, failures: 0, outages: 0, firstFailedAtMs: 0, lastFailedAtMs: 0 };
  for (const { row, endpoint } of outcomes) {
    const signal = (endpoint as AskedEndpoint).signal;
    if (signal === "none") continue;
    if (signal === "success") {
      seen = { hasSucceeded: true, failures: 0, outages: 0, firstFailedAtMs: 0, lastFailedAtMs: 0 };
      continue;
    }
    const atMs = Date.parse(row.startedAt);
    seen.firstFailedAtMs = seen.failures === 0 ? atMs : Math.min(seen.firstFailedAtMs, atMs);
    seen.lastFailedAtMs = Math.max(seen.lastFailedAtMs, atMs);
    seen.failures += 1;
    if (signal === "outage") seen.outages += 1;
  }
  const heldUntilMs = Math.max(0, ...outcomes.map(({ endpoint }) => endpoint?.heldUntilMs ?? 0));
  return {
    ...seen,
    hasProbed: outcomes.some(({ job }) => job.isProbe),
    heldUntilMs: heldUntilMs === 0 ? null : heldUntilMs,
  };
}

function stateOf(row: LockedEndpointRow): HealthState {
  return {
    failures: row.failures,
    outages: row.outages,
    openings: row.openings,
    failingSinceMs: row.failing_since?.getTime() ?? null,
    circuitUntilMs: row.circuit_until?.getTime() ?? null,
    heldUntilMs: row.held_until?.getTime() ?? null,
  };
}

function isChange({ known, state, disabled }: Decision): boolean {
  return (
    disabled !== undefined || (Object.keys(known) as (keyof HealthState)[]).some((key) => known[key] !== state[key])
  );
}

function toHealthRow({ locked, state, disabled }: Decision): HealthRow {
  const time = (ms: number | null) => (ms === null ? null : isoTime(ms));
  return {
    endpointId: locked.id,
    failures: state.failures,
    outages: state.outages,
    openings: state.openings,
    failingSince: time(state.failingSinceMs),
    circuitUntil: time(state.circuitUntilMs),
    heldUntil: time(state.heldUntilMs),
    disabledReason: disabled?.reason ?? null,
  };
}

function toChange({ locked, state, hasClosed, disabled }: Decision): EndpointChange {
  return {
    endpointId: locked.id,
    hasClosed,
    isDisabled: disabled !== undefined,
    health: {
      version: locked.version,
      isOpen: state.openings > 0,
      untilMs: blockedUntilMs(state),
      isFailing: state.failures > 0,
    },
  };
}

function eventsOf({ locked, known, hasClosed, disabled, nowMs }: Decision): readonly OperationalEvent[] {
  const events: OperationalEvent[] = [];
  if (hasClosed && disabled === undefined) {
    const failingSince = isoTime(known.failingSinceMs ?? nowMs);
    events.push({
      type: "endpoint.recovering",
      tenantId: locked.tenant_id,
      key: `${locked.id}:${failingSince}`,
      data: {
        endpointId: locked.id,
        endpointName: locked.name,
        failingSince,
        recoveringAt: isoTime(nowMs),
      },
    });
  }
  if (disabled !== undefined) events.push(disabledEvent(locked, disabled, nowMs));
  return events;
}

function disabledEvent(locked: LockedEndpointRow, { outcome, cause, reason }: Disabling, nowMs: number) {
  return {
    type: "endpoint.disabled",
    tenantId: locked.tenant_id,
    key: `${locked.id}:${locked.version}`,
    data: {
      endpointId: locked.id,
      endpointName: locked.name,
      cause,
      reason,
      disabledAt: isoTime(nowMs),
      failingSince: locked.failing_since?.toISOString() ?? null,
      lastStatus: outcome.row.status,
    },
  } as const satisfies OperationalEvent;
}

function exhaustedEvent({ row, job }: AttemptOutcome, isExpunged: boolean): OperationalEvent {
  return {
    type: "delivery.exhausted",
    tenantId: job.tenantId,
    key: `${row.deliveryId}:${row.attempt}`,
    data: {
      deliveryId: row.deliveryId,
      endpointId: job.recipient.kind === "endpoint" ? job.recipient.endpointId : "",
      eventId: job.event.id,
      eventType: job.event.type,
      attempts: row.attempt,
      status: row.status,
      errorCode: row.errorCode,
      reason: isExpunged ? null : row.reason,
    },
  };
}

/** The host of a target's URL, as people may see it; what follows it may hold credentials. */
function hostOf(target: unknown): string | null {
  const url = (target as { readonly url?: unknown } | null | undefined)?.url;
  return typeof url === "string" && URL.canParse(url) ? new URL(url).host : null;
}

function inWords(ms: number): string {
  const [unit, unitMs] =
    ms >= 2 * 86_400_000 ? ["days", 86_400_000] : ms >= 7_200_000 ? ["hours", 3_600_000] : ["minutes", 60_000];
  return `${Math.floor(ms / (unitMs as number))} ${unit}`;
}
