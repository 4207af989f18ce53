/** The message that stands for an entity; nulls once it is known to be deleted. */
export interface DiscordMessageState {
  readonly messageId: string | null;
  readonly channelId: string | null;
}
