import { createHash } from "node:crypto";
import { newId, type SqlQuery } from "@hookline/core";
import { ENDPOINT_NOTICE_ID, type EndpointNotice } from "./destinations/endpoint-notice.js";
import type { EndpointCodec } from "./endpoint-codec.js";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";
import type { WantedTokens } from "./sql/take-tokens.js";

/** What an endpoint's contact address is to be told. */
export interface ContactNotice {
  readonly tenantId: string;
  readonly to: string;
  /** The same for the same happening. */
  readonly key: string;
  readonly notice: EndpointNotice;
}

const HOUR_MS = 3_600_000;
/** Nobody has confirmed the address: whoever may make endpoints could have it flooded. */
const PER_ENDPOINT = { count: 1, perMs: HOUR_MS } as const;
const PER_ADDRESS = { count: 10, perMs: HOUR_MS } as const;

/**
 * Queues mails to contact addresses within the transaction of what they tell of: one an hour of each endpoint, ten to each
 * address of a tenant. What is beyond that is not mailed.
 */
export function createEndpointNotices(options: {
  readonly statements: Pick<Statements, "takeTokens" | "sendMessage">;
  readonly codec: EndpointCodec;
  /** Notified of new deliveries. */
  readonly channel: string;
}): (query: SqlQuery, notices: readonly ContactNotice[], nowMs: number) => Promise<void> {
  const { statements, codec, channel } = options;

  /** Of all in one statement, which takes them in one order: transactions side by side cannot wait for each other. */
  const tokensFor = async (query: SqlQuery, notices: readonly ContactNotice[], nowMs: number) => {
    const wanted = new Map<string, WantedTokens>();
    for (const notice of notices) {
      for (const { key, ...limit } of bucketsOf(notice)) {
        wanted.set(key, { ...limit, key, wanted: (wanted.get(key)?.wanted ?? 0) + 1 });
      }
    }
    const granted = await statements.takeTokens(query, [...wanted.values()], nowMs);
    return new Map(granted.map((row) => [row.key, row.granted]));
  };

  return async (query, notices, nowMs) => {
    if (notices.length === 0) return;
    const tokens = await tokensFor(query, notices, nowMs);
    for (const contact of notices) {
      const keys = bucketsOf(contact).map(({ key }) => key);
      if (keys.some((key) => (tokens.get(key) ?? 0) < 1)) continue;
      for (const key of keys) tokens.set(key, (tokens.get(key) ?? 0) - 1);
      const id = newId("dlv", nowMs);
      const row = {
        id,
        tenantId: contact.tenantId,
        destination: ENDPOINT_NOTICE_ID,
        target: codec.encryptMessageTarget(id, { to: contact.to }),
        body: JSON.stringify(contact.notice),
        idempotencyKey: contact.key,
        deadlineAt: null,
        traceContext: null,
        subjectIds: null,
      };
      const times = { now: isoTime(nowMs), leasedUntil: null, notifyChannel: channel };
      await statements.sendMessage(query, row, times);
    }
  };
}

function bucketsOf({ tenantId, to, notice }: ContactNotice) {
  const address = createHash("sha256").update(to.trim().toLowerCase()).digest("base64");
  return [
    { ...PER_ENDPOINT, key: `notice of ${notice.endpointId}` },
    { ...PER_ADDRESS, key: `notices to ${address} of ${tenantId}` },
  ];
}
