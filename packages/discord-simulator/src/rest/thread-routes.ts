import { PermissionFlagsBits as P } from "discord-api-types/v10";
import type { Hono } from "hono";
import type { Simulation } from "../simulation.js";
import type { ChannelState } from "../world/model.js";
import { channelPayload } from "../world/payloads.js";
import { makeChannel } from "../world/records.js";
import { channelOf, demand, messageOf, readBody } from "./rest-context.js";

/** Public threads, with or without a message that they start from. */
export function threadRoutes(app: Hono, simulation: Simulation): void {
  const { world, check, snowflake, now, bus } = simulation;

  function open(parent: ChannelState, id: string, name: string): Record<string, unknown> {
    const thread = makeChannel({
      id,
      type: 11,
      guildId: parent.guildId,
      parentId: parent.id,
      name,
      recipients: [world.application.bot],
      createdAt: new Date(now()).toISOString(),
    });
    world.channels.set(id, thread);
    world.guilds.get(parent.guildId ?? "")?.channels.set(id, thread);
    const payload = channelPayload(thread);
    bus.publish({ t: "THREAD_CREATE", d: { ...payload, newly_created: true }, guildId: thread.guildId });
    return payload;
  }

  app.post("/channels/:channel/threads", async (c) => {
    const parent = channelOf(simulation, c.req.param("channel"));
    demand(simulation, parent, P.CreatePublicThreads);
    const body = await readBody(c);
    check.check("CreateTextThreadWithoutMessageRequestSchema", body);
    return c.json(open(parent, snowflake(), String(body.name)), 201);
  });

  app.post("/channels/:channel/messages/:message/threads", async (c) => {
    const parent = channelOf(simulation, c.req.param("channel"));
    demand(simulation, parent, P.CreatePublicThreads);
    const body = await readBody(c);
    check.check("CreateTextThreadWithoutMessageRequestSchema", body);
    return c.json(open(parent, messageOf(parent, c.req.param("message")).message.id, String(body.name)), 201);
  });
}
