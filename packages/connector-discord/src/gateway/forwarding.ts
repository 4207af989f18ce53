import type { DeadLetters } from "./dead-letters.js";
import type { GatewayWorkerError } from "./errors.js";
import { createIngressClient } from "./ingress-client.js";
import type { ForwardingSettings } from "./options.js";
import { createSender, type ItemFate, type Sender } from "./sender.js";
import { createSignedPost, type SignedPost } from "./signed-post.js";
import { openSpool, type Spool } from "./spool.js";
import type { SpooledItem } from "./spool-record.js";
import { createPoolTransport, fromFetch } from "./transport.js";

interface ForwardingParts {
  readonly settings: ForwardingSettings;
  readonly deadLetters: DeadLetters;
  /** Neither spool nor dead-letter file may fail: nothing can be kept any more. */
  readonly onFailure: (error: GatewayWorkerError) => void;
  readonly onSettled: (items: readonly SpooledItem[]) => void;
  /** Where workers share shards. */
  readonly leases?: {
    readonly fences: () => ReadonlyMap<number, number>;
    readonly fateOf: (item: SpooledItem) => ItemFate;
    readonly onFenced: () => void;
  };
}

/** The way from the disk to the API. */
export interface Forwarding {
  readonly spool: Spool;
  readonly sender: Sender;
  /** To the API, over the same connections. */
  readonly post: SignedPost;
  /** Call it when the sender has stopped and nothing else is posted. */
  close(): Promise<void>;
}

/**
 * Opens the spool and what sends from it; the sender is yet to be started.
 *
 * @throws {GatewayWorkerError} `spool_locked`, `spool_corrupt`, `spool_failed`
 */
export async function openForwarding(options: ForwardingParts): Promise<Forwarding> {
  const { settings, leases, onFailure } = options;
  let sender: Sender | null = null;
  const spool = await openSpool({
    directory: settings.spoolDirectory,
    ...settings.spoolLimit,
    gatherMs: settings.gatherMs,
    clock: settings.clock,
    onStored: (lane, items) => sender?.add(lane, items),
    onFailure,
  });
  const transport = settings.fetch
    ? fromFetch(settings.fetch)
    : createPoolTransport({
        origin: new URL(settings.connectorUrl).origin,
        // Shorter than the request's, so that the error tells which of both was over.
        connectTimeoutMs: settings.post.timeoutMs / 2,
      });
  const post = createSignedPost({ ...settings.post, transport });
  sender = createSender({
    spool,
    ingress: createIngressClient({
      url: `${settings.connectorUrl}/ingress`,
      post,
      fences: leases?.fences ?? (() => null),
    }),
    deadLetters: options.deadLetters,
    backoff: settings.retryBackoff,
    maxConcurrentRequests: settings.maxConcurrentRequests,
    clock: settings.clock,
    logger: settings.logger,
    random: settings.random,
    fateOf: leases?.fateOf ?? (() => "send"),
    onFenced: leases?.onFenced ?? (() => {}),
    onSettled: options.onSettled,
    onFailure,
  });
  return {
    spool,
    sender,
    post,
    async close() {
      try {
        await spool.close();
      } finally {
        await transport.close();
      }
    },
  };
}
