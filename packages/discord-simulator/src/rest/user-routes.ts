import type { Hono } from "hono";
import type { Simulation } from "../simulation.js";
import { openDirectChannel } from "../world/direct-channel.js";
import { channelPayload } from "../world/payloads.js";
import { REFUSALS, refuse } from "./refusal.js";
import { readBody } from "./rest-context.js";

/** Users, the bot itself, and direct messages. */
export function userRoutes(app: Hono, simulation: Simulation): void {
  const { world, check } = simulation;

  app.get("/users/@me/guilds", (c) =>
    c.json(
      [...world.guilds.values()]
        .filter((guild) => guild.members.has(world.application.bot.id))
        .map(({ id, name, ownerId }) => ({
          id,
          name,
          icon: null,
          banner: null,
          owner: ownerId === world.application.bot.id,
          permissions: "0",
          features: [],
        })),
    ),
  );

  app.post("/users/@me/channels", async (c) => {
    const body = await readBody(c);
    check.check("CreatePrivateChannelRequestSchema", body);
    const recipient = world.users.get(String(body.recipient_id));
    if (!recipient) {
      throw refuse(REFUSALS.unknownUser);
    }
    if (recipient.user.id === world.application.bot.id) {
      throw refuse(REFUSALS.cannotMessageUser);
    }
    return c.json(channelPayload(openDirectChannel(simulation, recipient.user)));
  });

  app.get("/users/:user", (c) => {
    const id = c.req.param("user");
    const found = world.users.get(id === "@me" ? world.application.bot.id : id);
    if (!found) {
      throw refuse(REFUSALS.unknownUser);
    }
    const own = found.user.id === world.application.bot.id;
    return c.json(own ? { ...found.user, verified: true, mfa_enabled: false, email: null, flags: 0 } : found.user);
  });
}
