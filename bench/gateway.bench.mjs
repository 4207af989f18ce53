// What one packet of Discord's Gateway costs on its way to the API: the worker against one POST for each packet, and
// against a discord.js Client that only receives.
import { startProgram } from "./deliveries/program.mjs";
import { median, shuffled, until } from "./deliveries/sample.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 3, guilds: 5, warmUp: 2_000, messages: 20_000, perSecond: 2_000 };
const QUICK = { rounds: 1, guilds: 5, warmUp: 300, messages: 1_500, perSecond: 1_000 };
const SECRET = "ingress-secret-of-the-bench-with-32-characters";
const BYTES_PER_MB = 1024 * 1024;

const WAYS = {
  hookline: "the worker: spool, batches, order, retries",
  postPerPacket: "one unawaited POST for each packet",
  discordJsClient: "a discord.js Client that only receives",
};

export default async function bench({ quick }) {
  const size = quick ? QUICK : FULL;
  const samples = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let round = 0; round < size.rounds; round += 1) {
    for (const way of shuffled(Object.keys(WAYS))) samples[way].push(await measure(way, size));
  }
  const ratio = (figure, other) =>
    median(samples.hookline.map((one, round) => one[figure] / samples[other][round][figure]));
  return {
    checks: [
      {
        what: "CPU of worker and API, of one POST for each packet",
        measured: ratio("totalMicros", "postPerPacket"),
        atMost: 0.2,
      },
      { what: "CPU of the worker alone, of one POST for each packet", measured: ratio("ownMicros", "postPerPacket") },
      {
        what: "CPU of the worker alone, of a discord.js Client that only receives",
        measured: ratio("ownMicros", "discordJsClient"),
      },
      { what: "memory of the worker, of a discord.js Client", measured: ratio("rssMb", "discordJsClient") },
    ],
    figures: {
      [`${size.messages} messages in ${size.guilds} servers at ${size.perSecond} a second`]: Object.entries(WAYS).map(
        ([way, what]) => ({
          what,
          "µs of CPU a packet": Math.round(median(samples[way].map(({ ownMicros }) => ownMicros))),
          "with the API": Math.round(median(samples[way].map(({ totalMicros }) => totalMicros))),
          "packets a request":
            way === "discordJsClient" ? null : Math.round(median(samples[way].map(({ perRequest }) => perRequest))),
          lost: Math.max(...samples[way].map(({ lost }) => lost)),
          MB: Math.round(median(samples[way].map(({ rssMb }) => rssMb))),
        }),
      ),
    },
    versions: versionsOf(["@discordjs/ws", "discord.js"]),
  };
}

async function measure(way, { guilds, warmUp, messages, perSecond }) {
  const discord = startProgram("../gateway/discord.program.mjs");
  const ingress = startProgram("../gateway/ingress.program.mjs");
  const contestant = startProgram("../gateway/contestant.program.mjs");
  const { url: ingressUrl } = await ingress.call("open", { secret: SECRET });
  const { apiUrl, botToken } = await discord.call("open", { guilds });
  await contestant.call("open", { way, apiUrl, botToken, ingressUrl, secret: SECRET });
  const arrived = async () =>
    way === "discordJsClient"
      ? contestant.call("seen")
      : (await ingress.call("count")).items + (await contestant.call("lost"));
  const talk = async (count, total) => {
    await discord.call("talk", { messages: count, perSecond });
    await until(async () => (await arrived()) >= total, { what: `${total} packets of ${way} have arrived` });
  };

  await talk(warmUp, warmUp);
  const [before, apiBefore, countBefore] = await look();
  await talk(messages, warmUp + messages);
  const [after, apiAfter, countAfter] = await look();
  await contestant.end();
  await Promise.all([discord.end(), ingress.end()]);
  const ownMicros = ((after.cpuMs - before.cpuMs) * 1000) / messages;
  return {
    ownMicros,
    totalMicros: ownMicros + ((apiAfter - apiBefore) * 1000) / messages,
    perRequest: messages / Math.max(1, countAfter.requests - countBefore.requests),
    rssMb: after.rssBytes / BYTES_PER_MB,
    lost: countAfter.lost - countBefore.lost,
  };

  async function look() {
    const [usage, apiCpuMs, count] = await Promise.all([
      contestant.call("usage"),
      ingress.call("cpuMs"),
      ingress.call("count"),
    ]);
    return [usage, apiCpuMs, { ...count, lost: await contestant.call("lost") }];
  }
}
