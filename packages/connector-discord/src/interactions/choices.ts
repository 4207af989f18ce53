import type { ChannelType } from "discord-api-types/v10";
import type { DiscordInteraction, DiscordMember, DiscordUser } from "./interaction.js";

/** One option of a menu or of a group of boxes. */
export interface ChoiceOption {
  /** At most 100 characters; so are the others. */
  readonly label: string;
  readonly value: string;
  readonly description?: string;
  /** Chosen beforehand. */
  readonly default?: boolean;
}

/** What there is to choose from: options of your own, what a function offers, or what the server has. */
export type SelectChoice = readonly ChoiceOption[] | OptionSource | EntityChoice;
/** `mentionables`: members and roles in one menu. */
export type EntityChoice = "users" | "roles" | "channels" | "mentionables";

/**
 * Says what a menu offers. Called when an answer shows the menu, and again when somebody chooses in it, since what is
 * not offered any more is refused. Within 2.5 seconds of an immediate answer.
 */
export type OptionSource = (shown: OptionRequest) => Promise<readonly ChoiceOption[]> | readonly ChoiceOption[];

/** The interaction whose answer shows the menu, or by which somebody chooses; and the menu's params. */
export interface OptionRequest extends DiscordInteraction {
  readonly params: Readonly<Record<string, string>>;
}

/** One of Discord's kinds of channel by its name, such as `GuildText`. */
export type ChannelTypeName = keyof typeof ChannelType;

export interface ChosenUser extends DiscordUser {
  /** Null for somebody who is not in the server. */
  readonly member: DiscordMember | null;
}

export interface ChosenRole {
  readonly id: string;
  readonly name: string;
}

export interface ChosenChannel {
  readonly id: string;
  /** Null where Discord does not say it. */
  readonly name: string | null;
  /** Discord's number for its kind: 0 is a text channel. */
  readonly type: number;
}

export type ChosenMentionable = (ChosenUser & { readonly kind: "user" }) | (ChosenRole & { readonly kind: "role" });

/** The value of an option, or what was chosen of the server. */
export type ChosenItem<Choice extends SelectChoice> = Choice extends "users"
  ? ChosenUser
  : Choice extends "roles"
    ? ChosenRole
    : Choice extends "channels"
      ? ChosenChannel
      : Choice extends "mentionables"
        ? ChosenMentionable
        : Choice extends readonly ChoiceOption[]
          ? Choice[number]["value"]
          : Choice extends OptionSource
            ? string
            : never;

/** At least one, unless the definition takes none. */
export type ChosenItems<Choice extends SelectChoice, Min extends number> = 0 extends Min
  ? readonly ChosenItem<Choice>[]
  : readonly [ChosenItem<Choice>, ...ChosenItem<Choice>[]];
