import type { Migration } from "@hookline/postgres";

/**
 * The deliveries of an ordering key in two parts: those that are tried again, by the time of that, and all others, by
 * their places. So `skip` finds what comes before another one without stepping over all that wait for a retry.
 */
export const retriesOfKeys: Migration = {
  id: "0010_retries_of_keys",
  indexes: [
    {
      name: "queue_ordered_retries",
      table: "queue",
      definition: `(endpoint_id, ordering_key, next_at, position) where ordering_key is not null
        and attempt > 0 and not leased and state = 0 and next_at < 'infinity'`,
    },
    {
      name: "queue_ordered_others",
      table: "queue",
      definition: `(endpoint_id, ordering_key, position) where ordering_key is not null
        and (attempt = 0 or leased or state <> 0 or next_at = 'infinity')`,
    },
  ],
};
