// What is published: tickets whose webhook has about 1 KB.

const PROSE = "The printer on the second floor prints every page twice since Monday. ".repeat(11);

export const EVENT_TYPE = "ticket.created";

/** One tenant has one endpoint, at one origin. */
export function tenantOf(origin) {
  return `tenant-${origin + 1}`;
}

/**
 * @typedef {object} BenchEvent
 * @property {string} id
 * @property {number} origin index into the target's urls
 * @property {object} data
 */

/** @returns {() => BenchEvent} the next event, its origin in turn */
export function createEventSource(prefix, origins) {
  let count = 0;
  return () => {
    count += 1;
    return {
      id: `evt_${prefix}_${count}`,
      origin: count % origins,
      data: { number: `TKT-2026-${count}`, status: "open", priority: 2, description: PROSE },
    };
  };
}
