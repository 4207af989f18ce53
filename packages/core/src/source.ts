import type { EventInput } from "./event.js";
import type { IngestInput } from "./ingest.js";
import type { StandardSchema } from "./schema.js";

/**
 * How a webhook that comes in becomes events. The engine mounts it at its path.
 *
 * Checks that are not configured are closed: a source with neither `bearer` nor `scheme` is refused, unless it says
 * `open: true`. `transform` is a method so that a list can hold sources of different bodies.
 *
 * @typeParam Scheme how requests are signed; the engine takes those of `@hookline/webhook-signing`
 */
export interface Source<Body = unknown, Scheme = unknown> {
  /** Lower-case letters, digits, `_` and `-`, such as `xtsystems`. Stands in logs, executions and rate limits. */
  readonly id: string;
  /** Such as `/webhooks/xtsystems`, without parameters. */
  readonly path: string;
  /** `POST` when absent. */
  readonly method?: "POST" | "PUT" | "PATCH";
  /** The customer account that its events belong to; the engine's default when absent. */
  readonly tenantId?: string;
  /** With `secrets`: the body as it came has to be signed. */
  readonly scheme?: Scheme;
  /** Any of them may fit, so old and new secrets overlap during a rotation. */
  readonly secrets?: readonly string[];
  /** How far a signed timestamp may be from now; 300 when absent. */
  readonly toleranceSeconds?: number;
  /** Tokens, any of which `Authorization: Bearer` has to carry; at least 16 characters each. */
  readonly bearer?: readonly string[];
  /** Addresses and networks in CIDR notation, IPv4 and IPv6. Absent: any address. */
  readonly allowedAddresses?: readonly string[];
  /** For how long a signed request is known after it was accepted; `false` lets it come as often as it likes. */
  readonly replay?: { readonly ttlSeconds: number } | false;
  /** Requests per address; 100 in 60 seconds when absent. */
  readonly rateLimit?: { readonly max: number; readonly windowSeconds: number };
  readonly maxBodyBytes?: number;
  /** Takes requests from anybody: there is neither `bearer` nor `scheme`. */
  readonly open?: true;
  /** What the JSON body has to look like. */
  readonly schema: StandardSchema<Body>;
  /**
   * The events that one request stands for; none is fine. They are stored all together or not at all. The same body
   * has to give the same events, keys and times, since a sender tries again.
   */
  transform(body: Body, context: SourceContext): readonly SourceEvent[] | Promise<readonly SourceEvent[]>;
}

/** What a source's `transform` knows of the request. */
export interface SourceContext {
  readonly sourceId: string;
  readonly tenantId: string;
  /** This request's own id, also in its answer and in the list of executions. */
  readonly executionId: string;
  /** The signed id of the message, the same over the sender's tries, where the scheme has one. */
  readonly messageId: string | null;
  /** SHA-256 of the body as it came, in hex. */
  readonly bodyHash: string;
  /** The request's headers. Hardly any scheme signs them: whoever caught a request can send it with others. */
  readonly headers: { get(name: string): string | null };
  readonly receivedAt: Date;
}

/** An event of a source: about the person whom its `identities` name, or, without them, about nobody. */
export type SourceEvent =
  | Omit<IngestInput, "tenantId">
  | (Omit<EventInput, "id" | "tenantId" | "idempotencyKey"> & {
      readonly idempotencyKey: string;
      readonly identities?: undefined;
    });

/**
 * Types a source; adds nothing at run time.
 *
 * @example
 * const orders = defineSource({
 *   id: "orders",
 *   path: "/webhooks/orders",
 *   scheme: standardWebhooks,
 *   secrets: ["whsec_…"],
 *   schema: z.object({ number: z.string(), email: z.email(), at: z.coerce.date() }),
 *   transform: ({ number, email, at }) => [
 *     { type: "order.placed", timestamp: at, idempotencyKey: `order:${number}`, data: { number },
 *       identities: [{ kind: "email", value: email }] },
 *   ],
 * });
 */
export function defineSource<Body, Scheme = never>(source: Source<Body, Scheme>): Source<Body, Scheme> {
  return source;
}
