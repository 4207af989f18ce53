import type { Dispatcher } from "@hookline/dispatcher";
import type { Gauge } from "@hookline/engine";

/** How much waits to be delivered, asked when `/metrics` is read. */
export function queueGauges(dispatcher: Dispatcher): readonly Gauge[] {
  return [
    {
      name: "hookline_deliveries_due",
      help: "Deliveries whose next attempt is due.",
      collect: async () => (await dispatcher.health()).queue?.due ?? Number.NaN,
    },
    {
      name: "hookline_deliveries_held",
      help: "Deliveries that wait outside the line, such as for a disabled endpoint.",
      collect: async () => (await dispatcher.health()).queue?.held ?? Number.NaN,
    },
    {
      name: "hookline_deliveries_in_flight",
      help: "Deliveries that this process is attempting.",
      collect: async () => (await dispatcher.health()).inFlight,
    },
  ];
}
