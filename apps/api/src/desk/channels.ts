/**
 * Which channels get which event types, read from a map such as `{"ticket.created":["1"],"default":["2"]}`. The
 * spelling `ticket_created` means the same. A decision goes where its machine was announced, so that the message
 * there changes.
 */
export function channelSubscriptions(
  map: Readonly<Record<string, readonly string[]>>,
  types: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const channelsOf = (type: string): readonly string[] | undefined => map[type] ?? map[type.replaceAll(".", "_")];
  const byChannel = new Map<string, string[]>();
  for (const type of types) {
    const announcedAs = type.startsWith("machine.") ? channelsOf("machine.registered") : undefined;
    for (const channel of channelsOf(type) ?? announcedAs ?? map.default ?? []) {
      byChannel.set(channel, [...(byChannel.get(channel) ?? []), type]);
    }
  }
  return byChannel;
}
