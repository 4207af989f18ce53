/** The ids of the unfinished deliveries for which `condition` holds over `event_id`, each half by its own index. */
export function unfinishedOfEvents(schema: string, condition: string): string {
  return `
    select id from "${schema}".queue where ${condition} and not leased and event_id is not null
    union all
    select id from "${schema}".queue where ${condition} and state = 0 and leased`;
}
