import { createFaultBox } from "./faults.js";
import { createGateway } from "./gateway/gateway.js";
import { PRIVILEGED_INTENTS } from "./gateway/intents.js";
import { createInteractions } from "./interactions/interactions.js";
import { type ProbeResult, probeInteractionsUrl } from "./interactions/probe.js";
import { createGrants } from "./oauth/grants.js";
import type { ResolvedOptions } from "./options.js";
import { createFileStore } from "./rest/attached-files.js";
import { createPayloadCheck } from "./rest/payload-check.js";
import { createRequestLog } from "./rest/request-log.js";
import type { Simulation } from "./simulation.js";
import { createSnowflakes } from "./snowflake.js";
import { createDefaultWorld } from "./world/default-world.js";
import { createMembership } from "./world/membership.js";
import { createMessageStore } from "./world/message-store.js";
import { createPacketBus } from "./world/packet-bus.js";

/** Puts the parts of a simulator together. */
export function assembleSimulation(options: ResolvedOptions, origin: () => string): Simulation {
  const { clock, logger, fetch } = options;
  const now = () => clock.now();
  const snowflake = createSnowflakes(now);
  const world = createDefaultWorld({
    seed: options.seed,
    applicationName: options.applicationName,
    botToken: options.botToken,
    clientSecret: options.clientSecret,
    privilegedIntents: options.privilegedIntents.reduce((bits, name) => bits | PRIVILEGED_INTENTS[name], 0),
    redirectUris: options.redirectUris,
  });
  const bus = createPacketBus();
  const publish = bus.publish;
  const messages = createMessageStore({ world, snowflake, now, publish, changed: bus.changed });
  const membership = createMembership({ world, messages, now, publish });
  const check = createPayloadCheck();
  const gateway = createGateway({
    world,
    clock,
    logger,
    gatewayUrl: () => origin().replace(/^http/, "ws"),
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    sessionKeepMs: options.sessionKeepMs,
    keptPackets: options.keptPackets,
    sessionStartLimit: options.sessionStartLimit,
    maxConcurrency: options.maxConcurrency,
  });
  bus.subscribe((packet) => gateway.deliver(packet));
  const interactions = createInteractions({
    world,
    messages,
    check,
    clock,
    logger,
    fetch,
    now,
    snowflake,
    answerTimeoutMs: options.answerTimeoutMs,
    tokenLifetimeMs: options.tokenLifetimeMs,
    deliverOverGateway: (packet) => gateway.deliverInteraction(packet),
  });

  const probe = (url: string) =>
    probeInteractionsUrl({ world, url, clock, fetch, snowflake, timeoutMs: options.answerTimeoutMs });

  return {
    options,
    world,
    bus,
    messages,
    membership,
    gateway,
    interactions,
    check,
    snowflake,
    now,
    origin,
    grants: createGrants(now),
    faults: createFaultBox(clock),
    requests: createRequestLog(),
    files: createFileStore(),
    async setInteractionsUrl(url) {
      const result: ProbeResult = url === null ? { ok: true } : await probe(url);
      if (result.ok) {
        world.application.interactionsUrl = url;
      }
      return result;
    },
    async probeAgain() {
      const url = world.application.interactionsUrl;
      if (url === null) {
        return { ok: false, reason: "no interactions URL is set" };
      }
      const result = await probe(url);
      if (result.ok) {
        return { ok: true, reason: null };
      }
      world.application.interactionsUrl = null;
      return { ok: false, reason: result.reason };
    },
  };
}
