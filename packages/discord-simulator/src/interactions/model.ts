import type { ChannelState, GuildState, MessageState, UserState } from "../world/model.js";

/** 2 command, 3 component, 4 autocomplete, 5 modal. */
export type InteractionType = 2 | 3 | 4 | 5;

/** How an application answered first. */
export type InteractionAnswer = "message" | "deferred" | "update" | "deferred_update" | "modal" | "choices";

/** Why a person sees that an interaction failed. */
export interface InteractionFailure {
  readonly reason: "timed_out" | "unreachable" | "bad_status" | "invalid_answer" | "not_connected";
  /** What the person reads. */
  readonly message: string;
  /** For the developer. */
  readonly detail: string;
}

export interface InteractionState {
  readonly id: string;
  readonly token: string;
  readonly type: InteractionType;
  readonly createdAtMs: number;
  readonly user: UserState;
  readonly guild: GuildState | null;
  readonly channel: ChannelState;
  /** Discord's `data`. */
  readonly data: Record<string, unknown>;
  /** The message whose component was used. */
  readonly source: MessageState | null;
  /** The command or component interaction that showed the modal. */
  readonly trigger: InteractionState | null;
  status: "pending" | "answered" | "failed";
  answer: InteractionAnswer | null;
  answeredAtMs: number;
  /** Discord's modal object, as the application sent it. */
  modal: Record<string, unknown> | null;
  choices: readonly Record<string, unknown>[];
  /** What `@original` means; null before an answer and after its deletion. */
  original: MessageState | null;
  /** False while the person still sees "thinking…". */
  settled: boolean;
  readonly followUps: MessageState[];
  failure: InteractionFailure | null;
}
