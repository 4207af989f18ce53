/** The one id of both faces: the connector's and the destination's. */
export const DISCORD_PROVIDER_ID = "discord";

/**
 * The intents that messages, reactions and members need, as Discord's bit field. Two of them are privileged and are
 * switched on in the Developer Portal: SERVER MEMBERS, MESSAGE CONTENT. Presence is a third one, and asked for by adding
 * GUILD_PRESENCES: `DISCORD_INTENTS | (1 << 8)`.
 *
 * @see https://docs.discord.com/developers/events/gateway#gateway-intents
 */
export const DISCORD_INTENTS =
  (1 << 0) | // GUILDS
  (1 << 1) | // GUILD_MEMBERS
  (1 << 9) | // GUILD_MESSAGES
  (1 << 10) | // GUILD_MESSAGE_REACTIONS
  (1 << 15); // MESSAGE_CONTENT
