import type { EventDefinition, Logger } from "@hookline/core";

/** One type of the catalogue, as its subscribers read it. */
export interface EventTypeDescription {
  readonly type: string;
  readonly description: string;
  /**
   * What `data` is like, as JSON Schema (draft 2020-12); null where the schema's library cannot say.
   *
   * @see https://standardschema.dev/json-schema
   */
  readonly schema: Readonly<Record<string, unknown>> | null;
  readonly example: unknown;
}

export interface EventTypes {
  /** The catalogue, in the order in which it was given. */
  list(): readonly EventTypeDescription[];
}

export function createEventTypes(events: readonly EventDefinition[], logger: Logger): EventTypes {
  const schemaOf = ({ type, schema }: EventDefinition): EventTypeDescription["schema"] => {
    try {
      return schema["~standard"].jsonSchema?.output({ target: "draft-2020-12" }) ?? null;
    } catch (error) {
      logger.warn({ err: error, type }, "an event type's schema cannot be written as JSON Schema");
      return null;
    }
  };
  let described: readonly EventTypeDescription[] | null = null;
  return {
    list() {
      described ??= events.map((event) => ({
        type: event.type,
        description: event.description,
        schema: schemaOf(event),
        example: event.example,
      }));
      return described;
    },
  };
}
