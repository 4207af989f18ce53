// As many signed requests as one process can send: no queue, nothing written down.
import { createEventSource } from "../events.mjs";
import { createPoster } from "../peer-delivery.mjs";

const IN_FLIGHT = 64;

/** @type {import("../sender.program.mjs").ContestantFactory} */
export async function createContestant({ target, prefix }) {
  const poster = createPoster(target);
  const nextEvent = createEventSource(prefix, target.urls.length);
  let isStopped = false;
  let sent = 0;
  let loops = [];
  const sendOn = async () => {
    while (!isStopped) {
      await poster.post(nextEvent());
      sent += 1;
    }
  };
  return {
    async start() {
      loops = Array.from({ length: IN_FLIGHT }, sendOn);
    },
    async stop() {
      isStopped = true;
      await Promise.all(loops);
    },
    recorded: async () => sent,
    close: () => poster.close(),
  };
}
