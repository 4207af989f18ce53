import { createFaultBox } from "./faults.js";
import { createGateway } from "./gateway/gateway.js";
import { PRIVILEGED_INTENTS } from "./gateway/intents.js";
import { createInteractions } from "./interactions/interactions.js";
import { type ProbeResult, probeEventsUrl, probeInteractionsUrl } from "./interactions/probe.js";
import { createAuthorizations } from "./oauth/authorizations.js";
import { createGrants } from "./oauth/grants.js";
import type { ResolvedOptions } from "./options.js";
import { createFileStore } from "./rest/attached-files.js";
import { createPayloadCheck } from "./rest/payload-check.js";
import { createRateLimits } from "./rest/rate-limits.js";
import { createRequestLog } from "./rest/request-log.js";
import type { Simulation } from "./simulation.js";
import { createSnowflakes } from "./snowflake.js";
import { createVirtualClock } from "./virtual-clock.js";
import { createWebhookEvents } from "./webhook-events/webhook-events.js";
import { createAuditLog } from "./world/audit-log.js";
import { createDefaultWorld } from "./world/default-world.js";
import { createMembership } from "./world/membership.js";
import { createMessageStore } from "./world/message-store.js";
import { createPacketBus } from "./world/packet-bus.js";
import { createThreads } from "./world/threads.js";
import { createVoice } from "./world/voice.js";

/** Puts the parts of a simulator together. */
export function assembleSimulation(options: ResolvedOptions, origin: () => string): Simulation {
  const { clock: wallClock, logger, fetch } = options;
  const clock = createVirtualClock(wallClock);
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
  const voice = createVoice(publish);
  const membership = createMembership({ world, messages, voice, now, publish });
  const check = createPayloadCheck();
  const gateway = createGateway({
    world,
    clock,
    wallClock,
    logger,
    gatewayUrl: () => origin().replace(/^http/, "ws"),
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    sessionKeepMs: options.sessionKeepMs,
    keptPackets: options.keptPackets,
    sessionStartLimit: options.sessionStartLimit,
    maxConcurrency: options.maxConcurrency,
  });
  const faults = createFaultBox(clock);
  bus.subscribe((packet) => faults.route(packet, gateway.deliver));
  const interactions = createInteractions({
    world,
    messages,
    check,
    clock,
    wallClock,
    logger,
    fetch,
    now,
    snowflake,
    answerTimeoutMs: options.answerTimeoutMs,
    tokenLifetimeMs: options.tokenLifetimeMs,
    deliverOverGateway: (packet) => gateway.deliverInteraction(packet),
  });

  const grants = createGrants(now);
  const webhookEvents = createWebhookEvents({
    world,
    clock,
    wallClock,
    logger,
    fetch,
    answerTimeoutMs: options.answerTimeoutMs,
    changed: bus.changed,
  });

  const probe = (url: string) =>
    probeInteractionsUrl({ world, url, clock: wallClock, fetch, snowflake, timeoutMs: options.answerTimeoutMs });

  return {
    options,
    world,
    bus,
    messages,
    membership,
    threads: createThreads({ world, snowflake, now, publish }),
    voice,
    auditLog: createAuditLog(snowflake, publish),
    gateway,
    interactions,
    check,
    snowflake,
    now,
    advance: clock.advance,
    origin,
    grants,
    webhookEvents,
    authorizations: createAuthorizations({ world, grants, webhookEvents }),
    faults,
    rateLimits: createRateLimits(now, options.rateLimits),
    requests: createRequestLog(),
    files: createFileStore(),
    async setInteractionsUrl(url) {
      const result: ProbeResult = url === null ? { ok: true } : await probe(url);
      if (result.ok) {
        world.application.interactionsUrl = url;
      }
      return result;
    },
    async setWebhookEvents(url, types) {
      const result: ProbeResult =
        url === null
          ? { ok: true }
          : await probeEventsUrl({ world, url, clock: wallClock, fetch, timeoutMs: options.answerTimeoutMs });
      if (result.ok) {
        world.application.webhookEventsUrl = url;
        world.application.webhookEventTypes = types;
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
