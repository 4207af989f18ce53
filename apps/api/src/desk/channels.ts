import type { Dispatcher } from "@hookline/dispatcher";
import { ApiStartError } from "../errors.js";

const KEY_PREFIX = "discord-channel-";

/** Channel ids with the event types that go there. */
export type ChannelSubscriptions = ReadonlyMap<string, readonly string[]>;

/** What first tells of the thing that later types are about; their messages are the same one, edited. */
const ANNOUNCEMENTS: readonly (readonly [prefix: string, announcement: string])[] = [
  ["ticket.", "ticket.created"],
  ["asset.", "asset.created"],
];

/**
 * Which channels get which event types, read from a map such as `{"ticket.created":["1"],"default":["2"]}`. The
 * spelling `ticket_created` means the same. What happens later to a machine, a ticket or an asset also goes where it was
 * announced, so that the message there changes: of machines only there, of the others to the default too.
 *
 * @throws ApiStartError `invalid_environment` for an entry that means no known type
 */
export function channelSubscriptions(
  map: Readonly<Record<string, readonly string[]>>,
  types: readonly string[],
): ChannelSubscriptions {
  const underscored = (type: string) => type.replaceAll(".", "_");
  const known = new Set(["default", ...types, ...types.map(underscored)]);
  const unknown = Object.keys(map).filter((key) => !known.has(key));
  if (unknown.length > 0) {
    const message = `DISCORD_WEBHOOK_CHANNELS names ${unknown.join(", ")}; known are default, ${types.join(", ")}.`;
    throw new ApiStartError("invalid_environment", message);
  }
  const channelsOf = (type: string): readonly string[] | undefined => map[type] ?? map[underscored(type)];
  const unnamed = (type: string): Iterable<string> => {
    const rest = map.default ?? [];
    if (type.startsWith("machine.")) return channelsOf("machine.registered") ?? rest;
    const announcement = ANNOUNCEMENTS.find(([prefix]) => type.startsWith(prefix))?.[1];
    return new Set([...((announcement && channelsOf(announcement)) ?? []), ...rest]);
  };
  const byChannel = new Map<string, string[]>();
  for (const type of types) {
    for (const channel of channelsOf(type) ?? unnamed(type)) {
      byChannel.set(channel, [...(byChannel.get(channel) ?? []), type]);
    }
  }
  return byChannel;
}

export interface SubscribeChannels {
  readonly dispatcher: Dispatcher;
  readonly tenantId: string;
  readonly destination: string;
  readonly channels: ChannelSubscriptions;
}

/** Brings the subscriptions in line with the configuration: those that it no longer names go, those off come back. */
export async function subscribeChannels(options: SubscribeChannels): Promise<void> {
  const { dispatcher, tenantId, destination, channels } = options;
  for (const [channelId, events] of channels) {
    const key = KEY_PREFIX + channelId;
    const { endpointId: id } = await dispatcher.subscribe({
      key,
      tenantId,
      destination,
      events,
      target: { channelId },
    });
    const endpoint = await dispatcher.endpoints.get({ tenantId, id });
    if (endpoint?.active === false) await dispatcher.endpoints.update({ tenantId, id }, { active: true });
  }
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Dispatcher["endpoints"]["list"]>> = await dispatcher.endpoints.list({
      tenantId,
      destination,
      limit: 200,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const { id, key } of page.endpoints) {
      if (key?.startsWith(KEY_PREFIX) && !channels.has(key.slice(KEY_PREFIX.length))) {
        await dispatcher.endpoints.delete({ tenantId, id });
      }
    }
    cursor = page.nextCursor;
  } while (cursor !== null);
}
