import type { APIUser } from "discord-api-types/v10";
import type { Snowflakes } from "../snowflake.js";
import type { ChannelState, World } from "./model.js";
import type { PacketBus } from "./packet-bus.js";
import { channelPayload } from "./payloads.js";
import { makeChannel } from "./records.js";

interface DirectChannelContext {
  readonly world: World;
  readonly bus: PacketBus;
  readonly snowflake: Snowflakes;
  readonly now: () => number;
}

/** The direct channel between the bot and a person; made when there is none. */
export function openDirectChannel(context: DirectChannelContext, person: APIUser): ChannelState {
  const { world, bus } = context;
  const known = [...world.channels.values()].find(
    ({ type, recipients }) => type === 1 && recipients.some(({ id }) => id === person.id),
  );
  if (known) {
    return known;
  }
  const channel = makeChannel({
    id: context.snowflake(),
    type: 1,
    recipients: [person],
    createdAt: new Date(context.now()).toISOString(),
  });
  world.channels.set(channel.id, channel);
  bus.publish({ t: "CHANNEL_CREATE", d: channelPayload(channel), guildId: null });
  return channel;
}
