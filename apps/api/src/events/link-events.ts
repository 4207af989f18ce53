import { defineEvent } from "@hookline/core";
import { z } from "zod";

const discordLinked = defineEvent({
  type: "discord.linked",
  schema: z.looseObject({ source: z.string(), discord_id: z.string() }),
  description: "A Discord account was connected to the contact of a confirmed address.",
  example: { source: "discord", discord_id: "80351110224678912" },
});

const discordUnlinked = defineEvent({
  type: "discord.unlinked",
  schema: z.looseObject({ reason: z.string(), discord_id: z.string() }),
  description: "A Discord account was taken from its contact: by the member (`member`) or at Discord (`deauthorized`).",
  example: { reason: "member", discord_id: "80351110224678912" },
});

/** What `/link`, `/unlink` and OAuth publish of linked accounts. */
export const linkEvents = [discordLinked, discordUnlinked];
