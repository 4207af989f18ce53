import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@hookline/core";
import { onTestFinished } from "vitest";
import { createDeadLetters } from "../../../src/gateway/dead-letters.js";
import type { GatewayWorkerError } from "../../../src/gateway/errors.js";
import { createIngressClient } from "../../../src/gateway/ingress-client.js";
import { createSender, type Sender } from "../../../src/gateway/sender.js";
import { createSignedPost } from "../../../src/gateway/signed-post.js";
import { openSpool, type Spool } from "../../../src/gateway/spool.js";
import { createPoolTransport } from "../../../src/gateway/transport.js";
import { INGRESS_SECRET, type IngressServer, startIngressServer } from "./ingress-server.js";
import { createRecordingLogger } from "./recording-logger.js";
import { temporaryDirectory } from "./temporary-directory.js";

export async function startIngress(): Promise<IngressServer> {
  const ingress = await startIngressServer();
  onTestFinished(() => ingress.close());
  return ingress;
}

/** Spool and sender against a real HTTP server, without a Gateway. */
export async function startSending(
  ingress: IngressServer,
  options: {
    directory?: string;
    secret?: string;
    requestTimeoutMs?: number;
    maxConcurrentRequests?: number;
    gatherMs?: number;
    backoff?: { minMs: number; maxMs: number };
    /** The packets' numbers go on behind it. */
    lastSeq?: number;
  } = {},
) {
  const directory = options.directory ?? (await temporaryDirectory());
  const logger = createRecordingLogger();
  const failures: GatewayWorkerError[] = [];
  const file = join(directory, "dead-letters.jsonl");
  const transport = createPoolTransport({ origin: ingress.url, connectTimeoutMs: 5_000 });
  let sender: Sender | null = null;
  let seq = options.lastSeq ?? 0;
  const spool: Spool = await openSpool({
    directory,
    maxItems: 100_000,
    maxBytes: 100_000_000,
    gatherMs: options.gatherMs ?? 15,
    clock: systemClock,
    onStored: (lane, items) => sender?.add(lane, items),
    onFailure: (error) => failures.push(error),
  });
  sender = createSender({
    spool,
    ingress: createIngressClient({
      url: `${ingress.url}/v1/connectors/discord/ingress`,
      post: createSignedPost({
        secrets: [options.secret ?? INGRESS_SECRET],
        timeoutMs: options.requestTimeoutMs ?? 5_000,
        compress: false,
        transport,
        clock: systemClock,
      }),
      fences: () => null,
    }),
    deadLetters: createDeadLetters(file, Date.now),
    backoff: options.backoff ?? { minMs: 10, maxMs: 100 },
    maxConcurrentRequests: options.maxConcurrentRequests ?? 32,
    clock: systemClock,
    logger,
    random: Math.random,
    fateOf: () => "send",
    onFenced: () => {},
    onSettled: () => {},
    onFailure: (error) => failures.push(error),
  });
  const running = sender;
  running.start();
  let stopped = false;
  const stop = async (drainTimeoutMs = 0) => {
    if (!stopped) {
      stopped = true;
      await running.stop(drainTimeoutMs);
      await spool.close();
      await transport.close();
    }
  };
  onTestFinished(() => stop());

  /** Puts packets into the spool, one after another, as the Gateway would. */
  function receive(lane: string, count: number, text = "hello"): readonly string[] {
    return Array.from({ length: count }, () => {
      seq += 1;
      const key = `${lane}:0:${seq}`;
      const item = { key, sessionId: lane, shard: 0, seq, type: "MESSAGE_CREATE", receivedAt: "", d: { text } };
      spool.append([{ lane, key, json: JSON.stringify(item), receivedAtMs: Date.now() }], {
        shardId: 0,
        session: { sessionId: "s", resumeUrl: "", seq, shardCount: 1, intents: 1, lastSeenAtMs: 0 },
      });
      return key;
    });
  }

  return {
    spool,
    sender: running,
    logger,
    failures,
    stop,
    receive,
    directory,
    deadLetters: () =>
      readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { code: string; message: string; lane: string; item: { key: string } }),
  };
}

export function keysOf(ingress: IngressServer, lane: string): readonly string[] {
  return ingress.stored.filter((item) => item.sessionId === lane).map((item) => item.key);
}
