/** What every handler is told about the one who asks. */
export interface DiscordInteraction {
  /** Discord's id of it: the idempotency key of whatever a handler makes, since a deferred handler may run again. */
  readonly id: string;
  readonly applicationId: string;
  readonly tenantId: string;
  /** Null in a direct message. */
  readonly guildId: string | null;
  readonly channelId: string | null;
  /** Null where Discord does not say it. */
  readonly channelName: string | null;
  readonly user: DiscordUser;
  /** Null in a direct message. */
  readonly member: DiscordMember | null;
  /** Such as `en-US`. */
  readonly locale: string | null;
  readonly createdAt: Date;
  /** 1 for the first; only deferred handlers see more. */
  readonly attempt: number;
  /** False: a throw runs the handler again. True: the member reads an apology then, so answer with a reason instead. */
  readonly lastAttempt: boolean;
  /** Ends when the time for this attempt does. */
  readonly signal: AbortSignal;
}

export interface DiscordUser {
  readonly id: string;
  readonly username: string;
  /** The name shown in Discord; null when none was chosen. */
  readonly globalName: string | null;
}

export interface DiscordMember {
  readonly nickname: string | null;
  readonly roleIds: readonly string[];
  /** Discord's bit field for the channel that the interaction came from. */
  readonly permissions: bigint;
}

export interface CommandInteraction<Options> extends DiscordInteraction {
  readonly options: Options;
}

export interface ButtonInteraction<Param extends string> extends DiscordInteraction {
  readonly params: Readonly<Record<Param, string>>;
  /** The message that carries the button. */
  readonly message: InteractionMessage;
}

export interface SelectInteraction<Values, Param extends string> extends DiscordInteraction {
  readonly params: Readonly<Record<Param, string>>;
  /** What was chosen, in the order in which Discord says it. */
  readonly values: Values;
  /** The message that carries the menu. */
  readonly message: InteractionMessage;
}

/** A command in a member's menu. */
export interface UserCommandInteraction extends DiscordInteraction {
  /** Whose menu it was; `member` is null for somebody who is not in the server. */
  readonly target: DiscordUser & { readonly member: DiscordMember | null };
}

/** A command in a message's menu. */
export interface MessageCommandInteraction extends DiscordInteraction {
  readonly target: InteractionMessage & {
    /** Empty without the intent MESSAGE CONTENT where the message is not about this application. */
    readonly content: string;
    readonly author: DiscordUser;
  };
}

/** While a member types an option that has `autocomplete`. */
export interface AutocompleteInteraction extends DiscordInteraction {
  /** What was typed so far. */
  readonly value: string;
  /** The other options as far as they are filled in; not checked. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

export interface ModalInteraction<Fields, Param extends string> extends DiscordInteraction {
  readonly fields: Fields;
  readonly params: Readonly<Record<Param, string>>;
  /** The message whose button opened the modal; null after a command. */
  readonly message: InteractionMessage | null;
}

export interface InteractionMessage {
  readonly id: string;
  readonly channelId: string | null;
}
