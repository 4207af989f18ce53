import type { Event } from "@hookline/core";

/** An event whose data are parsed only when somebody looks at them. */
export interface StoredEvent extends Event {
  /** The data as they are stored: JSON text. */
  readonly dataText: string;
}

/** Rebuilds an event from its columns. */
export function createStoredEvent(fields: {
  readonly id: string;
  readonly type: string;
  /** ISO 8601 with milliseconds. */
  readonly timestamp: string;
  readonly tenantId: string;
  readonly subjectId: string | null;
  readonly dataText: string;
}): StoredEvent {
  let parsed: { readonly data: unknown } | null = null;
  const event = {
    id: fields.id,
    type: fields.type,
    timestamp: fields.timestamp,
    tenantId: fields.tenantId,
    ...(fields.subjectId === null ? {} : { subjectId: fields.subjectId }),
    get data(): unknown {
      parsed ??= { data: JSON.parse(fields.dataText) };
      return parsed.data;
    },
  };
  // Not enumerable, so that a copy or a log of the event holds its data once.
  return Object.defineProperty(event, "dataText", { value: fields.dataText }) as StoredEvent;
}
