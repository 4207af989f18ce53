import type { ModalAnswer, ReplyAnswer, UpdateAnswer } from "./answers.js";
import type { Cooldown } from "./cooldown.js";
import type { Requirement } from "./requirement.js";

/** When a handler answers. Discord wants a first answer within 3 seconds and a deferred one within 15 minutes. */
export type CommandHandling<Interaction> =
  | {
      /** The handler's answer is the first one: it has 2.5 seconds. */
      readonly answer: "immediate";
      run(interaction: Interaction): Promise<ReplyAnswer | ModalAnswer> | ReplyAnswer | ModalAnswer;
    }
  | DeferredHandling<Interaction>;

/** As {@link CommandHandling}; a button or a modal may change the message that it belongs to. */
export type ComponentHandling<Interaction> =
  | {
      readonly answer: "immediate";
      run(
        interaction: Interaction,
      ): Promise<ReplyAnswer | UpdateAnswer | ModalAnswer> | ReplyAnswer | UpdateAnswer | ModalAnswer;
    }
  | DeferredHandling<Interaction>
  | {
      /** Nothing is shown at first; later the message changes, or a reply appears. */
      readonly answer: "deferred-update";
      run(interaction: Interaction): Promise<ReplyAnswer | UpdateAnswer>;
    };

interface DeferredHandling<Interaction> {
  /**
   * The member sees "thinking…" at once, then the handler's answer. It runs as a delivery: after a crash it runs
   * again, so what it makes should carry the interaction's id as idempotency key. After three failures the member
   * reads an apology.
   */
  readonly answer: "deferred";
  /** Whether only the member sees the answer; true when absent. */
  readonly ephemeral?: boolean;
  run(interaction: Interaction): Promise<ReplyAnswer>;
}

/** What every definition may ask of the one who uses it. */
export interface Guarded {
  /** Everybody when absent. */
  readonly requires?: Requirement;
  /** What others are told, privately. */
  readonly refusal?: string;
  /** How often one person may use it; as often as they like when absent. Who is too quick is told how long to wait. */
  readonly cooldown?: Cooldown;
}
