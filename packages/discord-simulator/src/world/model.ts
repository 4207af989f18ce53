import type {
  APIApplicationCommand,
  APIEmoji,
  APIMessage,
  APIOverwrite,
  APIRole,
  APIUser,
} from "discord-api-types/v10";

/** Everything that the simulator knows. Kept in memory only. */
export interface World {
  readonly application: ApplicationState;
  readonly users: Map<string, UserState>;
  readonly guilds: Map<string, GuildState>;
  /** Of guilds, threads and direct messages alike. */
  readonly channels: Map<string, ChannelState>;
  readonly commands: Map<string, CommandState>;
  readonly webhooks: Map<string, WebhookState>;
  /** The ids of people who take no direct messages from the bot. */
  readonly closedToBot: Set<string>;
}

export interface ApplicationState {
  readonly id: string;
  readonly name: string;
  readonly publicKeyHex: string;
  readonly secretKey: Uint8Array;
  readonly botToken: string;
  readonly clientSecret: string;
  readonly bot: APIUser;
  interactionsUrl: string | null;
  /** Where OAuth may send people back to. */
  redirectUris: readonly string[];
  privilegedIntents: number;
  webhookEventsUrl: string | null;
  webhookEventTypes: readonly string[];
  /** Where Discord leads people who want a linked role. */
  roleConnectionsVerificationUrl: string | null;
  roleConnectionMetadata: readonly RoleConnectionMetadata[];
}

/** One thing that an application can say of people, for Linked Roles. */
export interface RoleConnectionMetadata {
  readonly type: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export interface UserState {
  readonly user: APIUser;
  readonly email: string | null;
  /** What the person shows to all their guilds. */
  presence: PresenceState;
}

export interface PresenceState {
  readonly status: "online" | "idle" | "dnd" | "offline";
  readonly activities: readonly { readonly name: string; readonly type: number; readonly state?: string }[];
}

export interface GuildState {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly createdAt: string;
  /** Where joins are announced. */
  readonly systemChannelId: string | null;
  readonly roles: Map<string, APIRole>;
  readonly channels: Map<string, ChannelState>;
  readonly members: Map<string, MemberState>;
  readonly emojis: Map<string, APIEmoji>;
  /** By the ids of those who are in a voice channel. */
  readonly voice: Map<string, VoiceState>;
  /** Oldest first, in Discord's shape. */
  readonly auditLog: AuditLogEntry[];
}

export interface AuditLogEntry {
  readonly id: string;
  readonly user_id: string;
  readonly target_id: string;
  readonly action_type: number;
  readonly [field: string]: unknown;
}

export interface VoiceState {
  readonly sessionId: string;
  /** Null for one who has just left. */
  readonly channelId: string | null;
  readonly muted: boolean;
  readonly deafened: boolean;
  readonly streaming: boolean;
  readonly video: boolean;
}

export interface MemberState {
  readonly user: APIUser;
  nick: string | null;
  roles: readonly string[];
  readonly joinedAt: string;
}

export interface ChannelState {
  readonly id: string;
  /** 0 text, 1 direct message, 2 voice, 11 public thread, 15 forum. */
  readonly type: 0 | 1 | 2 | 11 | 15;
  readonly guildId: string | null;
  readonly parentId: string | null;
  /** Who opened a thread; null for other channels. */
  readonly ownerId: string | null;
  readonly name: string | null;
  readonly topic: string | null;
  readonly position: number;
  readonly overwrites: readonly APIOverwrite[];
  /** Of a direct message, without the bot. */
  readonly recipients: readonly APIUser[];
  readonly createdAt: string;
  readonly messages: Map<string, MessageState>;
}

export interface MessageState {
  message: APIMessage;
  readonly guildId: string | null;
  /** The only person who sees it; null for everybody. */
  readonly visibleTo: string | null;
  readonly reactions: Map<string, ReactionState>;
}

export interface ReactionState {
  readonly emoji: { readonly id: string | null; readonly name: string };
  readonly userIds: Set<string>;
}

export interface CommandState {
  command: APIApplicationCommand;
  readonly guildId: string | null;
}

export interface WebhookState {
  readonly id: string;
  readonly token: string;
  readonly guildId: string;
  readonly channelId: string;
  readonly creatorId: string;
  name: string;
}

/** Something for the Gateway to tell. */
export interface Packet {
  readonly t: string;
  readonly d: Record<string, unknown>;
  /** Null for a direct message. */
  readonly guildId: string | null;
}
