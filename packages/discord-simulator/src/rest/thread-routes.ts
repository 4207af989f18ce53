import { PermissionFlagsBits as P } from "discord-api-types/v10";
import type { Hono } from "hono";
import type { Simulation } from "../simulation.js";
import type { MessageBody } from "../world/message-store.js";
import { channelPayload, messagePayload } from "../world/payloads.js";
import { channelOf, demand, messageOf, readBody } from "./rest-context.js";

const FORUM = 15;

/** Public threads, with or without a message that they start from. */
export function threadRoutes(app: Hono, simulation: Simulation): void {
  const { world, check, threads, messages } = simulation;
  const ownerId = world.application.bot.id;

  app.post("/channels/:channel/threads", async (c) => {
    const parent = channelOf(simulation, c.req.param("channel"));
    const body = await readBody(c);
    if (parent.type === FORUM) {
      demand(simulation, parent, P.SendMessages);
      check.check("CreateForumThreadRequestSchema", body);
      const thread = threads.open({ parent, name: String(body.name), ownerId });
      const author = world.application.bot;
      const message = messages.post({
        channel: thread,
        author,
        body: body.message as MessageBody,
        extra: { id: thread.id },
      });
      return c.json({ ...channelPayload(thread), message: messagePayload(message, ownerId) }, 201);
    }
    demand(simulation, parent, P.CreatePublicThreads);
    check.check("CreateTextThreadWithoutMessageRequestSchema", body);
    return c.json(channelPayload(threads.open({ parent, name: String(body.name), ownerId })), 201);
  });

  app.post("/channels/:channel/messages/:message/threads", async (c) => {
    const parent = channelOf(simulation, c.req.param("channel"));
    demand(simulation, parent, P.CreatePublicThreads);
    const body = await readBody(c);
    check.check("CreateTextThreadWithoutMessageRequestSchema", body);
    const { id } = messageOf(parent, c.req.param("message")).message;
    return c.json(channelPayload(threads.open({ parent, name: String(body.name), ownerId, id })), 201);
  });
}
