// A Discord of the bench's own, in which one person talks in several servers.
import { createDiscordSimulator } from "@hookline/discord-simulator";
import { serveCalls } from "../deliveries/program.mjs";

const TEXT = "A message as people write them, with some words more than one, and a mention of nobody at all.";
/** How often what is due is said. */
const TICK_MS = 10;

let simulator;
let channels;
let said = 0;

serveCalls({
  async open({ guilds }) {
    simulator = createDiscordSimulator();
    const { url } = await simulator.start();
    channels = Array.from({ length: guilds }, (_, index) => `channel-${index}`);
    for (const name of channels) {
      const { id } = await simulator.addGuild({ name });
      await simulator.addChannel({ name, guild: id });
      await simulator.member("anna").join(id);
    }
    return { apiUrl: `${url}/api`, botToken: simulator.application.botToken };
  },

  /** Says so many messages at this rate, in one server after another. */
  async talk({ messages, perSecond }) {
    const anna = simulator.member("anna");
    const startedMs = performance.now();
    for (let done = 0; done < messages; ) {
      const due = Math.min(messages, Math.ceil(((performance.now() - startedMs) * perSecond) / 1000));
      for (; done < due; done += 1) {
        await anna.say(channels[said % channels.length], TEXT);
        said += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    return { seconds: (performance.now() - startedMs) / 1000 };
  },

  close: () => simulator.close(),
});
