import { DISCORD_PROVIDER_ID } from "../provider.js";
import type { GatewayMember, GatewayUser } from "./gateway-payloads.js";

interface Seen {
  readonly user: Pick<GatewayUser, "id"> & Partial<GatewayUser>;
  readonly member?: GatewayMember | null | undefined;
  /** When the person did something; absent where somebody else did. */
  readonly seenAt?: Date;
}

/** What a packet says of a person: only what is known, never null. */
export function contactProperties({ user, member, seenAt }: Seen): Readonly<Record<string, unknown>> {
  const known = {
    id: user.id,
    last_seen: seenAt?.toISOString(),
    username: user.username,
    global_name: user.global_name,
    avatar: user.avatar,
    joined_at: member?.joined_at == null ? undefined : new Date(member.joined_at).toISOString(),
    roles: member?.roles,
  };
  return {
    [DISCORD_PROVIDER_ID]: Object.fromEntries(
      Object.entries(known).filter(([, value]) => value !== undefined && value !== null),
    ),
  };
}
