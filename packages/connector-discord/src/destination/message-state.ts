import type { Event } from "@hookline/core";

/** The message that stands for an entity; nulls once it is known to be deleted. */
export interface DiscordMessageState {
  readonly messageId: string | null;
  readonly channelId: string | null;
  /** The newest event that it has shown; absent in states of before there was one. */
  readonly shows?: ShownEvent;
}

export interface ShownEvent {
  readonly eventId: string;
  /** ISO 8601. */
  readonly timestamp: string;
}

/**
 * Whether the entity's message shows something newer, so that this event, which a retry has held up, would set it
 * back. Events of the same millisecond are none before the other: ids say no order within it.
 */
export function isOutdated(event: Event, state: DiscordMessageState | null): boolean {
  return state?.shows !== undefined && Date.parse(event.timestamp) < Date.parse(state.shows.timestamp);
}

export function shownBy(event: Event): ShownEvent {
  return { eventId: event.id, timestamp: event.timestamp };
}
