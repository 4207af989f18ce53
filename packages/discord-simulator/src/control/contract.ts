import type { APIMessage } from "discord-api-types/v10";
import type { OptionValues } from "../interactions/command-options.js";
import type { FieldValues, ModalField } from "../interactions/modal-fields.js";
import type { InteractionFailure } from "../interactions/model.js";
import type { FileInput } from "../interactions/uploaded-file.js";
import type { Authorization } from "../oauth/authorizations.js";
import type { RestState } from "../rest/rate-limits.js";
import type { RequestLogEntry } from "../rest/request-log.js";
import type { SentWebhookEvent, WebhookEventType } from "../webhook-events/webhook-events.js";
import type { PermissionName } from "../world/permissions.js";
import type { VoiceSettings } from "../world/voice.js";

export type {
  Authorization,
  FieldValues,
  FileInput,
  InteractionFailure,
  ModalField,
  OptionValues,
  PermissionName,
  RequestLogEntry,
  RestState,
  SentWebhookEvent,
  VoiceSettings,
  WebhookEventType,
};

/** What an application needs to know to connect. */
export interface SimulatedApplication {
  readonly id: string;
  /** The same as `id`, as OAuth calls it. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly name: string;
  readonly publicKeyHex: string;
  readonly botToken: string;
  readonly interactionsUrl: string | null;
}

/** Discord's message object, and what else a test wants to know. */
export type SimulatedMessage = APIMessage & {
  readonly guild_id: string | null;
  readonly channel_name: string | null;
  /** Only one person sees it. */
  readonly ephemeral: boolean;
  /** The id of that person; null for everybody. */
  readonly visible_to: string | null;
};

export interface SimulatorState {
  readonly url: string;
  /** ISO 8601: the time as the simulator has it. */
  readonly now: string;
  readonly application: SimulatedApplication;
  readonly guilds: readonly SimulatedGuild[];
  /** Registered commands; `guildId` is null for global ones. */
  readonly commands: readonly SimulatedCommand[];
  /** Who has authorized the application, and what it says of them for Linked Roles. */
  readonly authorizations: readonly Authorization[];
  readonly gateway: { readonly connections: number; readonly sessions: number; readonly identifiesLeft: number };
  readonly rest: RestState;
}

export interface SimulatedCommand {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** 1 typed with a slash, 2 in a user's menu, 3 in a message's menu. */
  readonly type: number;
  readonly guildId: string | null;
  /** As the application registered them. */
  readonly options: readonly unknown[];
}

export interface SimulatedGuild {
  readonly id: string;
  readonly name: string;
  readonly channels: readonly {
    readonly id: string;
    readonly name: string | null;
    readonly topic: string | null;
    readonly parentId: string | null;
  }[];
  readonly roles: readonly { readonly id: string; readonly name: string; readonly color: number }[];
  readonly members: readonly SimulatedGuildMember[];
}

export interface SimulatedGuildMember {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly bot: boolean;
  /** Names, without @everyone. */
  readonly roles: readonly string[];
  readonly status: string;
  readonly joinedAt: string;
}

/** What a person sees of an interaction. */
export interface InteractionView {
  readonly id: string;
  readonly status: "pending" | "answered" | "failed";
  /** How the application answered first. */
  readonly answer: "message" | "deferred" | "update" | "deferred_update" | "modal" | "choices" | null;
  readonly modal: { readonly customId: string; readonly title: string; readonly fields: readonly ModalField[] } | null;
  readonly failure: InteractionFailure | null;
}

/** A person in the simulated Discord. Channels by name or id; messages by id. */
export interface SimulatedMember {
  /** As it was asked for: a username or an id. */
  readonly name: string;
  say(channel: string, text: string, options?: { readonly replyTo?: string }): Promise<SimulatedMessage>;
  edit(message: MessageReference, text: string): Promise<SimulatedMessage>;
  remove(message: MessageReference): Promise<void>;
  /** `👍`, or the name of one of the guild's own. */
  react(message: MessageReference, emoji: string): Promise<void>;
  unreact(message: MessageReference, emoji: string): Promise<void>;
  join(guild?: string): Promise<void>;
  leave(guild?: string): Promise<void>;
  /** False: the bot can't write to this person any more. */
  setDirectMessages(open: boolean): Promise<void>;
  /** Sends somebody out of the guild, which its audit log tells. Throws `not_permitted`. */
  kick(target: string, options?: { readonly reason?: string; readonly guild?: string }): Promise<void>;
  /** A public thread, from a message if wanted; in a forum a post, which needs a `text` to start with. */
  startThread(
    channel: string,
    name: string,
    options?: { readonly text?: string; readonly message?: MessageReference },
  ): Promise<{ readonly id: string }>;
  /** Sits down in a voice channel, or changes what is switched on there. Nothing can be heard. */
  joinVoice(channel: string, settings?: VoiceSettings): Promise<void>;
  leaveVoice(guild?: string): Promise<void>;
  setPresence(status: "online" | "idle" | "dnd" | "offline", activity?: string): Promise<void>;
  /** `slash("link")`, `slash("webhook-config show", { … })`. Resolves with the first answer. */
  slash(command: string, options?: OptionValues, where?: { readonly channel?: string }): Promise<InteractionHandle>;
  /** What the application offers while `option` is being typed. Throws `interaction_failed`. */
  autocomplete(
    command: string,
    typed: {
      readonly option: string;
      readonly text: string;
      readonly options?: OptionValues;
      readonly channel?: string;
    },
  ): Promise<readonly { readonly name: string; readonly value: string | number }[]>;
  /** Presses the button with this label or custom_id. */
  click(message: MessageReference, button: string): Promise<InteractionHandle>;
  /** A command from the menu of a person, as the menu shows its name. */
  useOnMember(command: string, target: string, where?: { readonly channel?: string }): Promise<InteractionHandle>;
  /** A command from the menu of a message. */
  useOnMessage(command: string, message: MessageReference): Promise<InteractionHandle>;
  /** Chooses in the menu with this custom_id or placeholder: labels or values, names for users, roles and channels. */
  select(message: MessageReference, menu: string, values: readonly string[]): Promise<InteractionHandle>;
  /**
   * Follows an OAuth authorize address, such as `https://discord.com/oauth2/authorize?client_id=…`, and decides.
   * Answers where the browser goes then: the redirect URI with `code` or `error`, and `state`. Throws `invalid_input`.
   */
  authorize(url: string, options?: { readonly allowed?: boolean; readonly guild?: string }): Promise<string>;
  /** Removes the application under "Authorized Apps": its tokens end, and it is told. Throws `not_authorized`. */
  deauthorize(): Promise<void>;
  /** What this person sees in a channel, oldest first. `@bot` is the direct channel with the bot. */
  messages(channel: string): Promise<readonly SimulatedMessage[]>;
}

/** A message or its id. */
export type MessageReference = string | { readonly id: string };

/** An interaction after its first answer. */
export interface InteractionHandle extends InteractionView {
  /** Fills in the modal that was shown: by custom_id or label. Throws `no_modal`, `invalid_field`. */
  submitModal(fields: FieldValues): Promise<InteractionHandle>;
  /**
   * The visible answer: the message that was sent or changed, after "thinking…". Throws `interaction_failed` when the
   * person sees a failure, `no_reply` when nothing came in time. Default 10,000.
   */
  reply(options?: { readonly timeoutMs?: number }): Promise<SimulatedMessage>;
  /** Further messages of the application so far. */
  followUps(): Promise<readonly SimulatedMessage[]>;
  /** Presses a button of the visible answer. */
  click(button: string): Promise<InteractionHandle>;
  select(menu: string, values: readonly string[]): Promise<InteractionHandle>;
}

export interface MessageQuery {
  readonly channel?: string;
  readonly guild?: string;
  /** Only messages after this id. */
  readonly after?: string;
  /** Username or id. */
  readonly author?: string;
  /** Only the newest ones, so many. */
  readonly limit?: number;
}

/** Trouble on demand. Each resolves when it is in force. */
export interface SimulatorFaults {
  /** Cuts all Gateway connections without a closing frame; answers how many. */
  dropSockets(): Promise<number>;
  /** op 7 to all connections. */
  askToReconnect(): Promise<number>;
  /** op 9 to all connections; with `resumable` false the sessions are forgotten. */
  invalidateSessions(options: { readonly resumable: boolean }): Promise<number>;
  /** Closes all Gateway connections with a code such as 4004. */
  closeSockets(code: number, reason?: string): Promise<number>;
  /** Drops the Gateway connections, and cuts every REST request and connection for so long. */
  refuseConnections(options: { readonly forMs: number }): Promise<void>;
  /** The next REST requests get this status; `path` is a part of their path. */
  failRequests(options: { readonly count: number; readonly status?: number; readonly path?: string }): Promise<void>;
  /**
   * The next REST requests get 429: for a limit of this application on that route (`user`), for its global one, or for
   * one that it shares with others.
   */
  rateLimitRequests(options: {
    readonly count: number;
    readonly retryAfterSeconds?: number;
    readonly scope?: "user" | "global" | "shared";
    readonly path?: string;
  }): Promise<void>;
  /** The next REST requests are answered so much later. */
  delayRequests(options: { readonly count: number; readonly forMs: number; readonly path?: string }): Promise<void>;
  /** The next packets of a type such as `MESSAGE_CREATE`, or of any, come twice. */
  duplicatePackets(options: { readonly count: number; readonly type?: string }): Promise<void>;
  /** The next packets come so much later, behind what happened after them. */
  delayPackets(options: { readonly count: number; readonly forMs: number; readonly type?: string }): Promise<void>;
  /** Follow-ups get 404 for so long after the first answer, as Discord's do for a moment. */
  holdFollowUps(options: { readonly forMs: number }): Promise<void>;
  clear(): Promise<void>;
}

/** What can be done with a simulator, in this process or in another one. */
export interface SimulatorControl {
  /** `http://127.0.0.1:PORT`; throws `not_started` before `start()`. */
  readonly url: string;
  state(): Promise<SimulatorState>;
  /** Oldest first, private answers among them. */
  messages(query?: MessageQuery): Promise<readonly SimulatedMessage[]>;
  /**
   * The first message that fits, also one that is there already; looks at the newest 500 unless `limit` says otherwise.
   * Throws `timed_out`. Default 10,000.
   */
  waitForMessage(
    fits: (message: SimulatedMessage) => boolean,
    options?: MessageQuery & { readonly timeoutMs?: number },
  ): Promise<SimulatedMessage>;
  /** The person with this username or id; whether there is one shows when they act. */
  member(name: string): SimulatedMember;
  /** A new person, already in the guild unless `joined` is false. */
  addMember(input: NewMember): Promise<SimulatedMember>;
  addChannel(input: {
    readonly name: string;
    /** Default `text`. */
    readonly type?: "text" | "voice" | "forum";
    readonly guild?: string;
    readonly topic?: string;
    /** What the bot may not do there, such as `ViewChannel` or `SendMessages`. */
    readonly deniedToBot?: readonly PermissionName[];
  }): Promise<{ readonly id: string }>;
  /** A guild of its own, with the bot in it. */
  addGuild(input: { readonly name: string }): Promise<{ readonly id: string }>;
  /**
   * Lets time pass at once: tokens and sessions without a socket end, limits and pauses are over, and what happens next
   * happens later. Not for what the other side's clock has a part in: heartbeats, and the time in signatures. At most
   * ten years. Answers the new time, in ISO 8601.
   */
  advanceClock(input: { readonly byMs: number }): Promise<{ readonly now: string }>;
  /** Roles of a member by name. */
  rolesOf(member: string, guild?: string): Promise<readonly string[]>;
  /** Probes the URL as Discord does and saves it; null removes it. Throws `interactions_url_refused`. */
  setInteractionsUrl(url: string | null): Promise<void>;
  /** Where OAuth may send people back to. */
  setRedirectUris(uris: readonly string[]): Promise<void>;
  /**
   * Probes the URL of Webhook Events as Discord does and saves it; null removes it. All types when `types` is absent.
   * Throws `webhook_events_url_refused`.
   */
  setWebhookEventsUrl(url: string | null, types?: readonly WebhookEventType[]): Promise<void>;
  /** Every Webhook Event so far, oldest first. */
  webhookEvents(): Promise<readonly SentWebhookEvent[]>;
  /** Sends all of them once more with the same bodies, as Discord may. */
  sendWebhookEventsAgain(): Promise<void>;
  /** Probes the saved URL again, and removes it when it fails, as Discord does. */
  probeInteractionsUrl(): Promise<{ readonly ok: boolean; readonly reason: string | null }>;
  /** The REST requests of the application so far, oldest first; the last 2,000. */
  requests(): Promise<readonly RequestLogEntry[]>;
  readonly faults: SimulatorFaults;
}

export interface NewMember {
  readonly username: string;
  readonly displayName?: string;
  readonly email?: string;
  /** Names of roles. */
  readonly roles?: readonly string[];
  readonly guild?: string;
  /** Default true. */
  readonly joined?: boolean;
}
