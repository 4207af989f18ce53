import { randomBytes } from "node:crypto";
import type { ChannelState, GuildState, MemberState, Packet, VoiceState } from "./model.js";
import { voicePayload } from "./payloads.js";

/** What a person has switched on or off in a voice channel; nothing of it when absent. */
export interface VoiceSettings {
  readonly muted?: boolean | undefined;
  readonly deafened?: boolean | undefined;
  readonly streaming?: boolean | undefined;
  readonly video?: boolean | undefined;
}

/** Who is in which voice channel. Nothing can be heard. */
export interface Voice {
  /** Also for one who is there already, or in another channel of the guild. */
  join(guild: GuildState, member: MemberState, where: VoiceSettings & { readonly channel: ChannelState }): void;
  /** False: was in none. */
  leave(guild: GuildState, member: MemberState): boolean;
}

export function createVoice(publish: (packet: Packet) => void): Voice {
  const tell = (guild: GuildState, member: MemberState, state: VoiceState) =>
    publish({
      t: "VOICE_STATE_UPDATE",
      d: { ...voicePayload(member, state), guild_id: guild.id },
      guildId: guild.id,
    });

  return {
    join(guild, member, { channel, muted = false, deafened = false, streaming = false, video = false }) {
      const sessionId = guild.voice.get(member.user.id)?.sessionId ?? randomBytes(16).toString("hex");
      const state = { sessionId, channelId: channel.id, muted, deafened, streaming, video };
      guild.voice.set(member.user.id, state);
      tell(guild, member, state);
    },
    leave(guild, member) {
      const state = guild.voice.get(member.user.id);
      if (!state) {
        return false;
      }
      guild.voice.delete(member.user.id);
      tell(guild, member, { ...state, channelId: null });
      return true;
    },
  };
}
